// Pooling layers over sequences: those over images of one row.
import type { Value } from "../graph/value.js";
import { div, mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { wantElements, wantRank } from "../ops/check.js";
import { maximum } from "../ops/comparison.js";
import { avgPool2d, maxPool2d } from "../ops/pool.js";
import { mean, sum } from "../ops/reduce.js";
import { expandDims, squeeze } from "../ops/shape.js";
import type { Padding, Pair } from "../ops/window.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";
import { asRow, asSteps, type Padding1d, rowPadding } from "./steps.js";

export interface Pooling1dOptions extends LayerOptions {
  /** Default the pool size. */
  strides?: number;
  /** `same` pads as TensorFlow does, the odd step after; also steps as [before, after]; default `valid`. */
  padding?: Padding1d;
}

export interface GlobalPooling1dOptions extends LayerOptions {
  /** Keep the axis of steps with size 1; default false. */
  keepdims?: boolean;
}

type Pool = (x: Value, size: Pair, strides: Pair, padding: Padding) => Value;

function pooling(op: string, poolSize: number, options: Pooling1dOptions, pool: Pool): Layer {
  const { strides = poolSize } = options;
  positive(op, "poolSize", poolSize);
  positive(op, "strides", strides);
  const padding = rowPadding(op, options.padding ?? "valid");
  return layer(op, options, ["strides", "padding"], (x) =>
    asSteps(pool(asRow(op, x), [1, poolSize], [1, strides], padding)),
  );
}

/**
 * The largest element of each window, as Keras' `MaxPooling1D`; padding never is the maximum. Its gradient goes to the first maximum
 * of a window.
 * @param poolSize steps of the window; default 2
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, channels]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for padding as large as the window
 * @example
 * maxPooling1d(4)(input([100, 6])).shape; // [1, 25, 6]
 */
export const maxPooling1d = (poolSize = 2, options: Pooling1dOptions = {}): Layer =>
  pooling("maxPooling1d", poolSize, options, maxPool2d);

/**
 * The mean of each window, as Keras' `AveragePooling1D`; padding does not count.
 * @param poolSize steps of the window; default 2
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, channels]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for padding as large as the window
 * @example
 * averagePooling1d(3, { strides: 2, padding: "same" })(input([9, 6])).shape; // [1, 5, 6]
 */
export const averagePooling1d = (poolSize = 2, options: Pooling1dOptions = {}): Layer =>
  pooling("averagePooling1d", poolSize, options, avgPool2d);

/**
 * The mean over all steps, as Keras' `GlobalAveragePooling1D`; with a mask over those that it lets pass, 0 where there are none.
 * @returns a layer from float32 [batch, steps, channels] to [batch, channels]; it throws {ShapeError} for sequences of no steps
 * @example
 * globalAveragePooling1d()(input([100, 6])).shape; // [1, 6]
 */
export function globalAveragePooling1d(options: GlobalPooling1dOptions = {}): Layer {
  const { keepdims = false } = options;
  return layer("globalAveragePooling1d", options, ["keepdims"], (x, _weight, mask) => {
    wantRank("globalAveragePooling1d", 3, "a sequence [steps, channels]", x);
    wantElements("globalAveragePooling1d", x, 1);
    if (mask !== undefined) {
      const counts = expandDims(cast(mask, "float32"), -1);
      const over = { keepDims: keepdims };
      return div(sum(mul(x, counts), 1, over), maximum(sum(counts, 1, over), 1));
    }
    return mean(x, 1, { keepDims: keepdims });
  });
}

/**
 * The maximum over all steps, as Keras' `GlobalMaxPooling1D`. Its gradient goes to the first maximum.
 * @returns a layer from float32 [batch, steps, channels] to [batch, channels]; it throws {ShapeError} for sequences of no steps
 * @example
 * globalMaxPooling1d({ keepdims: true })(input([100, 6])).shape; // [1, 1, 6]
 */
export function globalMaxPooling1d(options: GlobalPooling1dOptions = {}): Layer {
  const { keepdims = false } = options;
  return layer("globalMaxPooling1d", options, ["keepdims"], (x) => {
    const row = asRow("globalMaxPooling1d", x);
    wantElements("globalMaxPooling1d", x, 1);
    const y = maxPool2d(row, [1, x.shape[1]], [1, 1], "valid");
    return squeeze(y, keepdims ? 1 : [1, 2]);
  });
}
