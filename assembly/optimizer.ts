// One step of an optimizer: n weights w and their state, updated in place from gradients g. Learning rates change between runs
// of a program, so they are read from memory: `lr` and `alpha` are addresses of one f32. Formulas are those of Keras 3.

import { add, div, load, mul, SIMD, splat, sqrt, sub } from "./lanes";
import { put } from "./map";

/** w -= lr * g */
export function f32_sgd(n: u32, w: usize, g: usize, lr: usize): void {
  if (SIMD) sgd<v128>(n, w, g, lr);
  else sgd<f32>(n, w, g, lr);
}

/** m = momentum * m - lr * g; w += m, or with Nesterov's look-ahead w += momentum * m - lr * g. */
export function f32_sgd_momentum(
  n: u32, w: usize, g: usize, m: usize, lr: usize, momentum: f32, nesterov: u32,
): void {
  if (SIMD) sgdMomentum<v128>(n, w, g, m, lr, splat<v128>(momentum), nesterov);
  else sgdMomentum<f32>(n, w, g, m, lr, momentum, nesterov);
}

/**
 * m += (g - m) * (1 - beta1); v += (g * g - v) * (1 - beta2); w -= alpha * m / (sqrt(v) + epsilon). Source: Kingma and Ba,
 * "Adam", 2015, section 2, with both bias corrections in alpha = lr * sqrt(1 - beta2^t) / (1 - beta1^t). The betas are
 * float64, so that 1 - beta keeps all digits of float32.
 */
export function f32_adam(
  n: u32, w: usize, g: usize, m: usize, v: usize, alpha: usize, beta1: f64, beta2: f64, epsilon: f32,
): void {
  const rate1 = <f32>(1 - beta1), rate2 = <f32>(1 - beta2);
  if (SIMD) adam<v128>(n, w, g, m, v, alpha, splat<v128>(rate1), splat<v128>(rate2), splat<v128>(epsilon));
  else adam<f32>(n, w, g, m, v, alpha, rate1, rate2, epsilon);
}

function sgd<V>(n: u32, w: usize, g: usize, lr: usize): void {
  const rate = splat<V>(load<f32>(lr));
  for (const end = w + (<usize>n << 2); w < end; w += sizeof<V>(), g += sizeof<V>()) {
    put<V>(w, sub<V>(load<V>(w), mul<V>(rate, load<V>(g))), end - w);
  }
}

function sgdMomentum<V>(n: u32, w: usize, g: usize, m: usize, lr: usize, momentum: V, nesterov: u32): void {
  const rate = splat<V>(load<f32>(lr)), end = w + (<usize>n << 2);
  for (; w < end; w += sizeof<V>(), g += sizeof<V>(), m += sizeof<V>()) {
    const step = mul<V>(rate, load<V>(g));
    const velocity = sub<V>(mul<V>(momentum, load<V>(m)), step);
    put<V>(m, velocity, end - w);
    const change = nesterov ? sub<V>(mul<V>(momentum, velocity), step) : velocity;
    put<V>(w, add<V>(load<V>(w), change), end - w);
  }
}

function adam<V>(
  n: u32, w: usize, g: usize, m: usize, v: usize, alpha: usize, rate1: V, rate2: V, epsilon: V,
): void {
  const rate = splat<V>(load<f32>(alpha)), end = w + (<usize>n << 2);
  for (; w < end; w += sizeof<V>(), g += sizeof<V>(), m += sizeof<V>(), v += sizeof<V>()) {
    const dw = load<V>(g), m0 = load<V>(m), v0 = load<V>(v);
    const mean = add<V>(m0, mul<V>(sub<V>(dw, m0), rate1));
    const square = add<V>(v0, mul<V>(sub<V>(mul<V>(dw, dw), v0), rate2));
    put<V>(m, mean, end - w);
    put<V>(v, square, end - w);
    put<V>(w, sub<V>(load<V>(w), div<V>(mul<V>(rate, mean), add<V>(sqrt<V>(square), epsilon))), end - w);
  }
}
