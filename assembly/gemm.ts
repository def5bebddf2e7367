// Matrix products. The right operand is packed first (pack.ts); the loops are in contract.ts, the arithmetic in
// tile.ts.

import { contract } from "./contract";

/**
 * Terms of a sum done before the next rows. Fewer gain nothing: a panel larger than the first-level cache streams from
 * the second at full speed (256 x 256 x 2048: 42 GFLOP/s in parts of 256, 512 and 2048). More would leave smaller
 * second-level caches.
 */
export const TERMS: u32 = 1024;

/**
 * The same where sums run down the columns of `a`: each term is then in a cache line of its own, and the lines should
 * stay near until all columns in them are done (filter gradient over 3872 pixels: 38 GFLOP/s in parts of 192, 31 in
 * one).
 */
export const COLUMN_TERMS: u32 = 192;

/**
 * c [m, n] = clamp(a [m, k] times packed b [k, n] + bias [n], lo, hi); `bias` 0 for none, -Infinity and Infinity for no
 * clamp. Each element starts at its bias (or +0), adds the products in order of k, each rounded before it is added, and
 * is clamped last; NaN passes the clamp. k may be 0. Panels after Goto and van de Geijn, "Anatomy of high-performance
 * matrix multiplication".
 */
export function f32_gemm(
  m: u32, n: u32, k: u32, a: usize, packed: usize, bias: usize, c: usize, lo: f32, hi: f32,
): void {
  contract(1, 0, 1, 0, m, <usize>k << 2, 1, 0, 1, 0, k, 4, TERMS, n, a, packed, bias, c, <usize>n << 2, lo, hi);
}

/**
 * c [m, n] = transpose(a [k, m]) times packed b [k, n]: the gradient of a weight. Each element starts at +0 and adds in
 * order of k. May read c up to 28 bytes past its end.
 */
export function f32_gemm_tn(m: u32, n: u32, k: u32, a: usize, packed: usize, c: usize): void {
  const row = <usize>n << 2;
  contract(1, 0, 1, 0, m, 4, 1, 0, 1, 0, k, <usize>m << 2, COLUMN_TERMS, n, a, packed, 0, c, row, -Infinity, Infinity);
}

/**
 * c [b0, b1, m, n] = a times packed b, a product for each of b0 b1 batches, sums as in f32_gemm. From one batch to the next `a`
 * moves a0 or a1 elements and b p0 or p1, 0 where it is repeated; a's rows are `row` elements apart and its terms `term`: (k, 1),
 * or (1, m) when it is stored transposed. May read c up to 28 bytes past its end.
 */
export function f32_gemm_batched(
  b0: u32, b1: u32, m: u32, n: u32, k: u32, a0: u32, a1: u32, p0: u32, p1: u32, row: u32, term: u32,
  a: usize, packed: usize, c: usize,
): void {
  const block = term == 1 ? TERMS : COLUMN_TERMS, width = <usize>n << 2;
  for (let i: u32 = 0; i < b0; i++) {
    for (let j: u32 = 0; j < b1; j++) {
      contract(
        1, 0, 1, 0, m, <usize>row << 2, 1, 0, 1, 0, k, <usize>term << 2,
        block, n, a + (<usize>(i * a0 + j * a1) << 2), packed + (<usize>(i * p0 + j * p1) << 2), 0, c, width,
        -Infinity, Infinity,
      );
      c += width * m;
    }
  }
}
