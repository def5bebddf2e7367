// Pooling layers.
import { wantElements, wantRank } from "../ops/check.js";
import { avgPool2d, maxPool2d } from "../ops/pool.js";
import { mean } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import type { Padding } from "../ops/window.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { padding as checkPadding, positivePair } from "./options.js";

export interface Pooling2dOptions extends LayerOptions {
  /** Default the pool size. */
  strides?: number | readonly [number, number];
  /** `same` pads as TensorFlow does; also pixels as [[top, bottom], [left, right]]; default `valid`. */
  padding?: Padding;
}

export interface AveragePooling2dOptions extends Pooling2dOptions {
  /** The mean counts padding as zeros, as PyTorch has it; default false, as TensorFlow and Keras have it. */
  countIncludePad?: boolean;
}

export interface GlobalPooling2dOptions extends LayerOptions {
  /** Keep height and width with size 1; default false. */
  keepdims?: boolean;
}

type Size = number | readonly [number, number];

function window(op: string, poolSize: Size, { strides = poolSize, padding = "valid" }: Pooling2dOptions) {
  const size = positivePair(op, "poolSize", poolSize);
  checkPadding(op, padding);
  return { size, strides: positivePair(op, "strides", strides), padding };
}

/**
 * The largest element of each window, as Keras' `MaxPooling2D`; padding never is the maximum. Its gradient goes to the first maximum
 * of a window.
 * @param poolSize height and width of the window, or one number for both; default 2
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, channels]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for padding as large as the window
 * @example
 * maxPooling2d(2)(input([26, 26, 32])).shape; // [1, 13, 13, 32]
 */
export function maxPooling2d(poolSize: Size = 2, options: Pooling2dOptions = {}): Layer {
  const { size, strides, padding } = window("maxPooling2d", poolSize, options);
  return layer("maxPooling2d", options, ["strides", "padding"], (x) => maxPool2d(x, size, strides, padding));
}

/**
 * The mean of each window, as Keras' `AveragePooling2D`. Each is one sum in row-major order, divided by how many pixels it has.
 * @param poolSize height and width of the window, or one number for both; default 2
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, channels]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for padding as large as the window
 * @example
 * averagePooling2d(3, { strides: 2, padding: "same" })(input([9, 9, 8])).shape; // [1, 5, 5, 8]
 */
export function averagePooling2d(poolSize: Size = 2, options: AveragePooling2dOptions = {}): Layer {
  const { size, strides, padding } = window("averagePooling2d", poolSize, options);
  const { countIncludePad = false } = options;
  return layer("averagePooling2d", options, ["strides", "padding", "countIncludePad"], (x) =>
    avgPool2d(x, size, strides, padding, { countIncludePad }),
  );
}

/**
 * The mean over height and width, as Keras' `GlobalAveragePooling2D`.
 * @returns a layer from float32 [batch, height, width, channels] to [batch, channels]; it throws {ShapeError} for images of no pixels
 * @example
 * globalAveragePooling2d()(input([7, 7, 64])).shape; // [1, 64]
 */
export function globalAveragePooling2d(options: GlobalPooling2dOptions = {}): Layer {
  const { keepdims = false } = options;
  return layer("globalAveragePooling2d", options, ["keepdims"], (x) => {
    wantRank("globalAveragePooling2d", 4, "an image [height, width, channels]", x);
    wantElements("globalAveragePooling2d", x, 1, 2);
    return mean(x, [1, 2], { keepDims: keepdims });
  });
}

/**
 * The maximum over height and width, as Keras' `GlobalMaxPooling2D`. Its gradient goes to the first maximum.
 * @returns a layer from float32 [batch, height, width, channels] to [batch, channels]; it throws {ShapeError} for images of no pixels
 * @example
 * globalMaxPooling2d({ keepdims: true })(input([7, 7, 64])).shape; // [1, 1, 1, 64]
 */
export function globalMaxPooling2d(options: GlobalPooling2dOptions = {}): Layer {
  const { keepdims = false } = options;
  return layer("globalMaxPooling2d", options, ["keepdims"], (x) => {
    wantRank("globalMaxPooling2d", 4, "an image [height, width, channels]", x);
    wantElements("globalMaxPooling2d", x, 1, 2);
    const [, height, width, channels] = x.shape;
    const y = maxPool2d(x, [height, width], [1, 1], "valid");
    return keepdims ? y : reshape(y, [-1, channels]);
  });
}
