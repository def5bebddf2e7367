// Factors as TensorFlow Lite's own kernels have them: a multiplier of 31 bits and a shift, positive to the left. A product is rounded
// twice, first at 31 bits (ties up), then at the shift (ties away from zero).

/** x / 2^by to the nearest integer, ties away from zero; by in [0, 31]. */
// @ts-ignore: decorator
@inline
export function roundShift(x: i32, by: i32): i32 {
  const mask = <i32>((<u32>1 << by) - 1), middle = (mask >>> 1) + (x >>> 31);
  return (x >> by) + i32((x & mask) > middle);
}

/** x times multiplier / 2^31 times 2^shift; multiplier >= 0. What does not fit 32 bits before the product wraps. */
// @ts-ignore: decorator
@inline
export function scaled(x: i32, multiplier: i32, shift: i32): i32 {
  const wide = <i64>(x << max<i32>(shift, 0)) * <i64>multiplier + (1 << 30);
  return roundShift(<i32>(wide >> 31), max<i32>(-shift, 0));
}

/** `roundShift` of four. */
// @ts-ignore: decorator
@inline
export function roundShiftFour(x: v128, by: i32): v128 {
  const mask = i32x4.splat(<i32>((<u32>1 << by) - 1));
  const middle = i32x4.add(i32x4.shr_u(mask, 1), i32x4.shr_u(x, 31));
  return i32x4.sub(i32x4.shr_s(x, by), i32x4.gt_s(v128.and(x, mask), middle));
}

/** `scaled` of four. */
// @ts-ignore: decorator
@inline
export function scaledFour(x: v128, multiplier: i32, shift: i32): v128 {
  const wide = i32x4.shl(x, max<i32>(shift, 0)), m = i32x4.splat(multiplier), half = i64x2.splat(1 << 30);
  const low = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(wide, m), half), 31);
  const high = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(wide, m), half), 31);
  return roundShiftFour(v128.shuffle<i32>(low, high, 0, 2, 4, 6), max<i32>(-shift, 0));
}
