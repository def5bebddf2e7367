// Comparisons to booleans (one byte each, 0 or 1), choosing by them, and the gradient of a clamp. Operands have one shape: the caller
// repeats them before.

import { SIMD } from "./lanes";

/** y [n] (u8) = a == b; false where either is NaN. */
export function f32_equal(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; a += 4, b += 4, ++y) store<u8>(y, u8(load<f32>(a) == load<f32>(b)));
}

/** y [n] (u8) = a < b; false where either is NaN. */
export function f32_less(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; a += 4, b += 4, ++y) store<u8>(y, u8(load<f32>(a) < load<f32>(b)));
}

/** y [n] (u8) = a <= b; false where either is NaN. */
export function f32_less_equal(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; a += 4, b += 4, ++y) store<u8>(y, u8(load<f32>(a) <= load<f32>(b)));
}

/** y [n] (u8) = not x. */
export function u8_not(n: u32, x: usize, y: usize): void {
  for (const end = y + n; y < end; ++x, ++y) store<u8>(y, u8(load<u8>(x) == 0));
}

/** y [n] = c ? a : b, c a boolean of one byte. */
export function f32_where(n: u32, c: usize, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; ++c, a += 4, b += 4, y += 4) {
    store<f32>(y, load<u8>(c) ? load<f32>(a) : load<f32>(b));
  }
}

/** dx [n] = dy where lo <= x <= hi, else 0. */
export function f32_clamp_grad(n: u32, x: usize, dy: usize, dx: usize, lo: f32, hi: f32): void {
  const end = dx + (<usize>n << 2);
  if (SIMD) {
    const low = f32x4.splat(lo), high = f32x4.splat(hi);
    for (; dx + 16 <= end; x += 16, dy += 16, dx += 16) {
      const v = v128.load(x), inside = v128.and(f32x4.ge(v, low), f32x4.le(v, high));
      v128.store(dx, v128.and(v128.load(dy), inside));
    }
  }
  for (; dx < end; x += 4, dy += 4, dx += 4) {
    const v = load<f32>(x);
    store<f32>(dx, v >= lo && v <= hi ? load<f32>(dy) : 0);
  }
}
