// Normalisations by length: root mean square, and length 1.
import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { maximum } from "../ops/comparison.js";
import { mean, sum } from "../ops/reduce.js";
import { withAxesLast } from "../ops/transpose.js";
import { rsqrt, square } from "../ops/unary.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";
import { sampleAxes } from "./normalization.js";

export interface RmsNormalizationOptions extends LayerOptions {
  /** The axes to normalise over, the batch being 0; default -1. Others than the last ones cost two transpositions. */
  axis?: number | readonly number[];
  /** Added to the mean square; default 0.000001. */
  epsilon?: number;
}

export interface UnitNormalizationOptions extends LayerOptions {
  /** The axes along which the squares sum up to 1, the batch being 0; default -1. */
  axis?: number | readonly number[];
}

/** `x` with length 1 along axes; zeros stay zeros. */
export const unit = (x: Value, axes: readonly number[]): Value =>
  mul(x, rsqrt(maximum(sum(square(x), axes, { keepDims: true }), 1e-24)));

/**
 * x / sqrt(mean(x^2) + epsilon) * scale, every sample over its last axis, or any others, as Keras' `RMSNormalization`. Weight: `scale` of
 * the shape of these axes. Zhang and Sennrich, "Root mean square layer normalization", 2019.
 * @returns a layer from float32 [batch, ..., features] to the same shape
 * @throws {RangeError} for a negative epsilon; the layer throws it for an axis that the input does not have
 * @example
 * rmsNormalization()(input([10, 64])).shape; // [1, 10, 64]
 */
export function rmsNormalization(options: RmsNormalizationOptions = {}): Layer {
  const op = "rmsNormalization";
  const { axis = -1, epsilon = 1e-6 } = options;
  if (!(Number.isFinite(epsilon) && epsilon >= 0))
    throw rangeError({ op, expected: "epsilon to be a number of at least 0", actual: String(epsilon) });
  return stepwise(op, options, ["axis", "epsilon"], (x, weight) => {
    const axes = sampleAxes(op, axis, x);
    const scale = weight(
      "scale",
      axes.map((at) => x.shape[at]),
      "ones",
    );
    return withAxesLast(x, axes, (last) => {
      const behind = axes.map((_, i) => last.shape.length - axes.length + i);
      const meanSquare = mean(square(last), behind, { keepDims: true });
      return mul(mul(last, rsqrt(add(meanSquare, epsilon))), scale);
    });
  });
}

/**
 * Every sample divided by its length along the last axis, or any others, as Keras' `UnitNormalization`; zeros stay zeros.
 * @returns a layer from float32 [batch, ..., features] to the same shape
 * @throws the layer throws {RangeError} for an axis that the input does not have
 * @example
 * unitNormalization()(input([64])).shape; // [1, 64]
 */
export function unitNormalization(options: UnitNormalizationOptions = {}): Layer {
  const op = "unitNormalization";
  const { axis = -1 } = options;
  return stepwise(op, options, ["axis"], (x) => unit(x, sampleAxes(op, axis, x)));
}
