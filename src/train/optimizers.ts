// Optimizers: which states each parameter needs beside it, the numbers that change from step to step, and the update as a node.
// Formulas are Keras 3's.
import { rangeError, typeError } from "../errors.js";
import { make, type Value } from "../graph/value.js";
import { updateOps } from "../ops/update.js";

export interface Optimizer {
  readonly name: string;
  /** Names of the states beside each parameter, of its shape, zero at first. */
  readonly slots: readonly string[];
  /** The number that the update of step `step` (from 1) takes from memory. */
  rate(step: number): number;
  /** Writes the parameter and its slots. */
  update(weight: Value, gradient: Value, slots: readonly Value[], rate: Value): Value;
}

/** b^n by multiplication alone: Math.pow differs between engines. */
function power(b: number, n: number): number {
  let result = 1;
  for (let square = b, rest = n; rest > 0; rest = Math.floor(rest / 2), square *= square)
    if (rest % 2 === 1) result *= square;
  return result;
}

function within(op: string, what: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  throw rangeError({ op, expected: `${what} in [${low}, ${high}]`, actual: String(value) });
}

export interface SgdOptions {
  /** Default 0.01. */
  learningRate?: number;
  /** Default 0: plain gradient descent. */
  momentum?: number;
  /** Default false. */
  nesterov?: boolean;
}

/**
 * Gradient descent, with momentum on request, as Keras' `SGD`.
 * @throws {RangeError} for a negative rate or a momentum outside [0, 1]
 * @example
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true });
 */
export function sgd({ learningRate = 0.01, momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  within("sgd", "learningRate", learningRate, 0, Number.MAX_VALUE);
  within("sgd", "momentum", momentum, 0, 1);
  return {
    name: "sgd",
    slots: momentum === 0 ? [] : ["momentum"],
    rate: () => learningRate,
    update: (weight, gradient, [velocity], rate) =>
      (momentum === 0
        ? make(updateOps.sgd, [weight, gradient, rate])
        : make(updateOps.sgdMomentum, [weight, gradient, velocity, rate], { momentum, nesterov })
      ).outputs[0],
  };
}

export interface AdamOptions {
  /** Default 0.001. */
  learningRate?: number;
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

/**
 * Adam (Kingma and Ba 2015) in Keras' form: w -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon).
 * @throws {RangeError} for a negative rate or epsilon, or a beta outside [0, 1)
 * @example
 * const optimizer = adam({ learningRate: 0.002 });
 */
export function adam({
  learningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-7,
}: AdamOptions = {}): Optimizer {
  within("adam", "learningRate", learningRate, 0, Number.MAX_VALUE);
  within("adam", "beta1", beta1, 0, 1 - 2 ** -24);
  within("adam", "beta2", beta2, 0, 1 - 2 ** -24);
  within("adam", "epsilon", epsilon, 0, Number.MAX_VALUE);
  return {
    name: "adam",
    slots: ["momentum", "velocity"],
    rate: (step) => (learningRate * Math.sqrt(1 - power(beta2, step))) / (1 - power(beta1, step)),
    update: (weight, gradient, [m, v], alpha) =>
      make(updateOps.adam, [weight, gradient, m, v, alpha], { beta1, beta2, epsilon }).outputs[0],
  };
}

const byName = { sgd, adam } as const;
export type OptimizerName = keyof typeof byName;

/** The optimizer of a name with its defaults, or the given one. @throws {TypeError} for a name that there is not */
export function resolveOptimizer(given: Optimizer | OptimizerName | undefined): Optimizer {
  if (typeof given === "object" && given !== null && typeof given.update === "function") return given;
  if (typeof given === "string" && Object.hasOwn(byName, given)) return byName[given]();
  throw typeError({
    op: "fit",
    expected: `an optimizer: ${Object.keys(byName).join(", ")}`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
