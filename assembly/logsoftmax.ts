// The logarithm of the softmax along rows, and its gradient; the exponentials and their sum are those of softmax.ts.

import { mul, sub } from "./lanes";
import { map, zip } from "./map";
import { expNegative, log } from "./math";
import { fold, Sum } from "./reduce";
import { ExpSum, Max } from "./softmax";

/** y [rows, n] = (x - max) - log(sum(e^(x - max))) along each row, the sum in the order of `fold`; y may be x. */
export function f32_log_softmax(rows: u32, n: u32, x: usize, y: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, x += row, y += row) {
    const max = fold<Max>(n, x, x, 0);
    map<Shift>(n, x, max, log<f32>(fold<ExpSum>(n, x, x, max)), y);
  }
}

/** dx [rows, n] = dy - e^y * sum(dy) along each row, the sum in the order of `fold`; dx may be y or dy. */
export function f32_log_softmax_grad(rows: u32, n: u32, y: usize, dy: usize, dx: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, y += row, dy += row, dx += row) {
    zip<Grad>(n, y, dy, fold<Sum>(n, dy, dy, 0), dx);
  }
}

@unmanaged @final class Shift {
  // @ts-ignore: decorator
  @inline at<V>(x: V, max: V, rest: V): V { return sub<V>(sub<V>(x, max), rest); }
}

@unmanaged @final class Grad {
  // @ts-ignore: decorator
  @inline at<V>(y: V, dy: V, sum: V): V { return sub<V>(dy, mul<V>(expNegative<V>(y), sum)); }
}
