// Factors as TensorFlow Lite's own kernels have them: assembly/fixed32.ts multiplies by them.
import { powerOfTwo } from "../../numbers.js";

/** A factor as a multiplier of 31 bits, in [2^30, 2^31), and a shift to the left: factor = multiplier / 2^31 * 2^shift, to the nearest; 0 is 0. */
export function multiplierOf(factor: number): [multiplier: number, shift: number] {
  if (factor === 0) return [0, 0];
  let [fraction, shift] = [factor, 0];
  for (; fraction >= 1; fraction /= 2) shift++;
  for (; fraction < 0.5; fraction *= 2) shift--;
  const multiplier = Math.round(fraction * 2 ** 31);
  if (multiplier === 2 ** 31) return multiplierOf(powerOfTwo(shift));
  return shift < -31 ? [0, 0] : [multiplier, shift];
}
