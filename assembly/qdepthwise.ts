// Depthwise convolution of int8 images: every channel has a filter of its own. Taps go in pairs, so that one instruction multiplies and
// adds two of them in four channels; requantize.ts has the arithmetic of the results.

import { SIMD } from "./lanes";
import { i8_gemm_pack } from "./qgemm";
import { lowOf, offsetOf, requantize, requantizeTwice, storeBytes } from "./requantize";

/**
 * What i8_depthwise_conv2d takes, of f (i8) less fZero [kh, kw, c]: panels of 8 channels, each its biases, the sums of zero times f taken
 * off, its factors, and its taps. bias (i32) [c], 0 for none; factors [c].
 */
export function i8_depthwise_pack(
  kh: u32, kw: u32, c: u32, zero: i32, fZero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  i8_gemm_pack(1, kh * kw, c, 1, zero, fZero, f, bias, factors, packed);
}

/**
 * y [batch, oh, ow, c] = x [batch, h, w, c] (both i8) times f [kh, kw, c], requantized; `packed` is i8_depthwise_pack of f, the rest as
 * in i8_conv2d. `scratch` takes 8 bytes for each element of the window and 32, a row of x, a pixel and 16. Up to 7 bytes past the end of x
 * are read.
 */
export function i8_depthwise_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, inZero: i32, zero: i32, low: i32, high: i32, x: usize, packed: usize, scratch: usize, y: usize,
): void {
  const line = <usize>w * c, pairs = <usize>((kh * kw + 1) >> 1) << 3, end = scratch + pairs, across = <usize>sw * c;
  // Where the elements of a window at column 0 are, the last one twice, against a weight of 0. Then the same where a window reaches
  // beyond the image, and a row that stands for those outside.
  const edge = end + 8, zeros = edge + pairs + 8, right = (kw - 1) * dw;
  memory.fill(zeros, <u8>inZero, line + c + 8);
  for (let b: u32 = 0; b < batch; b++, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      for (let p: u32 = 0, v = i * sh - top, place = scratch; p < kh; p++, v += dh) {
        for (let q: u32 = 0, at = v < h ? x + line * v : zeros; q < kw; q++, place += 4, at += <usize>dw * c) {
          store<usize>(place, at);
          store<usize>(place, at, 4);
        }
      }
      for (let j: u32 = 0; j < ow; j++, y += c) {
        const u = <i32>(j * sw) - <i32>left, start = <usize>u * c;
        if (u < 0 || <u32>u + right >= w) {
          for (let p: u32 = 0, place: usize = 0; p < kh; p++) {
            for (let q: u32 = 0; q < kw; q++, place += 4) {
              const at = <u32>u + q * dw < w ? load<usize>(scratch + place) + start : zeros;
              store<usize>(edge + place, at);
              store<usize>(edge + place, at, 4);
            }
          }
          if (SIMD) pixels<u8>(c, edge, edge + pairs, 0, 0, packed, y, zero, low, high);
          else pixelScalar(c, edge, edge + pairs, 0, packed, y, zero, low, high);
        } else if (!SIMD) {
          pixelScalar(c, scratch, end, start, packed, y, zero, low, high);
        } else if (j + 1 < ow && <u32>u + right + sw < w) {
          pixels<u16>(c, scratch, end, start, across, packed, y, zero, low, high);
          j++;
          y += c;
        } else {
          pixels<u8>(c, scratch, end, start, across, packed, y, zero, low, high);
        }
      }
    }
  }
}

/** The same as i8_depthwise_pack, under a name of its own: for weights and windows that qdotdepthwise.ts has nothing for. */
export function i8_depthwise_pack_any(
  kh: u32, kw: u32, c: u32, zero: i32, fZero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  i8_depthwise_pack(kh, kw, c, zero, fZero, f, bias, factors, packed);
}

/** The same as i8_depthwise_conv2d, for panels of i8_depthwise_pack_any. */
export function i8_depthwise_conv2d_any(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, inZero: i32, zero: i32, low: i32, high: i32, x: usize, packed: usize, scratch: usize, y: usize,
): void {
  i8_depthwise_conv2d(
    batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, inZero, zero, low, high, x, packed, scratch, y,
  );
}

/** One pixel of the result, or with `R` of two bytes two, for which weights are loaded once. */
function pixels<R>(
  c: u32, places: usize, end: usize, x: usize, across: usize, packed: usize, y: usize, zero: i32, low: i32, high: i32,
): void {
  const least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
  for (let k: u32 = 0; k < c; k += 8, x += 8) {
    let a0 = v128.load(packed), a1 = v128.load(packed, 16), b0 = a0, b1 = a1;
    const f0 = v128.load(packed, 32), f1 = v128.load(packed, 48);
    packed += 64;
    for (let place = places; place < end; place += 8, packed += 32) {
      const p = x + load<usize>(place), q = x + load<usize>(place, 4);
      const w0 = v128.load(packed), w1 = v128.load(packed, 16);
      const u = paired(v128.load64_zero(p), v128.load64_zero(q));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(u), w0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(u), w1));
      if (sizeof<R>() == 2) {
        const v = paired(v128.load64_zero(p + across), v128.load64_zero(q + across));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(v), w0));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(v), w1));
      }
    }
    const bytes = requantizeTwice(a0, a1, b0, b1, f0, f1, least, offset, most);
    storeBytes(y + k, i64x2.extract_lane(bytes, 0), c - k);
    if (sizeof<R>() == 2) storeBytes(y + c + k, i64x2.extract_lane(bytes, 1), c - k);
  }
}

/** The low eight bytes of both, one after the other. */
// @ts-ignore: decorator
@inline
function paired(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

function pixelScalar(
  c: u32, places: usize, end: usize, x: usize, packed: usize, y: usize, zero: i32, low: i32, high: i32,
): void {
  for (let k: u32 = 0; k < c; k++) {
    const head = packed + ((k & 7) << 2);
    let sum = load<i32>(head), weights = head + 64;
    for (let place = places; place < end; place += 8, weights += 32) {
      sum += <i32>load<i8>(x + k + load<usize>(place)) * <i32>load<i16>(weights);
      sum += <i32>load<i8>(x + k + load<usize>(place, 4)) * <i32>load<i16>(weights, 2);
    }
    store<i8>(y + k, <i8>requantize(sum, load<f32>(head, 32), zero, low, high));
    if ((k & 7) == 7) packed = weights - 28;
  }
}
