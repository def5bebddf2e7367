// Softmax along rows and its gradient. The row's maximum is subtracted first, so that no exponential overflows. NaN anywhere in
// a row, +inf, or nothing but -inf make the whole row NaN.

import { add, load, mul, pmax, sub } from "./lanes";
import { map, zip } from "./map";
import { expNegative } from "./math";
import { fold, Sum } from "./reduce";

/** y [rows, n] = e^(x - max) * (1 / sum(e^(x - max))) along each row, the sum in the order of `fold`; y may be x. */
export function f32_softmax(rows: u32, n: u32, x: usize, y: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, x += row, y += row) {
    const sum = exponentials(n, x, y);
    map<Scale>(n, y, 1 / sum, 1, y);
  }
}

/** dx [rows, n] = y * (dy - sum(y * dy)) along each row, the sum in the order of `fold`; dx may be y or dy. */
export function f32_softmax_grad(rows: u32, n: u32, y: usize, dy: usize, dx: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, y += row, dy += row, dx += row) {
    zip<SoftmaxGrad>(n, y, dy, fold<Dot>(n, y, dy, 0), dx);
  }
}

/** y [n] = e^(x - max(x)), and their sum; y may be x. */
export function exponentials(n: u32, x: usize, y: usize): f32 {
  map<ShiftedExp>(n, x, fold<Max>(n, x, x, 0), 0, y);
  return fold<Sum>(n, y, y, 0);
}

/** x * a * b */
@unmanaged @final export class Scale {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return mul<V>(mul<V>(x, a), b); }
}

@unmanaged @final class ShiftedExp {
  // @ts-ignore: decorator
  @inline at<V>(x: V, shift: V, _: V): V { return expNegative<V>(sub<V>(x, shift)); }
}

@unmanaged @final class SoftmaxGrad {
  // @ts-ignore: decorator
  @inline at<V>(y: V, dy: V, sum: V): V { return mul<V>(y, sub<V>(dy, sum)); }
}

/** Maximum, NaN passed over: exp(NaN - max) brings it back. */
@unmanaged @final export class Max {
  // @ts-ignore: decorator
  @inline start(): f32 { return -Infinity; }
  // @ts-ignore: decorator
  @inline step<V>(best: V, x: usize, z: usize, a: V): V { return pmax<V>(best, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return pmax<V>(a, b); }
}

/** sum(x * z) */
@unmanaged @final class Dot {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return add<V>(sum, mul<V>(load<V>(x), load<V>(z))); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}

/** sum(e^(x - a)) */
@unmanaged @final export class ExpSum {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return add<V>(sum, expNegative<V>(sub<V>(load<V>(x), a))); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}
