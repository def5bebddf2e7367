// Depthwise convolution of NHWC images without padding: every channel has a filter of its own. Lanes run across channels,
// and each sum is sequential over the filter's rows and columns, so that all builds give the same bits. Padding is made
// before, by f32_pad2d. The gradient to x is this convolution of the padded dy with the filter turned round.

import { load, mulAdd, pmax, pmin, SIMD, splat } from "./lanes";
import { put } from "./map";

/**
 * y [batch, oh, ow, c] = clamp(bias [c] + sum of x [batch, h, w, c] at (i sh + p dh, j sw + q dw) times f [kh, kw, c] over p
 * and q, lo, hi); `bias` 0 for none. Multiply then add, in order of (p, q); NaN passes the clamp.
 */
export function f32_depthwise_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  x: usize, f: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  const pixel = <usize>c << 2, row = pixel * w, across = pixel * sw;
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      let p = x + row * sh * i;
      for (let j: u32 = 0; j < ow; ) {
        const wide = ow - j >= 4;
        if (SIMD) {
          if (wide) pixels4<v128>(pixel, kh, kw, row * dh, pixel * dw, across, p, f, bias, y, lo, hi);
          else pixels1<v128>(pixel, kh, kw, row * dh, pixel * dw, p, f, bias, y, lo, hi);
        } else {
          if (wide) pixels4<f32>(pixel, kh, kw, row * dh, pixel * dw, across, p, f, bias, y, lo, hi);
          else pixels1<f32>(pixel, kh, kw, row * dh, pixel * dw, p, f, bias, y, lo, hi);
        }
        const done: u32 = wide ? 4 : 1;
        j += done;
        p += across * done;
        y += pixel * done;
      }
    }
  }
}

/** Four neighbouring output pixels, so that each element of the filter is loaded once for them. */
function pixels4<V>(
  pixel: usize, kh: u32, kw: u32, down: usize, right: usize, across: usize, x: usize, f: usize, bias: usize, y: usize,
  lo: f32, hi: f32,
): void {
  const low = splat<V>(lo), high = splat<V>(hi), run = pixel * kw;
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let y0 = bias ? load<V>(bias + k) : splat<V>(0), y1 = y0, y2 = y0, y3 = y0;
    let tap = f + k, line = x + k;
    for (let p = kh; p > 0; p--, line += down) {
      const end = tap + run;
      for (let q = line; tap < end; tap += pixel, q += right) {
        const g = load<V>(tap), q2 = q + 2 * across;
        y0 = mulAdd<V>(load<V>(q), g, y0);
        y1 = mulAdd<V>(load<V>(q + across), g, y1);
        y2 = mulAdd<V>(load<V>(q2), g, y2);
        y3 = mulAdd<V>(load<V>(q2 + across), g, y3);
      }
    }
    const to = y + k, left = pixel - k;
    put<V>(to, pmin<V>(pmax<V>(y0, low), high), left);
    put<V>(to + pixel, pmin<V>(pmax<V>(y1, low), high), left);
    put<V>(to + 2 * pixel, pmin<V>(pmax<V>(y2, low), high), left);
    put<V>(to + 3 * pixel, pmin<V>(pmax<V>(y3, low), high), left);
  }
}

function pixels1<V>(
  pixel: usize, kh: u32, kw: u32, down: usize, right: usize, x: usize, f: usize, bias: usize, y: usize,
  lo: f32, hi: f32,
): void {
  const run = pixel * kw;
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    let sum = bias ? load<V>(bias + k) : splat<V>(0);
    let tap = f + k, line = x + k;
    for (let p = kh; p > 0; p--, line += down) {
      const end = tap + run;
      for (let q = line; tap < end; tap += pixel, q += right) sum = mulAdd<V>(load<V>(q), load<V>(tap), sum);
    }
    put<V>(y + k, pmin<V>(pmax<V>(sum, splat<V>(lo)), splat<V>(hi)), pixel - k);
  }
}

/**
 * The gradient of f32_depthwise_conv2d to its filter: df [kh, kw, c] = sum of x times dy [batch, oh, ow, c], each element
 * starting at +0 and adding in order of (b, i, j).
 */
export function f32_depthwise_conv2d_filter_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  x: usize, dy: usize, df: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  memory.fill(df, 0, pixel * kh * kw);
  // The sums of one row of dy, then the next: a row of x and one of dy stay near while every tap passes over them.
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++, dy += pixel * ow) {
      for (let p: u32 = 0; p < kh; p++) {
        for (let q: u32 = 0; q < kw; q++) {
          const from = x + row * (i * sh + p * dh) + pixel * (q * dw), tap = df + pixel * (p * kw + q);
          if (SIMD) rowProducts<v128>(pixel, ow, pixel * sw, from, dy, tap);
          else rowProducts<f32>(pixel, ow, pixel * sw, from, dy, tap);
        }
      }
    }
  }
}

/** df [c] += the sum of x times dy over `ow` pixels, x `across` bytes from one to the next; four vectors at a time. */
function rowProducts<V>(pixel: usize, ow: u32, across: usize, x: usize, dy: usize, df: usize): void {
  const w = sizeof<V>(), end = pixel * ow;
  let k: usize = 0;
  for (; k + 4 * w <= pixel; k += 4 * w) {
    const to = df + k;
    let s0 = load<V>(to), s1 = load<V>(to + w), s2 = load<V>(to + 2 * w), s3 = load<V>(to + 3 * w);
    let p = x + k;
    for (let q = dy + k, last = q + end; q < last; q += pixel, p += across) {
      s0 = mulAdd<V>(load<V>(p), load<V>(q), s0);
      s1 = mulAdd<V>(load<V>(p + w), load<V>(q + w), s1);
      s2 = mulAdd<V>(load<V>(p + 2 * w), load<V>(q + 2 * w), s2);
      s3 = mulAdd<V>(load<V>(p + 3 * w), load<V>(q + 3 * w), s3);
    }
    put<V>(to, s0, w);
    put<V>(to + w, s1, w);
    put<V>(to + 2 * w, s2, w);
    put<V>(to + 3 * w, s3, w);
  }
  for (; k < pixel; k += w) {
    let sum = load<V>(df + k), p = x + k;
    for (let q = dy + k, last = q + end; q < last; q += pixel, p += across) {
      sum = mulAdd<V>(load<V>(p), load<V>(q), sum);
    }
    put<V>(df + k, sum, pixel - k);
  }
}
