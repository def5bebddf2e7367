// The transforms of Winograd's F(4x4, 3x3) and F(3x3, 4x4), for one tile and all its channels. A tile of pixels, a filter
// and a tile of results are taken as polynomials in two variables and evaluated at, or got back from, the points 0, A, -A,
// B, -B and infinity in each: rows first, then columns. What is multiplied and summed in between is in winograd.ts.

import { add, constant, load, mul, mulAdd, pmax, pmin, splat, store, storePart, sub } from "./lanes";
import { addressInPanels } from "./pack";

// With the points 3/4 and 3/2 the largest error is 1.5 to 2 times that of the direct sum (normal numbers, 64 and 256
// channels); with the usual 1 and 2 it is 5 to 9 times.
// @ts-ignore: decorator
@inline
const A: f32 = 0.75;
// @ts-ignore: decorator
@inline
const B: f32 = 1.5;

/** Bytes of a workspace for one tile: the values between rows and columns. */
export const TEMP_BYTES: usize = 36 * 16;

/** Bytes of one value. */
// @ts-ignore: decorator
@inline
function bytes<V>(): usize {
  return sizeof<V>();
}

/**
 * y[6 i + j] = transformed tile of 6x6 pixels, for `channels` channels: pixels of x are `pixel` bytes apart, its rows `row`,
 * the 36 results `position`. Reads and writes whole vectors of channels.
 */
export function inputTile<V>(
  channels: u32, x: usize, row: usize, pixel: usize, y: usize, position: usize, temp: usize,
): void {
  const w = bytes<V>(), end = x + (<usize>channels << 2);
  const a = constant<V>(A), b = constant<V>(B), aa = constant<V>(-A * A), bb = constant<V>(-B * B);
  const product = constant<V>(A * A * B * B), sum = constant<V>(-A * A - B * B);
  for (; x < end; x += w, y += w) {
    for (let i: usize = 0; i < 6; ++i) {
      inputLine<V>(x + i * row, pixel, temp + i * 6 * w, w, a, b, aa, bb, product, sum);
    }
    for (let j: usize = 0; j < 6; ++j) {
      inputLine<V>(temp + j * w, 6 * w, y + j * position, 6 * position, a, b, aa, bb, product, sum);
    }
  }
}

/** Six values, `from` bytes apart, to six, `to` bytes apart. */
// @ts-ignore: decorator
@inline
function inputLine<V>(
  p: usize, from: usize, q: usize, to: usize, a: V, b: V, aa: V, bb: V, product: V, sum: V,
): void {
  const d0 = load<V>(p), d1 = load<V>(p + from), d2 = load<V>(p + 2 * from);
  const d3 = load<V>(p + 3 * from), d4 = load<V>(p + 4 * from), d5 = load<V>(p + 5 * from);
  const evenA = mulAdd<V>(bb, d2, d4), oddA = mul<V>(a, mulAdd<V>(bb, d1, d3));
  const evenB = mulAdd<V>(aa, d2, d4), oddB = mul<V>(b, mulAdd<V>(aa, d1, d3));
  store<V>(q, mulAdd<V>(product, d0, mulAdd<V>(sum, d2, d4)));
  store<V>(q + to, add<V>(evenA, oddA));
  store<V>(q + 2 * to, sub<V>(evenA, oddA));
  store<V>(q + 3 * to, add<V>(evenB, oddB));
  store<V>(q + 4 * to, sub<V>(evenB, oddB));
  store<V>(q + 5 * to, mulAdd<V>(product, d1, mulAdd<V>(sum, d3, d5)));
}

/**
 * The transform of `taps` x `taps` (3 or 4) weights, for all `columns`, into row `at` of packed panels of `rows` rows; the
 * panels of one position are `position` bytes from the next.
 */
export function kernelTile<V>(
  taps: usize, columns: u32, x: usize, row: usize, pixel: usize,
  rows: u32, at: u32, y: usize, position: usize, temp: usize,
): void {
  const w = bytes<V>();
  const scaleA: f32 = 1 / (2 * A * A * (A * A - B * B)), scaleB: f32 = 1 / (2 * B * B * (B * B - A * A));
  const a = constant<V>(A * scaleA), b = constant<V>(B * scaleB), aa = constant<V>(A * A), bb = constant<V>(B * B);
  const one = constant<V>(scaleA), two = constant<V>(scaleB), zero = constant<V>(1 / (A * A * B * B));
  for (let j: u32 = 0; j < columns; j += <u32>(w >> 2), x += w) {
    for (let i: usize = 0; i < taps; ++i) {
      kernelLine<V>(taps, x + i * row, pixel, temp + i * 6 * w, w, a, b, aa, bb, zero, one, two);
    }
    const q = addressInPanels(rows, columns, at, j, y);
    for (let k: usize = 0; k < 6; ++k) {
      kernelLine<V>(taps, temp + k * w, 6 * w, q + k * position, 6 * position, a, b, aa, bb, zero, one, two);
    }
  }
}

/** Three or four values to six: the values of a polynomial over what the other points' differences multiply to. */
// @ts-ignore: decorator
@inline
function kernelLine<V>(
  taps: usize, p: usize, from: usize, q: usize, to: usize, a: V, b: V, aa: V, bb: V, zero: V, one: V, two: V,
): void {
  const g0 = load<V>(p), g1 = load<V>(p + from), g2 = load<V>(p + 2 * from);
  let g3 = splat<V>(0), last = g2;
  if (taps == 4) last = g3 = load<V>(p + 3 * from);
  const evenA = mul<V>(one, mulAdd<V>(aa, g2, g0)), oddA = mul<V>(a, mulAdd<V>(aa, g3, g1));
  const evenB = mul<V>(two, mulAdd<V>(bb, g2, g0)), oddB = mul<V>(b, mulAdd<V>(bb, g3, g1));
  store<V>(q, mul<V>(zero, g0));
  store<V>(q + to, add<V>(evenA, oddA));
  store<V>(q + 2 * to, sub<V>(evenA, oddA));
  store<V>(q + 3 * to, add<V>(evenB, oddB));
  store<V>(q + 4 * to, sub<V>(evenB, oddB));
  store<V>(q + 5 * to, last);
}

/**
 * Back from 36 sums, `position` bytes apart, to `count` x `count` (4 or 3) results, of which rows x columns are stored:
 * y = clamp(result + bias, lo, hi), pixels `pixel` bytes apart, rows `row`. `bias` 0 for none; NaN passes the clamp.
 */
export function outputTile<V>(
  count: u32, channels: u32, m: usize, position: usize, bias: usize,
  y: usize, row: usize, pixel: usize, rows: usize, columns: u32, lo: f32, hi: f32, temp: usize,
): void {
  const w = bytes<V>(), low = splat<V>(lo), high = splat<V>(hi);
  const a = constant<V>(A), b = constant<V>(B), a2 = constant<V>(A * A), b2 = constant<V>(B * B);
  const a3 = constant<V>(A * A * A), b3 = constant<V>(B * B * B);
  for (let c: u32 = 0; c < channels; c += <u32>(w >> 2), m += w, y += w) {
    for (let j: usize = 0; j < 6; ++j) {
      const p = m + j * position, q = temp + j * w;
      outputLine<V, u8>(count, p, 6 * position, a, b, a2, b2, a3, b3, low, low, high, 0, 4, q, 6 * w);
    }
    const start = bias ? load<V>(bias + (<usize>c << 2)) : splat<V>(0), left = channels - c;
    for (let i: usize = 0; i < rows; ++i) {
      const p = temp + i * 6 * w, q = y + i * row;
      outputLine<V, u16>(count, p, w, a, b, a2, b2, a3, b3, start, low, high, left, columns, q, pixel);
    }
  }
}

/**
 * Six values to `count`: the coefficients of a product of two polynomials. With F = u8 they are stored as they are, with u16
 * the first `columns` of them as results of `left` channels.
 */
// @ts-ignore: decorator
@inline
function outputLine<V, F>(
  count: u32, p: usize, from: usize, a: V, b: V, a2: V, b2: V, a3: V, b3: V,
  start: V, low: V, high: V, left: u32, columns: u32, q: usize, to: usize,
): void {
  const m1 = load<V>(p + from), m2 = load<V>(p + 2 * from), m3 = load<V>(p + 3 * from), m4 = load<V>(p + 4 * from);
  const last = load<V>(p + 5 * from);
  const evenA = add<V>(m1, m2), oddA = sub<V>(m1, m2), evenB = add<V>(m3, m4), oddB = sub<V>(m3, m4);
  const square = mulAdd<V>(a2, evenA, mul<V>(b2, evenB));
  put<V, F>(add<V>(add<V>(load<V>(p), evenA), evenB), start, low, high, left, q);
  if (columns > 1) put<V, F>(mulAdd<V>(a, oddA, mul<V>(b, oddB)), start, low, high, left, q + to);
  if (columns > 2) put<V, F>(count == 3 ? add<V>(square, last) : square, start, low, high, left, q + 2 * to);
  if (columns > 3) {
    put<V, F>(add<V>(mulAdd<V>(a3, oddA, mul<V>(b3, oddB)), last), start, low, high, left, q + 3 * to);
  }
}

// @ts-ignore: decorator
@inline
function put<V, F>(x: V, start: V, low: V, high: V, left: u32, q: usize): void {
  if (sizeof<F>() == 1) {
    store<V>(q, x);
    return;
  }
  const value = pmin<V>(pmax<V>(add<V>(x, start), low), high);
  if (left >= <u32>(bytes<V>() >> 2)) store<V>(q, value);
  else storePart<V>(q, value, left);
}

/** y [channels] = clamp(bias, lo, hi); `bias` 0 for zeros. */
export function biasPixel<V>(channels: u32, bias: usize, y: usize, lo: f32, hi: f32): void {
  const w = bytes<V>(), low = splat<V>(lo), high = splat<V>(hi), zero = splat<V>(0);
  for (let c: u32 = 0; c < channels; c += <u32>(w >> 2), y += w) {
    put<V, u16>(bias ? load<V>(bias + (<usize>c << 2)) : zero, zero, low, high, channels - c, y);
  }
}

/** Whether the square of `size` pixels at (y, x) is within an image of h x w. */
export function isInside(size: i32, y: i32, x: i32, h: i32, w: i32): bool {
  return y >= 0 && x >= 0 && y + size <= h && x + size <= w;
}

/**
 * The square of `size` pixels at (y, x) of an image of h x w pixels, zeros outside of it; pixels of the copy are whole
 * vectors of channels.
 */
export function copyPatch<V>(
  size: i32, image: usize, y: i32, x: i32, h: i32, w: i32, channels: u32, to: usize,
): void {
  const vector = bytes<V>(), pixel = <usize>channels << 2, step = (pixel + 15) & ~15;
  for (let i = y; i < y + size; ++i) {
    for (let j = x; j < x + size; ++j) {
      const inside = i >= 0 && i < h && j >= 0 && j < w;
      const from = image + <usize>(i * w + j) * pixel;
      for (let k: usize = 0; k < pixel; k += vector) store<V>(to + k, inside ? load<V>(from + k) : splat<V>(0));
      to += step;
    }
  }
}
