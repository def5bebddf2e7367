// Int8 arithmetic, naively: 32-bit integers for sums, float32 where the contract has it.
import type { Quantization } from "../../src/graph/attrs.js";

const { fround, imul } = { fround: Math.fround, imul: Math.imul };

/** To the nearest integer, even in ties. */
export function nearestEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

export const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** A sum of 32 bits, as float32 times a factor, rounded, with the zero point, clamped. */
export const requantized = (sum: number, factor: number, zero: number, low = -128, high = 127): number =>
  clamp(nearestEven(clamp(fround(fround(sum | 0) * fround(factor)), -(2 ** 30), 2 ** 30)) + zero, low, high);

export const factorOf = (input: number, weight: number, output: number): number =>
  fround(fround(fround(input) * fround(weight)) / fround(output));

export interface Windows {
  readonly kh: number;
  readonly kw: number;
  readonly sh: number;
  readonly sw: number;
  readonly dh: number;
  readonly dw: number;
  readonly top: number;
  readonly left: number;
  readonly oh: number;
  readonly ow: number;
}

/** Every element of x [batch, h, w, c] that a window at (i, j) of image b sees for one channel: its place in the window, and where it is. */
export function seen(
  [h, w, c]: readonly [number, number, number],
  { kh, kw, sh, sw, dh, dw, top, left }: Windows,
  [b, i, j]: readonly [number, number, number],
  channel: number,
): { tap: number; at: number | undefined }[] {
  return Array.from({ length: kh * kw }, (_, tap) => {
    const [v, u] = [i * sh + Math.floor(tap / kw) * dh - top, j * sw + (tap % kw) * dw - left];
    const inside = v >= 0 && v < h && u >= 0 && u < w;
    return { tap, at: inside ? ((b * h + v) * w + u) * c + channel : undefined };
  });
}

/** The sum of products without zero points; `f(tap, k)` is the weight of input channel k of the group. */
export function sumOf(
  x: Int8Array,
  shape: readonly [number, number, number],
  windows: Windows,
  at: readonly [number, number, number],
  channels: readonly [first: number, count: number],
  zero: number,
  f: (tap: number, k: number) => number,
): number {
  let sum = 0;
  for (let k = 0; k < channels[1]; k++)
    for (const each of seen(shape, windows, at, channels[0] + k)) {
      const value = each.at === undefined ? zero : x[each.at];
      sum = (sum + imul(value - zero, f(each.tap, k))) | 0;
    }
  return sum;
}

export const dequantize = (v: number, { scale, zeroPoint }: Quantization): number => fround((v - zeroPoint) * scale);
