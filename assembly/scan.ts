// What runs along an axis in sequence and keeps every step: cumulative sums, and the products of all other elements that the
// gradient of a product asks for. Lanes run across the later axes; along the last axis it is one element after the other.

import { add, load, mul, SIMD, splat } from "./lanes";
import { put } from "./map";

/**
 * y [outer, n, inner] = sums of x along its middle axis up to each element, from the last one on if `reverse`; without the
 * element itself if `exclusive`. In sequence from +0.
 */
export function f32_cumsum(
  outer: u32, n: u32, inner: u32, x: usize, y: usize, reverse: u32, exclusive: u32,
): void {
  const row = <usize>inner << 2, block = row * n, step = reverse ? -row : row;
  for (; outer > 0 && n > 0; outer--, x += block, y += block) {
    const first = reverse ? block - row : 0;
    if (SIMD && inner > 1) sums<v128>(n, row, step, x + first, y + first, exclusive);
    else sums<f32>(n, row, step, x + first, y + first, exclusive);
  }
}

function sums<V>(n: u32, row: usize, step: usize, x: usize, y: usize, exclusive: u32): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    let sum = splat<V>(0), p = x + j, q = y + j;
    for (let i: u32 = 0; i < n; i++, p += step, q += step) {
      const next = add<V>(sum, load<V>(p));
      put<V>(q, exclusive ? sum : next, row - j);
      sum = next;
    }
  }
}

/** dx [outer, n, inner] = dy [outer, inner] * (product of the x before) * (product of the x after), right where some x are 0. */
export function f32_prod_grad(outer: u32, n: u32, inner: u32, x: usize, dy: usize, dx: usize): void {
  const row = <usize>inner << 2, block = row * n;
  for (; outer > 0; outer--, x += block, dy += row, dx += block) {
    if (SIMD && inner > 1) others<v128>(n, row, x, dy, dx);
    else others<f32>(n, row, x, dy, dx);
  }
}

function others<V>(n: u32, row: usize, x: usize, dy: usize, dx: usize): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    let before = load<V>(dy + j), at = j;
    for (let i: u32 = 0; i < n; i++, at += row) {
      put<V>(dx + at, before, row - j);
      before = mul<V>(before, load<V>(x + at));
    }
    let after = splat<V>(1);
    for (let i: u32 = 0; i < n; i++) {
      at -= row;
      put<V>(dx + at, mul<V>(load<V>(dx + at), after), row - j);
      after = mul<V>(after, load<V>(x + at));
    }
  }
}
