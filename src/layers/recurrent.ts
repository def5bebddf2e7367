// What recurrent layers have in common: options, weights, states before and after, masks. The kinds are in simplernn.ts, lstm.ts and gru.ts.
import { rangeError, ShapeError, told, UnsupportedError } from "../errors.js";
import type { Op } from "../graph/op.js";
import type { LayerInfo, Value } from "../graph/value.js";
import { carry } from "../ops/carry.js";
import { wantRank } from "../ops/check.js";
import { where } from "../ops/comparison.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { withMask } from "../ops/mask.js";
import { matmul } from "../ops/matmul.js";
import { noise } from "../ops/random.js";
import {
  applyCell,
  type RecurrentActivation,
  recurrentActivations,
  recurrentDropout as stateDropout,
} from "../ops/recurrent.js";
import { type Regularizer, type RegularizerName, regularized, resolveRegularizer } from "../ops/regularizer.js";
import { expandDims, reshape, squeeze } from "../ops/shape.js";
import { flip, stridedSlice } from "../ops/slice.js";
import { show } from "../shape.js";
import { define, type LayerOptions, own, type WeightOf } from "./layer.js";
import { positive, regularizers } from "./options.js";

export interface RecurrentOptions extends LayerOptions {
  /** Of the new state: tanh, sigmoid, relu or linear; default `tanh`. */
  activation?: RecurrentActivation;
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `orthogonal`. */
  recurrentInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
  /** Default none. */
  kernelRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  recurrentRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  biasRegularizer?: RegularizerName | Regularizer;
  /** Of the layer's output, its penalty divided by the batch size as in Keras; default none. */
  activityRegularizer?: RegularizerName | Regularizer;
  /** While training, share of the input's features that are 0, the same ones in all steps of a sequence; default 0. */
  dropout?: number;
  /** The same of the states, where they meet the recurrent weights (Gal and Ghahramani 2016); default 0. */
  recurrentDropout?: number;
  /** The states of all steps, [batch, steps, units], in place of the last one; default false. */
  returnSequences?: boolean;
  /** A list of the output and the last states in place of the output alone; default false. */
  returnState?: boolean;
  /** From the last step to the first, and the states of all steps in that order; default false. */
  goBackwards?: boolean;
  /** Go on from the states in which the last `predict` or step of `fit` ended, until `model.resetState()`; default false. */
  stateful?: boolean;
  /** How many sequences at most a stateful layer goes on with; default 1. */
  batchSize?: number;
  /** With a mask and `returnSequences`, 0 for steps that are masked in place of the state before them; default false. */
  zeroOutputForMask?: boolean;
}

export interface GatedOptions extends RecurrentOptions {
  /** Of the gates: sigmoid, tanh, relu or linear; default `sigmoid`. */
  recurrentActivation?: RecurrentActivation;
}

/** What a recurrent layer can be given beside its input. */
export interface RecurrentCall {
  /** The states before the first step, [batch, units] each; default zeros. */
  initialState?: Value | readonly Value[];
}

/** A recurrent layer: of a sequence [batch, steps, features], its last state, or with `returnState` a list. */
export interface Recurrent<O extends RecurrentOptions = RecurrentOptions> {
  (x: Value, call?: RecurrentCall): O extends { returnState: true } ? Value[] : Value;
  readonly kind: string;
  readonly options: RecurrentOptions;
  /** A layer of the same kind and options but for some, with weights of its own, whose kind begins with that word. */
  again(word: string, changes: RecurrentOptions): Recurrent;
}

/** What differs between kinds. */
export interface Kind {
  readonly kind: string;
  readonly op: Op;
  /** What a step is given: so many times the units. */
  readonly width: number;
  /** How many states there are. */
  readonly states: 1 | 2;
  /** The product with a bias, and what of it belongs into the cell. */
  biased(product: Value, bias: (shape: readonly number[], initializer?: Initializer) => Value, units: number): Biased;
  readonly resetAfter?: boolean;
}

interface Biased {
  readonly z: Value;
  readonly bias?: Value;
}

export const recurrentOptions = [
  "activation",
  "useBias",
  "kernelInitializer",
  "recurrentInitializer",
  "biasInitializer",
  "kernelRegularizer",
  "recurrentRegularizer",
  "biasRegularizer",
  "activityRegularizer",
  "dropout",
  "recurrentDropout",
  "returnSequences",
  "returnState",
  "goBackwards",
  "stateful",
  "batchSize",
  "zeroOutputForMask",
] as const satisfies (keyof RecurrentOptions)[];

/**
 * A layer of a kind of cell.
 * @param known options that this kind has beside the common ones
 */
export function recurrentLayer<O extends GatedOptions>(
  cell: Kind,
  units: number,
  options: O,
  known: readonly (keyof O)[],
  kind = cell.kind,
): Recurrent<O> {
  const {
    kernelInitializer = "glorotUniform",
    recurrentInitializer = "orthogonal",
    biasInitializer = "zeros",
  } = options;
  const { useBias = true, dropout = 0, recurrentDropout = 0, batchSize = 1 } = options;
  const { returnSequences, returnState, goBackwards, stateful, zeroOutputForMask } = options;
  const how = {
    activation: supported(kind, "activation", options.activation ?? "tanh"),
    recurrentActivation: supported(kind, "recurrentActivation", options.recurrentActivation ?? "sigmoid"),
    ...(cell.resetAfter && { resetAfter: true }),
  };
  positive(kind, "units", units);
  positive(kind, "batchSize", batchSize);
  for (const rate of [dropout, recurrentDropout]) {
    if (!(rate >= 0 && rate < 1)) throw rangeError({ op: kind, expected: "dropout in [0, 1)", actual: told(rate) });
  }
  const { ofKernel, ofBias, ofOutput } = regularizers(kind, options);
  const ofStates = resolveRegularizer(options.recurrentRegularizer, kind);

  const body = (
    [given, ...initial]: readonly Value[],
    weight: WeightOf,
    [mask]: readonly (Value | undefined)[],
    ends: Value[],
  ): Value => {
    wantRank(kind, 3, "a sequence [steps, features]", given);
    const [, steps, features] = given.shape;
    if (steps === 0)
      throw new ShapeError({ op: kind, expected: "at least one step", actual: `none (input ${show([0, features])})` });
    if (initial.length !== 0 && initial.length !== cell.states)
      throw rangeError({ op: kind, expected: `${cell.states} initial states`, actual: String(initial.length) });
    const [x, steppedMask] = goBackwards ? [flip(given, 1), mask && flip(mask, 1)] : [given, mask];
    const kernel = weight("kernel", [features, cell.width * units], kernelInitializer, { regularizer: ofKernel });
    const u = weight("recurrent_kernel", [units, cell.width * units], recurrentInitializer, { regularizer: ofStates });
    const bias = (shape: readonly number[], initializer: InitializerName | Initializer = biasInitializer) =>
      weight("bias", shape, initializer, { regularizer: ofBias });
    const dropped = dropout > 0 ? noise(x, "spatialDropout", dropout) : x;
    const product = matmul(reshape(dropped, [-1, features]), kernel); // of all steps, so that a bias joins it
    const carried = ["state_h", "state_c"]
      .slice(0, stateful ? cell.states : 0)
      .map((name) => weight(name, [batchSize, units], "zeros", { trainable: false, carried: true }));
    const [h0, c0] = initial.length > 0 ? initial : carried;
    const drop = recurrentDropout > 0 ? stateDropout(x, units, recurrentDropout) : undefined;
    const { z, ...more } = useBias ? cell.biased(product, bias, units) : { z: product };
    const results = applyCell(
      cell.op,
      reshape(z, [-1, steps, cell.width * units]),
      u,
      { ...more, h0, c0, mask: steppedMask, drop },
      how,
    );
    const y = results[cell.width === 1 ? 0 : 1];
    const states = [y, results[2]].slice(0, cell.states).map(last);
    ends.push(...states);
    const zeroed = zeroOutputForMask && steppedMask ? where(expandDims(steppedMask, -1), y, 0) : y;
    const out = carried.reduce(
      (value, state, i) => carry(value, state, states[i]),
      returnSequences ? zeroed : states[0],
    );
    const penalized = regularized(out, ofOutput);
    return returnSequences && steppedMask ? withMask(penalized, steppedMask) : penalized;
  };

  const made = define<O, Value[]>(kind, options, [...recurrentOptions, ...known] as (keyof O)[], body, false);
  const layer = (x: Value, { initialState = [] }: RecurrentCall = {}): Value | Value[] => {
    const ends: Value[] = [];
    const values = [x, ...[initialState].flat()];
    const y = made(values, ends);
    if (!returnState) return y;
    for (const state of ends) own(state, values, y.node.layer as LayerInfo);
    return [y, ...ends];
  };
  const again = (word: string, changes: RecurrentOptions): Recurrent =>
    recurrentLayer(cell, units, { ...options, ...changes }, known, `${word}_${cell.kind}`);
  return Object.assign(layer, { kind: cell.kind, options, again }) as unknown as Recurrent<O>;
}

/** The last step of a sequence. */
const last = (y: Value): Value => squeeze(stridedSlice(y, [null, -1], []), 1);

/** @throws {UnsupportedError} for an activation that the kernels do not have */
function supported(op: string, what: string, given: unknown): RecurrentActivation {
  if (recurrentActivations.includes(given as RecurrentActivation)) return given as RecurrentActivation;
  const list = recurrentActivations.join(", ");
  throw new UnsupportedError(`${op}: expected ${what} to be one of ${list}, got ${told(given)}`, [op]);
}
