// From sums in 32 bits, or floats, to int8: to the nearest integer, even in ties, plus a zero point, within limits. Scalars and vectors
// give the same.

/** 1.5 * 2^23: added to a float below 2^22 it leaves the nearest integer, even in ties, in the lowest bits. */
const ROUND: f32 = 12582912.0;
const ROUND_BITS: i32 = 0x4b400000;

/** x to the nearest integer, even in ties, plus zero, at least low and at most high; not for NaN. */
// @ts-ignore: decorator
@inline
export function rounded(x: f32, zero: i32, low: i32, high: i32): i32 {
  const bits = reinterpret<i32>(x + ROUND);
  return min<i32>(max<i32>(bits, low - zero + ROUND_BITS) - (ROUND_BITS - zero), high);
}

/** The same for eight numbers, to i16x8, not yet at most high; `least` is lowOf(low, zero), `offset` offsetOf(zero). */
// @ts-ignore: decorator
@inline
export function roundedEight(x0: v128, x1: v128, least: v128, offset: v128): v128 {
  const round = f32x4.splat(ROUND);
  x0 = f32x4.add(x0, round);
  x1 = f32x4.add(x1, round);
  return i16x8.narrow_i32x4_s(i32x4.sub(i32x4.max_s(x0, least), offset), i32x4.sub(i32x4.max_s(x1, least), offset));
}

/** `rounded` of a sum times a factor, the product rounded to float first. */
// @ts-ignore: decorator
@inline
export function requantize(sum: i32, factor: f32, zero: i32, low: i32, high: i32): i32 {
  return rounded(<f32>sum * factor, zero, low, high);
}

/** The same for eight sums. */
// @ts-ignore: decorator
@inline
export function requantizeEight(c0: v128, c1: v128, f0: v128, f1: v128, least: v128, offset: v128): v128 {
  const x0 = f32x4.mul(f32x4.convert_i32x4_s(c0), f0), x1 = f32x4.mul(f32x4.convert_i32x4_s(c1), f1);
  return roundedEight(x0, x1, least, offset);
}

/** Sixteen: eight sums, and eight more of the same factors, as bytes of at most `most`. */
// @ts-ignore: decorator
@inline
export function requantizeTwice(
  c0: v128, c1: v128, d0: v128, d1: v128, f0: v128, f1: v128, least: v128, offset: v128, most: v128,
): v128 {
  const c = requantizeEight(c0, c1, f0, f1, least, offset), d = requantizeEight(d0, d1, f0, f1, least, offset);
  return i8x16.min_s(i8x16.narrow_i16x8_s(c, d), most);
}

// @ts-ignore: decorator
@inline
export function lowOf(low: i32, zero: i32): v128 {
  return i32x4.splat(low - zero + ROUND_BITS);
}

// @ts-ignore: decorator
@inline
export function offsetOf(zero: i32): v128 {
  return i32x4.splat(ROUND_BITS - zero);
}

/** Stores the first `count` of the 8 bytes. */
// @ts-ignore: decorator
@inline
export function storeBytes(y: usize, bytes: i64, count: u32): void {
  if (count >= 8) {
    store<i64>(y, bytes);
  } else {
    for (; count; count--, y++, bytes >>= 8) store<u8>(y, <u8>bytes);
  }
}

/** Stores four rows of 8 bytes, or the first `rows` of them and of each the first `columns`. */
export function storeFour(y: usize, stride: usize, y01: v128, y23: v128, rows: u32, columns: u32): void {
  if (columns == 8 && rows >= 4) {
    v128.store64_lane(y, y01, 0);
    v128.store64_lane(y + stride, y01, 1);
    v128.store64_lane(y + 2 * stride, y23, 0);
    v128.store64_lane(y + 3 * stride, y23, 1);
    return;
  }
  storeBytes(y, i64x2.extract_lane(y01, 0), columns);
  if (rows > 1) storeBytes(y + stride, i64x2.extract_lane(y01, 1), columns);
  if (rows > 2) storeBytes(y + 2 * stride, i64x2.extract_lane(y23, 0), columns);
  if (rows > 3) storeBytes(y + 3 * stride, i64x2.extract_lane(y23, 1), columns);
}
