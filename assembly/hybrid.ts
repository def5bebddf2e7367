// Products of floats with int8 weights, as TensorFlow Lite's dynamic range quantization has them: a vector becomes int8 by its own range,
// the sums are integers, and go back to floats by the scales of both.

import { paddedRow, rowDot, rowDots } from "./rows";
import { SIMD } from "./lanes";

/**
 * y [rows, n] = init (n, or 0) + the sums of x [rows, k] (f32) times w [n, k] (i8, padded rows), each row of x as int8 of its own: see
 * `quantizeRow`. scale [n] belongs to the rows of w, sums [n] (i32) are those of w. `scratch` has 16 + padded k bytes.
 */
export function f32_i8_dense(
  rows: u32, n: u32, k: u32, x: usize, w: usize, scale: usize, sums: usize, bias: usize, y: usize, scratch: usize,
  isAsymmetric: bool,
): void {
  for (; rows > 0; rows--, x += <usize>k << 2, y += <usize>n << 2) {
    hybridRow(n, k, x, w, scale, sums, bias, y, scratch, isAsymmetric);
  }
}

/** One row of it; y may be bias. */
export function hybridRow(
  n: u32, k: u32, x: usize, w: usize, scale: usize, sums: usize, bias: usize, y: usize, scratch: usize,
  isAsymmetric: bool,
): void {
  const bytes = scratch + 16, stride = paddedRow(k);
  quantizeRow(k, x, bytes, scratch, isAsymmetric);
  const factor = load<f32>(scratch), zero = load<i32>(scratch, 4);
  let j: u32 = 0;
  if (SIMD) {
    const f = f32x4.splat(factor), z = i32x4.splat(zero);
    for (; j + 4 <= n; j += 4, w += 4 * stride) {
      const at = <usize>j << 2;
      const dots = i32x4.sub(rowDots(k, w, stride, bytes), i32x4.mul(z, v128.load(sums + at)));
      const product = f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(f, v128.load(scale + at)));
      v128.store(y + at, bias ? f32x4.add(v128.load(bias + at), product) : product);
    }
  }
  for (; j < n; j++, w += stride) {
    const at = <usize>j << 2;
    const product = <f32>(rowDot(k, w, bytes) - zero * load<i32>(sums + at)) * (factor * load<f32>(scale + at));
    store<f32>(y + at, bias ? load<f32>(bias + at) + product : product);
  }
}

/**
 * q [n] (i8) = x [n] as integers: to the nearest, ties away from zero. Symmetric, the largest |x| is 127; asymmetric, -128 to 127 are the
 * range of x and 0, and 0 is an integer. At `to` the scale (f32) and the zero point (i32). NaN counts as 0.
 */
function quantizeRow(n: u32, x: usize, q: usize, to: usize, isAsymmetric: bool): void {
  let least: f32 = 0, most: f32 = 0;
  for (let j: u32 = 0; j < n; j++) {
    const v = load<f32>(x + (<usize>j << 2));
    if (v < least) least = v;
    if (v > most) most = v;
  }
  let scale: f32 = 1, inverse: f32 = 0, zero: i32 = 0, low: f32 = -127;
  if (!isAsymmetric) {
    const range = max<f32>(-least, most);
    if (range > 0) {
      scale = range / 127;
      inverse = <f32>127 / range;
    }
  } else if (least < most) {
    const step = (<f64>most - <f64>least) / 255;
    const fromLeast = -128 - <f64>least / step, fromMost = 127 - <f64>most / step;
    const isNear = 128 + abs<f64>(<f64>least / step) < 127 + abs<f64>(<f64>most / step);
    const at = isNear ? fromLeast : fromMost;
    zero = at <= -128 ? -128 : at >= 127 ? 127 : at < 0 ? -(<i32>(0.5 - at)) : <i32>(at + 0.5);
    scale = <f32>step;
    inverse = <f32>1 / scale;
    low = -128;
  }
  store<f32>(to, scale);
  store<i32>(to, zero, 4);
  for (let j: u32 = 0; j < n; j++) {
    const v = <f32>zero + load<f32>(x + (<usize>j << 2)) * inverse;
    store<i8>(q + j, v == v ? <i8>min<f32>(max<f32>(nearest(v), low), 127) : 0);
  }
}

/** To the nearest integer, ties away from zero. */
// @ts-ignore: decorator
@inline
function nearest(x: f32): f32 {
  const whole = f32.trunc(x);
  return f32.abs(x - whole) >= 0.5 ? whole + f32.copysign(1, x) : whole;
}
