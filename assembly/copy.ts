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
