// Elementwise kernels over contiguous arrays. An op is a class with `at(x, y, z)` at any lane width: `map` gives it one array
// and two scalars, `zip` two arrays and one scalar, so that an op is three lines and its export. Broadcasting is in
// binary.ts, activations and elementary functions in unary.ts.

import { load, lt, pmax, pmin, SIMD, splat, store, storePart, where } from "./lanes";

/** out[i] = F(x[i], a, b); `out` may be `x`. */
// @ts-ignore: decorator
@inline
export function map<F>(n: u32, x: usize, a: f32, b: f32, out: usize): void {
  if (SIMD) mapLanes<F, v128>(n, x, splat<v128>(a), splat<v128>(b), out);
  else mapLanes<F, f32>(n, x, a, b, out);
}

// Four vectors at a time: relu of 32768 takes 2.4 us instead of 3.2 (Node 24), and ops with constants need it (`constant`).
function mapLanes<F, V>(n: u32, x: usize, a: V, b: V, out: usize): void {
  const end = x + (<usize>n << 2), w = sizeof<V>();
  for (; x + 4 * w <= end; x += 4 * w, out += 4 * w) {
    const x0 = load<V>(x), x1 = load<V>(x + w), x2 = load<V>(x + 2 * w), x3 = load<V>(x + 3 * w);
    const y0 = changetype<F>(0).at<V>(x0, a, b), y1 = changetype<F>(0).at<V>(x1, a, b);
    const y2 = changetype<F>(0).at<V>(x2, a, b), y3 = changetype<F>(0).at<V>(x3, a, b);
    store<V>(out, y0);
    store<V>(out + w, y1);
    store<V>(out + 2 * w, y2);
    store<V>(out + 3 * w, y3);
  }
  for (; x < end; x += w, out += w) put<V>(out, changetype<F>(0).at<V>(load<V>(x), a, b), end - x);
}

/** out[i] = F(x[i], y[i], a); `out` may be `x` or `y`. */
// @ts-ignore: decorator
@inline
export function zip<F>(n: u32, x: usize, y: usize, a: f32, out: usize): void {
  if (SIMD) zipLanes<F, v128>(n, x, y, splat<v128>(a), out);
  else zipLanes<F, f32>(n, x, y, a, out);
}

function zipLanes<F, V>(n: u32, x: usize, y: usize, a: V, out: usize): void {
  const end = x + (<usize>n << 2), w = sizeof<V>();
  for (; x + 4 * w <= end; x += 4 * w, y += 4 * w, out += 4 * w) {
    const x0 = load<V>(x), x1 = load<V>(x + w), x2 = load<V>(x + 2 * w), x3 = load<V>(x + 3 * w);
    const y0 = load<V>(y), y1 = load<V>(y + w), y2 = load<V>(y + 2 * w), y3 = load<V>(y + 3 * w);
    store<V>(out, changetype<F>(0).at<V>(x0, y0, a));
    store<V>(out + w, changetype<F>(0).at<V>(x1, y1, a));
    store<V>(out + 2 * w, changetype<F>(0).at<V>(x2, y2, a));
    store<V>(out + 3 * w, changetype<F>(0).at<V>(x3, y3, a));
  }
  for (; x < end; x += w, y += w, out += w) put<V>(out, changetype<F>(0).at<V>(load<V>(x), load<V>(y), a), end - x);
}

/** Stores as much of `x` as fits the `left` bytes (at least 4) of an output. */
// @ts-ignore: decorator
@inline
export function put<V>(p: usize, x: V, left: usize): void {
  if (isVector<V>() && left < sizeof<V>()) storePart<V>(p, x, <u32>left >> 2);
  else store<V>(p, x);
}

/** y [n] = max(x, 0); NaN stays. */
export function f32_relu(n: u32, x: usize, y: usize): void {
  map<Relu>(n, x, 0, 0, y);
}

/** dx [n] = dy where y > 0, else 0; `y` is the output of relu or its input. */
export function f32_relu_grad(n: u32, y: usize, dy: usize, dx: usize): void {
  zip<ReluGrad>(n, y, dy, 0, dx);
}

/** y [n] = min(max(x, lo), hi); NaN stays. */
export function f32_clamp(n: u32, x: usize, y: usize, lo: f32, hi: f32): void {
  map<Clamp>(n, x, lo, hi, y);
}

@unmanaged @final class Relu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return pmax<V>(x, splat<V>(0)); }
}

@unmanaged @final class ReluGrad {
  // @ts-ignore: decorator
  @inline at<V>(y: V, dy: V, a: V): V {
    if (isVector<V>()) return where<V, v128>(lt<V, v128>(splat<V>(0), y), dy, splat<V>(0));
    return where<V, i32>(lt<V, i32>(splat<V>(0), y), dy, splat<V>(0));
  }
}

@unmanaged @final class Clamp {
  // @ts-ignore: decorator
  @inline at<V>(x: V, lo: V, hi: V): V { return pmin<V>(pmax<V>(x, lo), hi); }
}
