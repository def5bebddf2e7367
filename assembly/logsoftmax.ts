// The logarithm of the softmax along rows, and its gradient; the exponentials and their sum are those of softmax.ts.

import { eachExponential, power } from "./exponential";
import { add, load, mul, pmax, pmin, sub } from "./lanes";
import { map } from "./map";
import { log } from "./math";
import { fold, Sum } from "./reduce";
import { exponentials, Max } from "./softmax";

/** y [rows, n] = (x - max) - log(sum(e^(x - max))) along each row, the sum in the order of `fold`; y may be x. */
export function f32_log_softmax(rows: u32, n: u32, x: usize, y: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, x += row, y += row) {
    const max = fold<Max>(n, x, x, 0);
    map<Shift>(n, x, max, log<f32>(exponentials(n, x, 0, max)), y);
  }
}

/** dx [rows, n] = dy - e^y * sum(dy) along each row, the sum in the order of `fold`; dx may be y or dy. */
export function f32_log_softmax_grad(rows: u32, n: u32, y: usize, dy: usize, dx: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, y += row, dy += row, dx += row) {
    eachExponential<Grad>(n, y, dy, fold<Sum>(n, dy, dy, 0), dx, -88, 88);
  }
}

@unmanaged @final class Shift {
  // @ts-ignore: decorator
  @inline at<V>(x: V, max: V, rest: V): V { return sub<V>(sub<V>(x, max), rest); }
}

@unmanaged @final class Grad {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(y: V, low: V, high: V, sum: V): V { return pmin<V>(pmax<V>(y, low), high); }
  // @ts-ignore: decorator
  @inline at<V>(y: V, dy: usize, t: V, q: V, one: V, sum: V): V {
    return sub<V>(load<V>(dy), mul<V>(mul<V>(power<V>(t), add<V>(one, q)), sum));
  }
}
