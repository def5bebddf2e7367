// Elementwise functions over arrays and their gradients: activations, exp, and the elementary functions that cost one instruction. The
// loop around the exponential that most of them share is in exponential.ts, other functions in special.ts; relu and clamp are in map.ts.
// Bounds are the largest distance from the exact value, in ulp, measured over all 2^32 inputs; gelu and mish: every 7th to 41st.
// They hold where the exact result is not below 2^-126 in size, and e^x is not taken for 0 (see LOW).

import {
  abs, add, constant, copySign, div, floor, load, mul, mulAdd, neg, pmax, pmin, SIMD, splat, sqrt, sub,
} from "./lanes";
import { eachExponential, power, powerWide } from "./exponential";
import { put } from "./map";
import { eachLogarithm } from "./math";
import { erfSmall, ifLess, log1pUnit, normalTail } from "./special";

/** y[i] = F(x[i], a), one vector at a time: none of these is worth the bytes of map.ts, which writes each out five times. */
// @ts-ignore: decorator
@inline
function map<F>(n: u32, x: usize, a: f32, y: usize): void {
  if (SIMD) mapLanes<F, v128>(n, x, splat<v128>(a), y);
  else mapLanes<F, f32>(n, x, a, y);
}

function mapLanes<F, V>(n: u32, x: usize, a: V, y: usize): void {
  const end = y + (<usize>n << 2);
  if (n) {
    do {
      put<V>(y, changetype<F>(0).at<V>(load<V>(x), a), end - y);
      x += sizeof<V>();
      y += sizeof<V>();
    } while (y < end);
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

/** y [n] = e^x within 1.04 ulp, subnormal results within 0.76; overflow gives +inf. */
export function f32_exp(n: u32, x: usize, y: usize): void {
  eachExponential<Exp>(n, x, x, 0, y, -105, 89);
}

/** y [n] = natural logarithm of x, as in math.ts. */
export function f32_log(n: u32, x: usize, y: usize): void {
  eachLogarithm<Log>(n, x, y);
}

/** y [n] = hyperbolic tangent, within 2.5 ulp. */
export function f32_tanh(n: u32, x: usize, y: usize): void {
  eachExponential<Tanh>(n, x, x, -0.0, y, LOW, HIGH);
}

/** y [n] = 1 / (1 + e^-x), within 3.54 ulp. */
export function f32_sigmoid(n: u32, x: usize, y: usize): void {
  eachExponential<Sigmoid>(n, x, x, 0, y, LOW, HIGH);
}

/** y [n] = log(1 + e^x), within 3.67 ulp. */
export function f32_softplus(n: u32, x: usize, y: usize): void {
  eachExponential<Softplus>(n, x, x, 0, y, LOW, HIGH);
}

/** y [n] = the error function, within 2.77 ulp. */
export function f32_erf(n: u32, x: usize, y: usize): void {
  eachExponential<Erf>(n, x, x, -0.0, y, LOW, HIGH);
}

/** y [n] = log(1 + x), within 1.44 ulp. */
export function f32_log1p(n: u32, x: usize, y: usize): void {
  eachLogarithm<Log1p>(n, x, y);
}

/** y [n] = x sigmoid(x), within 4.68 ulp down to x = -87.33; 0 below -87.68. */
export function f32_silu(n: u32, x: usize, y: usize): void {
  eachExponential<Silu>(n, x, x, 0, y, LOW, HIGH);
}

/**
 * y [n] = x Phi(x), Phi the normal distribution function: within 4.2 ulp for |x| <= 1, 14 for |x| <= 5 and 69 at x = -12.4, where
 * results are below 1e-33.
 */
export function f32_gelu(n: u32, x: usize, y: usize): void {
  eachExponential<Gelu>(n, x, x, -0.5, y, LOW, HIGH);
}

/**
 * y [n] = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3): the tanh approximation of gelu, within 4 ulp of that for |x| <= 1 and
 * 36 for |x| <= 5; 0 below x = -10.016.
 */
export function f32_gelu_tanh(n: u32, x: usize, y: usize): void {
  eachExponential<GeluTanh>(n, x, x, 0, y, LOW, HIGH);
}

/** y [n] = x tanh(softplus(x)), within 4.5 ulp down to x = -87.33; 0 below -87.68. */
export function f32_mish(n: u32, x: usize, y: usize): void {
  eachExponential<Mish>(n, x, x, 2, y, LOW, 20);
}

/** y [n] = x where x > 0, else alpha (e^x - 1), within 1.09 ulp for alpha 1. */
export function f32_elu(n: u32, x: usize, y: usize, alpha: f32): void {
  eachExponential<Elu>(n, x, x, alpha, y, LOW, HIGH);
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
  eachExponential<SiluGrad>(n, x, dy, 0, dx, LOW, HIGH);
}

/** dx [n] = dy (Phi(x) + x phi(x)). */
export function f32_gelu_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  eachExponential<GeluGrad>(n, x, dy, -0.5, dx, LOW, HIGH);
}

/** dx [n] = dy (s + x s (1 - s) 2 u'), s = sigmoid(2 u). */
export function f32_gelu_tanh_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  eachExponential<GeluTanhGrad>(n, x, dy, 0, dx, LOW, HIGH);
}

/** dx [n] = dy (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x)). */
export function f32_mish_grad(n: u32, x: usize, dy: usize, dx: usize): void {
  eachExponential<MishGrad>(n, x, dy, 2, dx, LOW, 20);
}

/** dx [n] = dy where y > 0, else dy (y + alpha). */
export function f32_elu_grad(n: u32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  zip<EluGrad>(n, y, dy, alpha, dx);
}

/** dx [n] = dy where x > 0, else alpha dy. */
export function f32_leaky_relu_grad(n: u32, x: usize, dy: usize, dx: usize, alpha: f32): void {
  zip<LeakyReluGrad>(n, x, dy, alpha, dx);
}

/** Activations take e^x for 0 where it is below 2^-126.5, x = -87.68, which is above LOW; e^HIGH is finite. */
const LOW: f32 = -88;
const HIGH: f32 = 88;

@unmanaged @final class Exp {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V { return powerWide<V>(t, add<V>(one, q)); }
}

@unmanaged @final class Sigmoid {
  // @ts-ignore: decorator
  @inline brief(): bool { return true; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V { return logistic<V>(t, q, one); }
}

@unmanaged @final class Silu {
  // @ts-ignore: decorator
  @inline brief(): bool { return true; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V { return mul<V>(x, logistic<V>(t, q, one)); }
}

@unmanaged @final class SiluGrad {
  // @ts-ignore: decorator
  @inline brief(): bool { return true; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const s = logistic<V>(t, q, one);
    return mul<V>(load<V>(z), mul<V>(s, mulAdd<V>(x, sub<V>(one, s), one)));
  }
}

@unmanaged @final class GeluTanh {
  // @ts-ignore: decorator
  @inline brief(): bool { return true; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(inner<V>(x), low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V { return mul<V>(x, logistic<V>(t, q, one)); }
}

@unmanaged @final class GeluTanhGrad {
  // @ts-ignore: decorator
  @inline brief(): bool { return true; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(inner<V>(x), low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const s = logistic<V>(t, q, one);
    const slope = mulAdd<V>(mul<V>(x, x), constant<V>(0.214064438), constant<V>(1.59576912));
    return mul<V>(load<V>(z), mulAdd<V>(mul<V>(x, mul<V>(s, sub<V>(one, s))), slope, s));
  }
}

// tanh|x| = -m / (m + 2) with m = e^(-2|x|) - 1.
@unmanaged @final class Tanh {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(minusAbs<V>(add<V>(x, x)), low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const m = expm1<V>(t, q, one);
    return copySign<V>(div<V>(m, add<V>(m, add<V>(one, one))), x, a);
  }
}

@unmanaged @final class Elu {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(x, low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    return ifLess<V>(splat<V>(0), x, x, mul<V>(a, expm1<V>(t, q, one)));
  }
}

@unmanaged @final class Softplus {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(minusAbs<V>(x), low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    return add<V>(pmax<V>(x, splat<V>(0)), log1pUnit<V>(exponential<V>(t, q, one)));
  }
}

// tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2): 1 from x = 20 on, where n^2 is still finite.
@unmanaged @final class Mish {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const e = exponential<V>(t, q, one), n = mul<V>(e, add<V>(e, a));
    return mul<V>(x, div<V>(n, add<V>(n, a)));
  }
}

// (1 - (n / (n + 2))^2) sigmoid(x) = 4 e^x (1 + e^x) / (n + 2)^2
@unmanaged @final class MishGrad {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return clamp<V>(x, low, high); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const e = exponential<V>(t, q, one), n = mul<V>(e, add<V>(e, a));
    const r = div<V>(a, add<V>(n, a)), slope = mul<V>(mul<V>(r, r), mulAdd<V>(e, e, e));
    const value = mul<V>(mul<V>(n, splat<V>(0.5)), r);
    return mul<V>(load<V>(z), mulAdd<V>(pmin<V>(x, splat<V>(20)), slope, value));
  }
}

// x Phi(x) = max(x, 0) - |x| tail(|x|)
@unmanaged @final class Gelu {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(mul<V>(mul<V>(x, x), a), low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const d = pmin<V>(abs<V>(x), splat<V>(FAR));
    return sub<V>(pmax<V>(x, splat<V>(0)), mul<V>(d, normalTail<V>(d, exponential<V>(t, q, one), one)));
  }
}

// Phi(x) + x phi(x), or 1 less that of -x
@unmanaged @final class GeluGrad {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(mul<V>(mul<V>(x, x), a), low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const d = pmin<V>(abs<V>(x), splat<V>(FAR)), e = exponential<V>(t, q, one);
    const lower = sub<V>(normalTail<V>(d, e, one), mul<V>(d, mul<V>(e, constant<V>(0.39894228))));
    return mul<V>(load<V>(z), ifLess<V>(x, splat<V>(0), lower, sub<V>(one, lower)));
  }
}

// erf(x) = 1 - 2 tail(sqrt(2) x), for x > 0
@unmanaged @final class Erf {
  // @ts-ignore: decorator
  @inline brief(): bool { return false; }
  // @ts-ignore: decorator
  @inline exponent<V>(x: V, low: V, high: V, a: V): V { return pmax<V>(mul<V>(sub<V>(splat<V>(0), x), x), low); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, z: usize, t: V, q: V, one: V, a: V): V {
    const far = pmin<V>(mul<V>(abs<V>(x), constant<V>(1.41421356)), splat<V>(FAR));
    const large = sub<V>(one, mul<V>(add<V>(one, one), normalTail<V>(far, exponential<V>(t, q, one), one)));
    return ifLess<V>(abs<V>(x), splat<V>(0.9), erfSmall<V>(x), copySign<V>(large, x, a));
  }
}

/** The normal distribution's tail is 0 from here on. */
const FAR: f32 = 14;

// @ts-ignore: decorator
@inline
function clamp<V>(x: V, low: V, high: V): V {
  return pmin<V>(pmax<V>(x, low), high);
}

/** -|x| in two instructions on x86 and one that clears a register; neg and abs take three each. */
// @ts-ignore: decorator
@inline
function minusAbs<V>(x: V): V {
  return pmin<V>(x, sub<V>(splat<V>(0), x));
}

/** e^x */
// @ts-ignore: decorator
@inline
function exponential<V>(t: V, q: V, one: V): V {
  return mul<V>(power<V>(t), add<V>(one, q));
}

/** e^x - 1, without cancellation: where x is small the power is 1. */
// @ts-ignore: decorator
@inline
function expm1<V>(t: V, q: V, one: V): V {
  const s = power<V>(t);
  return add<V>(sub<V>(s, one), mul<V>(s, q));
}

/** e^x / (1 + e^x) */
// @ts-ignore: decorator
@inline
function logistic<V>(t: V, q: V, one: V): V {
  const e = exponential<V>(t, q, one);
  return div<V>(e, add<V>(one, e));
}

// 2 sqrt(2 / pi) (x + 0.044715 x^3)
// @ts-ignore: decorator
@inline
function inner<V>(x: V): V {
  return mul<V>(x, mulAdd<V>(mul<V>(x, x), constant<V>(0.0713548128), constant<V>(1.59576912)));
}

@unmanaged @final class Log {
  // @ts-ignore: decorator
  @inline argument<V>(x: V, one: V): V { return x; }
  // @ts-ignore: decorator
  @inline at<V>(x: V, u: V, log: V, one: V, infinity: V): V { return log; }
}

// log(u) with u = 1 + x rounded, corrected by what the rounding lost; -Infinity at -1
@unmanaged @final class Log1p {
  // @ts-ignore: decorator
  @inline argument<V>(x: V, one: V): V { return add<V>(one, x); }
  // @ts-ignore: decorator
  @inline at<V>(x: V, u: V, log: V, one: V, infinity: V): V {
    const better = add<V>(log, div<V>(sub<V>(x, sub<V>(u, one)), u));
    return ifLess<V>(splat<V>(0), u, ifLess<V>(u, infinity, better, log), log);
  }
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

@unmanaged @final class EluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return ifLess<V>(splat<V>(0), x, dy, mul<V>(dy, add<V>(x, a))); }
}

@unmanaged @final class LeakyReluGrad {
  // @ts-ignore: decorator
  @inline at<V>(x: V, dy: V, a: V): V { return ifLess<V>(splat<V>(0), x, dy, mul<V>(a, dy)); }
}
