// Dense layers of floats whose weights are int8: as they lie, made floats in registers (weight-only), or times rows of floats that are
// made integers first (dynamic range). Sums of floats run over k in order; those of integers are exact.

import { abs, loadSplat, mul, mulAdd, pmax, pmin, SIMD, splat } from "./lanes";
import { put } from "./map";
import { HEAD } from "./qgemm";
import { rounded } from "./requantize";

/** Four of the 16 int8 in `w` as floats. */
// @ts-ignore: decorator
@inline
function lowFloats(w: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(w));
}

// @ts-ignore: decorator
@inline
function highFloats(w: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(w));
}

/** clamp(sum scale + bias) into the `left` bytes of an output at `at` bytes of a row. */
// @ts-ignore: decorator
@inline
function finish<V>(y: usize, at: usize, left: usize, sum: V, scale: usize, bias: usize, low: f32, high: f32): void {
  const b = bias ? load<V>(bias + at) : splat<V>(0);
  const v = pmin<V>(pmax<V>(mulAdd<V>(sum, load<V>(scale + at), b), splat<V>(low)), splat<V>(high));
  put<V>(y + at, v, left);
}

/**
 * y [m, n] = clamp((x [m, k] f (i8) [k, n]) scale [n] + bias [n], low, high), bias 0 for none. A row takes 32 columns at a time, four rows
 * 8. Reads up to 31 bytes past f.
 */
export function f32_i8_gemm(
  m: u32, n: u32, k: u32, x: usize, f: usize, scale: usize, bias: usize, y: usize, low: f32, high: f32,
): void {
  const row = <usize>k << 2, line = <usize>n << 2;
  for (; m >= 4; m -= 4, x += 4 * row, y += 4 * line) fourRows(n, k, x, f, scale, bias, y, low, high);
  for (; m; m--, x += row, y += line) {
    let j: u32 = 0;
    if (SIMD) {
      for (; j + 32 <= n; j += 32) wideRow(n, k, x, f + j, scale, bias, y, <usize>j << 2, low, high);
      for (; j < n; j += 8) narrowRow(n, k, x, f + j, scale, bias, y, <usize>j << 2, low, high);
    } else {
      for (; j < n; j++) scalarRow(n, k, x, f + j, scale, bias, y, <usize>j << 2, low, high);
    }
  }
}

function scalarRow(
  n: u32, k: u32, x: usize, f: usize, scale: usize, bias: usize, y: usize, at: usize, low: f32, high: f32,
): void {
  let sum: f32 = 0;
  for (; k; k--, x += 4, f += n) sum = mulAdd<f32>(load<f32>(x), <f32>load<i8>(f), sum);
  finish<f32>(y, at, 4, sum, scale, bias, low, high);
}

function narrowRow(
  n: u32, k: u32, x: usize, f: usize, scale: usize, bias: usize, y: usize, at: usize, low: f32, high: f32,
): void {
  const left = (<usize>n << 2) - at;
  let c0 = f32x4.splat(0), c1 = c0;
  for (; k; k--, x += 4, f += n) {
    const a = v128.load32_splat(x), w = v128.load8x8_s(f);
    c0 = mulAdd<v128>(a, lowFloats(w), c0);
    c1 = mulAdd<v128>(a, highFloats(w), c1);
  }
  finish<v128>(y, at, left, c0, scale, bias, low, high);
  if (left > 16) finish<v128>(y, at + 16, left - 16, c1, scale, bias, low, high);
}

function wideRow(
  n: u32, k: u32, x: usize, f: usize, scale: usize, bias: usize, y: usize, at: usize, low: f32, high: f32,
): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (; k; k--, x += 4, f += n) {
    const a = v128.load32_splat(x);
    let w = v128.load8x8_s(f);
    c0 = mulAdd<v128>(a, lowFloats(w), c0);
    c1 = mulAdd<v128>(a, highFloats(w), c1);
    w = v128.load8x8_s(f, 8);
    c2 = mulAdd<v128>(a, lowFloats(w), c2);
    c3 = mulAdd<v128>(a, highFloats(w), c3);
    w = v128.load8x8_s(f, 16);
    c4 = mulAdd<v128>(a, lowFloats(w), c4);
    c5 = mulAdd<v128>(a, highFloats(w), c5);
    w = v128.load8x8_s(f, 24);
    c6 = mulAdd<v128>(a, lowFloats(w), c6);
    c7 = mulAdd<v128>(a, highFloats(w), c7);
  }
  finish<v128>(y, at, 16, c0, scale, bias, low, high);
  finish<v128>(y, at + 16, 16, c1, scale, bias, low, high);
  finish<v128>(y, at + 32, 16, c2, scale, bias, low, high);
  finish<v128>(y, at + 48, 16, c3, scale, bias, low, high);
  finish<v128>(y, at + 64, 16, c4, scale, bias, low, high);
  finish<v128>(y, at + 80, 16, c5, scale, bias, low, high);
  finish<v128>(y, at + 96, 16, c6, scale, bias, low, high);
  finish<v128>(y, at + 112, 16, c7, scale, bias, low, high);
}

function fourRows(
  n: u32, k: u32, x: usize, f: usize, scale: usize, bias: usize, y: usize, low: f32, high: f32,
): void {
  const row = <usize>k << 2, line = <usize>n << 2;
  if (!SIMD) {
    for (let j: u32 = 0; j < n; j++) {
      for (let i: usize = 0; i < 4; i++) {
        scalarRow(n, k, x + i * row, f + j, scale, bias, y + i * line, <usize>j << 2, low, high);
      }
    }
    return;
  }
  for (let at: usize = 0; at < line; at += 32, f += 8) {
    const left = line - at;
    let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
    for (let p = x, q = f, end = x + row; p < end; p += 4, q += n) {
      const w = v128.load8x8_s(q), w0 = lowFloats(w), w1 = highFloats(w);
      let a = v128.load32_splat(p);
      c00 = mulAdd<v128>(a, w0, c00);
      c01 = mulAdd<v128>(a, w1, c01);
      a = v128.load32_splat(p + row);
      c10 = mulAdd<v128>(a, w0, c10);
      c11 = mulAdd<v128>(a, w1, c11);
      a = v128.load32_splat(p + 2 * row);
      c20 = mulAdd<v128>(a, w0, c20);
      c21 = mulAdd<v128>(a, w1, c21);
      a = v128.load32_splat(p + 3 * row);
      c30 = mulAdd<v128>(a, w0, c30);
      c31 = mulAdd<v128>(a, w1, c31);
    }
    finish<v128>(y, at, left, c00, scale, bias, low, high);
    finish<v128>(y + line, at, left, c10, scale, bias, low, high);
    finish<v128>(y + 2 * line, at, left, c20, scale, bias, low, high);
    finish<v128>(y + 3 * line, at, left, c30, scale, bias, low, high);
    if (left <= 16) return;
    finish<v128>(y, at + 16, left - 16, c01, scale, bias, low, high);
    finish<v128>(y + line, at + 16, left - 16, c11, scale, bias, low, high);
    finish<v128>(y + 2 * line, at + 16, left - 16, c21, scale, bias, low, high);
    finish<v128>(y + 3 * line, at + 16, left - 16, c31, scale, bias, low, high);
  }
}

/**
 * Each row of x [m, k] (f32) as integers within [-127, 127], to the nearest, even in ties: y (i16) [m, k rounded up to an even number],
 * zero past k, and their scales [m], the largest of a row without its sign over 127. What is no number counts as 0.
 */
export function f32_to_i16_rows(m: u32, k: u32, x: usize, y: usize, scales: usize): void {
  for (; m; m--, scales += 4) {
    let largest: f32 = 0;
    const end = x + (<usize>k << 2);
    let p = x;
    if (SIMD) {
      let most = f32x4.splat(0);
      for (; p + 16 <= end; p += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(p)));
      most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
      largest = f32x4.extract_lane(f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2)), 0);
    }
    for (; p < end; p += 4) largest = pmax<f32>(largest, abs<f32>(load<f32>(p)));
    const factor: f32 = largest > 0 ? <f32>127 / largest : 0;
    store<f32>(scales, largest / <f32>127);
    for (; x < end; x += 4, y += 2) {
      const v = load<f32>(x) * factor;
      store<i16>(y, <i16>rounded(v == v ? v : 0, 0, -127, 127));
    }
    if (k & 1) {
      store<i16>(y, 0);
      y += 2;
    }
  }
}

/**
 * y [m, n] = clamp((x f) xScale [m] scale [n] + bias [n], low, high): x and xScale from f32_to_i16_rows of rows of k, `packed`
 * and in it the scales from i8_gemm_pack_any of f in one run. A sum goes times the product of both scales.
 */
export function i8_gemm_dynamic(
  m: u32, n: u32, k: u32, x: usize, xScale: usize, packed: usize, bias: usize, y: usize, low: f32, high: f32,
): void {
  const pairs = <usize>((k + 1) >> 1), row = pairs << 2, line = <usize>n << 2;
  for (let at: usize = 0; at < line; at += 32, packed += HEAD + (pairs << 5)) {
    let i: u32 = 0, p = x, q = y, s = xScale;
    if (SIMD) {
      for (; i + 4 <= m; i += 4, p += 4 * row, q += 4 * line, s += 16) {
        fourDynamic(row, p, s, packed, bias, q, at, line, low, high);
      }
      for (; i < m; i++, p += row, q += line, s += 4) oneDynamic(row, p, s, packed, bias, q, at, line - at, low, high);
    } else {
      for (; i < m; i++, p += row, q += line, s += 4) {
        for (let c: usize = 0; c < 32 && at + c < line; c += 4) {
          let sum: i32 = 0;
          for (let t: usize = 0, w = packed + HEAD + c; t < row; t += 4, w += 32) {
            sum += <i32>load<i16>(p + t) * <i32>load<i16>(w) + <i32>load<i16>(p + t, 2) * <i32>load<i16>(w, 2);
          }
          finishDynamic<f32>(q, at + c, 4, <f32>sum, s, packed + 32 + c, bias, low, high);
        }
      }
    }
  }
}

/** As `finish`, with the row's own scale. */
// @ts-ignore: decorator
@inline
function finishDynamic<V>(
  y: usize, at: usize, left: usize, sum: V, own: usize, scale: usize, bias: usize, low: f32, high: f32,
): void {
  const factor = mul<V>(loadSplat<V>(own), load<V>(scale)), b = bias ? load<V>(bias + at) : splat<V>(0);
  put<V>(y + at, pmin<V>(pmax<V>(mulAdd<V>(sum, factor, b), splat<V>(low)), splat<V>(high)), left);
}

function oneDynamic(
  row: usize, p: usize, s: usize, packed: usize, bias: usize, y: usize, at: usize, left: usize, low: f32, high: f32,
): void {
  let c0 = i32x4.splat(0), c1 = c0;
  for (let w = packed + HEAD, end = p + row; p < end; p += 4, w += 32) {
    const a = v128.load32_splat(p);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a, v128.load(w)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(a, v128.load(w, 16)));
  }
  finishDynamic<v128>(y, at, left, f32x4.convert_i32x4_s(c0), s, packed + 32, bias, low, high);
  if (left > 16) {
    finishDynamic<v128>(y, at + 16, left - 16, f32x4.convert_i32x4_s(c1), s, packed + 48, bias, low, high);
  }
}

function fourDynamic(
  row: usize, p: usize, s: usize, packed: usize, bias: usize, y: usize, at: usize, line: usize, low: f32, high: f32,
): void {
  const left = line - at;
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (let w = packed + HEAD, end = p + row; p < end; p += 4, w += 32) {
    const w0 = v128.load(w), w1 = v128.load(w, 16);
    let a = v128.load32_splat(p);
    c00 = i32x4.add(c00, i32x4.dot_i16x8_s(a, w0));
    c01 = i32x4.add(c01, i32x4.dot_i16x8_s(a, w1));
    a = v128.load32_splat(p + row);
    c10 = i32x4.add(c10, i32x4.dot_i16x8_s(a, w0));
    c11 = i32x4.add(c11, i32x4.dot_i16x8_s(a, w1));
    a = v128.load32_splat(p + 2 * row);
    c20 = i32x4.add(c20, i32x4.dot_i16x8_s(a, w0));
    c21 = i32x4.add(c21, i32x4.dot_i16x8_s(a, w1));
    a = v128.load32_splat(p + 3 * row);
    c30 = i32x4.add(c30, i32x4.dot_i16x8_s(a, w0));
    c31 = i32x4.add(c31, i32x4.dot_i16x8_s(a, w1));
  }
  finishDynamic<v128>(y, at, left, f32x4.convert_i32x4_s(c00), s, packed + 32, bias, low, high);
  finishDynamic<v128>(y + line, at, left, f32x4.convert_i32x4_s(c10), s + 4, packed + 32, bias, low, high);
  finishDynamic<v128>(y + 2 * line, at, left, f32x4.convert_i32x4_s(c20), s + 8, packed + 32, bias, low, high);
  finishDynamic<v128>(y + 3 * line, at, left, f32x4.convert_i32x4_s(c30), s + 12, packed + 32, bias, low, high);
  if (left <= 16) return;
  const next = at + 16, rest = left - 16, f = packed + 48;
  finishDynamic<v128>(y, next, rest, f32x4.convert_i32x4_s(c01), s, f, bias, low, high);
  finishDynamic<v128>(y + line, next, rest, f32x4.convert_i32x4_s(c11), s + 4, f, bias, low, high);
  finishDynamic<v128>(y + 2 * line, next, rest, f32x4.convert_i32x4_s(c21), s + 8, f, bias, low, high);
  finishDynamic<v128>(y + 3 * line, next, rest, f32x4.convert_i32x4_s(c31), s + 12, f, bias, low, high);
}
