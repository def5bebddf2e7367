// Depthwise convolution of int16 images with int8 weights: every channel has a filter of its own. Taps go in pairs, so that one
// instruction multiplies and adds two of them in four channels; i16sum.ts has the arithmetic.

import { SIMD } from "./lanes";
import { addEight, HEAD, PAIRS, rounded, roundedEight, storeEight } from "./i16sum";

/**
 * y [batch, oh, ow, c] = x [batch, h, w, c] (both i16) times f [kh, kw, c], as i16_conv2d; every window lies in x. `packed` is
 * i16_gemm_pack of f as one run [kh kw, c]. `scratch` takes 4 bytes for each element of the window, and 148. Up to 14 bytes past the
 * end of x are read.
 */
export function i16_depthwise_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  rounding: i32, low: i32, high: i32, x: usize, packed: usize, scratch: usize, y: usize,
): void {
  const line = <usize>(w * c) << 1, pixel = <usize>c << 1;
  // Where the elements of a window are, from its first one on; the last once more, against a weight of 0.
  let end = scratch;
  for (let p: u32 = 0; p < kh; p++) {
    for (let q: u32 = 0; q < kw; q++, end += 4) store<usize>(end, line * p * dh + pixel * q * dw);
  }
  if (kh * kw & 1) {
    store<usize>(end, load<usize>(end - 4));
    end += 4;
  }
  const sums = (end + 15) & ~15;
  for (let b: u32 = 0; b < batch; b++, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const at = x + line * i * sh + pixel * j * sw;
        if (SIMD) pixelOf(c, scratch, end, at, packed, sums, rounding, low, high, y);
        else pixelScalar(c, scratch, end, at, packed, rounding, low, high, y);
      }
    }
  }
}

function pixelOf(
  c: u32, places: usize, end: usize, x: usize, packed: usize, sums: usize, rounding: i32, low: i32, high: i32,
  y: usize,
): void {
  const zero = i32x4.splat(0);
  for (let k: u32 = 0; k < c; k += 8, x += 16, y += 16) {
    const factors = packed + 64;
    let c0 = zero, c1 = zero, from = packed, left = PAIRS;
    packed += HEAD;
    for (let place = places; place < end; place += 8, packed += 32) {
      if (!left) {
        addEight(c0, c1, from, sums);
        c0 = c1 = zero;
        from = sums;
        left = PAIRS;
      }
      left--;
      const p = v128.load(x + load<usize>(place)), q = v128.load(x + load<usize>(place, 4));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.shuffle<i16>(p, q, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(packed)));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.shuffle<i16>(p, q, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(packed, 16)));
    }
    storeEight(y, roundedEight(rounding, c0, c1, from, factors, low, high, sums + 64), c - k);
  }
}

function pixelScalar(
  c: u32, places: usize, end: usize, x: usize, packed: usize, rounding: i32, low: i32, high: i32, y: usize,
): void {
  for (let k: u32 = 0; k < c; k++, x += 2, y += 2) {
    const column = k & 7;
    let sum = load<f64>(packed + (column << 3)), weights = packed + HEAD + (column << 2);
    for (let place = places; place < end; place += 8, weights += 32) {
      const p = <i32>load<i16>(x + load<usize>(place)) * <i32>load<i16>(weights);
      sum += <f64>(p + <i32>load<i16>(x + load<usize>(place, 4)) * <i32>load<i16>(weights, 2));
    }
    store<i16>(y, <i16>rounded(rounding, sum, packed + (column << 3) + 64, low, high));
    if (column == 7) packed = weights - 28;
  }
}
