// Float64 arrays for oracles: naive code that reads like the definition.
import { sizeOf } from "../../src/shape.js";

export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const zeros = (...shape: number[]): Array64 => ({ shape, data: new Float64Array(sizeOf(shape)) });

/** An array whose element at each index is what `f` says. */
export function fill(shape: readonly number[], f: (...index: number[]) => number): Array64 {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, data };
}

/** The element at an index; axes that the array does not have, or of size 1, are repeated as NumPy does. */
export function at({ shape, data }: Array64, ...index: number[]): number {
  const lead = index.length - shape.length;
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++)
    flat = flat * shape[axis] + (shape[axis] === 1 ? 0 : index[lead + axis]);
  return data[flat];
}

/** Numbers in [low, high] that look random, all different. */
export function numbers(shape: readonly number[], seed: number, low = -1, high = 1): Array64 {
  let state = (seed * 2654435761 + 1) >>> 0;
  return fill(shape, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return Math.fround(low + (state / 2 ** 32) * (high - low));
  });
}
