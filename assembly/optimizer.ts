// Updates of n parameters in place, Keras 3's formulas. Rates are read from memory: they change from step to step.

import { add, div, load, mul, SIMD, splat, sqrt, store, storePart, sub } from "./lanes";

// @ts-ignore: decorator
@inline
function put<V>(p: usize, x: V, left: u32): void {
  if (isVector<V>() && left < 4) storePart<V>(p, x, left);
  else store<V>(p, x);
}

function sgd<V>(n: u32, w: usize, g: usize, rate: f32): void {
  const r = splat<V>(rate), step = sizeof<V>();
  for (let left = <i32>n; left > 0; left -= <i32>(step >> 2), w += step, g += step) {
    put<V>(w, sub<V>(load<V>(w), mul<V>(r, load<V>(g))), left);
  }
}

function momentum<V>(n: u32, w: usize, g: usize, m: usize, rate: f32, mu: f32, nesterov: bool): void {
  const r = splat<V>(rate), u = splat<V>(mu), step = sizeof<V>();
  for (let left = <i32>n; left > 0; left -= <i32>(step >> 2), w += step, g += step, m += step) {
    const rg = mul<V>(r, load<V>(g));
    const v = sub<V>(mul<V>(u, load<V>(m)), rg);
    put<V>(m, v, left);
    put<V>(w, add<V>(load<V>(w), nesterov ? sub<V>(mul<V>(u, v), rg) : v), left);
  }
}

function adam<V>(n: u32, w: usize, g: usize, m: usize, v: usize, alpha: f32, beta1: f64, beta2: f64, epsilon: f32): void {
  // 1 - beta in float64: in float32 it would be 0.999 rounded first, 13 parts in a million away from 0.001
  const a = splat<V>(alpha), b1 = splat<V>(<f32>(1 - beta1)), b2 = splat<V>(<f32>(1 - beta2)), e = splat<V>(epsilon), step = sizeof<V>();
  for (let left = <i32>n; left > 0; left -= <i32>(step >> 2), w += step, g += step, m += step, v += step) {
    const dg = load<V>(g), m0 = load<V>(m), v0 = load<V>(v);
    const m1 = add<V>(m0, mul<V>(sub<V>(dg, m0), b1));
    const v1 = add<V>(v0, mul<V>(sub<V>(mul<V>(dg, dg), v0), b2));
    put<V>(m, m1, left);
    put<V>(v, v1, left);
    put<V>(w, sub<V>(load<V>(w), div<V>(mul<V>(a, m1), add<V>(sqrt<V>(v1), e))), left);
  }
}

/** w -= rate g. `rate` is the address of one f32. */
export function f32_sgd(n: u32, w: usize, g: usize, rate: usize): void {
  if (SIMD) sgd<v128>(n, w, g, f32.load(rate));
  else sgd<f32>(n, w, g, f32.load(rate));
}

/** m = momentum m - rate g; w += m, or with Nesterov w += momentum m - rate g. `rate` is the address of one f32. */
export function f32_sgd_momentum(n: u32, w: usize, g: usize, m: usize, rate: usize, mu: f32, nesterov: u32): void {
  if (SIMD) momentum<v128>(n, w, g, m, f32.load(rate), mu, nesterov != 0);
  else momentum<f32>(n, w, g, m, f32.load(rate), mu, nesterov != 0);
}

/**
 * m += (g - m)(1 - beta1); v += (g^2 - v)(1 - beta2); w -= alpha m / (sqrt(v) + epsilon). `alpha` is the address of one f32, the rate with
 * both bias corrections. Kingma and Ba, "Adam", 2015, in the form of its section 2.
 */
export function f32_adam(
  n: u32, w: usize, g: usize, m: usize, v: usize, alpha: usize, beta1: f64, beta2: f64, epsilon: f32,
): void {
  if (SIMD) adam<v128>(n, w, g, m, v, f32.load(alpha), beta1, beta2, epsilon);
  else adam<f32>(n, w, g, m, v, f32.load(alpha), beta1, beta2, epsilon);
}
