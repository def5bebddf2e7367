// Int8 arrays element by element: to float and back, sums and products of two, functions by table.

import { SIMD } from "./lanes";
import { lowOf, offsetOf, requantize, requantizeEight, rounded, roundedEight } from "./requantize";

/** y [n] (i8) = x (f32) times factor to the nearest integer, even in ties, plus zero, within [low, high]; NaN counts as 0. */
export function f32_to_i8_quantized(
  n: u32, x: usize, y: usize, factor: f32, zero: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = f32x4.splat(factor), least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
    for (; i < (n & ~7); i += 8, x += 32) {
      const v = v128.load(x), w = v128.load(x, 16);
      const v1 = f32x4.mul(v128.and(v, f32x4.eq(v, v)), f), w1 = f32x4.mul(v128.and(w, f32x4.eq(w, w)), f);
      const sums = roundedEight(v1, w1, least, offset);
      v128.store64_lane(y + i, i8x16.min_s(i8x16.narrow_i16x8_s(sums, sums), most), 0);
    }
  }
  for (; i < n; i++, x += 4) {
    const v = load<f32>(x);
    store<i8>(y + i, <i8>rounded(<f32>(v == v ? v : 0) * factor, zero, low, high));
  }
}

/** y [n] (f32) = (x (i8) - zero) scale. */
export function i8_to_f32_dequantized(n: u32, x: usize, y: usize, scale: f32, zero: i32): void {
  let i: u32 = 0;
  if (SIMD) {
    const s = f32x4.splat(scale), z = i16x8.splat(<i16>zero);
    for (; i < (n & ~7); i += 8, y += 32) {
      const v = i16x8.sub(v128.load8x8_s(x + i), z);
      v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v)), s));
      v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v)), s), 16);
    }
  }
  for (; i < n; i++, y += 4) store<f32>(y, <f32>(<i32>load<i8>(x + i) - zero) * scale);
}

/** y [n] (i8) = (x (i8) - inZero) times factor, requantized. */
export function i8_requantize(
  n: u32, x: usize, y: usize, inZero: i32, factor: f32, zero: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = f32x4.splat(factor), least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
    for (; i < (n & ~7); i += 8) {
      const v = i16x8.sub(v128.load8x8_s(x + i), i16x8.splat(<i16>inZero));
      const low = i32x4.extend_low_i16x8_s(v), high = i32x4.extend_high_i16x8_s(v);
      const sums = requantizeEight(low, high, f, f, least, offset);
      v128.store64_lane(y + i, i8x16.min_s(i8x16.narrow_i16x8_s(sums, sums), most), 0);
    }
  }
  for (; i < n; i++) store<i8>(y + i, <i8>requantize(<i32>load<i8>(x + i) - inZero, factor, zero, low, high));
}

/**
 * y [n] (i8) = (a (i8) fa + b (i8) fb + bias) / 2^shift, rounded down, plus zero, within [low, high]: the sum of two arrays of other
 * scales, the factors integers and the zero points and one half in the bias. What does not fit 32 bits wraps.
 */
export function i8_add(
  n: u32, a: usize, b: usize, y: usize, fa: i32, fb: i32, bias: i32, shift: i32, zero: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = i32x4.splat(fa), g = i32x4.splat(fb), start = i32x4.splat(bias), z = i16x8.splat(<i16>zero);
    const least = i8x16.splat(<i8>low), most = i8x16.splat(<i8>high);
    for (; i < (n & ~7); i += 8) {
      const p = v128.load8x8_s(a + i), q = v128.load8x8_s(b + i);
      const s0 = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(p), f), i32x4.mul(i32x4.extend_low_i16x8_s(q), g));
      const s1 = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(p), f), i32x4.mul(i32x4.extend_high_i16x8_s(q), g));
      const t0 = i32x4.shr_s(i32x4.add(s0, start), shift), t1 = i32x4.shr_s(i32x4.add(s1, start), shift);
      const sums = i16x8.add_sat_s(i16x8.narrow_i32x4_s(t0, t1), z);
      const bytes = i8x16.narrow_i16x8_s(sums, sums);
      v128.store64_lane(y + i, i8x16.min_s(i8x16.max_s(bytes, least), most), 0);
    }
  }
  for (; i < n; i++) {
    const sum = (<i32>load<i8>(a + i) * fa + <i32>load<i8>(b + i) * fb + bias) >> shift;
    store<i8>(y + i, <i8>min<i32>(max<i32>(min<i32>(max<i32>(sum, -32768), 32767) + zero, low), high));
  }
}

/** y [n] (i8) = (a (i8) - za) (b (i8) - zb) factor, requantized. */
export function i8_mul(
  n: u32, a: usize, b: usize, y: usize, za: i32, zb: i32, factor: f32, zero: i32, low: i32, high: i32,
): void {
  let i: u32 = 0;
  if (SIMD) {
    const f = f32x4.splat(factor), least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
    for (; i < (n & ~7); i += 8) {
      const p = i16x8.sub(v128.load8x8_s(a + i), i16x8.splat(<i16>za));
      const q = i16x8.sub(v128.load8x8_s(b + i), i16x8.splat(<i16>zb));
      const sums = requantizeEight(
        i32x4.extmul_low_i16x8_s(p, q), i32x4.extmul_high_i16x8_s(p, q), f, f, least, offset,
      );
      v128.store64_lane(y + i, i8x16.min_s(i8x16.narrow_i16x8_s(sums, sums), most), 0);
    }
  }
  for (; i < n; i++) {
    const product = (<i32>load<i8>(a + i) - za) * (<i32>load<i8>(b + i) - zb);
    store<i8>(y + i, <i8>requantize(product, factor, zero, low, high));
  }
}

/** y [n] = table[x + 128] for x (i8) and a table of 256 bytes. */
export function i8_lookup(n: u32, x: usize, table: usize, y: usize): void {
  for (const end = x + n; x < end; x++, y++) store<u8>(y, load<u8>(table + (<usize>load<u8>(x) ^ 128)));
}

/**
 * y [rows, n] (i8) = softmax of x (i8), quantized: table[d] (f32 [256]) is the exponential of what lies d below the largest x of a row.
 * Exponentials are added in order of j; each times 1 / (sum scale), plus 1/2, rounded down, plus zero, at most 127.
 */
export function i8_softmax(rows: u32, n: u32, x: usize, table: usize, y: usize, scale: f32, zero: i32): void {
  for (; rows && n; rows--, x += n, y += n) {
    let largest: i32 = -128;
    for (let j: u32 = 0; j < n; j++) largest = max<i32>(largest, load<i8>(x + j));
    let sum: f32 = 0;
    for (let j: u32 = 0; j < n; j++) sum += load<f32>(table + (<usize>(largest - <i32>load<i8>(x + j)) << 2));
    const inverse: f32 = 1 / (sum * scale);
    for (let j: u32 = 0; j < n; j++) {
      const p = load<f32>(table + (<usize>(largest - <i32>load<i8>(x + j)) << 2)) * inverse;
      store<i8>(y + j, <i8>min<i32>(<i32>min<f32>(p + 0.5, 512) + zero, 127));
    }
  }
}
