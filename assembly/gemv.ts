// Products of a few rows with a matrix as it is: packing would read and write all of it once more.

import { load, loadSplat, mulAdd, SIMD, store } from "./lanes";
import { f32_clamp, put } from "./map";

/**
 * c [m, n] = clamp(a [m, k] times b [k, n] + bias [n], lo, hi), bit for bit as f32_gemm with packed b. Reads b once for
 * each row of a: one row times 1024 x 1024 takes 0.083 ms; with b packed 0.065, and packing it 0.15 more (Node 24).
 */
export function f32_gemm_unpacked(
  m: u32, n: u32, k: u32, a: usize, b: usize, bias: usize, c: usize, lo: f32, hi: f32,
): void {
  const row = <usize>n << 2;
  for (; m && n; m--, c += row) {
    if (bias) memory.copy(c, bias, row);
    else memory.fill(c, 0, row);
    let t = k, q = b;
    for (; t >= 4; t -= 4, a += 16, q += 4 * row) {
      if (SIMD) addRows<v128, u32>(row, a, q, c);
      else addRows<f32, u32>(row, a, q, c);
    }
    for (; t > 0; t--, a += 4, q += row) {
      if (SIMD) addRows<v128, u8>(row, a, q, c);
      else addRows<f32, u8>(row, a, q, c);
    }
    f32_clamp(n, c, c, lo, hi);
  }
}

/**
 * c [n] += a times b [4, n] row by row, or with `R` of one byte b [1, n]; n > 0. Eight rows at a time save more passes
 * over c, but rows 4 KiB apart meet in one set of the first-level cache: 21 GFLOP/s instead of 25.
 */
function addRows<V, R>(row: usize, a: usize, b: usize, c: usize): void {
  const w = sizeof<V>(), last = c + row - w;
  const a0 = loadSplat<V>(a), a1 = loadSplat<V>(a + 4), a2 = loadSplat<V>(a + 8), a3 = loadSplat<V>(a + 12);
  for (;; c += w, b += w) {
    let sum = mulAdd<V>(a0, load<V>(b), load<V>(c));
    if (sizeof<R>() == 4) {
      sum = mulAdd<V>(a1, load<V>(b + row), sum);
      sum = mulAdd<V>(a2, load<V>(b + 2 * row), sum);
      sum = mulAdd<V>(a3, load<V>(b + 3 * row), sum);
    }
    if (c >= last) {
      put<V>(c, sum, last + w - c);
      return;
    }
    store<V>(c, sum);
  }
}
