// Normalisation down the columns of x [rows, n], statistics per channel: batch normalization. Along rows it is in layernorm.ts.
// Variances take two passes, the second around the mean and corrected by what the mean missed (Chan, Golub and LeVeque 1983),
// so that a mean far from zero costs no digits. Lanes run across channels.

import { add, div, load, mul, mulAdd, pmax, SIMD, splat, sqrt, sub } from "./lanes";
import { put } from "./map";
import { columnMeans } from "./reduce";

/**
 * Rows that all channels pass over before the next rows, so that cache lines are used whole: the gradient of 1568x256 takes 212 us, by 64
 * rows 472, as rows 1 KB apart share few sets of the cache (Zen 4, Node 24).
 */
const ROWS: u32 = 16;

/**
 * y [rows, n] = (x - mean) * (gamma / sqrt(variance + epsilon)) + beta; mean and variance [n] of the columns of x, the
 * variance divided by rows, both 0 without rows. Sums: 16 rows at a time, row r into partial sum r mod 4, those as
 * (0 + 1) + (2 + 3), and the blocks in sequence. y must not be x. Rows of x and y are `step` elements apart.
 */
export function f32_batch_norm(
  rows: u32, n: u32, step: u32, x: usize, gamma: usize, beta: usize, y: usize,
  mean: usize, variance: usize, epsilon: f32,
): void {
  if (!rows) {
    memory.fill(mean, 0, <usize>n << 2);
    memory.fill(variance, 0, <usize>n << 2);
    return;
  }
  columnMeans(rows, n, step, x, mean);
  // The first row of y keeps the sums of deviations until the results overwrite it.
  columnSums<Deviations>(rows, n, step, x, x, mean, y, variance);
  if (SIMD) {
    correct<v128>(rows, n, y, mean, variance);
    normalize<v128>(rows, n, step, x, gamma, beta, y, mean, variance, epsilon);
  } else {
    correct<f32>(rows, n, y, mean, variance);
    normalize<f32>(rows, n, step, x, gamma, beta, y, mean, variance, epsilon);
  }
}

/**
 * Gradients of f32_batch_norm: dbeta [n] = sum of dy, dgamma [n] = sum of dy * z, and dx [rows, n] =
 * gamma / sqrt(variance + epsilon) * (dy - dbeta / rows - z * dgamma / rows), where z = (x - mean) / sqrt(variance + epsilon).
 * Sums in the order of f32_batch_norm. dx may be dy. Rows of x, dy and dx are `step` elements apart.
 */
export function f32_batch_norm_grad(
  rows: u32, n: u32, step: u32, x: usize, gamma: usize, mean: usize, variance: usize, dy: usize,
  dx: usize, dgamma: usize, dbeta: usize, epsilon: f32,
): void {
  columnSums<Products>(rows, n, step, dy, x, mean, dbeta, dgamma);
  if (SIMD) backward<v128>(rows, n, step, x, gamma, mean, variance, dy, dx, dgamma, dbeta, epsilon);
  else backward<f32>(rows, n, step, x, gamma, mean, variance, dy, dx, dgamma, dbeta, epsilon);
}

/** scale [n] = gamma / sqrt(variance + epsilon). */
export function f32_batch_norm_scale(n: u32, gamma: usize, variance: usize, scale: usize, epsilon: f32): void {
  if (SIMD) scales<v128>(n, gamma, variance, scale, epsilon);
  else scales<f32>(n, gamma, variance, scale, epsilon);
}

/** y [n] = old * momentum + value * (1 - momentum). */
export function f32_moving_average(n: u32, old: usize, value: usize, y: usize, momentum: f32, rest: f32): void {
  if (SIMD) moving<v128>(n, old, value, y, momentum, rest);
  else moving<f32>(n, old, value, y, momentum, rest);
}

/**
 * Two sums down each column: s [n] of F.first and t [n] of F.second, which see an element of a, one of b and the column's
 * center. The order is that of f32_batch_norm.
 */
function columnSums<F>(rows: u32, n: u32, step: u32, a: usize, b: usize, center: usize, s: usize, t: usize): void {
  const width = <usize>n << 2, row = <usize>step << 2;
  memory.fill(s, 0, width);
  memory.fill(t, 0, width);
  while (rows) {
    const block = min<u32>(rows, ROWS), size = row * block;
    if (SIMD) blockSums<F, v128>(block, width, row, a, b, center, s, t);
    else blockSums<F, f32>(block, width, row, a, b, center, s, t);
    rows -= block;
    a += size;
    b += size;
  }
}

function blockSums<F, V>(
  rows: u32, width: usize, row: usize, a: usize, b: usize, center: usize, s: usize, t: usize,
): void {
  for (let k: usize = 0; k < width; k += sizeof<V>()) {
    const c = load<V>(center + k);
    let s0 = splat<V>(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    let p = a + k, q = b + k, r = rows;
    for (; r >= 4; r -= 4, p += 4 * row, q += 4 * row) {
      const p2 = p + 2 * row, q2 = q + 2 * row;
      s0 = changetype<F>(0).first<V>(s0, p, q, c);
      t0 = changetype<F>(0).second<V>(t0, p, q, c);
      s1 = changetype<F>(0).first<V>(s1, p + row, q + row, c);
      t1 = changetype<F>(0).second<V>(t1, p + row, q + row, c);
      s2 = changetype<F>(0).first<V>(s2, p2, q2, c);
      t2 = changetype<F>(0).second<V>(t2, p2, q2, c);
      s3 = changetype<F>(0).first<V>(s3, p2 + row, q2 + row, c);
      t3 = changetype<F>(0).second<V>(t3, p2 + row, q2 + row, c);
    }
    if (r > 0) {
      s0 = changetype<F>(0).first<V>(s0, p, q, c);
      t0 = changetype<F>(0).second<V>(t0, p, q, c);
    }
    if (r > 1) {
      s1 = changetype<F>(0).first<V>(s1, p + row, q + row, c);
      t1 = changetype<F>(0).second<V>(t1, p + row, q + row, c);
    }
    if (r > 2) {
      s2 = changetype<F>(0).first<V>(s2, p + 2 * row, q + 2 * row, c);
      t2 = changetype<F>(0).second<V>(t2, p + 2 * row, q + 2 * row, c);
    }
    put<V>(s + k, add<V>(load<V>(s + k), add<V>(add<V>(s0, s1), add<V>(s2, s3))), width - k);
    put<V>(t + k, add<V>(load<V>(t + k), add<V>(add<V>(t0, t1), add<V>(t2, t3))), width - k);
  }
}

/** first: x - center; second: its square. */
@unmanaged @final class Deviations {
  // @ts-ignore: decorator
  @inline first<V>(sum: V, p: usize, q: usize, center: V): V { return add<V>(sum, sub<V>(load<V>(p), center)); }
  // @ts-ignore: decorator
  @inline second<V>(sum: V, p: usize, q: usize, center: V): V {
    const d = sub<V>(load<V>(p), center);
    return mulAdd<V>(d, d, sum);
  }
}

/** first: dy; second: dy (x - center). */
@unmanaged @final class Products {
  // @ts-ignore: decorator
  @inline first<V>(sum: V, p: usize, q: usize, center: V): V { return add<V>(sum, load<V>(p)); }
  // @ts-ignore: decorator
  @inline second<V>(sum: V, p: usize, q: usize, center: V): V {
    return mulAdd<V>(load<V>(p), sub<V>(load<V>(q), center), sum);
  }
}

/** mean += s / rows; variance = variance / rows - (s / rows)^2, not below 0, where variance holds the sum of squares. */
function correct<V>(rows: u32, n: u32, s: usize, mean: usize, variance: usize): void {
  const row = <usize>n << 2, count = splat<V>(<f32>rows);
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    const missed = div<V>(load<V>(s + k), count);
    const spread = sub<V>(div<V>(load<V>(variance + k), count), mul<V>(missed, missed));
    put<V>(mean + k, add<V>(load<V>(mean + k), missed), row - k);
    put<V>(variance + k, pmax<V>(spread, splat<V>(0)), row - k);
  }
}

function normalize<V>(
  rows: u32, n: u32, step: u32, x: usize, gamma: usize, beta: usize, y: usize,
  mean: usize, variance: usize, epsilon: f32,
): void {
  const width = <usize>n << 2, row = <usize>step << 2, small = splat<V>(epsilon);
  while (rows) {
    const block = min<u32>(rows, ROWS), size = row * block;
    for (let k: usize = 0; k < width; k += sizeof<V>()) {
      const center = load<V>(mean + k), shift = load<V>(beta + k), left = width - k;
      const scale = div<V>(load<V>(gamma + k), sqrt<V>(add<V>(load<V>(variance + k), small)));
      for (let p = x + k, q = y + k, end = p + size; p < end; p += row, q += row) {
        put<V>(q, mulAdd<V>(sub<V>(load<V>(p), center), scale, shift), left);
      }
    }
    rows -= block;
    x += size;
    y += size;
  }
}

function backward<V>(
  rows: u32, n: u32, step: u32, x: usize, gamma: usize, mean: usize, variance: usize, dy: usize,
  dx: usize, dgamma: usize, dbeta: usize, epsilon: f32,
): void {
  const width = <usize>n << 2, row = <usize>step << 2;
  const small = splat<V>(epsilon), one = splat<V>(1), count = splat<V>(<f32>rows);
  // dgamma holds the sum of dy (x - mean) until here.
  for (let k: usize = 0; k < width; k += sizeof<V>()) {
    put<V>(dgamma + k, div<V>(load<V>(dgamma + k), sqrt<V>(add<V>(load<V>(variance + k), small))), width - k);
  }
  while (rows) {
    const block = min<u32>(rows, ROWS), size = row * block;
    for (let k: usize = 0; k < width; k += sizeof<V>()) {
      const inverse = div<V>(one, sqrt<V>(add<V>(load<V>(variance + k), small)));
      const center = load<V>(mean + k), scale = mul<V>(load<V>(gamma + k), inverse), left = width - k;
      const level = div<V>(load<V>(dbeta + k), count), slope = mul<V>(div<V>(load<V>(dgamma + k), count), inverse);
      for (let at: usize = k; at < size; at += row) {
        const z = mul<V>(sub<V>(load<V>(x + at), center), slope);
        put<V>(dx + at, mul<V>(scale, sub<V>(sub<V>(load<V>(dy + at), level), z)), left);
      }
    }
    rows -= block;
    x += size;
    dy += size;
    dx += size;
  }
}

function scales<V>(n: u32, gamma: usize, variance: usize, scale: usize, epsilon: f32): void {
  const row = <usize>n << 2, small = splat<V>(epsilon);
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    put<V>(scale + k, div<V>(load<V>(gamma + k), sqrt<V>(add<V>(load<V>(variance + k), small))), row - k);
  }
}

function moving<V>(n: u32, old: usize, value: usize, y: usize, momentum: f32, rest: f32): void {
  const row = <usize>n << 2, m = splat<V>(momentum), r = splat<V>(rest);
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    put<V>(y + k, add<V>(mul<V>(load<V>(old + k), m), mul<V>(load<V>(value + k), r)), row - k);
  }
}
