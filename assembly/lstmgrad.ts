// The gradient of the long short-term memory through time.

import { add, load, mul, SIMD, splat } from "./lanes";
import { put } from "./map";
import { activate, skipped } from "./recurrent";
import { back, slope, sum } from "./rnngrad";

/**
 * The gradient of f32_lstm: dz [batch, steps, 4 n], dh and dc [batch, n] of h0 and c0. `u` is the transposed recurrent matrix, packed; dy
 * and dcells [batch, steps, n] the gradients of its states, 0 for none; `first` tells whether there was a state before the first step:
 * without, dh and dc are undefined. `scratch` is [batch, n]. dz may be gates.
 */
export function f32_lstm_grad(
  batch: u32, steps: u32, n: u32, gates: usize, cells: usize, u: usize, c0: usize, mask: usize, drop: usize,
  dy: usize, dcells: usize, dz: usize, dh: usize, dc: usize, scratch: usize,
  first: u32, activation: u32, recurrentActivation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  memory.fill(dh, 0, row * <usize>batch);
  memory.fill(dc, 0, row * <usize>batch);
  for (let t = steps; t-- > 0; ) {
    for (let b: u32 = 0; b < batch; b++) {
      const own = <usize>b * row, at = <usize>b * all + <usize>t * row, h = dh + own, c = dc + own, s = scratch + own;
      if (dy) sum(row, dy + at, h);
      if (dcells) sum(row, dcells + at, c);
      if (skipped(mask, <usize>b * steps + t)) {
        memory.fill(dz + 4 * at, 0, 4 * row);
        continue;
      }
      activate(activation, n, cells + at, s);
      const before = t ? cells + at - row : c0 ? c0 + own : 0;
      const from = gates + 4 * at, to = dz + 4 * at;
      if (SIMD) through<v128>(row, from, before, s, h, c, to, activation, recurrentActivation);
      else through<f32>(row, from, before, s, h, c, to, activation, recurrentActivation);
      memory.fill(h, 0, row);
    }
    if (t || first) back(batch, n, 4 * n, dz + 4 * <usize>t * row, 4 * all, u, drop, dh, scratch);
  }
}

/** With s = F(c): do = dh s F', dc += dh o F', di = dc g F', df = dc before F', dg = dc i F'; then dc = dc f. */
function through<V>(
  row: usize, gates: usize, before: usize, squashed: usize, dh: usize, dc: usize, dz: usize,
  activation: u32, recurrent: u32,
): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    const p = gates + j, q = dz + j, left = row - j;
    const i = load<V>(p), f = load<V>(p + row), g = load<V>(p + 2 * row), o = load<V>(p + 3 * row);
    const h = load<V>(dh + j), s = load<V>(squashed + j), old = before ? load<V>(before + j) : splat<V>(0);
    const c = add<V>(load<V>(dc + j), mul<V>(mul<V>(h, o), slope<V>(activation, s)));
    put<V>(q, mul<V>(mul<V>(c, g), slope<V>(recurrent, i)), left);
    put<V>(q + row, mul<V>(mul<V>(c, old), slope<V>(recurrent, f)), left);
    put<V>(q + 2 * row, mul<V>(mul<V>(c, i), slope<V>(activation, g)), left);
    put<V>(q + 3 * row, mul<V>(mul<V>(h, s), slope<V>(recurrent, o)), left);
    put<V>(dc + j, mul<V>(c, f), left);
  }
}
