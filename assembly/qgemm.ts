// Products and convolutions of int8: sums of int8 times int8 in 32 bits, then a factor of each column's own, to the nearest integer,
// even in ties. Integers add up to the same in any order, so nothing here says in which. Terms go in pairs of int16, as one
// instruction multiplies and adds two; what `x` lacks to a zero point of 0 is in the packed bias.

import { SIMD } from "./lanes";
import { lowOf, offsetOf, requantize, requantizeTwice, storeBytes, storeFour } from "./requantize";

/** Bytes of a panel of 8 columns before its pairs: 8 biases (i32), 8 factors (f32). */
export const HEAD: usize = 64;

/** Bytes of one packed panel. */
// @ts-ignore: decorator
@inline
function panelBytes(pairs: u32): usize {
  return HEAD + (<usize>pairs << 5);
}

/** Pairs of one sum: runs of filter elements that are neighbours in the image, each rounded up to a whole pair. */
// @ts-ignore: decorator
@inline
function pairsOf(runs: u32, run: u32): u32 {
  return runs * ((run + 1) >> 1);
}

/**
 * Panels of 8 columns of f (i8) less fZero [runs, run, n], columns past n zero, for one of the groups of columns after the other: each
 * its biases, the sums of zero times those taken off, its factors, and for each pair of rows of a run the 8 pairs (i16). bias (i32) [n],
 * 0 for none; factors [n].
 */
export function i8_gemm_pack(
  runs: u32, run: u32, n: u32, groups: u32, zero: i32, fZero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  const ng = n / groups;
  for (let g: u32 = 0; g < groups; g++) {
    for (let j: u32 = 0; j < ng; j += 8) {
      packPanel(runs, run, n, min<u32>(8, ng - j), zero, fZero, g * ng + j, f, bias, factors, packed);
      packed += panelBytes(pairsOf(runs, run));
    }
  }
}

function packPanel(
  runs: u32, run: u32, n: u32, columns: u32, zero: i32, fZero: i32, first: u32,
  f: usize, bias: usize, factors: usize, packed: usize,
): void {
  const at = <usize>first << 2;
  memory.fill(packed, 0, HEAD);
  if (bias) memory.copy(packed, bias + at, columns << 2);
  memory.copy(packed + 32, factors + at, columns << 2);
  let row = f + first, to = packed + HEAD;
  for (let r: u32 = 0; r < runs; r++) {
    for (let t: u32 = 0; t < run; t += 2, to += 32) {
      const both = t + 1 < run;
      for (let k: u32 = 0; k < 8; k++) {
        const a = k < columns ? <i32>load<i8>(row + k) - fZero : 0;
        const b = k < columns && both ? <i32>load<i8>(row + n + k) - fZero : 0;
        const sum = packed + (k << 2);
        store<i32>(sum, load<i32>(sum) - zero * (a + b));
        store<i16>(to + (k << 2), <i16>a);
        store<i16>(to + (k << 2), <i16>b, 2);
      }
      row += both ? 2 * n : n;
    }
  }
}

/**
 * y [rows, n] (rows at most 4, `stride` bytes apart) = the requantized sums of four rows `a`, pairs interleaved, with all panels.
 * Four rows side by side have one address, not four: 87 GOP/s instead of 81 (Node 24), 80 instead of 75 (Node 20), of 95 with
 * registers alone.
 */
function fourRows(
  rows: u32, n: u32, pairs: u32, a: usize, packed: usize, y: usize, stride: usize, zero: i32, low: i32, high: i32,
): void {
  const columns = min<u32>(8, n), end = packed + panelBytes(pairs);
  let c00 = v128.load(packed), c01 = v128.load(packed, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  for (let b = packed + HEAD; b < end; b += 32, a += 16) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x, b0));
    c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a, 4);
    c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x, b0));
    c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a, 8);
    c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x, b0));
    c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x, b1));
    x = v128.load32_splat(a, 12);
    c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x, b0));
    c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x, b1));
  }
  const f0 = v128.load(packed, 32), f1 = v128.load(packed, 48), least = lowOf(low, zero), offset = offsetOf(zero);
  const most = i8x16.splat(<i8>high);
  const y01 = requantizeTwice(c00, c01, c10, c11, f0, f1, least, offset, most);
  const y23 = requantizeTwice(c20, c21, c30, c31, f0, f1, least, offset, most);
  storeFour(y, stride, y01, y23, rows, columns);
}

/** The same for one row, `step` bytes from one pair to the next. */
function oneRow(
  n: u32, pairs: u32, a: usize, step: usize, packed: usize, y: usize, zero: i32, low: i32, high: i32,
): void {
  const end = packed + panelBytes(pairs);
  let b = packed + HEAD, c0 = v128.load(packed), c1 = v128.load(packed, 16), d0 = i32x4.splat(0), d1 = d0;
  for (; b + 64 <= end; b += 64, a += 2 * step) {
    const x0 = v128.load32_splat(a), x1 = v128.load32_splat(a + step);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x0, v128.load(b)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x0, v128.load(b, 16)));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(x1, v128.load(b, 32)));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(x1, v128.load(b, 48)));
  }
  if (b < end) {
    const x0 = v128.load32_splat(a);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x0, v128.load(b)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x0, v128.load(b, 16)));
  }
  const f0 = v128.load(packed, 32), f1 = v128.load(packed, 48);
  const most = i8x16.splat(<i8>high), s0 = i32x4.add(c0, d0), s1 = i32x4.add(c1, d1);
  const bytes = requantizeTwice(s0, s1, s0, s1, f0, f1, lowOf(low, zero), offsetOf(zero), most);
  storeBytes(y, i64x2.extract_lane(bytes, 0), min<u32>(8, n));
}

/** A row of a panel's columns without SIMD; `step` bytes from one pair of `a` to the next. */
function oneRowScalar(
  n: u32, pairs: u32, a: usize, step: usize, packed: usize, y: usize, zero: i32, low: i32, high: i32,
): void {
  for (let k: u32 = 0; k < min<u32>(8, n); k++) {
    let sum = load<i32>(packed + (k << 2)), b = packed + HEAD + (k << 2), p = a;
    for (let t = pairs; t; t--, b += 32, p += step) {
      sum += <i32>load<i16>(p) * <i32>load<i16>(b) + <i32>load<i16>(p, 2) * <i32>load<i16>(b, 2);
    }
    store<i8>(y + k, <i8>requantize(sum, load<f32>(packed + (k << 2), 32), zero, low, high));
  }
}

/** Rows `a` (in fours, interleaved; or one row alone) times all panels; y's rows are `stride` bytes apart. */
function panels(
  rows: u32, n: u32, pairs: u32, a: usize, packed: usize, y: usize, stride: usize, zero: i32, low: i32, high: i32,
  alone: bool,
): void {
  const group = <usize>pairs << 4, step: usize = alone ? 4 : 16;
  for (let j: u32 = 0; j < n; j += 8, packed += panelBytes(pairs)) {
    let i: u32 = 0, p = a, q = y + j;
    if (SIMD) {
      for (; i + 1 < rows; i += 4, p += group, q += 4 * stride) {
        fourRows(min<u32>(4, rows - i), n - j, pairs, p, packed, q, stride, zero, low, high);
      }
      if (i < rows) oneRow(n - j, pairs, p, step, packed, q, zero, low, high);
    } else {
      for (; i < rows; i++, q += stride) {
        oneRowScalar(n - j, pairs, a + group * (i >> 2) + ((i & 3) << 2), step, packed, q, zero, low, high);
      }
    }
  }
}

/** to [(run + 1) / 2, 4] pairs (i16) = the bytes of four runs, widened; writes up to 48 bytes more, reads up to 7 past a run. */
function interleave(run: u32, p0: usize, p1: usize, p2: usize, p3: usize, to: usize): void {
  if (SIMD && run <= 4) {
    // All four in one vector: a first layer's row of a filter is short.
    let all = v128.load32_lane(p1, v128.load32_zero(p0), 1);
    all = v128.load32_lane(p3, v128.load32_lane(p2, all, 2), 3);
    all = v128.shuffle<i16>(all, all, 0, 2, 4, 6, 1, 3, 5, 7);
    v128.store(to, i16x8.extend_low_i8x16_s(all));
    if (run > 2) v128.store(to, i16x8.extend_high_i8x16_s(all), 16);
  } else if (SIMD) {
    for (const end = p0 + run; p0 < end; p0 += 8, p1 += 8, p2 += 8, p3 += 8, to += 64) {
      const r0 = v128.load8x8_s(p0), r1 = v128.load8x8_s(p1), r2 = v128.load8x8_s(p2), r3 = v128.load8x8_s(p3);
      const a0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), a1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
      const b0 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), b1 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(a0, a1, 0, 2));
      v128.store(to, v128.shuffle<i64>(a0, a1, 1, 3), 16);
      v128.store(to, v128.shuffle<i64>(b0, b1, 0, 2), 32);
      v128.store(to, v128.shuffle<i64>(b0, b1, 1, 3), 48);
    }
  } else {
    for (let t: u32 = 0; t < run; t += 2, to += 16) {
      for (let k: u32 = 0; k < 2; k++) {
        store<i16>(to + (k << 1), <i16>load<i8>(p0 + t + k));
        store<i16>(to + (k << 1), <i16>load<i8>(p1 + t + k), 4);
        store<i16>(to + (k << 1), <i16>load<i8>(p2 + t + k), 8);
        store<i16>(to + (k << 1), <i16>load<i8>(p3 + t + k), 12);
      }
    }
  }
}

/** to [run] (i16) = x (i8); writes up to 14 bytes more. */
function widen(run: u32, x: usize, to: usize): void {
  if (SIMD) for (const end = x + run; x < end; x += 8, to += 16) v128.store(to, v128.load8x8_s(x));
  else for (const end = x + run; x < end; x++, to += 2) store<i16>(to, <i16>load<i8>(x));
}

/**
 * y [batch, oh, ow, n] = x [batch, h, w, c] (both i8) convolved with a filter of kh x kw in `groups` groups, requantized: strides
 * sh, sw, dilations dh, dw, `top` and `left` rows and columns of inZero before the image, and what is needed behind it. `packed`
 * holds i8_gemm_pack of each group's filter [kh kw c / groups, n / groups]: in one run for each of its rows (kw c elements) where dw
 * and groups are 1, else in one for each of its elements. outZero is added last; results are clamped to [low, high] (inclusive).
 * `scratch` takes 4 pairs bytes for each of `block` pixels, a multiple of 4, and 5 run + 256 (and what qdot.ts needs:
 * src/runtime/scratch.ts); up to 15 bytes past the end of x are read.
 */
export function i8_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, n: u32, groups: u32, block: u32, inZero: i32, outZero: i32, low: i32, high: i32,
  x: usize, packed: usize, scratch: usize, y: usize,
): void {
  const cg = c / groups, ng = n / groups, whole = groups == 1 && (dw == 1 || kw == 1);
  const taps: u32 = whole ? 1 : kw, width: u32 = whole ? kw : 1, run = width * cg, pairs = pairsOf(kh * taps, run);
  const m = batch * oh * ow, alone = m == 1, line = <usize>w * c, step = <usize>((run + 1) >> 1) << (alone ? 2 : 4);
  const bottom = (kh - 1) * dh, right = (kw - 1) * dw, pad = <usize>((run + 15) & ~7);
  // Behind the rows: where the windows of four pixels begin, a run outside the image, and four runs partly outside.
  const places = scratch + (<usize>block >> 2) * (<usize>pairs << 4) + 64, outside = places + 48;
  memory.fill(outside, <u8>inZero, run);
  // Every pixel by itself, one after the other: 8 to 16 channels of 2304 pixels take 22 us instead of 31 (Node 24).
  const plain = kh * kw * sh * sw == 1 && oh == h && ow == w && !(top | left) && !alone;
  for (let g: u32 = 0; g < groups; g++) {
    let b: u32 = 0, i: u32 = 0, j: u32 = 0;
    for (let done: u32 = 0; done < m; done += block) {
      const rows = min<u32>(block, m - done);
      if (plain) neighbours(rows, run, c, step, x + <usize>done * c, x + <usize>(m - 1) * c, scratch);
      for (let r: u32 = 0, to = scratch; r < rows && !plain; r += 4) {
        const v0 = <i32>(i * sh) - <i32>top, u0 = <i32>(j * sw) - <i32>left;
        let inside = r + 4 <= rows && j + 4 <= ow && v0 >= 0 && u0 >= 0;
        inside = inside && <u32>v0 + bottom < h && <u32>u0 + 3 * sw + right < w;
        let p0 = x + line * (b * h + v0) + <usize>u0 * c, p1 = p0 + <usize>sw * c, p2 = p1 + <usize>sw * c;
        let p3 = p2 + <usize>sw * c;
        if (inside) {
          // Four pixels of a row, no window beyond the image.
          j += 4;
        } else {
          inside = true;
          for (let k: u32 = 0, place = places; k < 4 && r + k < rows; k++, place += 12) {
            if (j == ow) {
              j = 0;
              if (++i == oh) i = 0, b++;
            }
            const v = <i32>(i * sh) - <i32>top, u = <i32>(j * sw) - <i32>left;
            if (v < 0 || u < 0 || <u32>v + bottom >= h || <u32>u + right >= w) inside = false;
            store<i32>(place, v);
            store<i32>(place, u, 4);
            store<usize>(place, x + line * (b * h + v) + <usize>u * c, 8);
            j++;
          }
          p0 = load<usize>(places, 8);
          p1 = rows - r > 1 ? load<usize>(places, 20) : p0;
          p2 = rows - r > 2 ? load<usize>(places, 32) : p0;
          p3 = rows - r > 3 ? load<usize>(places, 44) : p0;
        }
        if (j == ow) {
          j = 0;
          if (++i == oh) i = 0, b++;
        }
        for (let p: u32 = 0; p < kh; p++) {
          for (let q: u32 = 0; q < taps; q++, to += step) {
            const tap = line * p * dh + <usize>(q * dw) * c;
            if (alone) {
              widen(run, window(0, 1, p * dh, q * dw, h, w, c, cg, width, tap, places, outside, pad), to);
            } else if (inside) {
              interleave(run, p0 + tap, p1 + tap, p2 + tap, p3 + tap, to);
            } else {
              const last = min<u32>(4, rows - r);
              interleave(
                run,
                window(0, last, p * dh, q * dw, h, w, c, cg, width, tap, places, outside, pad),
                window(1, last, p * dh, q * dw, h, w, c, cg, width, tap, places, outside, pad),
                window(2, last, p * dh, q * dw, h, w, c, cg, width, tap, places, outside, pad),
                window(3, last, p * dh, q * dw, h, w, c, cg, width, tap, places, outside, pad),
                to,
              );
            }
          }
        }
      }
      panels(rows, ng, pairs, scratch, packed, y + <usize>done * n, n, outZero, low, high, alone);
    }
    x += cg;
    y += ng;
    packed += panelBytes(pairs) * ((ng + 7) >> 3);
  }
}

/** The same as i8_gemm_pack, under a name of its own: for weights that take more than 8 bits, which qdot.ts has nothing for. */
export function i8_gemm_pack_any(
  runs: u32, run: u32, n: u32, groups: u32, zero: i32, fZero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  i8_gemm_pack(runs, run, n, groups, zero, fZero, f, bias, factors, packed);
}

/** The same as i8_conv2d, for panels of i8_gemm_pack_any. */
export function i8_conv2d_any(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, n: u32, groups: u32, block: u32, inZero: i32, outZero: i32, low: i32, high: i32,
  x: usize, packed: usize, scratch: usize, y: usize,
): void {
  i8_conv2d(
    batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, n, groups, block,
    inZero, outZero, low, high, x, packed, scratch, y,
  );
}

/** Runs of pixels that lie one after the other, `c` bytes apart; past the last one it stands in. */
function neighbours(rows: u32, run: u32, c: u32, step: usize, x: usize, last: usize, to: usize): void {
  for (let r: u32 = 0; r < rows; r += 4, to += step, x += <usize>c << 2) {
    interleave(run, x, min<usize>(x + c, last), min<usize>(x + 2 * c, last), min<usize>(x + 3 * c, last), to);
  }
}

/** Where pixel k of four finds a run: in the image, or outside it, or written together of both. */
function window(
  k: u32, last: u32, down: u32, across: u32, h: u32, w: u32, c: u32, cg: u32, width: u32, tap: usize,
  places: usize, outside: usize, pad: usize,
): usize {
  const place = places + 12 * k, v = load<i32>(place) + <i32>down, u = load<i32>(place, 4) + <i32>across;
  if (k >= last || <u32>v >= h || u <= -<i32>width || u >= <i32>w) return outside;
  const from = load<usize>(place, 8) + tap;
  if (u >= 0 && <u32>u + width <= w) return from;
  const to = outside + pad * (k + 1), u0 = max<i32>(-u, 0), u1 = min<i32>(width, <i32>w - u);
  memory.copy(to, outside, width * cg);
  memory.copy(to + u0 * c, from + <usize>u0 * c, (u1 - u0) * c);
  return to;
}
