// qdepthwise.ts with a dot product of bytes, for the family int8dot, where windows have three columns and at most three rows: the taps of
// a column go in fours, the last against a weight of 0, and a column serves all windows that it lies in.

import { dot, flipOf, shift } from "./dot";
import { HEAD } from "./qgemm";
import { lowOf, offsetOf, requantizeEight, storeBytes } from "./requantize";

/** As in qdepthwise.ts for fZero 0; the panels have, for each column, four bytes of each of 8 channels. */
export function i8_depthwise_pack(
  kh: u32, _kw: u32, c: u32, zero: i32, _fZero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  const offset = zero + shift();
  for (let j: u32 = 0; j < c; j += 8, packed += HEAD + 96) {
    const columns = min<u32>(8, c - j), at = <usize>j << 2;
    memory.fill(packed, 0, HEAD + 96);
    if (bias) memory.copy(packed, bias + at, columns << 2);
    memory.copy(packed + 32, factors + at, columns << 2);
    for (let p: u32 = 0, from = f + j; p < kh; p++) {
      for (let q: u32 = 0; q < 3; q++, from += c) {
        for (let k: u32 = 0; k < columns; k++) {
          const w = load<i8>(from + k), sum = packed + (k << 2);
          store<i32>(sum, load<i32>(sum) - offset * w);
          store<i8>(sum + HEAD + (q << 5) + p, w);
        }
      }
    }
  }
}

/** As in qdepthwise.ts. */
export function i8_depthwise_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, _kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, inZero: i32, zero: i32, low: i32, high: i32, x: usize, packed: usize, scratch: usize, y: usize,
): void {
  const line = <usize>w * c, flip = flipOf(shift());
  memory.fill(scratch, <u8>inZero, line + 8); // a row that stands for those outside the image
  for (let b: u32 = 0; b < batch; b++, x += line * h) {
    for (let i: u32 = 0; i < oh; i++, y += <usize>ow * c) {
      const v = i * sh - top, v1 = v + dh, v2 = v1 + dh;
      const r0 = v < h ? x + line * v : scratch, r1 = kh > 1 && v1 < h ? x + line * v1 : scratch;
      const r2 = kh > 2 && v2 < h ? x + line * v2 : scratch;
      for (let k: u32 = 0, panel = packed; k < c; k += 8, panel += HEAD + 96) {
        row(w, c, c - k, ow, sw, dw, -<i32>left, r0 + k, r1 + k, r2 + k, panel, y + k, flip, inZero, zero, low, high);
      }
    }
  }
}

/** 8 channels of a row of the result; `s` is the first column of the first window. */
function row(
  w: u32, c: u32, channels: u32, ow: u32, sw: u32, dw: u32, s: i32, r0: usize, r1: usize, r2: usize,
  packed: usize, y: usize,
  flip: v128, inZero: i32, zero: i32, low: i32, high: i32,
): void {
  const least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
  const none = v128.xor(i8x16.splat(<i8>inZero), flip); // a column outside the image
  const w0 = v128.load(packed, 64), w1 = v128.load(packed, 80), w2 = v128.load(packed, 96);
  const w3 = v128.load(packed, 112), w4 = v128.load(packed, 128), w5 = v128.load(packed, 144);
  // Columns that the window before had too: two, one or none of them.
  const shared: u32 = dw != 1 || sw > 2 ? 0 : 3 - sw;
  let a0 = none, a1 = none, b0 = none, b1 = none, d0 = none, d1 = none;
  if (shared == 2 && <u32>s < w) {
    const o = <usize>s * c, u = v128.xor(paired(r0 + o, r1 + o), flip), v = v128.xor(twice(r2 + o), flip);
    b0 = v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
    b1 = v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  if (shared > 0) {
    const t: u32 = s + shared - 1;
    if (t < w) {
      const o = <usize>t * c, u = v128.xor(paired(r0 + o, r1 + o), flip), v = v128.xor(twice(r2 + o), flip);
      d0 = v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
      d1 = v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
    }
  }
  for (let j: u32 = 0; j < ow; j++, s += sw, y += c) {
    if (shared == 2) {
      a0 = b0;
      a1 = b1;
      b0 = d0;
      b1 = d1;
    } else {
      if (shared == 1) {
        a0 = d0;
        a1 = d1;
      } else if (<u32>s < w) {
        const o = <usize>s * c, u = v128.xor(paired(r0 + o, r1 + o), flip), v = v128.xor(twice(r2 + o), flip);
        a0 = v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
        a1 = v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
      } else {
        a0 = none;
        a1 = none;
      }
      const t: u32 = s + dw;
      if (t < w) {
        const o = <usize>t * c, u = v128.xor(paired(r0 + o, r1 + o), flip), v = v128.xor(twice(r2 + o), flip);
        b0 = v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
        b1 = v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
      } else {
        b0 = none;
        b1 = none;
      }
    }
    const t: u32 = s + 2 * dw;
    if (t < w) {
      const o = <usize>t * c, u = v128.xor(paired(r0 + o, r1 + o), flip), v = v128.xor(twice(r2 + o), flip);
      d0 = v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
      d1 = v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
    } else {
      d0 = none;
      d1 = none;
    }
    const sums = requantizeEight(
      dot(w4, d0, dot(w2, b0, dot(w0, a0, v128.load(packed)))),
      dot(w5, d1, dot(w3, b1, dot(w1, a1, v128.load(packed, 16)))),
      v128.load(packed, 32), v128.load(packed, 48), least, offset,
    );
    storeBytes(y, i64x2.extract_lane(i8x16.min_s(i8x16.narrow_i16x8_s(sums, sums), most), 0), channels);
  }
}

/** Eight bytes of two rows, one after the other. */
// @ts-ignore: decorator
@inline
function paired(p: usize, q: usize): v128 {
  return v128.shuffle<i8>(
    v128.load64_zero(p), v128.load64_zero(q), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
  );
}

/** Eight bytes, each twice. */
// @ts-ignore: decorator
@inline
function twice(p: usize): v128 {
  const x = v128.load64_zero(p);
  return v128.shuffle<i8>(x, x, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
}
