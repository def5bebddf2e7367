// Max pooling of NHWC images, lanes across channels.

import { load, SIMD, splat, store, storePart } from "./lanes";

/**
 * y [batch, oh, ow, c] = the largest of each kh x kw window of x [batch, h, w, c]; windows begin `top` and `left` before the image and are
 * sh, sw apart; what is outside never wins. A window of nothing gives -Infinity. NaN wins over what comes after it.
 */
export function f32_max_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32, x: usize, y: usize,
): void {
  if (SIMD) forward<v128>(batch, h, w, c, oh, ow, kh, kw, sh, sw, top, left, x, y);
  else forward<f32>(batch, h, w, c, oh, ow, kh, kw, sh, sw, top, left, x, y);
}

function forward<V>(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32, x: usize, y: usize,
): void {
  const pixel = <usize>c << 2, lanes = <u32>sizeof<V>() >> 2;
  for (let b: u32 = 0; b < batch; ++b, x += <usize>(h * w) * pixel) {
    for (let i: u32 = 0; i < oh; ++i) {
      const i0 = max<i32>(0, i * sh - top), i1 = min<i32>(h, i * sh - top + kh);
      for (let j: u32 = 0; j < ow; ++j, y += pixel) {
        const j0 = max<i32>(0, j * sw - left), j1 = min<i32>(w, j * sw - left + kw);
        for (let k: u32 = 0; k < c; k += lanes) {
          let best = splat<V>(-Infinity);
          for (let p = i0; p < i1; ++p) {
            for (let q = j0; q < j1; ++q) best = larger<V>(best, load<V>(x + <usize>(p * w + q) * pixel + (<usize>k << 2)));
          }
          if (c - k < lanes) storePart<V>(y + (<usize>k << 2), best, c - k);
          else store<V>(y + (<usize>k << 2), best);
        }
      }
    }
  }
}

/** b where it is larger or NaN, else a. */
// @ts-ignore: decorator
@inline
function larger<V>(a: V, b: V): V {
  if (isVector<V>()) return v128.bitselect(a, b, f32x4.ge(a, b));
  return a >= b ? a : b;
}

/**
 * dx [batch, h, w, c]: the gradient of each window to its first largest element in row-major order; windows that overlap add in their
 * order. dx is written whole.
 */
export function f32_max_pool2d_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  x: usize, dy: usize, dx: usize,
): void {
  memory.fill(dx, 0, <usize>(batch * h * w * c) << 2);
  const pixel = <usize>c << 2;
  for (let b: u32 = 0; b < batch; ++b, x += <usize>(h * w) * pixel, dx += <usize>(h * w) * pixel) {
    for (let i: u32 = 0; i < oh; ++i) {
      const i0 = max<i32>(0, i * sh - top), i1 = min<i32>(h, i * sh - top + kh);
      for (let j: u32 = 0; j < ow; ++j, dy += pixel) {
        const j0 = max<i32>(0, j * sw - left), j1 = min<i32>(w, j * sw - left + kw);
        for (let k: usize = 0; k < pixel; k += 4) {
          let best: f32 = -Infinity, at: usize = 0;
          for (let p = i0; p < i1; ++p) {
            for (let q = j0; q < j1; ++q) {
              const o = <usize>(p * w + q) * pixel + k, v = f32.load(x + o);
              if (!(best >= v) && best == best) best = v, at = o + 1;
            }
          }
          if (at) f32.store(dx + at - 1, f32.load(dx + at - 1) + f32.load(dy + k));
        }
      }
    }
  }
}
