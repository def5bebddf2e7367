// Products and convolutions of int16 with int8 weights; zero points are 0. Sums are exact whatever their order (i16sum.ts).

import { SIMD } from "./lanes";
import { addEight, HEAD, PAIRS, panelBytes, rounded, roundedEight, storeEight, storeFactor } from "./i16sum";

/**
 * Panels of 8 columns of f (i8) [runs, run, n], columns past n zero, for one of the groups of columns after the other: each its
 * biases (f64) and its factors, and for each pair of rows of a run the 8 pairs (i16). bias (i32) [words, n], 0 for none: one word for
 * each, or low and high ones. Factors are those of inScale scale / outScale for scale (f32) [n], as `rounding` (i16sum.ts) has them.
 */
export function i16_gemm_pack(
  runs: u32, run: u32, n: u32, groups: u32, rounding: i32, inScale: f32, outScale: f32, f: usize,
  words: u32, bias: usize, scale: usize, packed: usize,
): void {
  const ng = n / groups, pairs = runs * ((run + 1) >> 1);
  for (let g: u32 = 0; g < groups; g++) {
    for (let j: u32 = 0; j < ng; j += 8, packed += panelBytes(pairs)) {
      const columns = min<u32>(8, ng - j), first = g * ng + j;
      memory.fill(packed, 0, HEAD);
      for (let k: u32 = 0; k < columns; k++) {
        const to = packed + (<usize>k << 3), s = load<f32>(scale + (<usize>(first + k) << 2));
        if (bias) store<f64>(to, biasOf(words, n, bias + (<usize>(first + k) << 2)));
        storeFactor(rounding, inScale, s, outScale, to + 64);
      }
      packPanel(runs, run, n, columns, f + first, packed + HEAD);
    }
  }
}

function biasOf(words: u32, n: u32, low: usize): f64 {
  if (words == 1) return <f64>load<i32>(low);
  return <f64>load<i32>(low + (<usize>n << 2)) * 4294967296.0 + <f64>load<u32>(low);
}

function packPanel(runs: u32, run: u32, n: u32, columns: u32, row: usize, to: usize): void {
  for (let r: u32 = 0; r < runs; r++) {
    for (let t: u32 = 0; t < run; t += 2, to += 32) {
      const both = t + 1 < run;
      for (let k: u32 = 0; k < 8; k++) {
        store<i16>(to + (k << 2), k < columns ? <i16>load<i8>(row + k) : 0);
        store<i16>(to + (k << 2), k < columns && both ? <i16>load<i8>(row + n + k) : 0, 2);
      }
      row += both ? 2 * n : n;
    }
  }
}

/**
 * y [batch, oh, ow, n] = x [batch, h, w, c] (both i16) convolved with a filter of kh x kw in `groups` groups: the sums, with their biases,
 * times the factors of their columns, rounded as `rounding` says, clamped to [low, high] (inclusive). Every window lies in x. Strides
 * sh, sw, dilations dh, dw. `packed` holds i16_gemm_pack of each group's filter [kh kw c / groups, n / groups]: in one run for each of its
 * rows (kw c elements) where dw and groups are 1, else in one for each of its elements. `scratch` takes 4 bytes for each of `block`
 * pixels, a multiple of 4, 4 for each element of the window, and 336. Up to 2 bytes past the end of x are read.
 */
export function i16_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  n: u32, groups: u32, block: u32, rounding: i32, low: i32, high: i32,
  x: usize, packed: usize, scratch: usize, y: usize,
): void {
  const cg = c / groups, ng = n / groups, whole = groups == 1 && (dw == 1 || kw == 1);
  const taps: u32 = whole ? 1 : kw, run = whole ? kw * cg : cg, runs = kh * taps, pairs = runs * ((run + 1) >> 1);
  const m = batch * oh * ow, line = <usize>(w * c) << 1, pixel = <usize>c << 1;
  // Where runs are from a window's first element on, then where the windows of a block begin, then its partial sums.
  const places = scratch + (<usize>runs << 2);
  const sums = (places + (<usize>block << 2) + 15) & ~15;
  let at = scratch;
  for (let p: u32 = 0; p < kh; p++) {
    for (let q: u32 = 0; q < taps; q++, at += 4) store<usize>(at, line * p * dh + pixel * q * dw);
  }
  let b: u32 = 0, i: u32 = 0, j: u32 = 0;
  for (let done: u32 = 0; done < m; done += block) {
    const rows = min<u32>(block, m - done);
    for (let r: u32 = 0, place = places; r < rows; r++, place += 4) {
      store<usize>(place, x + line * (b * h + i * sh) + pixel * (j * sw));
      if (++j == ow) {
        j = 0;
        if (++i == oh) i = 0, b++;
      }
    }
    const target = y + ((<usize>done * n) << 1);
    for (let g: u32 = 0, panel = packed; g < groups; g++) {
      for (let k: u32 = 0; k < ng; k += 8, panel += panelBytes(pairs)) {
        const columns = min<u32>(8, ng - k), shift = <usize>(g * cg) << 1;
        let r: u32 = 0, to = target + (<usize>(g * ng + k) << 1), place = places;
        if (SIMD) {
          for (; r + 4 <= rows; r += 4, place += 16, to += <usize>n << 3) {
            tile<u32>(columns, run, scratch, places, place, shift, panel, sums, rounding, low, high, <usize>n << 1, to);
          }
        }
        for (; r < rows; r++, place += 4, to += <usize>n << 1) {
          if (SIMD) tile<u8>(columns, run, scratch, places, place, shift, panel, sums, rounding, low, high, 0, to);
          else pixelScalar(columns, run, scratch, places, load<usize>(place) + shift, panel, rounding, low, high, to);
        }
      }
    }
  }
}

/**
 * One pixel of y, or with `R` of four bytes four, `stride` bytes apart: windows begin at the addresses at `place` and `shift`, their
 * runs lie where `runs` to `end` say.
 */
function tile<R>(
  columns: u32, run: u32, runs: usize, end: usize, place: usize, shift: usize, packed: usize, sums: usize,
  rounding: i32, low: i32, high: i32, stride: usize, y: usize,
): void {
  const p0 = load<usize>(place) + shift, p1 = sizeof<R>() == 4 ? load<usize>(place, 4) + shift : p0;
  const p2 = sizeof<R>() == 4 ? load<usize>(place, 8) + shift : p0;
  const p3 = sizeof<R>() == 4 ? load<usize>(place, 12) + shift : p0;
  const zero = i32x4.splat(0), factors = packed + 64, each = (run + 1) >> 1;
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  // What the sums so far are added to: biases, then what is in `sums`.
  let from = packed, apart: usize = 0, left = PAIRS, b = packed + HEAD;
  for (; runs < end; runs += 4) {
    const off = load<usize>(runs);
    let q0 = p0 + off, q1 = p1 + off, q2 = p2 + off, q3 = p3 + off;
    for (let rest = each; rest;) {
      if (!left) {
        addEight(c00, c01, from, sums);
        c00 = c01 = zero;
        if (sizeof<R>() == 4) {
          addEight(c10, c11, from + apart, sums + 64);
          addEight(c20, c21, from + 2 * apart, sums + 128);
          addEight(c30, c31, from + 3 * apart, sums + 192);
          c10 = c11 = c20 = c21 = c30 = c31 = zero;
        }
        from = sums;
        apart = 64;
        left = PAIRS;
      }
      const count = min<u32>(rest, left);
      rest -= count;
      left -= count;
      for (const last = b + (<usize>count << 5); b < last; b += 32) {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        let a = v128.load32_splat(q0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(a, b0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(a, b1));
        q0 += 4;
        if (sizeof<R>() == 4) {
          a = v128.load32_splat(q1);
          c10 = i32x4.add(c10, i32x4.dot_i16x8_s(a, b0));
          c11 = i32x4.add(c11, i32x4.dot_i16x8_s(a, b1));
          a = v128.load32_splat(q2);
          c20 = i32x4.add(c20, i32x4.dot_i16x8_s(a, b0));
          c21 = i32x4.add(c21, i32x4.dot_i16x8_s(a, b1));
          a = v128.load32_splat(q3);
          c30 = i32x4.add(c30, i32x4.dot_i16x8_s(a, b0));
          c31 = i32x4.add(c31, i32x4.dot_i16x8_s(a, b1));
          q1 += 4;
          q2 += 4;
          q3 += 4;
        }
      }
    }
  }
  const room = sums + 256;
  storeEight(y, roundedEight(rounding, c00, c01, from, factors, low, high, room), columns);
  if (sizeof<R>() == 4) {
    storeEight(y + stride, roundedEight(rounding, c10, c11, from + apart, factors, low, high, room), columns);
    storeEight(y + 2 * stride, roundedEight(rounding, c20, c21, from + 2 * apart, factors, low, high, room), columns);
    storeEight(y + 3 * stride, roundedEight(rounding, c30, c31, from + 3 * apart, factors, low, high, room), columns);
  }
}

/** The same for one pixel without SIMD. */
function pixelScalar(
  columns: u32, run: u32, runs: usize, end: usize, x: usize, packed: usize, rounding: i32, low: i32, high: i32,
  y: usize,
): void {
  for (let k: u32 = 0; k < columns; k++, y += 2) {
    let sum = load<f64>(packed + (k << 3)), b = packed + HEAD + (k << 2);
    for (let r = runs; r < end; r += 4) {
      let p = x + load<usize>(r);
      for (let t = (run + 1) >> 1; t; t--, b += 32, p += 4) {
        sum += <f64>(<i32>load<i16>(p) * <i32>load<i16>(b) + <i32>load<i16>(p, 2) * <i32>load<i16>(b, 2));
      }
    }
    store<i16>(y, <i16>rounded(rounding, sum, packed + (k << 3) + 64, low, high));
  }
}
