// One driver for every product: c[i, j] = sum over t of a(i, t) * b[t, j], where the rows i of the output and the terms
// t of the sum are each a walk of three strided levels through `a`. A matrix product, its transposed form, a
// convolution and the gradient of its filter differ in those strides only, so that no copy of image patches (im2col) is
// ever made. See gemm.ts and conv.ts.

import { tile } from "./tile";

/** Rows that every panel of b passes over before the next rows, so that their part of `a` is read from memory once. */
const ROWS: u32 = 256;

/**
 * c [r0 r1 r2, n] = clamp(a [r0 r1 r2, k0 k1 k2] times packed b [k0 k1 k2, n] + bias [n], lo, hi); `bias` 0 for none.
 * Rows are s0, s1, s2 bytes apart in `a`, terms t0, t1, t2; rows of c are cStride bytes apart. The sum is done in parts
 * of about `block` terms, each continuing from the stored c, so `block` changes no bit; between parts, c is read up to
 * 28 bytes past its end.
 */
export function contract(
  r0: u32, s0: usize, r1: u32, s1: usize, r2: u32, s2: usize,
  k0: u32, t0: usize, k1: u32, t1: usize, k2: u32, t2: usize,
  block: u32, n: u32, a: usize, packed: usize, bias: usize, c: usize, cStride: usize, lo: f32, hi: f32,
): void {
  const m = r0 * r1 * r2, k = k0 * k1 * k2;
  // Levels that continue one another are one level: a row of kw * c floats, or a whole matrix.
  for (let i = 0; i < 2; ++i) {
    if (r2 == 1) r2 = r1, s2 = s1, r1 = 1;
    else if (s1 == <usize>r2 * s2) r2 *= r1, r1 = 1;
    if (r1 == 1) r1 = r0, s1 = s0, r0 = 1;
    if (k2 == 1) k2 = k1, t2 = t1, k1 = 1;
    else if (t1 == <usize>k2 * t2) k2 *= k1, k1 = 1;
    if (k1 == 1) k1 = k0, t1 = t0, k0 = 1;
  }
  if (!k) k0 = 0, k1 = k2 = 1;
  // With one pair of rows b is read once: in one part, so that it streams (matrix-vector 1024: 31 GFLOP/s against 16).
  if (m <= 2) block = k;
  const part2 = min<u32>(k2, max<u32>(block, 1));
  const part1 = min<u32>(k1, max<u32>(block / k2, 1));
  const part0 = min<u32>(k0, max<u32>(block / (k1 * k2), 1));
  let done: u32 = 0;
  do {
    const i2 = done % k2, i1 = done / k2 % k1, i0 = done / k2 / k1;
    const n2 = min<u32>(part2, k2 - i2), n1 = min<u32>(part1, k1 - i1), n0 = min<u32>(part0, k0 - i0);
    const start = a + <usize>i0 * t0 + <usize>i1 * t1 + <usize>i2 * t2;
    const next = done + n0 * n1 * n2, last = next == k;
    const init = done ? c : bias, initStride = done ? cStride : 0;
    for (let m0: u32 = 0; m0 < m; m0 += ROWS) {
      const end = min<u32>(m, m0 + ROWS);
      for (let j: u32 = 0; j < n; j += 16) {
        const columns = min<u32>(16, n - j), jBytes = <usize>j << 2;
        const panel = packed + jBytes * k + (<usize>done << (columns > 8 ? 6 : 5));
        for (let i = m0; i < end; ) {
          // The pairs left in this run of r2 rows; a row left over makes a pair with the first row of the next run.
          const run = min<u32>(end - i, r2 - i % r2);
          const rows = run > 1 ? run & ~1 : min<u32>(end - i, 2);
          const a0 = start + <usize>(i / r2 / r1) * s0 + <usize>(i / r2 % r1) * s1 + <usize>(i % r2) * s2;
          const e = i + 1;
          const a1 = start + <usize>(e / r2 / r1) * s0 + <usize>(e / r2 % r1) * s1 + <usize>(e % r2) * s2;
          tile(
            rows, columns, a0, a1, 2 * s2,
            n0, t0 - <usize>n1 * t1, n1, t1 - <usize>n2 * t2, n2, t2,
            panel, init ? init + <usize>i * initStride + jBytes : 0, initStride,
            c + <usize>i * cStride + jBytes, cStride,
            last ? lo : -Infinity, last ? hi : Infinity,
          );
          i += rows;
        }
      }
    }
    done = next;
  } while (done < k);
}
