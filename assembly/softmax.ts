// Softmax along rows and its gradient. The maximum is taken off first; sums are those of reduce.ts.

import { div, load, SIMD, splat, store, storePart, sub } from "./lanes";
import { exp } from "./math";
import { sumRow } from "./reduce";

/** The largest of n floats (n >= 1); NaN if any is. */
export function maxRow(n: u32, x: usize): f32 {
  let m = f32.load(x);
  for (let i: u32 = 1; i < n; ++i) m = f32.max(m, f32.load(x + (<usize>i << 2)));
  return m;
}

/** y = exp(x - shift) for n floats. */
export function expRow(n: u32, x: usize, shift: f32, y: usize): void {
  if (SIMD) expLanes<v128>(n, x, shift, y);
  else expLanes<f32>(n, x, shift, y);
}

function expLanes<V>(n: u32, x: usize, shift: f32, y: usize): void {
  const w = sizeof<V>(), end = x + (<usize>n << 2), s = splat<V>(shift);
  for (; x + w <= end; x += w, y += w) store<V>(y, exp<V>(sub<V>(load<V>(x), s)));
  if (isVector<V>() && x < end) storePart<V>(y, exp<V>(sub<V>(load<V>(x), s)), <u32>(end - x) >> 2);
}

/** y = x / divisor for n floats; y may be x. */
function divideRow<V>(n: u32, x: usize, divisor: f32, y: usize): void {
  const w = sizeof<V>(), end = x + (<usize>n << 2), d = splat<V>(divisor);
  for (; x + w <= end; x += w, y += w) store<V>(y, div<V>(load<V>(x), d));
  if (isVector<V>() && x < end) storePart<V>(y, div<V>(load<V>(x), d), <u32>(end - x) >> 2);
}

/** y [rows, n] = exp(x - max) / sum(exp(x - max)) along each row. */
export function f32_softmax(rows: u32, n: u32, x: usize, y: usize): void {
  if (!n) return;
  const stride = <usize>n << 2;
  for (; rows; --rows, x += stride, y += stride) {
    expRow(n, x, maxRow(n, x), y);
    const s = sumRow(n, y);
    if (SIMD) divideRow<v128>(n, y, s, y);
    else divideRow<f32>(n, y, s, y);
  }
}

/** dx [rows, n] = y * (dy - sum(dy * y)) along each row. dx must be neither y nor dy: it holds the products on the way. */
export function f32_softmax_grad(rows: u32, n: u32, y: usize, dy: usize, dx: usize): void {
  const stride = <usize>n << 2;
  for (; rows; --rows, y += stride, dy += stride, dx += stride) {
    for (let i: usize = 0; i < stride; i += 4) f32.store(dx + i, f32.load(dy + i) * f32.load(y + i));
    const s = sumRow(n, dx);
    for (let i: usize = 0; i < stride; i += 4) f32.store(dx + i, f32.load(y + i) * (f32.load(dy + i) - s));
  }
}

/** Sum of exp(x - shift) over n floats, in order. */
export function expSum(n: u32, x: usize, shift: f32): f32 {
  let s: f32 = 0;
  for (let i: u32 = 0; i < n; ++i) s += exp<f32>(f32.load(x + (<usize>i << 2)) - shift);
  return s;
}
