// What ops with activations of 16 bits share: zero points are 0, limits are those of int16, and factors between scales are fixed point.
import { rangeError, typeError } from "../../errors.js";
import { type Check, integer, quantizationCheck } from "../../graph/attrs.js";
import type { Spec } from "../../graph/value.js";
import { int16 } from "../../runtime/families/int16.js";
import type { KernelFamily } from "../../runtime/family.js";
import type { Clamped, Limits, Quantization } from "../quantized/quantization.js";

export type { Clamped, Limits, Quantization };

export const family: KernelFamily = int16;

export const LOW = -32768;
export const HIGH = 32767;

export const limits16 = { low: integer(LOW, HIGH), high: integer(LOW, HIGH) };
export const limitsOf16 = ({ low = LOW, high = HIGH }: Clamped): Limits => ({ low, high });

const zero = integer(0, 0);

/** What int16 stands for: its zero point is 0. */
export const quantized16: Check = (value) =>
  quantizationCheck(value) ?? (zero((value as Quantization).zeroPoint) && "a zeroPoint of 0");

/** A number that goes to kernels as fixed point: `multiplier` 2^left / 2^(31 + right). */
export interface Fixed {
  /** 31 bits, the leading one set; 0 for 0. */
  readonly multiplier: number;
  readonly left: number;
  readonly right: number;
}

/** The largest factor: what int32 is shifted by to the left then is below 32. */
const MAX_SHIFT = 30;

/**
 * A factor (0 or more) as TensorFlow Lite has it: to the nearest of 31 bits over a power of two; 0 below 2^-32.
 * @throws {RangeError} when the factor is 2^30 or more
 */
export function fixed(factor: number, op: string): Fixed {
  let [fraction, shift] = [factor, 0];
  while (fraction >= 1 && shift <= MAX_SHIFT) {
    fraction /= 2;
    shift++;
  }
  while (fraction > 0 && fraction < 0.5 && shift >= -31) {
    fraction *= 2;
    shift--;
  }
  let multiplier = Math.floor(fraction * 2 ** 31 + 0.5);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  if (!(shift <= MAX_SHIFT))
    throw rangeError({ op, expected: "scales of which one is less than 2^30 times the other", actual: String(factor) });
  if (shift < -31 || multiplier === 0) return { multiplier: 0, left: 0, right: 0 };
  return { multiplier, left: Math.max(shift, 0), right: Math.max(-shift, 0) };
}

/** The exponent of a scale that is a power of two, to a thousandth of the exponent as in TensorFlow Lite; undefined for another. */
export function log2Of(scale: number): number | undefined {
  let [rest, exponent] = [scale, 0];
  for (; rest > 1.5; rest /= 2) exponent++;
  for (; rest < 0.75; rest *= 2) exponent--;
  // 2^-0.001 to 2^0.001
  return rest > 0.999307093 && rest < 1.000693387 ? exponent : undefined;
}

/** @throws {TypeError} unless every operand is int16 */
export function wantInt16(op: string, ...specs: readonly Spec[]): void {
  const other = specs.find(({ dtype }) => dtype !== "int16");
  if (other) throw typeError({ op, expected: "int16 operands", actual: other.dtype });
}
