// Int16 arrays to other scales and types, and back. fixedpoint.ts has the arithmetic between integers.

import { scaled, scaledFour } from "./fixedpoint";
import { clamped } from "./i16map";
import { storeEight } from "./i16sum";
import { SIMD } from "./lanes";
import { storeBytes } from "./requantize";

/** y [n] = x (both i16) times 2^left m / 2^(31 + right), within [low, high]. */
export function i16_requantize(
  n: u32, x: usize, y: usize, m: i32, left: i32, right: i32, low: i32, high: i32,
): void {
  requantize<i16, i16>(n, x, y, 0, m, left, right, 0, low, high);
}

/** y [n] (i8) = x (i16) times 2^left m / 2^(31 + right), plus zero, within [low, high]. */
export function i16_to_i8_requantized(
  n: u32, x: usize, y: usize, m: i32, left: i32, right: i32, zero: i32, low: i32, high: i32,
): void {
  requantize<i16, i8>(n, x, y, 0, m, left, right, zero, low, high);
}

/** y [n] (i16) = (x (i8) - inZero) times 2^left m / 2^(31 + right), within [low, high]. */
export function i8_to_i16_requantized(
  n: u32, x: usize, y: usize, inZero: i32, m: i32, left: i32, right: i32, low: i32, high: i32,
): void {
  requantize<i8, i16>(n, x, y, inZero, m, left, right, 0, low, high);
}

/** y [n] (i32) = x (i16) times 2^left m / 2^(31 + right). */
export function i16_to_i32_requantized(n: u32, x: usize, y: usize, m: i32, left: i32, right: i32): void {
  requantize<i16, i32>(n, x, y, 0, m, left, right, 0, i32.MIN_VALUE, i32.MAX_VALUE);
}

/** y [n] (i16) = x (i32) times 2^left m / 2^(31 + right), within [low, high]. */
export function i32_to_i16_requantized(
  n: u32, x: usize, y: usize, m: i32, left: i32, right: i32, low: i32, high: i32,
): void {
  requantize<i32, i16>(n, x, y, 0, m, left, right, 0, low, high);
}

function requantize<From, To>(
  n: u32, x: usize, y: usize, inZero: i32, m: i32, left: i32, right: i32, zero: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = i32x4.splat(m), z = i32x4.splat(zero), iz = i32x4.splat(inZero);
    const least = i32x4.splat(low), most = i32x4.splat(high);
    for (; i < n; i += 8, x += 8 * sizeof<From>(), y += 8 * sizeof<To>()) {
      let p: v128, q: v128;
      if (sizeof<From>() == 4) {
        p = v128.load(x);
        q = v128.load(x, 16);
      } else {
        const v = sizeof<From>() == 1 ? v128.load8x8_s(x) : v128.load(x);
        p = i32x4.extend_low_i16x8_s(v);
        q = i32x4.extend_high_i16x8_s(v);
      }
      p = i32x4.add(scaledFour(i32x4.sub(p, iz), f, left, right), z);
      q = i32x4.add(scaledFour(i32x4.sub(q, iz), f, left, right), z);
      p = i32x4.min_s(i32x4.max_s(p, least), most);
      q = i32x4.min_s(i32x4.max_s(q, least), most);
      if (sizeof<To>() == 4) {
        storeWords(y, p, n - i);
        if (i + 4 < n) storeWords(y + 16, q, n - i - 4);
      } else {
        const v = i16x8.narrow_i32x4_s(p, q);
        if (sizeof<To>() == 1) storeBytes(y, i64x2.extract_lane(i8x16.narrow_i16x8_s(v, v), 0), n - i);
        else storeEight(y, v, n - i);
      }
    }
  } else {
    for (; i < n; i++, x += sizeof<From>(), y += sizeof<To>()) {
      store<To>(y, <To>clamped(scaled(<i32>load<From>(x) - inZero, m, left, right) + zero, low, high));
    }
  }
}

/** Stores the first `count` of four i32. */
function storeWords(y: usize, x: v128, count: u32): void {
  if (count >= 4) {
    v128.store(y, x);
  } else {
    if (count & 2) v128.store64_lane(y, x, 0);
    if (count == 1) v128.store32_lane(y, x, 0);
    if (count == 3) v128.store32_lane(y, x, 2, 8);
  }
}

/** y [n] (i16) = x (f32) / scale to the nearest integer, ties away from zero, within [low, high]; NaN counts as 0. */
export function f32_to_i16_quantized(n: u32, x: usize, y: usize, scale: f32, low: i32, high: i32): void {
  for (; n; n--, x += 4, y += 2) {
    const v = load<f32>(x) / scale, size = min<f32>(abs<f32>(v), 65536), down = trunc<f32>(size);
    const near = v == v ? down + (size - down >= 0.5 ? 1 : 0) : 0;
    store<i16>(y, <i16>clamped(<i32>copysign<f32>(near, v), low, high));
  }
}

/** y [n] (f32) = x (i16) scale. */
export function i16_to_f32_dequantized(n: u32, x: usize, y: usize, scale: f32): void {
  let i: u32 = 0;
  if (SIMD) {
    const s = f32x4.splat(scale);
    for (; i < (n & ~7); i += 8, x += 16, y += 32) {
      const v = v128.load(x);
      v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v)), s));
      v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v)), s), 16);
    }
  }
  for (; i < n; i++, x += 2, y += 4) store<f32>(y, <f32>load<i16>(x) * scale);
}
