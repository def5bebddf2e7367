// Normalisation along the rows of x [rows, n]: layer normalization. Statistics are taken twice, as in norm.ts: the second pass
// runs around the first mean and corrects it.

import { add, div, load, mul, mulAdd, SIMD, splat, sub } from "./lanes";
import { put, zip } from "./map";
import { fold, Sum } from "./reduce";

/**
 * y [rows, n] = z * gamma [n] + beta [n] with z = (x - mean) / sqrt(variance + epsilon), statistics of each row, the variance
 * divided by n; stats [rows, 2] = mean, 1 / sqrt(variance + epsilon). Sums in the order of `fold`. y may be x. n > 0.
 */
export function f32_layer_norm(
  rows: u32, n: u32, x: usize, gamma: usize, beta: usize, y: usize, stats: usize, epsilon: f32,
): void {
  const row = <usize>n << 2, count = <f32>n;
  for (; rows > 0; rows--, x += row, y += row, stats += 8) {
    const rough = fold<Sum>(n, x, x, 0) / count;
    const missed = fold<Deviation>(n, x, x, rough) / count;
    const variance = max<f32>(fold<Square>(n, x, x, rough) / count - missed * missed, 0);
    const mean = rough + missed, inverse = <f32>1 / sqrt<f32>(variance + epsilon);
    f32.store(stats, mean);
    f32.store(stats, inverse, 4);
    if (SIMD) normalize<v128>(row, x, gamma, beta, y, mean, inverse);
    else normalize<f32>(row, x, gamma, beta, y, mean, inverse);
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
    zip<Product>(n, dy, gamma, 0, dx);
    const level = fold<Sum>(n, dx, dx, 0) / count, slope = fold<Moment>(n, x, dx, mean) * inverse / count * inverse;
    if (SIMD) backward<v128>(row, x, dy, dx, dgamma, dbeta, mean, inverse, level, slope);
    else backward<f32>(row, x, dy, dx, dgamma, dbeta, mean, inverse, level, slope);
  }
}

function normalize<V>(row: usize, x: usize, gamma: usize, beta: usize, y: usize, mean: f32, inverse: f32): void {
  const m = splat<V>(mean), r = splat<V>(inverse);
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    const z = mul<V>(sub<V>(load<V>(x + k), m), r);
    put<V>(y + k, mulAdd<V>(z, load<V>(gamma + k), load<V>(beta + k)), row - k);
  }
}

/** One row: dx holds dy * gamma. */
function backward<V>(
  row: usize, x: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize,
  mean: f32, inverse: f32, level: f32, slope: f32,
): void {
  const m = splat<V>(mean), r = splat<V>(inverse), l = splat<V>(level), s = splat<V>(slope);
  for (let k: usize = 0; k < row; k += sizeof<V>()) {
    const d = sub<V>(load<V>(x + k), m), up = load<V>(dy + k), left = row - k;
    put<V>(dbeta + k, add<V>(load<V>(dbeta + k), up), left);
    put<V>(dgamma + k, mulAdd<V>(up, mul<V>(d, r), load<V>(dgamma + k)), left);
    put<V>(dx + k, mul<V>(r, sub<V>(sub<V>(load<V>(dx + k), l), mul<V>(d, s))), left);
  }
}

@unmanaged @final class Product {
  // @ts-ignore: decorator
  @inline at<V>(x: V, y: V, a: V): V { return mul<V>(x, y); }
}

/** sum(x - a) */
@unmanaged @final class Deviation {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return add<V>(sum, sub<V>(load<V>(x), a)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}

/** sum((x - a)^2) */
@unmanaged @final class Square {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V {
    const d = sub<V>(load<V>(x), a);
    return mulAdd<V>(d, d, sum);
  }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}

/** sum((x - a) z) */
@unmanaged @final class Moment {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return mulAdd<V>(sub<V>(load<V>(x), a), load<V>(z), sum); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}
