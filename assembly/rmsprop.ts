// RMSprop and the decoupled decay of AdamW: more of what optimizer.ts has, with the formulas of Keras 3.

import { add, div, load, mul, SIMD, splat, sqrt, sub } from "./lanes";
import { put } from "./map";

/**
 * v += (g * g - v) * (1 - rho); step = lr * g / sqrt(v + epsilon); w -= step. With `a` (else 0) also a += (g - a) * (1 - rho), and
 * v - a * a takes the place of v under the root; with `m` (else 0) m = momentum * m + step and w -= m. Sources: Tieleman and Hinton,
 * 2012; for the centered form Graves, "Generating sequences with recurrent neural networks", 2013. `lr` is the address of one f32;
 * rho is float64, so that 1 - rho keeps all digits of float32.
 */
export function f32_rmsprop(
  n: u32, w: usize, g: usize, v: usize, a: usize, m: usize, lr: usize, rho: f64, momentum: f32, epsilon: f32,
): void {
  const keep = <f32>(1 - rho);
  if (SIMD) rmsprop<v128>(n, w, g, v, a, m, lr, splat<v128>(keep), splat<v128>(momentum), splat<v128>(epsilon));
  else rmsprop<f32>(n, w, g, v, a, m, lr, keep, momentum, epsilon);
}

/**
 * w -= lr * decay * w, then Adam as f32_adam does it. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, in
 * Keras' form. `alpha` and `lr` are addresses of one f32 each.
 */
export function f32_adamw(
  n: u32, w: usize, g: usize, m: usize, v: usize, alpha: usize, lr: usize, decay: f32, beta1: f64, beta2: f64,
  epsilon: f32,
): void {
  const rate1 = <f32>(1 - beta1), rate2 = <f32>(1 - beta2);
  if (SIMD) adamw<v128>(n, w, g, m, v, alpha, lr, decay, splat<v128>(rate1), splat<v128>(rate2), splat<v128>(epsilon));
  else adamw<f32>(n, w, g, m, v, alpha, lr, decay, rate1, rate2, epsilon);
}

function rmsprop<V>(
  n: u32, w: usize, g: usize, v: usize, a: usize, m: usize, lr: usize, keep: V, momentum: V, epsilon: V,
): void {
  const rate = splat<V>(load<f32>(lr)), end = w + (<usize>n << 2);
  for (let i: usize = 0; w < end; w += sizeof<V>(), i += sizeof<V>()) {
    const dw = load<V>(g + i), v0 = load<V>(v + i), left = end - w;
    const square = add<V>(v0, mul<V>(sub<V>(mul<V>(dw, dw), v0), keep));
    put<V>(v + i, square, left);
    let spread = square;
    if (a) {
      const a0 = load<V>(a + i), mean = add<V>(a0, mul<V>(sub<V>(dw, a0), keep));
      put<V>(a + i, mean, left);
      spread = sub<V>(square, mul<V>(mean, mean));
    }
    let step = div<V>(mul<V>(rate, dw), sqrt<V>(add<V>(spread, epsilon)));
    if (m) {
      step = add<V>(mul<V>(momentum, load<V>(m + i)), step);
      put<V>(m + i, step, left);
    }
    put<V>(w, sub<V>(load<V>(w), step), left);
  }
}

function adamw<V>(
  n: u32, w: usize, g: usize, m: usize, v: usize, alpha: usize, lr: usize, decay: f32, rate1: V, rate2: V,
  epsilon: V,
): void {
  const rate = splat<V>(load<f32>(alpha)), shrink = splat<V>(load<f32>(lr) * decay), end = w + (<usize>n << 2);
  for (; w < end; w += sizeof<V>(), g += sizeof<V>(), m += sizeof<V>(), v += sizeof<V>()) {
    const dw = load<V>(g), m0 = load<V>(m), v0 = load<V>(v), w0 = load<V>(w), left = end - w;
    const mean = add<V>(m0, mul<V>(sub<V>(dw, m0), rate1));
    const square = add<V>(v0, mul<V>(sub<V>(mul<V>(dw, dw), v0), rate2));
    put<V>(m, mean, left);
    put<V>(v, square, left);
    const change = div<V>(mul<V>(rate, mean), add<V>(sqrt<V>(square), epsilon));
    put<V>(w, sub<V>(sub<V>(w0, mul<V>(shrink, w0)), change), left);
  }
}
