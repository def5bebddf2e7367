// Depthwise convolution of NHWC images: every channel has a filter of its own. Lanes run across channels, and each sum
// is sequential over the filter's rows and columns, so that all builds give the same bits.

import { load, mulAdd, pmax, pmin, SIMD, splat, store } from "./lanes";
import { put } from "./map";

/**
 * y [batch, oh, ow, c] = clamp(bias [c] + sum of x [batch, h, w, c] times f [kh, kw, c], lo, hi); `bias` 0 for none.
 * Element (p, q) of f meets pixel (i sh + p dh - top, j sw + q dw - left) of an image in which the pixels of x are
 * (th, tw) apart: with the filter turned round, (th, tw) the strides and (sh, sw) = 1 this is the gradient to x. What
 * falls outside x or between its pixels is left out (writing padding out took a third of the time of a 3x3, stride 2,
 * on 56x56x144). Multiply then add, in order of (p, q); NaN passes the clamp. th or sh must be 1, tw or sw too.
 */
export function f32_depthwise_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: i32, left: i32, th: u32, tw: u32, x: usize, f: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  const nextP = period(dh, th), nextQ = period(dw, tw);
  const down = row * (nextP * dh / th), right = pixel * (nextQ * dw / tw), across = pixel * sw, out = pixel * tw;
  const tapDown = pixel * kw * nextP, tapRight = pixel * nextQ, bottom = <i32>(h * th), end = <i32>(w * tw);
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++, y += pixel * ow) {
      const v = <i32>(i * sh) - top, p = first(v, kh, dh, th), r = v + <i32>(p * dh);
      const rows = count(r, kh - p, dh, nextP, bottom), line = x + row * (r / th), taps = f + pixel * kw * p;
      for (let j0: u32 = 0; j0 < tw; j0++) {
        for (let j = j0; j < ow; ) {
          const u = <i32>(j * sw) - left, q = first(u, kw, dw, tw), s = u + <i32>(q * dw);
          const columns = count(s, kw - q, dw, nextQ, end);
          // Three pixels at a time where the same columns of the filter meet x: if they do for the first and the last.
          const u2 = u + <i32>(2 * tw * sw), q2 = first(u2, kw, dw, tw), s2 = u2 + <i32>(q2 * dw);
          const three = j + 2 * tw < ow && q2 == q && count(s2, kw - q, dw, nextQ, end) == columns;
          const a = line + pixel * (s / tw), b = taps + pixel * q, to = y + pixel * j;
          if (!three) {
            const k: usize = 0;
            if (SIMD) {
              pixels<v128, u8, u8>(
                k, pixel, rows, columns, a, down, right, across, b, tapDown, tapRight, bias, to, out, lo, hi,
              );
            } else {
              pixels<f32, u8, u8>(
                k, pixel, rows, columns, a, down, right, across, b, tapDown, tapRight, bias, to, out, lo, hi,
              );
            }
          } else if (SIMD) {
            const k = pixels<v128, u16, u16>(
              0, pixel, rows, columns, a, down, right, across, b, tapDown, tapRight, bias, to, out, lo, hi,
            );
            pixels<v128, u16, u8>(
              k, pixel, rows, columns, a, down, right, across, b, tapDown, tapRight, bias, to, out, lo, hi,
            );
          } else {
            pixels<f32, u16, u8>(
              0, pixel, rows, columns, a, down, right, across, b, tapDown, tapRight, bias, to, out, lo, hi,
            );
          }
          j += three ? 3 * tw : tw;
        }
      }
    }
  }
}

/** The smallest number of steps of d that together are a multiple of t. */
function period(d: u32, t: u32): u32 {
  let p: u32 = 1;
  while (t > 1 && p * d % t) p++;
  return p;
}

/** Which of the k positions u, u + d, ... is the first that is not negative and a multiple of t; k if none is. */
function first(u: i32, k: u32, d: u32, t: u32): u32 {
  let p: u32 = 0;
  while (p < k && (u < 0 || (t > 1 && u % t))) {
    p++;
    u += d;
  }
  return p;
}

/** How many of the k positions u, u + d, ..., taking each `step`-th, are below `end`. */
function count(u: i32, k: u32, d: u32, step: u32, end: i32): u32 {
  let m = step > 1 ? (k + step - 1) / step : k;
  while (m && u + <i32>((m - 1) * step * d) >= end) m--;
  return m;
}

/**
 * One output pixel, or with `R` of two bytes three, `out` bytes apart, for which each element of the filter is loaded
 * once; one vector of channels at a time or, with `C` of two bytes, two. From byte k of the channels on; gives where it
 * stopped.
 *
 * Three pixels by two vectors: with four pixels Node 24 gains 5 %, but Node 20 spills registers and loses 15 %; with
 * one vector both lose 15 %.
 */
function pixels<V, R, C>(
  k: usize, pixel: usize, rows: u32, columns: u32, x: usize, down: usize, right: usize, across: usize,
  f: usize, tapDown: usize, tapRight: usize, bias: usize, y: usize, out: usize, lo: f32, hi: f32,
): usize {
  const low = splat<V>(lo), high = splat<V>(hi), w = sizeof<V>(), run = tapRight * columns;
  tapDown -= run;
  down -= right * columns;
  for (const end = sizeof<C>() == 2 ? pixel & -(2 * w) : pixel; k < end; k += sizeof<C>() * w) {
    let y0 = splat<V>(0), z0 = y0;
    if (bias) {
      y0 = load<V>(bias + k);
      if (sizeof<C>() == 2) z0 = load<V>(bias + k + w);
    }
    let y1 = y0, y2 = y0, z1 = z0, z2 = z0, tap = f + k, q = x + k;
    for (let p = rows; p > 0; p--, q += down, tap += tapDown) {
      for (const stop = tap + run; tap != stop; tap += tapRight, q += right) {
        const g = load<V>(tap), h = sizeof<C>() == 2 ? load<V>(tap + w) : g, q1 = q + across, q2 = q1 + across;
        y0 = mulAdd<V>(load<V>(q), g, y0);
        if (sizeof<C>() == 2) z0 = mulAdd<V>(load<V>(q + w), h, z0);
        if (sizeof<R>() == 2) {
          y1 = mulAdd<V>(load<V>(q1), g, y1);
          if (sizeof<C>() == 2) z1 = mulAdd<V>(load<V>(q1 + w), h, z1);
          y2 = mulAdd<V>(load<V>(q2), g, y2);
          if (sizeof<C>() == 2) z2 = mulAdd<V>(load<V>(q2 + w), h, z2);
        }
      }
    }
    const to = y + k, left = pixel - k;
    finish<V, C>(to, y0, z0, low, high, left);
    if (sizeof<R>() == 2) {
      finish<V, C>(to + out, y1, z1, low, high, left);
      finish<V, C>(to + 2 * out, y2, z2, low, high, left);
    }
  }
  return k;
}

/** Stores two clamped vectors, or of one what fits the `left` bytes. */
// @ts-ignore: decorator
@inline
function finish<V, C>(p: usize, y: V, z: V, low: V, high: V, left: usize): void {
  y = pmin<V>(pmax<V>(y, low), high);
  if (sizeof<C>() == 2) {
    store<V>(p, y);
    store<V>(p + sizeof<V>(), pmin<V>(pmax<V>(z, low), high));
  } else {
    put<V>(p, y, left);
  }
}

/**
 * The gradient of f32_depthwise_conv2d (with th = tw = 1) to its filter: df [kh, kw, c] = sum of x times dy
 * [batch, oh, ow, c], each element starting at +0 and adding in order of (b, i, j).
 */
export function f32_depthwise_conv2d_filter_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: i32, left: i32, x: usize, dy: usize, df: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  memory.fill(df, 0, pixel * kh * kw);
  // The sums of one row of dy, then the next: a row of x and one of dy stay near while every tap passes over them.
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++, dy += pixel * ow) {
      for (let p: u32 = 0; p < kh; p++) {
        const r = <i32>(i * sh + p * dh) - top;
        if (<u32>r >= h) continue;
        for (let q: u32 = 0; q < kw; q++) {
          const u = <i32>(q * dw) - left, j = first(u, ow, sw, 1), s = u + <i32>(j * sw);
          const pixels = count(s, ow - j, sw, 1, w);
          const from = x + row * r + pixel * s, by = dy + pixel * j, tap = df + pixel * (p * kw + q);
          if (SIMD) rowProducts<v128>(pixel, pixels, pixel * sw, from, by, tap);
          else rowProducts<f32>(pixel, pixels, pixel * sw, from, by, tap);
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
