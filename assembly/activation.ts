// Elementwise functions over arrays and their gradients: activations, and the elementary functions that cost one instruction. What the
// special functions compute, and how exactly, is in special.ts; relu and clamp are in map.ts, exp and log in unary.ts.

import { abs, add, constant, div, floor, load, mul, mulAdd, neg, SIMD, splat, sqrt, sub } from "./lanes";
import { put } from "./map";
import { erf, exp, expm1, ifLess, log1p, normalCdf, normalDensity, sigmoid, softplus, tanh } from "./special";

/** y[i] = F(x[i], a), one vector at a time: these functions are long, and map.ts would write each out five times. */
// @ts-ignore: decorator
@inline
function map<F>(n: u32, x: usize, a: f32, y: usize): void {
  if (SIMD) mapLanes<F, v128>(n, x, splat<v128>(a), y);
  else mapLanes<F, f32>(n, x, a, y);
}

function mapLanes<F, V>(n: u32, x: usize, a: V, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; x += sizeof<V>(), y += sizeof<V>()) {
    put<V>(y, changetype<F>(0).at<V>(load<V>(x), a), end - y);
  }
}

/** out[i] = F(x[i], dy[i], a), likewise. */
// @ts-ignore: decorator
@inline
function zip<F>(n: u32, x: usize, dy: usize, a: f32, out: usize): void {
  if (SIMD) zipLanes<F, v128>(n, x, dy, splat<v128>(a), out);
  else zipLanes<F, f32>(n, x, dy, a, out);
}

function zipLanes<F, V>(n: u32, x: usize, dy: usize, a: V, out: usize): void {
  for (const end = out + (<usize>n << 2); out < end; x += sizeof<V>(), dy += sizeof<V>(), out += sizeof<V>()) {
    put<V>(out, changetype<F>(0).at<V>(load<V>(x), load<V>(dy), a), end - out);
  }
}

/** y [n] = hyperbolic tangent. */
export function f32_tanh(n: u32, x: usize, y: usize): void {
  map<Tanh>(n, x, 0, y);
}

/** y [n] = 1 / (1 + e^-x). */
export function f32_sigmoid(n: u32, x: usize, y: usize): void {
  map<Sigmoid>(n, x, 0, y);
}

/** y [n] = log(1 + e^x). */
export function f32_softplus(n: u32, x: usize, y: usize): void {
  map<Softplus>(n, x, 0, y);
}

/** y [n] = the error function. */
export function f32_erf(n: u32, x: usize, y: usize): void {
  map<Erf>(n, x, 0, y);
}

/** y [n] = log(1 + x). */
export function f32_log1p(n: u32, x: usize, y: usize): void {
  map<Log1p>(n, x, 0, y);
}

/** y [n] = x sigmoid(x). */
export function f32_silu(n: u32, x: usize, y: usize): void {
  map<Silu>(n, x, 0, y);
}

/** y [n] = x Phi(x), Phi the normal distribution function. */
export function f32_gelu(n: u32, x: usize, y: usize): void {
  map<Gelu>(n, x, 0, y);
}

/** y [n] = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3): the tanh approximation of gelu. */
export function f32_gelu_tanh(n: u32, x: usize, y: usize): void {
  map<GeluTanh>(n, x, 0, y);
}

/** y [n] = x tanh(softplus(x)). */
export function f32_mish(n: u32, x: usize, y: usize): void {
  map<Mish>(n, x, 0, y);
}

/** y [n] = x where x > 0, else alpha (e^x - 1). */
export function f32_elu(n: u32, x: usize, y: usize, alpha: f32): void {
  map<Elu>(n, x, alpha, y);
}

/** y [n] = x where x > 0, else alpha x. */
export function f32_leaky_relu(n: u32, x: usize, y: usize, alpha: f32): void {
  map<LeakyRelu>(n, x, alpha, y);
}

/** y [n] = |x|. */
export function f32_abs(n: u32, x: usize, y: usize): void {
  map<Abs>(n, x, 0, y);
}

/** y [n] = -x. */
export function f32_neg(n: u32, x: usize, y: usize): void {
  map<Neg>(n, x, 0, y);
}

/** y [n] = -1, 0 or 1; NaN stays. */
export function f32_sign(n: u32, x: usize, y: usize): void {
  map<Sign>(n, x, 0, y);
}

/** y [n] = the largest integer not above x. */
export function f32_floor(n: u32, x: usize, y: usize): void {
  map<Floor>(n, x, 0, y);
}

/** y [n] = square root, correctly rounded. */
export function f32_sqrt(n: u32, x: usize, y: usize): void {
  map<Sqrt>(n, x, 0, y);
}

/** y [n] = 1 / sqrt(x), two correctly rounded steps. */
export function f32_rsqrt(n: u32, x: usize, y: usize): void {
  map<Rsqrt>(n, x, 0, y);
}

/** dx [n] = dy (1 - y^2). */
export function f32_tanh_grad(n: u32, y: usize, dy: usize, dx: usize): void {
  zip<TanhGrad>(n, y, dy, 0, dx);
}

/** dx [n] = dy y (1 - y). */
export function f32_sigmoid_grad(n: u32, y: usize, dy: usize, dx: usize): void {
  zip<SigmoidGrad>(n, y, dy, 0, dx);
}

/** dx [n] = dy s (1 + x (1 - s)), s = sigmoid(x). */
export function f32_silu_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  zip<SiluGrad>(n, x, dy, 0, dx);
}

/** dx [n] = dy (Phi(x) + x phi(x)). */
export function f32_gelu_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  zip<GeluGrad>(n, x, dy, 0, dx);
}

/** dx [n] = dy (s + x s (1 - s) 2 u'), s = sigmoid(2 u). */
export function f32_gelu_tanh_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  zip<GeluTanhGrad>(n, x, dy, 0, dx);
}

/** dx [n] = dy (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x)). */
export function f32_mish_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  zip<MishGrad>(n, x, dy, 0, dx);
}

/** dx [n] = dy where y > 0, else dy (y + alpha). */
export function f32_elu_grad(n: u32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  zip<EluGrad>(n, y, dy, alpha, dx);
}

/** dx [n] = dy where x > 0, else alpha dy. */
export function f32_leaky_relu_grad(n: u32, x: usize, dy: usize, dx: usize, alpha: f32): void {
  zip<LeakyReluGrad>(n, x, dy, alpha, dx);
}

@unmanaged @final class Tanh {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return tanh<V>(x); }
}

@unmanaged @final class Sigmoid {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return sigmoid<V>(x); }
}

@unmanaged @final class Softplus {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return softplus<V>(x); }
}

@unmanaged @final class Erf {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return erf<V>(x); }
}

@unmanaged @final class Log1p {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return log1p<V>(x); }
}

@unmanaged @final class Silu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return mul<V>(x, sigmoid<V>(x)); }
}

@unmanaged @final class Gelu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return mul<V>(x, normalCdf<V>(x)); }
}

@unmanaged @final class GeluTanh {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return mul<V>(x, sigmoid<V>(inner<V>(x))); }
}

@unmanaged @final class Mish {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return mul<V>(x, tanhSoftplus<V>(x)); }
}

@unmanaged @final class Elu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return ifLess<V>(splat<V>(0), x, x, mul<V>(a, expm1<V>(x))); }
}

@unmanaged @final class LeakyRelu {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return ifLess<V>(x, splat<V>(0), mul<V>(a, x), x); }
}

@unmanaged @final class Abs {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return abs<V>(x); }
}

@unmanaged @final class Neg {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return neg<V>(x); }
}

@unmanaged @final class Sign {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V {
    return ifLess<V>(x, splat<V>(0), splat<V>(-1), ifLess<V>(splat<V>(0), x, splat<V>(1), x));
  }
}

@unmanaged @final class Floor {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return floor<V>(x); }
}

@unmanaged @final class Sqrt {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return sqrt<V>(x); }
}

@unmanaged @final class Rsqrt {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V): V { return div<V>(splat<V>(1), sqrt<V>(x)); }
}

@unmanaged @final class TanhGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return mul<V>(dy, sub<V>(splat<V>(1), mul<V>(x, x))); }
}

@unmanaged @final class SigmoidGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return mul<V>(dy, mul<V>(x, sub<V>(splat<V>(1), x))); }
}

@unmanaged @final class SiluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return siluGrad<V>(x, dy); }
}

@unmanaged @final class GeluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return mul<V>(dy, mulAdd<V>(x, normalDensity<V>(x), normalCdf<V>(x))); }
}

@unmanaged @final class GeluTanhGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return geluTanhGrad<V>(x, dy); }
}

@unmanaged @final class MishGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return mishGrad<V>(x, dy); }
}

@unmanaged @final class EluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return ifLess<V>(splat<V>(0), x, dy, mul<V>(dy, add<V>(x, a))); }
}

@unmanaged @final class LeakyReluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return ifLess<V>(splat<V>(0), x, dy, mul<V>(a, dy)); }
}

// 2 sqrt(2 / pi) (x + 0.044715 x^3)
// @ts-ignore: decorator
@inline
function inner<V>(x: V): V {
  return mul<V>(x, mulAdd<V>(mul<V>(x, x), constant<V>(0.0713548128), constant<V>(1.59576912)));
}

function geluTanhGrad<V>(x: V, dy: V): V {
  const s = sigmoid<V>(inner<V>(x)), slope = mulAdd<V>(mul<V>(x, x), constant<V>(0.214064438), constant<V>(1.59576912));
  return mul<V>(dy, mulAdd<V>(mul<V>(x, mul<V>(s, sub<V>(splat<V>(1), s))), slope, s));
}

function siluGrad<V>(x: V, dy: V): V {
  const s = sigmoid<V>(x);
  return mul<V>(dy, mul<V>(s, mulAdd<V>(x, sub<V>(splat<V>(1), s), splat<V>(1))));
}

// tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2); for x > 0 numerator and denominator times e^-2x, so that nothing overflows.
function tanhSoftplus<V>(x: V): V {
  const e = exp<V>(neg<V>(abs<V>(x))), two = splat<V>(2), one = splat<V>(1);
  const low = mul<V>(e, add<V>(e, two)), high = mulAdd<V>(two, e, one);
  const top = ifLess<V>(x, splat<V>(0), low, high);
  return div<V>(top, add<V>(top, ifLess<V>(x, splat<V>(0), two, mul<V>(two, mul<V>(e, e)))));
}

function mishGrad<V>(x: V, dy: V): V {
  const t = tanhSoftplus<V>(x), rest = mul<V>(x, mul<V>(sub<V>(splat<V>(1), mul<V>(t, t)), sigmoid<V>(x)));
  return mul<V>(dy, add<V>(t, rest));
}
