// Arithmetic of 16-bit activations, naively: integers without limits, as TensorFlow Lite's reference kernels say it.

/** x / 2^by to the nearest integer, ties up. */
export const shiftUp = (x: bigint, by: bigint): bigint => (by === 0n ? x : (x + (1n << (by - 1n))) >> by);

/** The same, ties away from zero. */
export const shiftAway = (x: bigint, by: bigint): bigint => (x < 0n ? -shiftUp(-x, by) : shiftUp(x, by));

/** A factor as an integer of 31 bits, times 2^(shift - 31). */
export function fixedOf(real: number): { multiplier: bigint; shift: bigint } {
  if (real === 0) return { multiplier: 0n, shift: 0n };
  let shift = Math.ceil(Math.log2(real));
  if (real / 2 ** shift >= 1) shift++;
  if (real / 2 ** shift < 0.5) shift--;
  const multiplier = BigInt(Math.round((real / 2 ** shift) * 2 ** 31));
  if (shift < -31) return { multiplier: 0n, shift: 0n };
  return multiplier === 1n << 31n
    ? { multiplier: 1n << 30n, shift: BigInt(shift + 1) }
    : { multiplier, shift: BigInt(shift) };
}

export const wrap32 = (x: bigint): bigint => BigInt.asIntN(32, x);

/** An integer of 32 bits times a factor, rounded twice. */
export function scaled(x: bigint, real: number): bigint {
  const { multiplier, shift } = fixedOf(real);
  const high = shiftUp(wrap32(shift > 0n ? x << shift : x) * multiplier, 31n);
  return shift < 0n ? shiftAway(high, -shift) : high;
}

/** A sum of 64 bits times a factor of 15 bits. */
export function scaledSum(sum: bigint, real: number): bigint {
  const { multiplier, shift } = fixedOf(real);
  const reduced = multiplier < 0x7fff0000n ? (multiplier + 0x8000n) >> 16n : 0x7fffn;
  return shiftUp(sum * reduced, 15n - shift);
}

export const clamp16 = (x: bigint, low = -32768, high = 32767): number => {
  const bounded = x < BigInt(low) ? BigInt(low) : x > BigInt(high) ? BigInt(high) : x;
  return Number(bounded);
};

/** To the nearest integer, ties away from zero. */
export const nearestAway = (x: number): number => {
  const whole = Math.trunc(x);
  return whole + (Math.abs(x - whole) >= 0.5 ? Math.sign(x) : 0);
};

/** A sum as an integer of 16 bits, in one of the three ways. */
export function rounded(
  rounding: "up" | "away" | "fixed",
  sum: bigint,
  [input, weight, output]: readonly [number, number, number],
  low = -32768,
  high = 32767,
): number {
  const real = (input * weight) / output;
  if (rounding === "up") return clamp16(scaledSum(sum, real), low, high);
  if (rounding === "fixed") return clamp16(scaled(wrap32(sum), real), low, high);
  return Math.min(Math.max(nearestAway(Number(sum) * real), low), high);
}

/** a +- b with scales, as the sum of int16 has it. */
export function added(a: number, b: number, [sa, sb, sy]: readonly [number, number, number], sign: 1 | -1): bigint {
  const twice = 2 * Math.max(sa, sb);
  const left = scaled(BigInt(a) << 15n, sa / twice);
  const right = scaled(BigInt(b) << 15n, sb / twice);
  return scaled(sign === 1 ? left + right : left - right, twice / (2 ** 15 * sy));
}
