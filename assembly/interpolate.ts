// Linear interpolation along one axis with half-pixel centers, as tf.image.resize does; two of them resize an image.

import { add, load, mul, SIMD, splat, sub } from "./lanes";
import { put } from "./map";

/**
 * y [outer, m, inner] = x [outer, n, inner] read at positions (i + 1/2) n / m - 1/2 of its middle axis, a + (b - a) t between
 * neighbours a and b, the first and last ones repeated outwards. Positions are float64, n / m rounded first; t is rounded to float32.
 */
export function f32_interpolate(outer: u32, n: u32, inner: u32, m: u32, x: usize, y: usize): void {
  const row = <usize>inner << 2, scale = <f64>n / <f64>m, last = <i32>n - 1;
  for (; outer > 0; outer--, x += row * n) {
    for (let i: u32 = 0; i < m; i++, y += row) {
      const at = position(i, scale), lower = floor(at), k = <i32>lower, t = <f32>(at - lower);
      const a = x + row * max(k, 0), b = x + row * min(k + 1, last);
      if (SIMD && inner > 1) between<v128>(splat<v128>(t), a, b, y, row);
      else between<f32>(t, a, b, y, row);
    }
  }
}

/** dx [outer, n, inner] of f32_interpolate from dy [outer, m, inner]: 0, then each row of dy in order, (1 - t) and t of it. */
export function f32_interpolate_grad(outer: u32, n: u32, inner: u32, m: u32, dy: usize, dx: usize): void {
  const row = <usize>inner << 2, scale = <f64>n / <f64>m, last = <i32>n - 1;
  memory.fill(dx, 0, row * n * outer);
  for (; outer > 0; outer--, dx += row * n) {
    for (let i: u32 = 0; i < m; i++, dy += row) {
      const at = position(i, scale), lower = floor(at), k = <i32>lower, t = <f32>(at - lower);
      const a = dx + row * max(k, 0), b = dx + row * min(k + 1, last);
      if (SIMD && inner > 1) {
        spread<v128>(splat<v128>(1 - t), dy, a, row);
        spread<v128>(splat<v128>(t), dy, b, row);
      } else {
        spread<f32>(1 - t, dy, a, row);
        spread<f32>(t, dy, b, row);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function position(i: u32, scale: f64): f64 {
  return (<f64>i + 0.5) * scale - 0.5;
}

export function between<V>(t: V, a: usize, b: usize, y: usize, row: usize): void {
  for (const end = y + row; y < end; a += sizeof<V>(), b += sizeof<V>(), y += sizeof<V>()) {
    const low = load<V>(a);
    put<V>(y, add<V>(low, mul<V>(sub<V>(load<V>(b), low), t)), end - y);
  }
}

function spread<V>(t: V, dy: usize, dx: usize, row: usize): void {
  for (const end = dx + row; dx < end; dy += sizeof<V>(), dx += sizeof<V>()) {
    put<V>(dx, add<V>(load<V>(dx), mul<V>(load<V>(dy), t)), end - dx);
  }
}
