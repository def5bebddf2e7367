// Elementary functions over arrays. What each computes, and how exactly, is in math.ts.

import { map } from "./map";
import { exp, log } from "./math";

/** y [n] = e^x. */
export function f32_exp(n: u32, x: usize, y: usize): void {
  map<Exp>(n, x, 0, 0, y);
}

/** y [n] = natural logarithm of x. */
export function f32_log(n: u32, x: usize, y: usize): void {
  map<Log>(n, x, 0, 0, y);
}

@unmanaged @final class Exp {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return exp<V>(x); }
}

@unmanaged @final class Log {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return log<V>(x); }
}
