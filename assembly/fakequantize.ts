// Fake quantization: floats that int8 can hold, for training that knows what rounding does, and its gradients. What integers stand for is
// in memory (scales and a zero point), as it is learnt. The int8 kernels that this stands for are in qmap.ts and qgemm.ts.

import {
  add, div, eq, load, loadSplat, mul, mulAdd, nearest, pmax, pmin, SIMD, splat, store, sub, where,
} from "./lanes";
import { put } from "./map";

/** Rows that all columns pass over before the next rows, as in norm.ts. */
const ROWS: u32 = 16;

/** The smallest scale, 2^-100: its inverse is finite. */
const LEAST: f32 = 7.888609052210118e-31;

/**
 * y [n] = q scale, where q = x times 1 / scale to the nearest integer, even in ties, at least low - zero and at most high - zero; scale and
 * zero [1]. NaN stays.
 */
export function f32_fake_quantize(n: u32, x: usize, scale: usize, zero: usize, y: usize, low: f32, high: f32): void {
  const s = f32.load(scale), z = f32.load(zero);
  if (SIMD) all<v128>(n, x, y, splat<v128>(s), splat<v128>(1 / s), splat<v128>(low - z), splat<v128>(high - z));
  else all<f32>(n, x, y, s, 1 / s, low - z, high - z);
}

/** y [rows, n], the same with scale [n], one for each column, and no zero point. */
export function f32_fake_quantize_channels(
  rows: u32, n: u32, x: usize, scale: usize, y: usize, low: f32, high: f32,
): void {
  const size = <usize>n << 6;
  for (; rows >= ROWS; rows -= ROWS, x += size, y += size) {
    if (SIMD) block<v128>(ROWS, n, x, scale, y, splat<v128>(low), splat<v128>(high));
    else block<f32>(ROWS, n, x, scale, y, low, high);
  }
  if (SIMD) block<v128>(rows, n, x, scale, y, splat<v128>(low), splat<v128>(high));
  else block<f32>(rows, n, x, scale, y, low, high);
}

/**
 * Gradients of both, straight through what rounds: dx [rows, n] = dy where q was not clamped, else 0; dscale [n], down each column the sum
 * of dy times q - x / scale where q was not clamped (Esser et al. 2020), else of dy times q; beyond [n], the sum of dy where it was. `each`
 * is how many bytes the scale of a column is from the one before: 0 where all have one. zero 0 for none. Rows of x, dy and dx are `step`
 * elements apart. Sums: 16 rows at
 * a time, row r into partial sum r mod 4, those four by twos, first the two that are longest unused, and the blocks in sequence. dx may be
 * dy.
 */
export function f32_fake_quantize_grad(
  rows: u32, n: u32, step: u32, x: usize, scale: usize, zero: usize, dy: usize, dx: usize, dscale: usize,
  beyond: usize, each: u32, low: f32, high: f32,
): void {
  const z = zero ? f32.load(zero) : 0, width = <usize>n << 2, row = <usize>step << 2;
  memory.fill(dscale, 0, width);
  memory.fill(beyond, 0, width);
  while (rows) {
    const some = min<u32>(rows, ROWS), size = row * some;
    if (SIMD) {
      backward<v128, v128>(
        some, width, row, x, scale, dy, dx, dscale, beyond, each, splat<v128>(low - z), splat<v128>(high - z),
      );
    } else {
      backward<f32, i32>(some, width, row, x, scale, dy, dx, dscale, beyond, each, low - z, high - z);
    }
    rows -= some;
    x += size;
    dy += size;
    dx += size;
  }
}

/** scale and zero [1] of int8 for a range [2], the first at most 0 and the second at least 0: 0 has an integer of its own. */
export function f32_range_quantization(range: usize, scale: usize, zero: usize): void {
  const low = f32.load(range), s = max<f32>((f32.load(range, 4) - low) / 255, LEAST);
  f32.store(scale, s);
  f32.store(zero, min<f32>(max<f32>(nearest<f32>(-128 - low / s), -128), 127));
}

/** drange [2] of f32_range_quantization, straight through what rounds: the zero point as -128 - low / scale. */
export function f32_range_quantization_grad(
  range: usize, scale: usize, dscale: usize, dzero: usize, drange: usize,
): void {
  const s = f32.load(scale), dz = f32.load(dzero) / s;
  const both = (f32.load(dscale) + dz * (f32.load(range) / s)) / 255;
  f32.store(drange, -both - dz);
  f32.store(drange, both, 4);
}

function all<V>(n: u32, x: usize, y: usize, scale: V, inverse: V, low: V, high: V): void {
  const end = x + (<usize>n << 2), w = sizeof<V>();
  for (; x + 2 * w <= end; x += 2 * w, y += 2 * w) {
    const y0 = mul<V>(integer<V>(load<V>(x), inverse, low, high), scale);
    const y1 = mul<V>(integer<V>(load<V>(x + w), inverse, low, high), scale);
    store<V>(y, y0);
    store<V>(y + w, y1);
  }
  for (; x < end; x += w, y += w) put<V>(y, mul<V>(integer<V>(load<V>(x), inverse, low, high), scale), end - x);
}

function block<V>(rows: u32, n: u32, x: usize, scale: usize, y: usize, low: V, high: V): void {
  const row = <usize>n << 2, size = row * rows;
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    const s = load<V>(scale + k), inverse = div<V>(splat<V>(1), s), left = row - k;
    for (let at = k; at < size; at += row) {
      put<V>(y + at, mul<V>(integer<V>(load<V>(x + at), inverse, low, high), s), left);
    }
  }
}

/** The integer that stands for x, its zero point taken off. */
// @ts-ignore: decorator
@inline
function integer<V>(x: V, inverse: V, low: V, high: V): V {
  return pmin<V>(pmax<V>(nearest<V>(mul<V>(x, inverse)), low), high);
}

function backward<V, I>(
  rows: u32, width: usize, row: usize, x: usize, scale: usize, dy: usize, dx: usize, dscale: usize, beyond: usize,
  each: u32, low: V, high: V,
): void {
  const zero = splat<V>(0);
  for (let k: usize = 0; k < width; k += sizeof<V>()) {
    const s = each ? load<V>(scale + k) : loadSplat<V>(scale), inverse = div<V>(splat<V>(1), s), left = width - k;
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero, at = k;
    for (let r: u32 = 0; r < rows; r++, at += row) {
      const d = load<V>(dy + at), v = mul<V>(load<V>(x + at), inverse), whole = nearest<V>(v);
      const q = pmin<V>(pmax<V>(whole, low), high), inside = eq<V, I>(q, whole);
      const through = where<V, I>(inside, d, zero);
      put<V>(dx + at, through, left);
      // The partial sums change places, so that row r goes into number r mod 4.
      const sum = mulAdd<V>(d, sub<V>(q, where<V, I>(inside, v, zero)), s0), lost = add<V>(b0, sub<V>(d, through));
      s0 = s1, s1 = s2, s2 = s3, s3 = sum;
      b0 = b1, b1 = b2, b2 = b3, b3 = lost;
    }
    put<V>(dscale + k, add<V>(load<V>(dscale + k), add<V>(add<V>(s0, s1), add<V>(s2, s3))), left);
    put<V>(beyond + k, add<V>(load<V>(beyond + k), add<V>(add<V>(b0, b1), add<V>(b2, b3))), left);
  }
}
