// Int16 arrays element by element: sums, products and extremes of two, leaky relu. fixedpoint.ts has the arithmetic.

import { scaled, scaledFour, shiftRounded } from "./fixedpoint";
import { SIMD } from "./lanes";
import { storeEight } from "./i16sum";

/** Bits that the terms of a sum are shifted to the left before they are scaled. */
const LEFT: i32 = 15;

/** Within [low, high]. */
// @ts-ignore: decorator
@inline
export function clamped(x: i32, low: i32, high: i32): i32 {
  return min<i32>(max<i32>(x, low), high);
}

/**
 * y [n] (i16) = a +- b (i16), within [low, high]: each operand times 2^15 ma / 2^(31 + ra), their sum times m / 2^(31 + r). `sign` is 0
 * for the sum, -1 for the difference.
 */
export function i16_add(
  n: u32, a: usize, b: usize, y: usize, ma: i32, ra: i32, mb: i32, rb: i32, m: i32, r: i32, sign: i32,
  low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const least = i16x8.splat(<i16>low), most = i16x8.splat(<i16>high);
    const fa = i32x4.splat(ma), fb = i32x4.splat(mb), f = i32x4.splat(m), s = i32x4.splat(sign);
    for (; i < n; i += 8, a += 16, b += 16, y += 16) {
      const p = v128.load(a), q = v128.load(b);
      const s0 = sumFour(i32x4.extend_low_i16x8_s(p), i32x4.extend_low_i16x8_s(q), fa, ra, fb, rb, f, r, s);
      const s1 = sumFour(i32x4.extend_high_i16x8_s(p), i32x4.extend_high_i16x8_s(q), fa, ra, fb, rb, f, r, s);
      const sums = i16x8.narrow_i32x4_s(s0, s1);
      storeEight(y, i16x8.min_s(i16x8.max_s(sums, least), most), n - i);
    }
  } else {
    for (; i < n; i++, a += 2, b += 2, y += 2) {
      const q = (scaled(load<i16>(b), mb, LEFT, rb) ^ sign) - sign;
      store<i16>(y, <i16>clamped(scaled(scaled(load<i16>(a), ma, LEFT, ra) + q, m, 0, r), low, high));
    }
  }
}

// @ts-ignore: decorator
@inline
function sumFour(p: v128, q: v128, fa: v128, ra: i32, fb: v128, rb: i32, f: v128, r: i32, sign: v128): v128 {
  const b = i32x4.sub(v128.xor(scaledFour(q, fb, LEFT, rb), sign), sign);
  return scaledFour(i32x4.add(scaledFour(p, fa, LEFT, ra), b), f, 0, r);
}

/**
 * y [n] (i16) = a / 2^ra +- b / 2^rb (i16), quotients to the nearest integer (ties away from zero), within [low, high]: scales that are
 * powers of two. `sign` as in i16_add.
 */
export function i16_add_pot(
  n: u32, a: usize, b: usize, y: usize, ra: i32, rb: i32, sign: i32, low: i32, high: i32,
): void {
  for (; n; n--, a += 2, b += 2, y += 2) {
    const q = (shiftRounded(load<i16>(b), rb) ^ sign) - sign;
    store<i16>(y, <i16>clamped(shiftRounded(load<i16>(a), ra) + q, low, high));
  }
}

/** y [n] (i16) = a b (i16) times 2^left m / 2^(31 + right), within [low, high]. */
export function i16_mul(
  n: u32, a: usize, b: usize, y: usize, m: i32, left: i32, right: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = i32x4.splat(m), least = i16x8.splat(<i16>low), most = i16x8.splat(<i16>high);
    for (; i < n; i += 8, a += 16, b += 16, y += 16) {
      const p = v128.load(a), q = v128.load(b);
      const s0 = scaledFour(i32x4.extmul_low_i16x8_s(p, q), f, left, right);
      const s1 = scaledFour(i32x4.extmul_high_i16x8_s(p, q), f, left, right);
      storeEight(y, i16x8.min_s(i16x8.max_s(i16x8.narrow_i32x4_s(s0, s1), least), most), n - i);
    }
  } else {
    for (; i < n; i++, a += 2, b += 2, y += 2) {
      store<i16>(y, <i16>clamped(scaled(<i32>load<i16>(a) * <i32>load<i16>(b), m, left, right), low, high));
    }
  }
}

/**
 * y [n] = x (both i16) times 2^left m / 2^(31 + right), or where it is below 0 the same with leftBelow, below, rightBelow; within
 * [low, high].
 */
export function i16_leaky_relu(
  n: u32, x: usize, y: usize, m: i32, left: i32, right: i32, below: i32, leftBelow: i32, rightBelow: i32,
  low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = i32x4.splat(m), g = i32x4.splat(below), least = i16x8.splat(<i16>low), most = i16x8.splat(<i16>high);
    for (; i < n; i += 8, x += 16, y += 16) {
      const v = v128.load(x), p = i32x4.extend_low_i16x8_s(v), q = i32x4.extend_high_i16x8_s(v);
      const above = i16x8.narrow_i32x4_s(scaledFour(p, f, left, right), scaledFour(q, f, left, right));
      const under = i16x8.narrow_i32x4_s(
        scaledFour(p, g, leftBelow, rightBelow), scaledFour(q, g, leftBelow, rightBelow),
      );
      const made = v128.bitselect(under, above, i16x8.shr_s(v, 15));
      storeEight(y, i16x8.min_s(i16x8.max_s(made, least), most), n - i);
    }
  } else {
    for (; i < n; i++, x += 2, y += 2) {
      const v: i32 = load<i16>(x);
      const made = v < 0 ? scaled(v, below, leftBelow, rightBelow) : scaled(v, m, left, right);
      store<i16>(y, <i16>clamped(made, low, high));
    }
  }
}

/** y [n] = the larger of a and b (all i16). */
export function i16_maximum(n: u32, a: usize, b: usize, y: usize): void {
  for (let i: u32 = 0; i < n; i += SIMD ? 8 : 1) {
    const at = <usize>i << 1;
    if (SIMD) storeEight(y + at, i16x8.max_s(v128.load(a + at), v128.load(b + at)), n - i);
    else store<i16>(y + at, max<i16>(load<i16>(a + at), load<i16>(b + at)));
  }
}

/** y [n] = the smaller of a and b (all i16). */
export function i16_minimum(n: u32, a: usize, b: usize, y: usize): void {
  for (let i: u32 = 0; i < n; i += SIMD ? 8 : 1) {
    const at = <usize>i << 1;
    if (SIMD) storeEight(y + at, i16x8.min_s(v128.load(a + at), v128.load(b + at)), n - i);
    else store<i16>(y + at, min<i16>(load<i16>(a + at), load<i16>(b + at)));
  }
}
