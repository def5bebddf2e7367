// What integers stand for: real = scale (integer - zeroPoint), per tensor for activations. Attributes of ops hold it, weights have a
// scale for each output channel in an array of their own, and a zero point of 0.
import type { Check, Quantization } from "../../graph/attrs.js";
import { integer, quantizationCheck, usually } from "../../graph/attrs.js";
import { int8 } from "../../runtime/families/int8.js";
import type { KernelFamily } from "../../runtime/family.js";

export { product, ratio, scaleRatio } from "./rounding.js";
export type { Quantization };

export const family: KernelFamily = int8;

/** Limits of the integers of a result: a fused activation that clamps. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

export const limitsCheck = { low: usually(integer(-128, 127), -128), high: usually(integer(-128, 127), 127) };

/** What int8 stands for. */
export const quantized: Check = (value) =>
  quantizationCheck(value) ?? integer(-128, 127)((value as Quantization).zeroPoint);

/** Options of functions whose result is clamped. */
export interface Clamped {
  /** The smallest integer of the result, default -128: the zero point for relu. */
  low?: number;
  /** The largest integer of the result, default 127. */
  high?: number;
}

export const limitsOf = ({ low = -128, high = 127 }: Clamped): Limits => ({ low, high });
