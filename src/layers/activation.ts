// Activations as layers of their own. Where an op has the same name (relu, softmax) one function is both: given a Value it is the op,
// given options alone, or nothing, the layer.
import { checkKeys, rangeError, told } from "../errors.js";
import { checkValue, isValue, type Value } from "../graph/value.js";
import {
  type ActivationName,
  softmax as lastSoftmax,
  relu as plainRelu,
  activation as resolve,
} from "../ops/activation.js";
import { mul, sub } from "../ops/arithmetic.js";
import { clip, greater, minimum, where } from "../ops/comparison.js";
import { reshape } from "../ops/shape.js";
import { withAxesLast } from "../ops/transpose.js";
import { elu as eluOp, leakyRelu as leakyOp } from "../ops/unary.js";
import { sizeOf } from "../shape.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";
import { sampleAxes } from "./normalization.js";

/**
 * An activation as a layer, as Keras' `Activation`.
 * @param of its name, or a function of Values
 * @example
 * activation("relu")(input([8])).shape; // [1, 8]
 */
export function activation(of: ActivationName | ((x: Value) => Value), options: LayerOptions = {}): Layer {
  const act = resolve(of, "activation");
  return stepwise("activation", options, [], act);
}

/** An op on a Value; with options alone a layer. */
export interface Activation<O extends object> {
  (options?: O & LayerOptions): Layer;
  (x: Value, options: O): Value;
  (x: Value): Value; // the last one, which TypeScript takes where a function is handed on, as in values.map(relu)
}

export interface ReluOptions {
  /** Nothing is larger; default none. */
  maxValue?: number;
  /** What is below the threshold, less the threshold, is multiplied by it; default 0. */
  negativeSlope?: number;
  /** What is not above it is taken for negative; default 0. */
  threshold?: number;
}

export interface LeakyReluOptions {
  /** Default 0.3 as a layer and 0.2 as an op, as in Keras. */
  negativeSlope?: number;
}

export interface EluOptions {
  /** Default 1. */
  alpha?: number;
}

export interface SoftmaxOptions {
  /** The axis, or axes together, along which the results sum to 1, the batch being 0; default -1, the last. */
  axis?: number | readonly number[];
}

/** @param make checks the options and gives what they do to a Value; defaults of the layer and of the op may differ */
function either<O extends object>(
  kind: string,
  known: readonly (keyof O)[],
  make: (options: O, asLayer: boolean) => (x: Value) => Value,
): Activation<O> {
  function both(options?: O & LayerOptions): Layer;
  function both(x: Value, options?: O): Value;
  function both(first?: Value | (O & LayerOptions), second?: O): Value | Layer {
    if (isValue(first) || (first !== undefined && !isOptions(first))) {
      checkValue(first, kind);
      const options = isOptions(second) ? second : ({} as O); // an index, as values.map(relu) gives it, is none
      checkKeys(kind, options, known);
      return make(options, false)(first);
    }
    const given = (first ?? {}) as O & LayerOptions;
    checkKeys(kind, given, [...known, "name"]);
    return stepwise<O & LayerOptions>(kind, given, known, make(given, true));
  }
  return both;
}

const isOptions = <T>(x: T | undefined): x is T & object =>
  typeof x === "object" && x !== null && !Array.isArray(x) && !("data" in x);

function finite(op: string, what: string, value: number, least = Number.NEGATIVE_INFINITY): void {
  if (Number.isFinite(value) && value >= least) return;
  const range = least === 0 ? " of at least 0" : "";
  throw rangeError({ op, expected: `${what} to be a number${range}`, actual: told(value) });
}

/**
 * max(x, 0), or with options Keras' `relu`: `maxValue` where x is at least that, x above `threshold`, else negativeSlope (x - threshold).
 * NaN stays NaN. Its gradient at 0 is 0. With options alone, or nothing, a layer as Keras' `ReLU`.
 * @param x float32 of any shape
 * @throws {RangeError} for options that are no numbers, or a negative `maxValue` or `negativeSlope`
 * @example
 * relu(input([8])).shape; // [1, 8]
 * sequential(dense(4), relu({ maxValue: 6, negativeSlope: 0.1 }))(input([8])).shape; // [1, 4]
 */
export const relu: Activation<ReluOptions> = /* @__PURE__ */ either<ReluOptions>(
  "relu",
  ["maxValue", "negativeSlope", "threshold"],
  ({ maxValue, negativeSlope = 0, threshold = 0 }) => {
    if (maxValue !== undefined) finite("relu", "maxValue", maxValue, 0);
    finite("relu", "negativeSlope", negativeSlope, 0);
    finite("relu", "threshold", threshold);
    return (x) => {
      const above = threshold === 0 ? x : where(greater(x, threshold), x, 0);
      const positive = maxValue === undefined ? plainRelu(above) : clip(above, 0, maxValue);
      if (negativeSlope === 0) return positive;
      if (threshold !== 0) return sub(positive, mul(plainRelu(sub(threshold, x)), negativeSlope));
      const leaky = leakyOp(x, { negativeSlope });
      return maxValue === undefined ? leaky : minimum(leaky, maxValue);
    };
  },
);

/**
 * x where x > 0, else negativeSlope x. With options alone, or nothing, a layer as Keras' `LeakyReLU`.
 * @param options.negativeSlope default 0.2, as in Keras' function; of the layer 0.3, as Keras'
 * @throws {RangeError} for a slope that is no number
 * @example
 * leakyRelu(input([3]), { negativeSlope: 0.1 }).shape; // [1, 3]
 * leakyRelu()(input([3])).shape; // [1, 3]
 */
export const leakyRelu: Activation<LeakyReluOptions> = /* @__PURE__ */ either<LeakyReluOptions>(
  "leakyRelu",
  ["negativeSlope"],
  ({ negativeSlope }, asLayer) => {
    const slope = negativeSlope ?? (asLayer ? 0.3 : 0.2);
    finite("leakyRelu", "negativeSlope", slope);
    return (x) => leakyOp(x, { negativeSlope: slope });
  },
);

/**
 * x where x > 0, else alpha (e^x - 1). Clevert, Unterthiner and Hochreiter 2016. With options alone, or nothing, a layer as Keras' `ELU`.
 * @param options.alpha default 1
 * @throws {RangeError} for an alpha that is no number
 * @example
 * elu(input([3])).shape; // [1, 3]
 * elu({ alpha: 0.5 })(input([3])).shape; // [1, 3]
 */
export const elu: Activation<EluOptions> = /* @__PURE__ */ either<EluOptions>("elu", ["alpha"], ({ alpha = 1 }) => {
  finite("elu", "alpha", alpha);
  return (x) => eluOp(x, { alpha });
});

/**
 * exp(x) / sum(exp(x)) along an axis, the maximum taken off first. With options alone, or nothing, a layer as Keras' `Softmax`.
 * @param x float32 [..., classes]
 * @param options.axis default -1, the last; others cost two transpositions
 * @throws {RangeError} for an axis that `x` does not have, and for the batch
 * @example
 * softmax(input([10])).shape; // [1, 10]
 * softmax({ axis: 1 })(input([10, 4])).shape; // [1, 10, 4]
 */
export const softmax: Activation<SoftmaxOptions> = /* @__PURE__ */ either<SoftmaxOptions>(
  "softmax",
  ["axis"],
  ({ axis = -1 }) =>
    (x) => {
      if (axis === -1) return lastSoftmax(x);
      const axes = sampleAxes("softmax", axis, x);
      return withAxesLast(x, axes, (last) => {
        if (axes.length === 1) return lastSoftmax(last);
        const rest = last.shape.slice(1);
        const joined = sizeOf(rest.slice(-axes.length));
        const kept = rest.slice(0, -axes.length);
        return reshape(lastSoftmax(reshape(last, [-1, ...kept, joined])), [-1, ...rest]);
      });
    },
);
