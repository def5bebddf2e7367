// Windows of int8 images: means, largest elements, and means over an axis.

import { SIMD } from "./lanes";
import { requantize, storeBytes } from "./requantize";

/**
 * y [batch, oh, ow, c] = the mean of each window of x [batch, h, w, c] (both i8), without what lies outside x, to the nearest integer,
 * ties away from `center`, within [low, high]: 0, or -128, so that ties go up, as those of unsigned bytes do. Every window has at least
 * one pixel in x, and at most 65535.
 */
export function i8_avg_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  center: i32, low: i32, high: i32, x: usize, y: usize,
): void {
  const line = <usize>w * c;
  for (; batch > 0; batch--, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const v = max<i32>(i * sh - top, 0), rows = min<u32>(i * sh - top + kh, h) - v;
      for (let j: u32 = 0; j < ow; j++, y += c) {
        const u = max<i32>(j * sw - left, 0), columns = min<u32>(j * sw - left + kw, w) - u, count = rows * columns;
        const start = x + line * v + <usize>u * c;
        let k: u32 = 0;
        if (SIMD) {
          const half = i32x4.splat(count >> 1), size = f32x4.splat(<f32>count);
          const least = i8x16.splat(<i8>low), most = i8x16.splat(<i8>high), middle = i16x8.splat(<i16>center);
          const start0 = i32x4.splat(-center * count);
          for (; k < c; k += 8) {
            let s0 = start0, s1 = s0;
            for (let p: u32 = 0, row = start + k; p < rows; p++, row += line) {
              for (let q: u32 = 0, at = row; q < columns; ) {
                // Up to 256 bytes add up in 16 bits.
                let e = i16x8.splat(0);
                for (const end = min<u32>(q + 256, columns); q < end; q++, at += c) {
                  e = i16x8.add(e, v128.load8x8_s(at));
                }
                s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(e));
                s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(e));
              }
            }
            const sums = i16x8.add(
              i16x8.narrow_i32x4_s(quotient(s0, half, size), quotient(s1, half, size)), middle,
            );
            const bytes = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(sums, sums), least), most);
            storeBytes(y + k, i64x2.extract_lane(bytes, 0), c - k);
          }
        } else {
          for (; k < c; k++) {
            let sum: i32 = -center * count;
            for (let p: u32 = 0, row = start + k; p < rows; p++, row += line) {
              for (let q: u32 = 0, at = row; q < columns; q++, at += c) sum += load<i8>(at);
            }
            const half = <i32>(count >> 1), mean = (sum < 0 ? sum - half : sum + half) / <i32>count + center;
            store<i8>(y + k, <i8>min<i32>(max<i32>(mean, low), high));
          }
        }
      }
    }
  }
}

/**
 * (|sum| + half) / size rounded down, with the sign of the sum. Both are exact as floats, and the quotient, below 256, is never so near
 * below an integer that division rounds it up: it is 1 / 65535 away, and floats there are 2^-16 apart.
 */
// @ts-ignore: decorator
@inline
function quotient(sum: v128, half: v128, size: v128): v128 {
  const sign = i32x4.shr_s(sum, 31);
  const mean = f32x4.div(f32x4.convert_i32x4_s(i32x4.add(i32x4.abs(sum), half)), size);
  return i32x4.sub(v128.xor(i32x4.trunc_sat_f32x4_s(mean), sign), sign);
}

/** y [batch, oh, ow, c] = the largest element of each window of x [batch, h, w, c] (both i8) that lies in x, within [low, high]. */
export function i8_max_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  low: i32, high: i32, x: usize, y: usize,
): void {
  const line = <usize>w * c;
  for (; batch > 0; batch--, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const v = max<i32>(i * sh - top, 0), rows = min<u32>(i * sh - top + kh, h) - v;
      for (let j: u32 = 0; j < ow; j++, y += c) {
        const u = max<i32>(j * sw - left, 0), columns = min<u32>(j * sw - left + kw, w) - u;
        const start = x + line * v + <usize>u * c;
        let k: u32 = 0;
        if (SIMD) {
          const most = i8x16.splat(<i8>high);
          for (; k + 16 <= c; k += 16) {
            let largest = i8x16.splat(<i8>low);
            for (let p: u32 = 0, row = start + k; p < rows; p++, row += line) {
              for (let q: u32 = 0, at = row; q < columns; q++, at += c) largest = i8x16.max_s(largest, v128.load(at));
            }
            v128.store(y + k, i8x16.min_s(largest, most));
          }
        }
        for (; k < c; k++) {
          let largest = low;
          for (let p: u32 = 0, row = start + k; p < rows; p++, row += line) {
            for (let q: u32 = 0, at = row; q < columns; q++, at += c) largest = max<i32>(largest, load<i8>(at));
          }
          store<i8>(y + k, <i8>min<i32>(largest, high));
        }
      }
    }
  }
}

/** y [outer, inner] (i8) = the sums of x [outer, n, inner] (i8) over n plus bias, times factor, requantized. */
export function i8_mean(
  outer: u32, n: u32, inner: u32, bias: i32, factor: f32, zero: i32, low: i32, high: i32, x: usize, y: usize,
): void {
  for (; outer > 0; outer--, x += <usize>n * inner) {
    for (let k: u32 = 0; k < inner; k++, y++) {
      let sum = bias;
      for (let t: u32 = 0, at = x + k; t < n; t++, at += inner) sum += load<i8>(at);
      store<i8>(y, <i8>requantize(sum, factor, zero, low, high));
    }
  }
}
