// Factors as TensorFlow Lite's own kernels have them: assembly/fixed32.ts multiplies by them.
import { fixed } from "../int16/fixed.js";

/**
 * A factor as a multiplier of 31 bits, in [2^30, 2^31), and a shift to the left: factor = multiplier / 2^31 * 2^shift, to the nearest; 0 is 0.
 * @throws {RangeError} when the factor is 2^30 or more
 */
export function multiplierOf(factor: number, op: string): [multiplier: number, shift: number] {
  const { multiplier, left, right } = fixed(factor, op);
  return [multiplier, left - right];
}
