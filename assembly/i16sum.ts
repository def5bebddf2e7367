// Sums of int16 times int8, and what becomes of them. A product of two takes 23 bits, so a sum of a layer does not fit 32; parts of at
// most 255 pairs do, and float64 adds those: integers below 2^53 are exact in it, it is fast in SIMD, scalar and JavaScript builds
// alike, and 64-bit integers, which JavaScript builds would emulate, are not needed. A sum goes times a factor of its column's own, in one
// of the ways that TensorFlow Lite has for it.

import { scaled } from "./fixedpoint";

/** A factor of 15 bits over a power of two, ties up: convolutions whose biases have 64 bits. */
export const UP: i32 = 0;
/** A factor of float64, ties away from zero: dense layers. */
export const AWAY: i32 = 1;
/** Sums of 32 bits and fixed point of 31: convolutions whose biases have 32 bits. */
export const FIXED: i32 = 2;

/** Terms of a sum go in pairs, as one instruction multiplies and adds two. So many pairs of |int16 int8| <= 2^22 fit 32 bits. */
export const PAIRS: u32 = 255;

/** Bytes of a panel of 8 columns before its pairs: 8 biases (f64), 8 factors (f64). */
export const HEAD: usize = 128;

/** Bytes of one packed panel. */
// @ts-ignore: decorator
@inline
export function panelBytes(pairs: u32): usize {
  return HEAD + (<usize>pairs << 5);
}

/** Puts the factor of one column to `to` (8 bytes), for inScale scale / outScale (normal, above 0). */
export function storeFactor(rounding: i32, inScale: f32, scale: f32, outScale: f32, to: usize): void {
  const real = <f64>inScale * <f64>scale / <f64>outScale;
  if (rounding == AWAY) {
    store<f64>(to, real);
    return;
  }
  const bits = reinterpret<u64>(real), fraction = reinterpret<f64>((bits & 0xfffffffffffff) | 0x41d0000000000000);
  // real = fraction 2^(shift - 31), the fraction in [2^30, 2^31).
  let shift = <i32>(bits >> 52) - 1022, q = <u32>floor<f64>(fraction + 0.5);
  if (q >> 31) {
    q >>= 1;
    shift++;
  }
  if (shift < -31) q = shift = 0;
  if (rounding == FIXED) {
    store<i32>(to, q);
    store<i32>(to, shift, 4);
  } else {
    const upper = q < 0x7fff0000 ? (q + 0x8000) >> 16 : 0x7fff;
    store<f64>(to, <f64>upper * reinterpret<f64>(<u64>(1008 + shift) << 52));
  }
}

/** A sum times the factor at `factor`, to the nearest integer, within [low, high]. Exact for sums below 2^38. */
export function rounded(rounding: i32, sum: f64, factor: usize, low: i32, high: i32): i32 {
  let x: f64;
  if (rounding == FIXED) {
    const shift = load<i32>(factor, 4);
    x = <f64>scaled(<i32><i64>sum, load<i32>(factor), max<i32>(shift, 0), max<i32>(-shift, 0));
  } else if (rounding == AWAY) {
    const real = sum * load<f64>(factor), whole = trunc<f64>(real);
    x = whole + (abs<f64>(real - whole) >= 0.5 ? copysign<f64>(1, real) : 0);
  } else {
    x = floor<f64>(sum * load<f64>(factor) + 0.5);
  }
  return <i32>min<f64>(max<f64>(x, <f64>low), <f64>high);
}

/**
 * The same for eight columns, to i16x8: `from` has what their 32-bit sums c0 and c1 are added to, `factors` lie behind each other,
 * `room` takes 64 bytes.
 */
export function roundedEight(
  rounding: i32, c0: v128, c1: v128, from: usize, factors: usize, low: i32, high: i32, room: usize,
): v128 {
  let four0: v128, four1: v128;
  if (rounding == UP) {
    four0 = v128.shuffle<i64>(up(c0, from, factors, 0), up(above(c0), from, factors, 16), 0, 2);
    four1 = v128.shuffle<i64>(up(c1, from, factors, 32), up(above(c1), from, factors, 48), 0, 2);
  } else {
    addEight(c0, c1, from, room);
    for (let k: usize = 0; k < 8; k++) {
      store<i32>(room + (k << 2), rounded(rounding, load<f64>(room + (k << 3)), factors + (k << 3), low, high));
    }
    four0 = v128.load(room);
    four1 = v128.load(room, 16);
  }
  const eight = i16x8.narrow_i32x4_s(four0, four1);
  return i16x8.min_s(i16x8.max_s(eight, i16x8.splat(<i16>low)), i16x8.splat(<i16>high));
}

// @ts-ignore: decorator
@inline
function up(c: v128, from: usize, factors: usize, at: usize): v128 {
  const sum = f64x2.add(v128.load(from + at), f64x2.convert_low_i32x4_s(c));
  const real = f64x2.add(f64x2.mul(sum, v128.load(factors + at)), f64x2.splat(0.5));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(real));
}

/** to [8] (f64) = from + the sums of eight columns. */
// @ts-ignore: decorator
@inline
export function addEight(c0: v128, c1: v128, from: usize, to: usize): void {
  v128.store(to, f64x2.add(v128.load(from), f64x2.convert_low_i32x4_s(c0)));
  v128.store(to, f64x2.add(v128.load(from, 16), f64x2.convert_low_i32x4_s(above(c0))), 16);
  v128.store(to, f64x2.add(v128.load(from, 32), f64x2.convert_low_i32x4_s(c1)), 32);
  v128.store(to, f64x2.add(v128.load(from, 48), f64x2.convert_low_i32x4_s(above(c1))), 48);
}

/** The upper two of four, below. */
// @ts-ignore: decorator
@inline
function above(c: v128): v128 {
  return v128.shuffle<i64>(c, c, 1, 1);
}

/** Stores the first `count` of eight i16. */
// @ts-ignore: decorator
@inline
export function storeEight(y: usize, x: v128, count: u32): void {
  if (count >= 8) {
    v128.store(y, x);
  } else {
    if (count & 4) {
      v128.store64_lane(y, x, 0);
      x = above(x);
      y += 8;
    }
    if (count & 2) {
      v128.store32_lane(y, x, 0);
      x = v128.shuffle<i32>(x, x, 1, 2, 3, 3);
      y += 4;
    }
    if (count & 1) v128.store16_lane(y, x, 0);
  }
}
