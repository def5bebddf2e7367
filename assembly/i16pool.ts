// Windows of int16 images: means and largest elements; and means over an axis.

import { scaled } from "./fixedpoint";
import { clamped } from "./i16map";

/**
 * y [batch, oh, ow, c] = the mean of each window of x [batch, h, w, c] (both i16), without what lies outside x, to the nearest integer,
 * ties away from zero, within [low, high]. Every window has at least one pixel in x, and at most 65535: their sum fits 32 bits.
 */
export function i16_avg_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  low: i32, high: i32, x: usize, y: usize,
): void {
  pool<i16>(batch, h, w, c, oh, ow, kh, kw, sh, sw, top, left, low, high, x, y);
}

/** y [batch, oh, ow, c] = the largest element of each window of x [batch, h, w, c] (both i16) that lies in x, within [low, high]. */
export function i16_max_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  low: i32, high: i32, x: usize, y: usize,
): void {
  pool<u16>(batch, h, w, c, oh, ow, kh, kw, sh, sw, top, left, low, high, x, y);
}

/** Means where `Kind` has a sign, else largest elements. */
function pool<Kind>(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  low: i32, high: i32, x: usize, y: usize,
): void {
  const line = <usize>(w * c) << 1, pixel = <usize>c << 1;
  for (; batch > 0; batch--, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const v = max<i32>(i * sh - top, 0), rows = min<u32>(i * sh - top + kh, h) - v;
      for (let j: u32 = 0; j < ow; j++) {
        const u = max<i32>(j * sw - left, 0), columns = min<u32>(j * sw - left + kw, w) - u;
        const start = x + line * v + pixel * u;
        for (let at = start; at < start + pixel; at += 2, y += 2) {
          let result: i32 = isSigned<Kind>() ? 0 : low;
          for (let p: u32 = 0, row = at; p < rows; p++, row += line) {
            for (let q: u32 = 0, e = row; q < columns; q++, e += pixel) {
              result = isSigned<Kind>() ? result + load<i16>(e) : max<i32>(result, load<i16>(e));
            }
          }
          if (isSigned<Kind>()) {
            const count: i32 = rows * columns, half = count >> 1;
            result = (result < 0 ? result - half : result + half) / count;
          }
          store<i16>(y, <i16>clamped(result, low, high));
        }
      }
    }
  }
}

/**
 * y [outer, inner] = the sums of x [outer, n, inner] (both i16) over n, times 2^left m / 2^(31 + right), within [low, high]; sums fit 32
 * bits.
 */
export function i16_mean(
  outer: u32, n: u32, inner: u32, m: i32, left: i32, right: i32, low: i32, high: i32, x: usize, y: usize,
): void {
  const line = <usize>inner << 1;
  for (; outer > 0; outer--, x += line * n) {
    for (let at = x; at < x + line; at += 2, y += 2) {
      let sum: i32 = 0;
      for (let t: u32 = 0, e = at; t < n; t++, e += line) sum += load<i16>(e);
      store<i16>(y, <i16>clamped(scaled(sum, m, left, right), low, high));
    }
  }
}
