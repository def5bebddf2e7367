// The gradient of the simple recurrent layer through time, and what all gradients of recurrent layers share.

import { add, load, lt, mul, mulAdd, SIMD, splat, where } from "./lanes";
import { put } from "./map";
import { addTimes, product, RELU, SIGMOID, skipped, TANH } from "./recurrent";

/**
 * The gradient of f32_simple_rnn: dz [batch, steps, n] of what it was given, dh [batch, n] of h0. `u` is the transposed recurrent matrix,
 * packed; dy [batch, steps, n] the gradient of y, 0 for none; `first` tells whether there was a state before the first step: without, dh
 * is undefined. dz may be y.
 */
export function f32_simple_rnn_grad(
  batch: u32, steps: u32, n: u32, y: usize, u: usize, mask: usize, drop: usize, dy: usize,
  dz: usize, dh: usize, scratch: usize, first: u32, activation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  memory.fill(dh, 0, row * <usize>batch);
  for (let t = steps; t-- > 0; ) {
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all + <usize>t * row, d = dh + <usize>b * row;
      if (dy) sum(row, dy + at, d);
      if (skipped(mask, <usize>b * steps + t)) {
        memory.fill(dz + at, 0, row);
        continue;
      }
      if (SIMD) through<v128>(row, y + at, d, dz + at, activation);
      else through<f32>(row, y + at, d, dz + at, activation);
      memory.fill(d, 0, row);
    }
    if (t || first) back(batch, n, n, dz + <usize>t * row, all, u, drop, dh, scratch);
  }
}

/** dz = d F'. */
function through<V>(row: usize, y: usize, d: usize, dz: usize, activation: u32): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    put<V>(dz + j, mul<V>(load<V>(d + j), slope<V>(activation, load<V>(y + j))), row - j);
  }
}

/** The derivative of an activation, from its result. */
// @ts-ignore: decorator
@inline
export function slope<V>(kind: u32, y: V): V {
  const one = splat<V>(1), zero = splat<V>(0);
  const squares: f32 = kind == TANH || kind == SIGMOID ? -1 : 0, level: f32 = kind == SIGMOID ? 1 : 0;
  // tanh: 1 - y^2; sigmoid: y - y^2 = (1 - y) y; linear and relu: 1
  const s = mulAdd<V>(mulAdd<V>(splat<V>(squares), y, splat<V>(level)), y, splat<V>(<f32>1 - level));
  const least = splat<V>(kind == RELU ? 0 : -Infinity);
  if (isVector<V>()) return where<V, v128>(lt<V, v128>(least, y), s, splat<V>(0));
  return where<V, i32>(lt<V, i32>(least, y), s, splat<V>(0));
}

/** y += x, `row` bytes of each. */
export function sum(row: usize, x: usize, y: usize): void {
  if (SIMD) sumLanes<v128>(row, x, y);
  else sumLanes<f32>(row, x, y);
}

function sumLanes<V>(row: usize, x: usize, y: usize): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) put<V>(y + j, add<V>(load<V>(y + j), load<V>(x + j)), row - j);
}

/**
 * dh [batch, n] += d [batch, k] times packed u [k, n]: to the step before. With drop [batch, n] the product is times that, and
 * in `scratch` first.
 */
export function back(
  batch: u32, n: u32, k: u32, d: usize, stride: usize, u: usize, drop: usize, dh: usize, scratch: usize,
): void {
  const row = <usize>n << 2;
  if (drop) {
    product(batch, n, k, d, stride, u, 0, 0, scratch, row);
    addTimes(n * batch, scratch, drop, dh);
  } else product(batch, n, k, d, stride, u, dh, row, dh, row);
}
