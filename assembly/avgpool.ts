// Average pooling over NHWC images: windows kh x kw, steps sh x sw, `top` and `left` padding pixels, which are zeros. Lanes
// run across channels. With `counted` 1 the padding counts in the mean, that after the image as far as `bottom` and `right` say
// (PyTorch's rule); with 0 it does not (TensorFlow's).

import { add, div, load, SIMD, splat, store } from "./lanes";
import { put } from "./map";

/** y [batch, oh, ow, c] = mean of each window of x [batch, h, w, c], the sum in row-major order from +0. */
export function f32_avg_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32,
  top: u32, left: u32, bottom: u32, right: u32, counted: u32, x: usize, y: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const i0 = <i32>(i * sh - top), h0 = clip(i0, h), h1 = clip(i0 + kh, h);
      const high = counted ? reach(i0, kh, h + bottom) : h1 - h0;
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const j0 = <i32>(j * sw - left), w0 = clip(j0, w), w1 = clip(j0 + kw, w);
        const wide = counted ? reach(j0, kw, w + right) : w1 - w0;
        const corner = x + h0 * row + w0 * pixel, width = (w1 - w0) * pixel;
        if (SIMD) average<v128>(pixel, row, h1 - h0, width, <f32>(high * wide), corner, y);
        else average<f32>(pixel, row, h1 - h0, width, <f32>(high * wide), corner, y);
      }
    }
  }
}

/** dx [batch, h, w, c] = dy [batch, oh, ow, c] / count in every pixel of a window; where windows overlap they add in order. */
export function f32_avg_pool2d_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32,
  top: u32, left: u32, bottom: u32, right: u32, counted: u32, dy: usize, dx: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w, apart = sh >= kh && sw >= kw;
  const tiled = kh == sh && kw == sw && oh * sh == h && ow * sw == w && !(top | left);
  if (!tiled || kh > 2 || kw > 2 || c & 3) memory.fill(dx, 0, row * h * batch);
  for (; batch > 0; batch--, dx += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const i0 = <i32>(i * sh - top), h0 = clip(i0, h), h1 = clip(i0 + kh, h);
      const high = counted ? reach(i0, kh, h + bottom) : h1 - h0;
      for (let j: u32 = 0; j < ow; j++, dy += pixel) {
        const j0 = <i32>(j * sw - left), w0 = clip(j0, w), w1 = clip(j0 + kw, w);
        const wide = counted ? reach(j0, kw, w + right) : w1 - w0;
        const corner = dx + h0 * row + w0 * pixel, width = (w1 - w0) * pixel;
        if (SIMD) spread<v128>(pixel, row, h1 - h0, width, apart, <f32>(high * wide), dy, corner);
        else spread<f32>(pixel, row, h1 - h0, width, apart, <f32>(high * wide), dy, corner);
      }
    }
  }
}

/** A position moved into the image. */
// @ts-ignore: decorator
@inline
function clip(at: i32, size: u32): usize {
  return <usize>max<i32>(min<i32>(at, <i32>size), 0);
}

/** Rows (or columns) of a window of `size` from `start` that lie before `end`, where the padding ends. */
// @ts-ignore: decorator
@inline
function reach(start: i32, size: u32, end: u32): usize {
  return <usize>(min<i32>(start + size, <i32>end) - start);
}

function average<V>(pixel: usize, row: usize, rows: usize, width: usize, count: f32, x: usize, y: usize): void {
  const n = splat<V>(count), w = sizeof<V>();
  let k: usize = 0;
  // Two vectors at a time, so that one's divisions do not wait for the other's (2x2 of 32x24x24x64: 0.15 ms, not 0.31).
  for (; k + 2 * w <= pixel; k += 2 * w) {
    let s0 = splat<V>(0), s1 = s0, p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) {
        s0 = add<V>(s0, load<V>(q));
        s1 = add<V>(s1, load<V>(q + w));
      }
    }
    put<V>(y + k, div<V>(s0, n), w);
    put<V>(y + k + w, div<V>(s1, n), w);
  }
  for (; k < pixel; k += w) {
    let sum = splat<V>(0), p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) sum = add<V>(sum, load<V>(q));
    }
    put<V>(y + k, div<V>(sum, n), pixel - k);
  }
}

function spread<V>(
  pixel: usize, row: usize, rows: usize, width: usize, apart: bool, count: f32, dy: usize, dx: usize,
): void {
  const n = splat<V>(count), w = sizeof<V>();
  let k: usize = 0;
  if (apart && rows - 1 < 2 && width - 1 < 2 * pixel) {
    // Nothing is there to add to: 112x112x64 by 2x2 takes 71 us instead of 210 (Zen 4, Node 24). Where the window has one row or column,
    // that is stored twice.
    const right = width - pixel, down = row * (rows - 1);
    for (const whole = pixel & -16; k < whole; k += w) {
      const share = div<V>(load<V>(dy + k), n), q = dx + k, p = q + down;
      store<V>(q, share);
      store<V>(q + right, share);
      store<V>(p, share);
      store<V>(p + right, share);
    }
  }
  for (; k < pixel; k += w) {
    const share = div<V>(load<V>(dy + k), n);
    let p = dx + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) put<V>(q, add<V>(load<V>(q), share), pixel - k);
    }
  }
}
