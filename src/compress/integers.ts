// Integers for ranges.
import type { Quantization } from "../graph/attrs.js";
import { toEven } from "../ops/quantized/rounding.js";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** int8 for a range, in which 0 has an integer of its own. */
export function quantizationOf(range: Range): Quantization {
  const [low, high] = [Math.min(range.low, 0), Math.max(range.high, 0)];
  const scale = Math.max(Math.fround((high - low) / 255), 2 ** -100);
  return { scale, zeroPoint: Math.min(Math.max(toEven(-128 - low / scale), -128), 127) };
}

/** An integer for a real number. */
export const integerOf = (x: number, { scale, zeroPoint }: Quantization): number =>
  Math.min(Math.max(toEven(x / scale) + zeroPoint, -128), 127);
