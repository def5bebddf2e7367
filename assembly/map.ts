// Elementwise kernels of one input (map) and of two of the same shape (zip), with up to two scalars. An op is a class with an
// `at` of any lane width, so adding one takes the class and one export line. Broadcasting ops are in binary.ts, activations in unary.ts.

import { and, fromBits, bits, lt, load, pmax, pmin, splat, store, storePart, SIMD } from "./lanes";

/** y[i] = F(x[i], a, b); x and y may be the same buffer. */
// @ts-ignore: decorator
@inline
export function map<F>(n: u32, x: usize, y: usize, a: f32 = 0, b: f32 = 0): void {
  if (SIMD) mapLanes<F, v128>(n, x, y, splat<v128>(a), splat<v128>(b));
  else mapLanes<F, f32>(n, x, y, a, b);
}

function mapLanes<F, V>(n: u32, x: usize, y: usize, a: V, b: V): void {
  const end = x + (<usize>n << 2);
  for (; x + sizeof<V>() <= end; x += sizeof<V>(), y += sizeof<V>()) {
    store<V>(y, changetype<F>(0).at<V>(load<V>(x), a, b));
  }
  if (isVector<V>() && x < end) storePart<V>(y, changetype<F>(0).at<V>(load<V>(x), a, b), <u32>(end - x) >> 2);
}

@unmanaged @final class Relu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return pmax<V>(x, splat<V>(0)); }
}

@unmanaged @final class Clamp {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return pmin<V>(pmax<V>(x, a), b); }
}

export function f32_relu(n: u32, x: usize, y: usize): void { map<Relu>(n, x, y); }
export function f32_clamp(n: u32, x: usize, y: usize, lo: f32, hi: f32): void { map<Clamp>(n, x, y, lo, hi); }

import { exp, log } from "./math";
@unmanaged @final class Exp {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return exp<V>(x); }
}
@unmanaged @final class Log {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return log<V>(x); }
}
export function f32_exp(n: u32, x: usize, y: usize): void { map<Exp>(n, x, y); }
export function f32_log(n: u32, x: usize, y: usize): void { map<Log>(n, x, y); }
export function f32_relu_grad(n: u32, y: usize, dy: usize, dx: usize): void {
  for (let i: usize = 0; i < (<usize>n << 2); i += 4) f32.store(dx + i, f32.load(y + i) > 0 ? f32.load(dy + i) : 0);
}
