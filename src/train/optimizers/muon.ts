// Muon: momentum with all its singular values brought near 1, for the matrices inside a network; AdamW for the other weights.
import { make, type Value } from "../../graph/value.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { matmul } from "../../ops/matmul.js";
import { sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/shape.js";
import { transpose } from "../../ops/transpose.js";
import { sqrt, square } from "../../ops/unary.js";
import { updateOps } from "../../ops/update.js";
import { type Shape, sizeOf } from "../../shape.js";
import { adamFacts } from "./adam.js";
import {
  assign,
  checkNames,
  checkOptions,
  type DecayOptions,
  decayed,
  decayOf,
  type Optimizer,
  type OptimizerOptions,
  within,
} from "./optimizer.js";

export interface MuonOptions extends OptimizerOptions, DecayOptions {
  /** Share of each matrix that is taken off at each step, times the learning rate; default 0.004. */
  weightDecay?: number;
  /** The same of the weights that AdamW trains; default 0.004. */
  adamWeightDecay?: number;
  /** Default 0.9. */
  adamBeta1?: number;
  /** Default 0.999. */
  adamBeta2?: number;
  /** Of AdamW; default 1e-7. */
  epsilon?: number;
  /** What the learning rate is multiplied by for AdamW; default 1. */
  adamLrRatio?: number;
  /** Weights whose names contain one of these are trained by AdamW: name the output layer here. Default none. */
  excludeLayers?: readonly string[];
  /** Weights of embeddings are trained by AdamW, too: those whose names contain "embedding"; default true. */
  excludeEmbeddings?: boolean;
  /** Kernels of convolutions [..., in, out] count as matrices, all axes but the last as one; default false, as in Keras. */
  convolutions?: boolean;
  /** Share of the momentum that is kept; default 0.95. */
  momentum?: number;
  /** Default true. */
  nesterov?: boolean;
  /** Steps of the iteration; default 5. */
  nsSteps?: number;
  /** Coefficients of its polynomial a x + b x^3 + c x^5 of singular values; default 3.4445, -4.775 and 2.0315. */
  muonA?: number;
  muonB?: number;
  muonC?: number;
  /** The root mean square of a step, before the rate, so that rates and decays of AdamW fit (Liu and others 2025); `null` leaves it. Default 0.2. */
  rmsRate?: number | null;
}

/**
 * Muon (Jordan and others 2024), as Keras' `Muon`: m = momentum m + g, then w -= rate rmsRate sqrt(max(rows, columns)) U with U near the
 * orthogonal factor of g + momentum m, by Newton and Schulz's iteration with a quintic polynomial. Weights with another number of axes
 * than two, embeddings and what is named are trained by AdamW.
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate, epsilon or decay, a momentum outside [0, 1), or `nsSteps` that are no whole number
 * @example
 * const optimizer = muon({ learningRate: 0.002, excludeLayers: ["logits"] });
 */
export function muon(options: MuonOptions = {}): Optimizer {
  const op = "muon";
  const own: (keyof MuonOptions)[] = [
    "weightDecay",
    "adamWeightDecay",
    "excludeFromWeightDecay",
    "adamBeta1",
    "adamBeta2",
  ];
  const shared: (keyof MuonOptions)[] = [
    "epsilon",
    "adamLrRatio",
    "excludeLayers",
    "excludeEmbeddings",
    "convolutions",
  ];
  const iteration: (keyof MuonOptions)[] = ["momentum", "nesterov", "nsSteps", "muonA", "muonB", "muonC", "rmsRate"];
  checkOptions(op, options, ...own, ...shared, ...iteration);
  const { adamBeta1, adamBeta2, weightDecay = 0.004, adamWeightDecay = 0.004, excludeFromWeightDecay } = options;
  const { epsilon, adamLrRatio = 1, excludeLayers = [], excludeEmbeddings = true, convolutions = false } = options;
  const { momentum = 0.95, nesterov = true, nsSteps = 5, rmsRate = 0.2 } = options;
  const { muonA: a = 3.4445, muonB: b = -4.775, muonC: c = 2.0315 } = options;
  within(op, "adamLrRatio", adamLrRatio, 0, Number.MAX_VALUE);
  within(op, "momentum", momentum, 0, 1 - 2 ** -24);
  within(op, "nsSteps", Number.isSafeInteger(nsSteps) ? nsSteps : Number.NaN, 1, 100);
  within(op, "rmsRate", rmsRate ?? 0, 0, Number.MAX_VALUE);
  for (const [name, x] of Object.entries({ muonA: a, muonB: b, muonC: c }))
    within(op, name, x, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkNames(op, "excludeLayers", excludeLayers);
  const decay = decayOf(op, { weightDecay, ...(excludeFromWeightDecay && { excludeFromWeightDecay }) });
  const adamDecay = decayOf(op, {
    weightDecay: adamWeightDecay,
    ...(excludeFromWeightDecay && { excludeFromWeightDecay }),
  });
  const { attrs, alpha, ...rest } = adamFacts(op, {
    ...options,
    ...(adamBeta1 === undefined ? {} : { beta1: adamBeta1 }),
    ...(adamBeta2 === undefined ? {} : { beta2: adamBeta2 }),
    ...(epsilon === undefined ? {} : { epsilon }),
  });
  const isMatrix = ({ length }: Shape, name: string): boolean =>
    (length === 2 || (convolutions && length > 2 && name.endsWith("kernel"))) &&
    !(excludeEmbeddings && name.toLowerCase().includes("embedding")) &&
    !excludeLayers.some((part) => name.includes(part));
  return {
    ...rest,
    slots: (shape, name) =>
      (isMatrix(shape, name) ? ["momentum"] : ["momentum", "velocity"]).map((slot) => ({ name: slot })),
    scalars: (step, rate) => [rate, alpha(step, rate * adamLrRatio)],
    update(weight, gradient, [m, v], [rate, adamRate], name) {
      if (v !== undefined) {
        const inputs = [weight, gradient, m, v, adamRate];
        if (adamDecay(name) === 0) return make(updateOps.adam, inputs, attrs).outputs[0];
        return make(updateOps.adamW, [...inputs, rate], { ...attrs, decay: adamDecay(name) }).outputs[0];
      }
      const { shape } = weight;
      const columns = shape[shape.length - 1];
      const rows = columns === 0 ? 0 : sizeOf(shape) / columns;
      const next = add(mul(m, momentum), gradient);
      const g = nesterov ? add(gradient, mul(next, momentum)) : next;
      const size = rmsRate === null ? 1 : Math.sqrt(Math.max(rows, columns)) * rmsRate;
      const step = mul(reshape(orthogonal(reshape(g, [rows, columns]), nsSteps, [a, b, c]), shape), mul(rate, size));
      return [assign(weight, sub(decayed(weight, rate, decay(name)), step)), assign(m, next)];
    },
  };
}

/** A matrix with singular values near 1 and the same vectors; x is [rows, columns] and has no more rows than columns while it is iterated. */
function orthogonal(x: Value, steps: number, [a, b, c]: readonly number[]): Value {
  const [rows, columns] = x.shape;
  const tall = rows > columns;
  let y = tall ? transpose(x, [1, 0]) : x;
  y = div(y, add(sqrt(sum(square(y))), 1e-7));
  for (let i = 0; i < steps; i++) {
    const gram = matmul(y, y, { transposeB: true });
    const mixed = add(mul(gram, b), mul(matmul(gram, gram), c));
    y = add(mul(y, a), matmul(mixed, y));
  }
  return tall ? transpose(y, [1, 0]) : y;
}
