// Copies between arrays with any steps: one kernel serves transpose, slice, pad, concat, split, tile and flip. The caller
// collapses its loops (src/ops/strided.ts); x32 moves elements of four bytes, x8 of one.

import { SIMD } from "./lanes";

/**
 * y[atY + i . yN] = x[atX + i . xN] for every index i of the five loops d0 to d4; steps in elements, of either sign, 0 in x to
 * repeat. Fast where (x4, y4) is (1, 1): rows; where (x3, y4) is (1, 1): a transposition; and where it is (0, 1): one number.
 */
export function x32_strided_copy(
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, x0: i32, x1: i32, x2: i32, x3: i32, x4: i32,
  y0: i32, y1: i32, y2: i32, y3: i32, y4: i32, atX: i32, atY: i32, x: usize, y: usize,
): void {
  strided<u32>(d0, d1, d2, d3, d4, x0, x1, x2, x3, x4, y0, y1, y2, y3, y4, atX, atY, x, y);
}

/** x32_strided_copy for elements of one byte. */
export function x8_strided_copy(
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, x0: i32, x1: i32, x2: i32, x3: i32, x4: i32,
  y0: i32, y1: i32, y2: i32, y3: i32, y4: i32, atX: i32, atY: i32, x: usize, y: usize,
): void {
  strided<u8>(d0, d1, d2, d3, d4, x0, x1, x2, x3, x4, y0, y1, y2, y3, y4, atX, atY, x, y);
}

function strided<T>(
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, x0: i32, x1: i32, x2: i32, x3: i32, x4: i32,
  y0: i32, y1: i32, y2: i32, y3: i32, y4: i32, atX: i32, atY: i32, x: usize, y: usize,
): void {
  const a0 = bytes<T>(x0), a1 = bytes<T>(x1), a2 = bytes<T>(x2), a3 = bytes<T>(x3), a4 = bytes<T>(x4);
  const b0 = bytes<T>(y0), b1 = bytes<T>(y1), b2 = bytes<T>(y2), b3 = bytes<T>(y3), b4 = bytes<T>(y4);
  x += bytes<T>(atX);
  y += bytes<T>(atY);
  for (let i: u32 = 0; i < d0; i++, x += a0, y += b0) {
    for (let j: u32 = 0, p = x, q = y; j < d1; j++, p += a1, q += b1) {
      for (let k: u32 = 0, u = p, v = q; k < d2; k++, u += a2, v += b2) {
        if (y4 == 1 && x4 == 1) rows<T>(d3, d4, a3, b3, u, v);
        else if (y4 == 1 && x4 == 0) repeats<T>(d3, d4, a3, b3, u, v);
        else if (y4 == 1 && x3 == 1) transpose<T>(d3, d4, a4, b3, u, v);
        else elements<T>(0, d3, 0, d4, a3, a4, b3, b4, u, v);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function bytes<T>(elements: i32): usize {
  return <usize>(elements * sizeof<T>());
}

function rows<T>(m: u32, n: u32, stepX: usize, stepY: usize, x: usize, y: usize): void {
  for (; m > 0; m--, x += stepX, y += stepY) copyRow<T>(n, x, y);
}

/** From so many bytes on, `memory.copy` is faster than a loop; it is a call out of the engine's compiled code. */
const LONG: usize = 512;

/** y [n] = x. */
export function copyRow<T>(n: u32, x: usize, y: usize): void {
  const size = bytes<T>(n), end = y + size;
  if (size >= LONG) {
    memory.copy(y, x, size);
  } else {
    if (SIMD) for (; y + 16 <= end; x += 16, y += 16) v128.store(y, v128.load(x));
    if (sizeof<T>() == 1) for (; y + 4 <= end; x += 4, y += 4) store<u32>(y, load<u32>(x));
    for (; y < end; x += sizeof<T>(), y += sizeof<T>()) store<T>(y, load<T>(x));
  }
}

function repeats<T>(m: u32, n: u32, stepX: usize, stepY: usize, x: usize, y: usize): void {
  for (; m > 0; m--, x += stepX, y += stepY) {
    const value = load<T>(x), end = y + bytes<T>(n);
    let q = y;
    if (SIMD) {
      const v = sizeof<T>() == 4 ? i32x4.splat(value) : i8x16.splat(<i8>value);
      for (; q + 16 <= end; q += 16) v128.store(q, v);
    }
    for (; q < end; q += sizeof<T>()) store<T>(q, value);
  }
}

/** Rows and columns transposed before the next ones, so that both arrays stay in the cache. */
const TILE: u32 = 32;

/** y[i, j] = x[j, i]: rows of x `stepX` apart, rows of y `stepY`. */
function transpose<T>(m: u32, n: u32, stepX: usize, stepY: usize, x: usize, y: usize): void {
  for (let i: u32 = 0; i < m; i += TILE) {
    for (let j: u32 = 0; j < n; j += TILE) {
      const i1 = min<u32>(i + TILE, m), j1 = min<u32>(j + TILE, n);
      if (SIMD && sizeof<T>() == 4) fours(i, i1, j, j1, stepX, stepY, x, y);
      else elements<T>(i, i1, j, j1, sizeof<T>(), stepX, stepY, sizeof<T>(), x, y);
    }
  }
}

/** Rows i0 to i1 and columns j0 to j1 of y, four by four. */
function fours(i0: u32, i1: u32, j0: u32, j1: u32, stepX: usize, stepY: usize, x: usize, y: usize): void {
  let i = i0;
  for (; i + 4 <= i1; i += 4) {
    let j = j0, p = x + stepX * j0 + (<usize>i << 2), q = y + stepY * i + (<usize>j0 << 2);
    for (; j + 4 <= j1; j += 4, p += 4 * stepX, q += 16) {
      const a0 = v128.load(p), a1 = v128.load(p + stepX);
      const a2 = v128.load(p + 2 * stepX), a3 = v128.load(p + 3 * stepX);
      const b0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5), b1 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const b2 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7), b3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
      v128.store(q, v128.shuffle<i32>(b0, b1, 0, 1, 4, 5));
      v128.store(q + stepY, v128.shuffle<i32>(b0, b1, 2, 3, 6, 7));
      v128.store(q + 2 * stepY, v128.shuffle<i32>(b2, b3, 0, 1, 4, 5));
      v128.store(q + 3 * stepY, v128.shuffle<i32>(b2, b3, 2, 3, 6, 7));
    }
    elements<u32>(i, i + 4, j, j1, 4, stepX, stepY, 4, x, y);
  }
  elements<u32>(i, i1, j0, j1, 4, stepX, stepY, 4, x, y);
}

/** One by one: rows i0 to i1 and columns j0 to j1, (ax, ay) bytes from row to row of x and y, (bx, by) along a row. */
function elements<T>(
  i0: u32, i1: u32, j0: u32, j1: u32, ax: usize, bx: usize, ay: usize, by: usize, x: usize, y: usize,
): void {
  for (let i = i0; i < i1; i++) {
    let p = x + ax * i + bx * j0, q = y + ay * i + by * j0;
    for (let j = j0; j < j1; j++, p += bx, q += by) store<T>(q, load<T>(p));
  }
}
