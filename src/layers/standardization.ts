// Features brought to mean 0 and variance 1 by numbers that were measured once, within the model.
import { rangeError, ShapeError, told, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { maximum } from "../ops/comparison.js";
import type { Initializer } from "../ops/initializer.js";
import { constant } from "../ops/leaf.js";
import { reshape } from "../ops/shape.js";
import { sqrt } from "../ops/unary.js";
import { normalizeAxes, type Shape, show, sizeOf } from "../shape.js";
import { type Tensor, tensor } from "../tensor.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

export interface FeatureNormalizationOptions extends LayerOptions {
  /** The axes that have a mean of their own for each index, the batch being 0; default -1, the last. `null`: one mean for all. */
  axis?: number | readonly number[] | null;
  /** Known beforehand, in place of `adapt`: one for all, or one for each index of the axes. Needs `variance`. */
  mean?: number | readonly number[];
  variance?: number | readonly number[];
  /** Undo what the layer does: x sqrt(variance) + mean; default false. */
  invert?: boolean;
}

/** A layer that measures before it is applied. */
export interface NormalizationLayer extends Layer {
  /**
   * Measures mean and variance (over n, not n - 1), in float64: the same bits everywhere.
   * @param data [samples, ...], as the layer's input
   * @throws {RangeError} for no samples or numbers that are not finite; {TypeError} once the layer has been applied
   */
  adapt(data: Tensor): void;
}

interface Measured {
  readonly shape: Shape;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/**
 * (x - mean) / sqrt(variance) for each feature, as Keras' `Normalization`, so that a model takes raw numbers and its file has all that it
 * needs. Weights, not trained: `mean` and `variance`, from `adapt`, which comes before the layer is applied; in a model that is built,
 * `setWeights` gives them others. (Keras' `count` is read by nothing, and is left out.) With the options `mean` and `variance` there are no weights.
 * @returns a layer from [batch, ..., features] of any dtype to float32 of the same shape
 * @throws {RangeError} for numbers that are none or a negative variance; {TypeError} for only one of mean and variance
 * @example
 * const scale = normalization();
 * scale.adapt(tensor([[1, 10], [3, 10], [5, 10]]));
 * const model = await build(input([2]), scale);
 * [...model.weights()["normalization/mean"].data]; // [3, 10]
 * const known = await build(input([2]), normalization({ mean: [3, 10], variance: [4, 1] }));
 * [...known.predict(tensor([[5, 11]])).data]; // [1, 1]
 */
export function normalization(options: FeatureNormalizationOptions = {}): NormalizationLayer {
  const op = "normalization";
  const { axis = -1, mean, variance, invert = false } = options;
  if ((mean === undefined) !== (variance === undefined))
    throw typeError({
      op,
      expected: "both mean and variance, or neither",
      actual: mean === undefined ? "variance" : "mean",
    });
  const given = mean === undefined ? undefined : [listed(op, "mean", mean), listed(op, "variance", variance, 0)];
  let measured: Measured | undefined;
  let applied = false;
  const apply = stepwise(op, options, ["axis", "mean", "variance", "invert"], (x, weight) => {
    applied = true;
    const axes = keptAxes(op, axis, x.shape);
    const shape = axes.map((at) => x.shape[at]);
    if (measured && show(measured.shape) !== show(shape)) {
      throw new ShapeError({ op, expected: `features ${show(measured.shape)}, as in adapt`, actual: show(shape) });
    }
    // Along all axes but the batch's, so that it broadcasts.
    const spread = x.shape.slice(1).map((d, i) => (axes.includes(i + 1) ? d : 1));
    const operand = (name: "mean" | "variance", numbers: readonly number[] | undefined): Value => {
      const first: Initializer = measured
        ? { kind: "parts", values: measured[name] }
        : { kind: "constant", value: name === "mean" ? 0 : 1 };
      return reshape(
        numbers ? fixed(op, name, numbers, shape) : weight(name, shape, first, { trainable: false }),
        spread,
      );
    };
    const shift = operand("mean", given?.[0]);
    const scale = maximum(sqrt(operand("variance", given?.[1])), EPSILON);
    const float = x.dtype === "float32" ? x : cast(x, "float32");
    return invert ? add(mul(float, scale), shift) : div(sub(float, shift), scale);
  });
  const adapt = (data: Tensor): void => {
    if (given || applied) {
      const expected = given
        ? "no mean and variance as options"
        : "adapt before the layer is applied (or setWeights of the model)";
      throw typeError({ op, layer: options.name, expected, actual: given ? "adapt with them" : "adapt afterwards" });
    }
    measured = measure(op, data, axis);
  };
  return Object.assign((x: Value) => apply(x), { adapt });
}

const EPSILON = 1e-7; // Keras' backend epsilon: a feature that never changes is only shifted, and 0

function keptAxes(op: string, axis: number | readonly number[] | null, shape: Shape): number[] {
  const axes = axis === null ? [] : normalizeAxes(axis, shape.length, op);
  if (axes[0] !== 0) return axes;
  throw rangeError({ op, expected: `axes of ${show(shape)} but 0, the batch`, actual: JSON.stringify(axis) });
}

function listed(op: string, what: string, given: unknown, least = Number.NEGATIVE_INFINITY): readonly number[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length > 0 && list.every((v) => Number.isFinite(v) && (v as number) >= least)) return list as number[];
  const range = least === 0 ? "at least 0" : "any size";
  throw rangeError({
    op,
    expected: `${what} to be finite numbers of ${range}`,
    actual: JSON.stringify(given) ?? told(given),
  });
}

function fixed(op: string, what: string, numbers: readonly number[], shape: Shape): Value {
  const size = sizeOf(shape);
  if (numbers.length !== 1 && numbers.length !== size) {
    throw new ShapeError({
      op,
      expected: `one ${what}, or one for each of ${show(shape)}`,
      actual: String(numbers.length),
    });
  }
  const data = Float32Array.from({ length: size }, (_, i) => numbers[numbers.length === 1 ? 0 : i]);
  return constant(tensor(data, [...shape]));
}

/** Two passes, in float64, in the order of the data. */
function measure(op: string, x: Tensor, axis: number | readonly number[] | null): Measured {
  if (!ArrayBuffer.isView(x?.data) || x.shape.length === 0)
    throw typeError({ op, expected: "adapt of a tensor [samples, ...]", actual: told(x) });
  const { data, shape: full } = x;
  const axes = keptAxes(op, axis, full);
  const shape = axes.map((at) => full[at]);
  const features = sizeOf(shape);
  if (data.length === 0) throw rangeError({ op, expected: "at least one sample to adapt to", actual: show(full) });
  if (features > 2 ** 16) throw rangeError({ op, expected: `at most ${2 ** 16} features`, actual: show(shape) });
  /** The feature of an element, and the next element's: the index over the kept axes. */
  const strides = axes.map((_, k) => sizeOf(shape.slice(k + 1)));
  const inner = full.map((_, k) => sizeOf(full.slice(k + 1)));
  const feature = (i: number): number =>
    axes.reduce((sum, at, k) => sum + (Math.floor(i / inner[at]) % full[at]) * strides[k], 0);
  const average = (of: (v: number, feature: number) => number): number[] => {
    const sums = new Array<number>(features).fill(0);
    for (let i = 0; i < data.length; i++) {
      const at = feature(i);
      sums[at] += of(data[i], at);
    }
    return sums.map((sum) => sum / (data.length / features));
  };
  const wrong = data.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0)
    throw rangeError({ op, expected: "finite numbers to adapt to", actual: `${data[wrong]} (element ${wrong})` });
  const mean = average((v) => v);
  return { shape, mean, variance: average((v, at) => (v - mean[at]) * (v - mean[at])) };
}
