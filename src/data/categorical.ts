// Class numbers as vectors, for losses that compare with probabilities.
import { rangeError, typeError } from "../errors.js";
import { show } from "../shape.js";
import { type Tensor, type TypedArray, tensor } from "../tensor.js";

/**
 * One-hot vectors of class numbers, as Keras' `to_categorical`.
 * @param classes whole numbers from 0, of any shape; a last axis of 1 is left out
 * @param numClasses default: one more than the largest
 * @returns float32 [..., numClasses], 1 at the class and 0 elsewhere
 * @throws {RangeError} for a class out of range, naming where it is
 * @example
 * const y = toCategorical([2, 0], 3);
 * y.shape; // [2, 3]
 * [...y.data]; // [0, 0, 1, 1, 0, 0]
 */
export function toCategorical(classes: Tensor | TypedArray | readonly number[], numClasses?: number): Tensor {
  if (typeof classes !== "object" || classes === null) {
    throw typeError({ op: "toCategorical", expected: "a tensor or an array of class numbers", actual: typeof classes });
  }
  const data: ArrayLike<number> = "shape" in classes ? classes.data : classes;
  const shape = "shape" in classes ? classes.shape : [classes.length];
  let most = -1;
  for (let i = 0; i < data.length; i++) most = Math.max(most, data[i]);
  const depth = numClasses ?? most + 1;
  if (!Number.isSafeInteger(depth) || depth < 0 || depth * Math.max(1, data.length) >= MOST) {
    const expected = `numClasses to be a whole number, and less than ${MOST} numbers in all`;
    throw rangeError({ op: "toCategorical", expected, actual: `${depth} for ${show(shape)}` });
  }
  const hot = new Float32Array(data.length * depth);
  for (let i = 0; i < data.length; i++) {
    const at = data[i];
    if (!(Number.isInteger(at) && at >= 0 && at < depth)) {
      const expected = `whole numbers in [0, ${depth - 1}]`;
      throw rangeError({ op: "toCategorical", expected, actual: `${at} (element ${i})` });
    }
    hot[i * depth + at] = 1;
  }
  const lead = shape.length > 1 && shape[shape.length - 1] === 1 ? shape.slice(0, -1) : shape;
  return tensor(hot, [...lead, depth]);
}

const MOST = 2 ** 30; // 4 GiB
