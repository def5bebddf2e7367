// Normalisation along the rows of x [rows, n]: layer normalization. Statistics are taken around a rough mean, that of the first quarter
// of the row (of all of a short row), and corrected by what it missed, as in norm.ts. The rough mean of k of n elements is off by at most
// sqrt((n - k) / k), about 2 standard deviations, whatever the row: the correction costs little more than two bits of the variance.

import { add, firstLanes, load, mul, mulAdd, SIMD, splat, store, sub } from "./lanes";
import { put } from "./map";
import { fold, Sum } from "./reduce";

/** Rows that take each step together: their divisions do not wait for each other. [64, 128] takes 3.5 us instead of 4.2. */
const ROWS: u32 = 4;

/**
 * y [rows, n] = z * gamma [n] + beta [n] with z = (x - mean) / sqrt(variance + epsilon), statistics of each row, the variance
 * divided by n; stats [rows, 2] = mean, 1 / sqrt(variance + epsilon). Sums in the order of `fold`. y may be x. n > 0.
 */
export function f32_layer_norm(
  rows: u32, n: u32, x: usize, gamma: usize, beta: usize, y: usize, stats: usize, epsilon: f32,
): void {
  const row = <usize>n << 2, count = <f32>n, some = n < 64 ? n : (n >> 2) & -16;
  while (rows) {
    const block = min<u32>(rows, ROWS), end = x + row * block;
    for (let p = x, s = stats; p < end; p += row, s += 8) f32.store(s, fold<Sum>(some, p, p, 0) / <f32>some);
    for (let p = x, s = stats; p < end; p += row, s += 8) {
      const rough = f32.load(s), missed = sums<Deviations>(n, p, p, p, rough, s) / count;
      const variance = max<f32>(f32.load(s) / count - missed * missed, 0);
      f32.store(s, rough + missed);
      f32.store(s, <f32>1 / sqrt<f32>(variance + epsilon), 4);
    }
    for (; x < end; x += row, y += row, stats += 8) {
      if (SIMD) normalize<v128>(row, x, gamma, beta, y, f32.load(stats), f32.load(stats, 4));
      else normalize<f32>(row, x, gamma, beta, y, f32.load(stats), f32.load(stats, 4));
    }
    rows -= block;
  }
}

/**
 * Gradients of f32_layer_norm: with g = dy * gamma and z from the row's stats, dx [rows, n] = (g - mean(g) - z mean(g z)) /
 * sqrt(variance + epsilon), means in the order of `fold`; dgamma [n] = sum of dy z and dbeta [n] = sum of dy over the rows in
 * sequence. dx must not be x or dy.
 */
export function f32_layer_norm_grad(
  rows: u32, n: u32, x: usize, gamma: usize, stats: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize,
): void {
  const row = <usize>n << 2, count = <f32>n;
  memory.fill(dgamma, 0, row);
  memory.fill(dbeta, 0, row);
  for (; rows > 0; rows--, x += row, dy += row, dx += row, stats += 8) {
    const mean = f32.load(stats), inverse = f32.load(stats, 4);
    const level = sums<Gradients>(n, x, dy, gamma, mean, dx) / count, slope = f32.load(dx) * inverse / count * inverse;
    if (SIMD) backward<v128>(row, x, gamma, dy, dx, dgamma, dbeta, mean, inverse, level, slope);
    else backward<f32>(row, x, gamma, dy, dx, dgamma, dbeta, mean, inverse, level, slope);
  }
}

/**
 * The sum of F.value over a row, and at `products` that of the value times (x - center), both in the order of `fold` but in one pass:
 * with loops over several vectors below, [512, 256] takes 53 us instead of 66, its gradient 65 instead of 92 (Zen 4).
 */
// @ts-ignore: decorator
@inline
function sums<F>(n: u32, x: usize, dy: usize, gamma: usize, center: f32, products: usize): f32 {
  if (SIMD) {
    const v = accumulate<F, v128>(n, x, dy, gamma, splat<v128>(center), 0, products);
    f32.store(products, f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  }
  const s0 = accumulate<F, f32>(n, x, dy, gamma, center, 0, products), t0 = f32.load(products);
  const s1 = accumulate<F, f32>(n, x + 4, dy + 4, gamma + 4, center, 1, products), t1 = f32.load(products);
  const s2 = accumulate<F, f32>(n, x + 8, dy + 8, gamma + 8, center, 2, products), t2 = f32.load(products);
  const s3 = accumulate<F, f32>(n, x + 12, dy + 12, gamma + 12, center, 3, products), t3 = f32.load(products);
  f32.store(products, (t0 + t2) + (t1 + t3));
  return (s0 + s2) + (s1 + s3);
}

/** Lanes: sum 0 + 2, sum 1 + 3, products 0 + 2, products 1 + 3. One lane: its sum, its products at `products`. */
function accumulate<F, V>(n: u32, x: usize, dy: usize, gamma: usize, center: V, lane: u32, products: usize): V {
  const zero = splat<V>(0);
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, t0 = zero, t1 = zero, t2 = zero, t3 = zero;
  for (; n >= 16; n -= 16, x += 64, dy += 64, gamma += 64) {
    const d0 = sub<V>(load<V>(x), center), d1 = sub<V>(load<V>(x + 16), center);
    const d2 = sub<V>(load<V>(x + 32), center), d3 = sub<V>(load<V>(x + 48), center);
    const v0 = changetype<F>(0).value<V>(d0, dy, gamma), v1 = changetype<F>(0).value<V>(d1, dy + 16, gamma + 16);
    const v2 = changetype<F>(0).value<V>(d2, dy + 32, gamma + 32);
    const v3 = changetype<F>(0).value<V>(d3, dy + 48, gamma + 48);
    s0 = add<V>(s0, v0);
    s1 = add<V>(s1, v1);
    s2 = add<V>(s2, v2);
    s3 = add<V>(s3, v3);
    t0 = mulAdd<V>(d0, v0, t0);
    t1 = mulAdd<V>(d1, v1, t1);
    t2 = mulAdd<V>(d2, v2, t2);
    t3 = mulAdd<V>(d3, v3, t3);
  }
  // What is left is at most four vectors: the first partial sums take one, then they change places.
  for (let part = n ? 4 : 0; part > 0; part--, n -= min<u32>(n, 4), x += 16, dy += 16, gamma += 16) {
    const s = s0, t = t0;
    s0 = s1;
    t0 = t1;
    s1 = s2;
    t1 = t2;
    s2 = s3;
    t2 = t3;
    s3 = s;
    t3 = t;
    if (n) {
      const d = sub<V>(load<V>(x), center), v = changetype<F>(0).value<V>(d, dy, gamma);
      s3 = firstLanes<V>(n, lane, add<V>(s, v), s);
      t3 = firstLanes<V>(n, lane, mulAdd<V>(d, v, t), t);
    }
  }
  const s = add<V>(add<V>(s0, s1), add<V>(s2, s3)), t = add<V>(add<V>(t0, t1), add<V>(t2, t3));
  if (isVector<V>()) return f32x4.add(v128.shuffle<f32>(s, t, 0, 1, 4, 5), v128.shuffle<f32>(s, t, 2, 3, 6, 7));
  store<V>(products, t);
  return s;
}

function normalize<V>(row: usize, x: usize, gamma: usize, beta: usize, y: usize, mean: f32, inverse: f32): void {
  const m = splat<V>(mean), r = splat<V>(inverse), w = sizeof<V>();
  let k: usize = 0;
  for (; k + 4 * w <= row; k += 4 * w) {
    const p = x + k, g = gamma + k, b = beta + k, q = y + k;
    const y0 = affine<V>(p, m, r, g, b), y1 = affine<V>(p + w, m, r, g + w, b + w);
    const y2 = affine<V>(p + 2 * w, m, r, g + 2 * w, b + 2 * w), y3 = affine<V>(p + 3 * w, m, r, g + 3 * w, b + 3 * w);
    store<V>(q, y0);
    store<V>(q + w, y1);
    store<V>(q + 2 * w, y2);
    store<V>(q + 3 * w, y3);
  }
  for (; k < row; k += w) put<V>(y + k, affine<V>(x + k, m, r, gamma + k, beta + k), row - k);
}

// @ts-ignore: decorator
@inline
function affine<V>(x: usize, mean: V, inverse: V, gamma: usize, beta: usize): V {
  return mulAdd<V>(mul<V>(sub<V>(load<V>(x), mean), inverse), load<V>(gamma), load<V>(beta));
}

/** One row. */
function backward<V>(
  row: usize, x: usize, gamma: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize,
  mean: f32, inverse: f32, level: f32, slope: f32,
): void {
  const m = splat<V>(mean), r = splat<V>(inverse), l = splat<V>(level), s = splat<V>(slope), w = sizeof<V>();
  let k: usize = 0;
  for (; k + 2 * w <= row; k += 2 * w) {
    const p = x + k, g = gamma + k, u = dy + k, q = dx + k, a = dgamma + k, b = dbeta + k;
    share<V>(p, g, u, q, a, b, m, r, l, s, w);
    share<V>(p + w, g + w, u + w, q + w, a + w, b + w, m, r, l, s, w);
  }
  for (; k < row; k += w) share<V>(x + k, gamma + k, dy + k, dx + k, dgamma + k, dbeta + k, m, r, l, s, row - k);
}

// @ts-ignore: decorator
@inline
function share<V>(
  x: usize, gamma: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize, m: V, r: V, l: V, s: V, left: usize,
): void {
  const d = sub<V>(load<V>(x), m), up = load<V>(dy), g = mul<V>(up, load<V>(gamma));
  put<V>(dbeta, add<V>(load<V>(dbeta), up), left);
  put<V>(dgamma, mulAdd<V>(up, mul<V>(d, r), load<V>(dgamma)), left);
  put<V>(dx, mul<V>(r, sub<V>(sub<V>(g, l), mul<V>(d, s))), left);
}

/** x - center */
@unmanaged @final class Deviations {
  // @ts-ignore: decorator
  @inline value<V>(d: V, dy: usize, gamma: usize): V { return d; }
}

/** dy gamma */
@unmanaged @final class Gradients {
  // @ts-ignore: decorator
  @inline value<V>(d: V, dy: usize, gamma: usize): V { return mul<V>(load<V>(dy), load<V>(gamma)); }
}
