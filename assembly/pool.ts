// Max pooling over NHWC images: windows kh x kw, steps sh x sw, `top` and `left` padding pixels that never win. Lanes run
// across channels. Windows of up to 2x2 and 3x3 are written out, as the short loops of `any` cost more than their work:
// 112x112x64 by 2x2 takes 74 us instead of 172, by 3x3 stride 2 137 instead of 270 (Zen 4, Node 24).

import {
  above, add, addInt, and, andNot, bits, eqInt, fromBits, load, ne, or, pmax, SIMD, splat, splatInt, where, whereInt,
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
      const h0 = first(i, sh, top), rows = last(i, sh, top, kh, h) - h0;
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const w0 = first(j, sw, left), columns = last(j, sw, left, kw, w) - w0, corner = x + h0 * row + w0 * pixel;
        if (SIMD) maximum<v128, v128>(pixel, row, rows, columns, corner, y);
        else maximum<f32, i32>(pixel, row, rows, columns, corner, y);
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
      const h0 = first(i, sh, top), rows = last(i, sh, top, kh, h) - h0;
      for (let j: u32 = 0; j < ow; j++, dy += pixel) {
        const w0 = first(j, sw, left), columns = last(j, sw, left, kw, w) - w0, corner = h0 * row + w0 * pixel;
        if (SIMD) scatter<v128, v128>(pixel, row, rows, columns, x + corner, dy, dx + corner);
        else scatter<f32, i32>(pixel, row, rows, columns, x + corner, dy, dx + corner);
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

/** y [channels] = maximum of rows x columns pixels from x. Where a written-out window is too large, pixels come twice. */
function maximum<V, I>(pixel: usize, row: usize, rows: usize, columns: usize, x: usize, y: usize): void {
  const right = pixel * (columns - 1), down = row * (rows - 1);
  if (rows - 1 < 2 && columns - 1 < 2) four<V, I>(pixel, right, down, x, y);
  else if (rows - 1 < 3 && columns - 1 < 3) nine<V, I>(pixel, min(right, pixel), right, min(down, row), down, x, y);
  else any<V, I>(pixel, row, rows, columns * pixel, x, y);
}

function any<V, I>(pixel: usize, row: usize, rows: usize, width: usize, x: usize, y: usize): void {
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let best = splat<V>(-Infinity), p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) best = larger<V, I>(best, load<V>(q));
    }
    put<V>(y + k, best, pixel - k);
  }
}

function four<V, I>(pixel: usize, right: usize, down: usize, x: usize, y: usize): void {
  for (const end = y + pixel; y < end; x += sizeof<V>(), y += sizeof<V>()) {
    const upper = larger<V, I>(load<V>(x), load<V>(x + right));
    const lower = larger<V, I>(load<V>(x + down), load<V>(x + down + right));
    put<V>(y, larger<V, I>(upper, lower), end - y);
  }
}

function nine<V, I>(
  pixel: usize, right: usize, right2: usize, down: usize, down2: usize, x: usize, y: usize,
): void {
  for (const end = y + pixel; y < end; x += sizeof<V>(), y += sizeof<V>()) {
    const p = x + down, q = x + down2;
    const upper = larger<V, I>(larger<V, I>(load<V>(x), load<V>(x + right)), load<V>(x + right2));
    const middle = larger<V, I>(larger<V, I>(load<V>(p), load<V>(p + right)), load<V>(p + right2));
    const lower = larger<V, I>(larger<V, I>(load<V>(q), load<V>(q + right)), load<V>(q + right2));
    put<V>(y, larger<V, I>(larger<V, I>(upper, middle), lower), end - y);
  }
}

/** Maximum of both, NaN if either is: `pmax` keeps a NaN of `a`, all ones make one of `b`. Three instructions, not eight. */
// @ts-ignore: decorator
@inline
function larger<V, I>(a: V, b: V): V {
  return fromBits<V, I>(or<I>(bits<V, I>(pmax<V>(a, b)), ne<V, I>(b, b)));
}

/** Adds dy [channels] to dx at the first maximum of each channel. */
function scatter<V, I>(
  pixel: usize, row: usize, rows: usize, columns: usize, x: usize, dy: usize, dx: usize,
): void {
  const right = pixel * (columns - 1), down = row * (rows - 1);
  if (rows - 1 < 2 && columns - 1 < 2) scatterFour<V, I>(pixel, right, down, x, dy, dx);
  else scatterAny<V, I>(pixel, row, rows, columns * pixel, x, dy, dx);
}

function scatterAny<V, I>(
  pixel: usize, row: usize, rows: usize, width: usize, x: usize, dy: usize, dx: usize,
): void {
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let best = splat<V>(-Infinity), index = splatInt<I>(0), at = splatInt<I>(0), p = x + k, q = dx + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let s = p; s < p + width; s += pixel, at = addInt<I>(at, splatInt<I>(1))) {
        const value = load<V>(s), better = above<V, I>(value, best);
        best = where<V, I>(better, value, best);
        index = whereInt<I>(better, at, index);
      }
    }
    at = splatInt<I>(0);
    for (let r = rows; r > 0; r--, q += row) {
      for (let s = q; s < q + width; s += pixel, at = addInt<I>(at, splatInt<I>(1))) {
        addWhere<V, I>(eqInt<I>(at, index), load<V>(dy + k), s, pixel - k);
      }
    }
  }
}

// A pixel that comes twice is not above itself, so it is found only where it comes first.
function scatterFour<V, I>(pixel: usize, right: usize, down: usize, x: usize, dy: usize, dx: usize): void {
  for (const end = dx + pixel; dx < end; x += sizeof<V>(), dy += sizeof<V>(), dx += sizeof<V>()) {
    const x0 = load<V>(x), x1 = load<V>(x + right), x2 = load<V>(x + down), x3 = load<V>(x + down + right);
    const b1 = above<V, I>(x1, x0), m1 = where<V, I>(b1, x1, x0);
    const b2 = above<V, I>(x2, m1), m2 = where<V, I>(b2, x2, m1);
    const b3 = above<V, I>(x3, m2), later = or<I>(b2, b3), change = load<V>(dy), left = end - dx;
    addWhere<V, I>(andNot<I>(splatInt<I>(-1), or<I>(b1, later)), change, dx, left);
    addWhere<V, I>(andNot<I>(b1, later), change, dx + right, left);
    addWhere<V, I>(andNot<I>(b2, b3), change, dx + down, left);
    addWhere<V, I>(b3, change, dx + down + right, left);
  }
}

// @ts-ignore: decorator
@inline
function addWhere<V, I>(mask: I, change: V, dx: usize, left: usize): void {
  put<V>(dx, add<V>(load<V>(dx), fromBits<V, I>(and<I>(mask, bits<V, I>(change)))), left);
}
