// Conversions between dtypes. Floats go to integers towards zero, what lies outside to the nearest integer there is, NaN to 0;
// integers go to fewer bits modulo 2^8, as in NumPy; anything but 0 is true. uint8 and bool are both u8: 0 and 1 stay.

import { SIMD } from "./lanes";

/** y [n] (i32) = x, towards zero, saturated. */
export function f32_to_i32(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) for (; y + 16 <= end; x += 16, y += 16) v128.store(y, i32x4.trunc_sat_f32x4_s(v128.load(x)));
  for (; y < end; x += 4, y += 4) store<i32>(y, saturate(load<f32>(x), i32.MIN_VALUE, i32.MAX_VALUE));
}

/** y [n] (i8) = x, towards zero, saturated. */
export function f32_to_i8(n: u32, x: usize, y: usize): void {
  if (SIMD) {
    for (; n >= 16; n -= 16, x += 64, y += 16) v128.store(y, i8x16.narrow_i16x8_s(eight(x), eight(x + 32)));
  }
  for (; n > 0; n--, x += 4, y++) store<i8>(y, <i8>saturate(load<f32>(x), -128, 127));
}

/** y [n] (u8) = x, towards zero, saturated. */
export function f32_to_u8(n: u32, x: usize, y: usize): void {
  if (SIMD) {
    for (; n >= 16; n -= 16, x += 64, y += 16) v128.store(y, i8x16.narrow_i16x8_u(eight(x), eight(x + 32)));
  }
  for (; n > 0; n--, x += 4, y++) store<u8>(y, <u8>saturate(load<f32>(x), 0, 255));
}

/** y [n] (u8) = 1 where x is not 0 (NaN is not), else 0. */
export function f32_to_bool(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x += 4, y++) store<u8>(y, <u8>(load<f32>(x) != 0));
}

/** y [n] (f32) = x (i32), to nearest even. */
export function i32_to_f32(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) for (; y + 16 <= end; x += 16, y += 16) v128.store(y, f32x4.convert_i32x4_s(v128.load(x)));
  for (; y < end; x += 4, y += 4) store<f32>(y, <f32>load<i32>(x));
}

/** y [n] (i8 or u8) = the low byte of x (i32). */
export function i32_to_x8(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x += 4, y++) store<u8>(y, <u8>load<i32>(x));
}

/** y [n] (u8) = 1 where x (i32) is not 0, else 0. */
export function i32_to_bool(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x += 4, y++) store<u8>(y, <u8>(load<i32>(x) != 0));
}

/** y [n] (f32) = x (i8). */
export function i8_to_f32(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) {
    for (; y + 16 <= end; x += 4, y += 16) {
      v128.store(y, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(x)))));
    }
  }
  for (; y < end; x++, y += 4) store<f32>(y, <f32>load<i8>(x));
}

/** y [n] (f32) = x (u8). */
export function u8_to_f32(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) {
    for (; y + 16 <= end; x += 4, y += 16) {
      v128.store(y, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)))));
    }
  }
  for (; y < end; x++, y += 4) store<f32>(y, <f32>load<u8>(x));
}

/** y [n] (i32) = x (i8). */
export function i8_to_i32(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x++, y += 4) store<i32>(y, <i32>load<i8>(x));
}

/** y [n] (i32) = x (u8). */
export function u8_to_i32(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x++, y += 4) store<i32>(y, <i32>load<u8>(x));
}

/** y [n] (i8 or u8) = the bits of x (i8 or u8). */
export function x8_copy(n: u32, x: usize, y: usize): void {
  memory.copy(y, x, n);
}

/** y [n] (u8) = 1 where x (i8 or u8) is not 0, else 0. */
export function x8_to_bool(n: u32, x: usize, y: usize): void {
  for (; n > 0; n--, x++, y++) store<u8>(y, <u8>(load<u8>(x) != 0));
}

/** Eight floats from `x` on as i16, towards zero, saturated. */
// @ts-ignore: decorator
@inline
function eight(x: usize): v128 {
  const low = i32x4.trunc_sat_f32x4_s(v128.load(x)), high = i32x4.trunc_sat_f32x4_s(v128.load(x, 16));
  return i16x8.narrow_i32x4_s(low, high);
}

/** x towards zero within [low, high], NaN as 0. The scalar form of trunc_sat, which asc does not have. */
function saturate(x: f32, low: i32, high: i32): i32 {
  if (x != x) return 0;
  if (x <= <f32>low) return low;
  if (x >= <f32>high) return high;
  return <i32>x;
}
