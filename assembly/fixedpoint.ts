// TensorFlow Lite's fixed point: an integer of 32 bits times a multiplier of 31 over a power of two, rounded twice. First the upper half
// of the doubled product, ties up, then the shift to the right, ties away from zero. Scalars and vectors give the same.

/** The upper 32 bits of 2 a b, to the nearest integer, ties up; b is above 0. */
// @ts-ignore: decorator
@inline
export function doubledHigh(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b + (1 << 30)) >> 31);
}

/** The same for four. */
// @ts-ignore: decorator
@inline
export function doubledHighFour(a: v128, b: v128): v128 {
  const half = i64x2.splat(1 << 30);
  const p = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(a, b), half), 31);
  const q = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(a, b), half), 31);
  return v128.shuffle<i32>(p, q, 0, 2, 4, 6);
}

/** x / 2^by to the nearest integer, ties away from zero; by is at most 31. */
// @ts-ignore: decorator
@inline
export function shiftRounded(x: i32, by: i32): i32 {
  const mask: i32 = (1 << by) - 1;
  return (x >> by) + i32((x & mask) > (mask >> 1) + i32(x < 0));
}

/** The same for four. */
// @ts-ignore: decorator
@inline
export function shiftRoundedFour(x: v128, by: i32): v128 {
  const mask: i32 = (1 << by) - 1;
  const threshold = i32x4.sub(i32x4.splat(mask >> 1), i32x4.shr_s(x, 31));
  return i32x4.sub(i32x4.shr_s(x, by), i32x4.gt_s(v128.and(x, i32x4.splat(mask)), threshold));
}

/** x 2^left multiplier / 2^(31 + right). */
// @ts-ignore: decorator
@inline
export function scaled(x: i32, multiplier: i32, left: i32, right: i32): i32 {
  return shiftRounded(doubledHigh(x << left, multiplier), right);
}

/** The same for four. */
// @ts-ignore: decorator
@inline
export function scaledFour(x: v128, multiplier: v128, left: i32, right: i32): v128 {
  return shiftRoundedFour(doubledHighFour(i32x4.shl(x, left), multiplier), right);
}
