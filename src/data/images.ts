// From stored bytes to what a model takes: pixels in [0, 1] with channels last, and class numbers as int32.

import { ShapeError, typeError } from "../errors.js";
import { show } from "../shape.js";
import { type Tensor, tensor } from "../tensor.js";

/**
 * Turns stored pixels into a model's input: bytes 0 to 255 become float32 0 to 1 (byte / 255), with the channels last.
 *
 * @param pixels uint8 [n, height, width] or [n, height, width, channels]
 * @returns float32 [n, height, width, channels], one channel where none was given
 * @throws {TypeError} when the pixels are not uint8
 * @throws {ShapeError} when they are not of rank 3 or 4
 * @example
 * const x = images(tensor(new Uint8Array([0, 51, 102, 255]), [1, 2, 2]));
 * x.shape; // [1, 2, 2, 1]
 * x.data[3]; // 1
 */
export function images(pixels: Tensor): Tensor {
  const { data, shape, dtype } = pixels;
  if (dtype !== "uint8") throw typeError({ op: "images", expected: "uint8 pixels", actual: dtype });
  if (shape.length !== 3 && shape.length !== 4) {
    throw new ShapeError({
      op: "images",
      expected: "pixels [n, height, width] or [n, height, width, channels]",
      actual: show(shape),
    });
  }
  const scaled = new Float32Array(data.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = data[i] / 255;
  return tensor(scaled, shape.length === 3 ? [...shape, 1] : shape);
}

/**
 * Turns stored class numbers into what the sparse losses and metrics take.
 *
 * @param classes uint8, int8 or int32 [n]
 * @returns the same numbers as int32 [n]
 * @throws {TypeError} when they are not whole numbers by dtype
 * @throws {ShapeError} when they are not of rank 1
 * @example
 * const y = labels(tensor(new Uint8Array([5, 0, 4]), [3]));
 * y.dtype; // "int32"
 */
export function labels(classes: Tensor): Tensor {
  const { data, shape, dtype } = classes;
  if (dtype !== "uint8" && dtype !== "int8" && dtype !== "int32") {
    throw typeError({ op: "labels", expected: "uint8, int8 or int32 class numbers", actual: dtype });
  }
  if (shape.length !== 1) throw new ShapeError({ op: "labels", expected: "class numbers [n]", actual: show(shape) });
  return tensor(Int32Array.from(data), shape);
}
