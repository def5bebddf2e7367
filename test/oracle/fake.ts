// Fake quantization and its straight-through gradients in float64. What rounds has no derivative to compare with, so each oracle is made for
// the numbers of its row: what rounding adds there stays as it is, and so does which numbers are clamped. The result is the definition's, and
// its derivatives, by central differences as any others, are the straight-through ones: of (x / s + c) s, where c = round(x / s) - x / s, by s
// it is round(x / s) - x / s.
import { type Array64, at, fill } from "./array.js";
import { clamp, nearestEven } from "./quantized.js";

/** For numbers x of scales s [channels], or of one scale and a zero point. */
export function fakeQuantize([x, s, z]: readonly Array64[], low: number, high: number) {
  const at = ({ data }: Array64, i: number) => data[i % data.length];
  const zeroPoint = z ? z.data[0] : 0;
  const integers = x.data.map((v, i) => nearestEven(v / at(s, i)) + zeroPoint);
  const added = x.data.map((v, i) => integers[i] - zeroPoint - v / at(s, i));
  return ({ shape, data }: Array64, scale: Array64, zero?: Array64): Array64 => ({
    shape,
    data: data.map((v, i) => {
      const clamped = clamp(integers[i], low, high);
      const q = clamped === integers[i] ? v / at(scale, i) + added[i] : clamped - (zero ? zero.data[0] : 0);
      return q * at(scale, i);
    }),
  });
}

/** Scale and zero point of a range. */
export function rangeQuantization({ data: [low, high] }: Array64) {
  const exact = (a: number, b: number) => -128 - a / ((b - a) / 255);
  const added = nearestEven(exact(low, high)) - exact(low, high);
  const scalar = (v: number): Array64 => ({ shape: [], data: Float64Array.of(v) });
  return {
    scale: ({ data: [a, b] }: Array64) => scalar((b - a) / 255),
    zero: ({ data: [a, b] }: Array64) => scalar(exact(a, b) + added),
  };
}

/** x, whose derivative is `by`. */
export const gradScale =
  (x: Array64, by: Array64) =>
  (y: Array64): Array64 =>
    fill(x.shape, (...i) => at(x, ...i) + (at(y, ...i) - at(x, ...i)) * at(by, ...i));
