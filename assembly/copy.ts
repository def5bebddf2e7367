// Kernels that move numbers and compute nothing.

import { load, SIMD, splat } from "./lanes";
import { put } from "./map";

/** y [n] = x. */
export function f32_copy(n: u32, x: usize, y: usize): void {
  memory.copy(y, x, <usize>n << 2);
}

/**
 * y [batch, oh, ow, c] = x [batch, h, w, c] with y[b, top + i * stepH, left + j * stepW] = x[b, i, j], 0 elsewhere; what falls
 * outside y is left out, so that negative `top` and `left` crop.
 */
export function f32_pad2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, top: i32, left: i32, stepH: u32, stepW: u32, x: usize, y: usize,
): void {
  const pixel = <usize>c << 2, width = pixel * ow;
  const j0 = left < 0 ? (<u32>-left + stepW - 1) / stepW : 0; // columns of x that fall inside y: [j0, j1)
  const j1 = left < <i32>ow ? min<u32>((ow - left + stepW - 1) / stepW, w) : 0;
  const start = pixel * (left + j0 * stepW), step = pixel * stepW;
  for (; batch > 0; batch--, x += pixel * w * h) {
    for (let i: u32 = 0; i < oh; i++, y += width) {
      const t = <i32>i - top, r = <u32>t / stepH;
      if (t < 0 || <u32>t % stepH || r >= h || j0 >= j1) {
        zeros(y, y + width);
      } else {
        const source = x + pixel * (w * r + j0), count = j1 - j0;
        zeros(y, y + start);
        const target = y + start;
        const end = stepW == 1
          ? row(source, target, target + pixel * count)
          : pixels(count, pixel, step, source, target);
        zeros(end, y + width);
      }
    }
  }
}

/** y [batch, n, m] = x [batch, m, n] with the last two axes exchanged. */
export function f32_transpose2d(batch: u32, m: u32, n: u32, x: usize, y: usize): void {
  for (; batch > 0; batch--, x += <usize>(m * n) << 2, y += <usize>(m * n) << 2) {
    for (let i: u32 = 0; i < m; i += TILE) {
      for (let j: u32 = 0; j < n; j += TILE) tile(m, n, i, min<u32>(i + TILE, m), j, min<u32>(j + TILE, n), x, y);
    }
  }
}

/** Rows and columns transposed before the next ones: 1000x1000 takes 195 us, 564 by 4, 216 by 16 (Zen 4, Node 24). */
const TILE: u32 = 32;

/** Rows i to i1 and columns j to j1 of x [m, n], four by four. */
function tile(m: u32, n: u32, i: u32, i1: u32, j0: u32, j1: u32, x: usize, y: usize): void {
  const rowX = <usize>n << 2, rowY = <usize>m << 2;
  if (SIMD) {
    for (; i + 4 <= i1; i += 4) {
      let p = x + rowX * i + (<usize>j0 << 2), q = y + rowY * j0 + (<usize>i << 2), j = j0;
      for (; j + 4 <= j1; j += 4, p += 16, q += 4 * rowY) {
        const a0 = v128.load(p), a1 = v128.load(p + rowX), a2 = v128.load(p + 2 * rowX), a3 = v128.load(p + 3 * rowX);
        const b0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5), b1 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
        const b2 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7), b3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
        v128.store(q, v128.shuffle<i32>(b0, b1, 0, 1, 4, 5));
        v128.store(q + rowY, v128.shuffle<i32>(b0, b1, 2, 3, 6, 7));
        v128.store(q + 2 * rowY, v128.shuffle<i32>(b2, b3, 0, 1, 4, 5));
        v128.store(q + 3 * rowY, v128.shuffle<i32>(b2, b3, 2, 3, 6, 7));
      }
      elements(rowX, rowY, i, i + 4, j, j1, x, y);
    }
  }
  elements(rowX, rowY, i, i1, j0, j1, x, y);
}

function elements(rowX: usize, rowY: usize, i: u32, i1: u32, j0: u32, j1: u32, x: usize, y: usize): void {
  for (; i < i1; i++) {
    for (let j = j0; j < j1; j++) {
      f32.store(y + rowY * j + (<usize>i << 2), f32.load(x + rowX * i + (<usize>j << 2)));
    }
  }
}

function zeros(y: usize, end: usize): void {
  if (SIMD) fill<v128>(y, end);
  else fill<f32>(y, end);
}

function fill<V>(y: usize, end: usize): void {
  for (; y < end; y += sizeof<V>()) put<V>(y, splat<V>(0), end - y);
}

/** Copies to [y, end) and gives `end`. Rows are short, where `memory.copy` is a call out of the engine's compiled code. */
function row(x: usize, y: usize, end: usize): usize {
  if (SIMD) move<v128>(x, y, end);
  else move<f32>(x, y, end);
  return end;
}

function move<V>(x: usize, y: usize, end: usize): void {
  for (; y < end; x += sizeof<V>(), y += sizeof<V>()) put<V>(y, load<V>(x), end - y);
}

/** Copies `count` pixels to y, y + step, ..., with zeros between them, and gives the end of the last one. */
function pixels(count: u32, pixel: usize, step: usize, x: usize, y: usize): usize {
  let end = row(x, y, y + pixel);
  while (--count) {
    y += step;
    x += pixel;
    zeros(end, y);
    end = row(x, y, y + pixel);
  }
  return end;
}
