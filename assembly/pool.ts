// Max pooling over NHWC images: windows kh x kw, steps sh x sw, `top` and `left` padding pixels that never win. Lanes run
// across channels.

import {
  above, add, addInt, bits, eqInt, fromBits, load, ne, or, pmax, SIMD, splat, splatInt, where, whereInt,
} from "./lanes";
import { put } from "./map";

/** y [batch, oh, ow, c] = maximum of each window of x [batch, h, w, c]; NaN where the window holds one. */
export function f32_max_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  x: usize, y: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const h0 = first(i, sh, top), h1 = last(i, sh, top, kh, h);
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const w0 = first(j, sw, left), w1 = last(j, sw, left, kw, w);
        const corner = x + h0 * row + w0 * pixel;
        if (SIMD) maximum<v128, v128>(pixel, row, h1 - h0, (w1 - w0) * pixel, corner, y);
        else maximum<f32, i32>(pixel, row, h1 - h0, (w1 - w0) * pixel, corner, y);
      }
    }
  }
}

/**
 * dx [batch, h, w, c] = dy [batch, oh, ow, c] at the first maximum of each window of x in row-major order (NaN counts as
 * maximum), 0 elsewhere; where windows overlap they add in row-major order of the windows.
 */
export function f32_max_pool2d_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  x: usize, dy: usize, dx: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w, image = row * h;
  memory.fill(dx, 0, image * batch);
  for (; batch > 0; batch--, x += image, dx += image) {
    for (let i: u32 = 0; i < oh; i++) {
      const h0 = first(i, sh, top), h1 = last(i, sh, top, kh, h);
      for (let j: u32 = 0; j < ow; j++, dy += pixel) {
        const w0 = first(j, sw, left), w1 = last(j, sw, left, kw, w), corner = h0 * row + w0 * pixel;
        if (SIMD) scatter<v128, v128>(pixel, row, h1 - h0, (w1 - w0) * pixel, x + corner, dy, dx + corner);
        else scatter<f32, i32>(pixel, row, h1 - h0, (w1 - w0) * pixel, x + corner, dy, dx + corner);
      }
    }
  }
}

/** First row (or column) of the image that window `i` covers. */
// @ts-ignore: decorator
@inline
function first(i: u32, step: u32, padding: u32): usize {
  return <usize>max<i32>(<i32>(i * step - padding), 0);
}

/** One past the last row (or column) of the image that window `i` covers. */
// @ts-ignore: decorator
@inline
function last(i: u32, step: u32, padding: u32, window: u32, size: u32): usize {
  const end = <i32>(i * step - padding + window);
  return <usize>max<i32>(min<i32>(end, <i32>size), <i32>first(i, step, padding));
}

/** y [channels] = maximum over `rows` rows of `width` bytes from x. `pmax` passes NaN over, so NaN is collected beside it. */
function maximum<V, I>(pixel: usize, row: usize, rows: usize, width: usize, x: usize, y: usize): void {
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let best = splat<V>(-Infinity), nan = splatInt<I>(0), p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) {
        const value = load<V>(q);
        best = pmax<V>(best, value);
        nan = or<I>(nan, ne<V, I>(value, value));
      }
    }
    put<V>(y + k, fromBits<V, I>(or<I>(bits<V, I>(best), nan)), pixel - k);
  }
}

/** Adds dy [channels] to dx at the first maximum of each channel. */
function scatter<V, I>(
  pixel: usize, row: usize, rows: usize, width: usize, x: usize, dy: usize, dx: usize,
): void {
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let best = splat<V>(-Infinity), index = splatInt<I>(0), at = splatInt<I>(0);
    const one = splatInt<I>(1), zero = splat<V>(0), change = load<V>(dy + k);
    let p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel, at = addInt<I>(at, one)) {
        const value = load<V>(q), better = above<V, I>(value, best);
        best = where<V, I>(better, value, best);
        index = whereInt<I>(better, at, index);
      }
    }
    at = splatInt<I>(0);
    p = dx + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel, at = addInt<I>(at, one)) {
        const mine = where<V, I>(eqInt<I>(at, index), change, zero);
        put<V>(q, add<V>(load<V>(q), mine), pixel - k);
      }
    }
  }
}
