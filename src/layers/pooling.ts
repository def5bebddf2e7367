// Pooling layers.
import { maxPool2d } from "../ops/pool.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { padding as checkPadding, positivePair } from "./options.js";

export interface Pooling2dOptions extends LayerOptions {
  /** Default the pool size. */
  strides?: number | readonly [number, number];
  /** Default `valid`; padding never is the maximum. */
  padding?: "valid" | "same";
}

/**
 * The largest element of each window, as Keras' `MaxPooling2D`. Its gradient goes to the first maximum of a window.
 * @param poolSize height and width of the window, or one number for both; default 2
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, channels]
 * @throws {RangeError} for sizes that are no positive integers
 * @example
 * maxPooling2d(2)(input([26, 26, 32])).shape; // [1, 13, 13, 32]
 */
export function maxPooling2d(poolSize: number | readonly [number, number] = 2, options: Pooling2dOptions = {}): Layer {
  const size = positivePair("maxPooling2d", "poolSize", poolSize);
  const strides = positivePair("maxPooling2d", "strides", options.strides ?? poolSize);
  const { padding = "valid" } = options;
  checkPadding("maxPooling2d", padding);
  return layer("maxPooling2d", options, ["strides", "padding"], (x) => maxPool2d(x, size, strides, padding));
}
