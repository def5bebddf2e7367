// The layout of the right operand of every product: b [k, n] as panels of 16 columns, each [k][16] and contiguous. If 8
// columns or fewer remain for the last panel, it is [k][8]. Columns past n are zero. Reading a panel is then one
// sequential stream.

import { SIMD } from "./lanes";

/** Elements of b [k, n] when packed. */
export function gemm_packed_size(k: u32, n: u32): u32 {
  return k * ((n + 7) & ~7);
}

/** Where column j, a multiple of four, of row i is in the panels of a matrix [k, n]. */
// @ts-ignore: decorator
@inline
export function addressInPanels(k: u32, n: u32, i: u32, j: u32, packed: usize): usize {
  const first = j & ~15, width: u32 = n - first > 8 ? 16 : 8;
  return packed + (<usize>(first * k + i * width + (j - first)) << 2);
}

/**
 * Packs b [k, n], whose element (i, j) is at b + 4 (i rowStride + j colStride): (n, 1) for a plain matrix, (1, k) for
 * one stored transposed.
 */
export function f32_gemm_pack(k: u32, n: u32, rowStride: u32, colStride: u32, b: usize, packed: usize): void {
  for (let j: u32 = 0; j < n; j += 16) {
    const columns = min<u32>(16, n - j), width: u32 = columns > 8 ? 16 : 8;
    copyStrided(k, columns, width, rowStride, colStride, b + (<usize>(j * colStride) << 2), packed);
    packed += <usize>(k * width) << 2;
  }
}

/** Packs `batch` matrices b [k, n], `batchStride` elements from one to the next, one after the other. */
export function f32_gemm_pack_batched(
  batch: u32, batchStride: u32, k: u32, n: u32, rowStride: u32, colStride: u32, b: usize, packed: usize,
): void {
  const size = <usize>gemm_packed_size(k, n) << 2;
  for (; batch > 0; batch--, b += <usize>batchStride << 2, packed += size) {
    f32_gemm_pack(k, n, rowStride, colStride, b, packed);
  }
}

/**
 * y [rows, width] = x, whose element (i, j) is at x + 4 (i rowStride + j colStride), for j < columns; 0 for other j.
 * Four floats at a time where a row or a column of x is contiguous.
 */
export function copyStrided(
  rows: u32, columns: u32, width: u32, rowStride: u32, colStride: u32, x: usize, y: usize,
): void {
  if (SIMD && colStride == 1 && columns == 16) {
    // Whole panels without a loop over their columns: 256 x 256 takes 5.1 us instead of 12.5 (Node 24).
    for (const end = y + (<usize>rows << 6); y != end; y += 64, x += <usize>rowStride << 2) {
      const c0 = v128.load(x), c1 = v128.load(x, 16), c2 = v128.load(x, 32), c3 = v128.load(x, 48);
      v128.store(y, c0);
      v128.store(y, c1, 16);
      v128.store(y, c2, 32);
      v128.store(y, c3, 48);
    }
    return;
  }
  // Blocks of 4 x 4 where the columns are contiguous; the loop after it does the rest.
  const blocks = SIMD && rowStride == 1 && colStride != 1;
  if (blocks) {
    const column = <usize>colStride << 2, row = <usize>width << 2;
    for (let i: u32 = 0; i + 4 <= rows; i += 4) {
      for (let j: u32 = 0; j + 4 <= columns; j += 4) {
        const p = x + (<usize>(i + j * colStride) << 2), q = y + (<usize>(i * width + j) << 2);
        const c0 = v128.load(p), c1 = v128.load(p + column);
        const c2 = v128.load(p + 2 * column), c3 = v128.load(p + 3 * column);
        const a0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), a1 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
        const b0 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7), b1 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
        v128.store(q, v128.shuffle<i64>(a0, a1, 0, 2));
        v128.store(q + row, v128.shuffle<i64>(a0, a1, 1, 3));
        v128.store(q + 2 * row, v128.shuffle<i64>(b0, b1, 0, 2));
        v128.store(q + 3 * row, v128.shuffle<i64>(b0, b1, 1, 3));
      }
    }
  }
  for (let i: u32 = 0; i < rows; ++i) {
    let p = x + (<usize>(i * rowStride) << 2), j: u32 = 0;
    if (blocks && i < (rows & ~3)) {
      j = columns & ~3;
      p += <usize>(j * colStride) << 2;
    }
    let q = y + (<usize>(i * width + j) << 2);
    if (SIMD && colStride == 1) for (; j + 4 <= columns; j += 4, p += 16, q += 16) v128.store(q, v128.load(p));
    for (; j < columns; ++j, p += <usize>colStride << 2, q += 4) f32.store(q, f32.load(p));
    for (; j < width; ++j, q += 4) f32.store(q, 0);
  }
}
