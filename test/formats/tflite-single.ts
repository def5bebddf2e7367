// Files of one operator for tests, and what its integers stand for.
import { expect } from "vitest";
import { fromTflite } from "../../src/formats/tflite/index.js";
import type { Tensor } from "../../src/index.js";
import type { TypedArray } from "../../src/tensor.js";
import { clamp } from "../oracle/quantized.js";
import { type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";

export const A = { scale: 0.0625, zeroPoint: -9 };
export const B = { scale: Math.fround(0.043), zeroPoint: 4 };
export const Y = { scale: Math.fround(0.11), zeroPoint: 17 };
export type Stands = typeof A;

export const q = (shape: number[], { scale, zeroPoint }: Stands, rest: Partial<TensorFile> = {}): TensorFile => ({
  shape,
  type: "int8",
  scales: [scale],
  zeroPoints: [zeroPoint],
  ...rest,
});
export const f = (shape: number[], rest: Partial<TensorFile> = {}): TensorFile => ({ shape, type: "float32", ...rest });
export const ints = (...values: number[]): TensorFile => ({
  shape: [values.length],
  type: "int32",
  data: Int32Array.from(values),
});

/** Options of pooling: `valid`, strides and windows of 2x2, no activation. */
export const pool = [
  ["byte", 1],
  ["int", 2],
  ["int", 2],
  ["int", 2],
  ["int", 2],
  ["byte", 0],
] as const;

/** A file of one operator, whose last tensor is its result; the tensors without numbers are the inputs. */
export function single(
  code: OperatorFile["code"],
  tensors: readonly TensorFile[],
  options?: OperatorFile["options"],
): Uint8Array {
  const last = tensors.length - 1;
  const inputs = tensors.flatMap(({ data }, i) => (data || i === last ? [] : [i]));
  const given = tensors.flatMap((_, i) => (i === last ? [] : [i]));
  return writeTflite({
    tensors,
    inputs,
    outputs: [last],
    operators: [{ code, inputs: given, outputs: [last], ...(options && { options }) }],
  });
}

export const bytes = (n: number, seed: number): Int8Array =>
  Int8Array.from({ length: n }, (_, i) => ((i * 89 + seed * 31) % 256) - 128);
export const run = async (file: Uint8Array, ...x: (TypedArray | Tensor)[]): Promise<TypedArray> =>
  ((await fromTflite(file)).predict(x) as Tensor).data as TypedArray;
export const real = (v: number, { scale, zeroPoint }: Stands): number => (v - zeroPoint) * scale;
export const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 3 - 1.6);

/** Within one step of what real arithmetic gives: exactly how is the kernels' tests' matter. */
export function expectSteps(
  got: TypedArray,
  expected: readonly number[],
  { scale, zeroPoint }: Stands,
  low = -128,
  high = 127,
): void {
  expect(got.length).toBe(expected.length);
  expected.forEach((v, i) => {
    const step = clamp(v / scale + zeroPoint, low, high);
    expect(Math.abs(got[i] - step), `element ${i}: ${got[i]} for ${step}`).toBeLessThanOrEqual(0.502);
  });
}
