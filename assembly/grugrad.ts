// The gradient of the gated recurrent unit through time.

import { add, load, mul, SIMD, splat, sub } from "./lanes";
import { put } from "./map";
import { product, skipped } from "./recurrent";
import { back, slope, sum } from "./rnngrad";

/**
 * The gradient of f32_gru: dz [batch, steps, 3 n] of what it was given, drest [batch, steps, n] of h times V + bias (only
 * with `resetAfter`) and dh [batch, n] of h0. `u` [2 n, n] and `v` [n, n] are the transposed recurrent matrices, packed; dy
 * [batch, steps, n] is the gradient of y, 0 for none; `first` tells whether there was a state before the first step:
 * without, dh is undefined. `scratch` is [batch, n]. dz may be gates.
 */
export function f32_gru_grad(
  batch: u32, steps: u32, n: u32, gates: usize, y: usize, rest: usize, u: usize, v: usize, h0: usize, mask: usize,
  drop: usize, dy: usize, dz: usize, drest: usize, dh: usize, scratch: usize,
  first: u32, resetAfter: u32, activation: u32, recurrentActivation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  memory.fill(dh, 0, row * <usize>batch);
  for (let t = steps; t-- > 0; ) {
    const step = <usize>t * row;
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all + step, d = dh + <usize>b * row, to = dz + 3 * at;
      if (dy) sum(row, dy + at, d);
      if (skipped(mask, <usize>b * steps + t)) {
        memory.fill(to, 0, 3 * row);
        if (resetAfter) memory.fill(drest + at, 0, row);
        continue;
      }
      const before = t ? y + at - row : h0 ? h0 + <usize>b * row : 0, dr = resetAfter ? drest + at : 0;
      if (SIMD) through<v128>(row, gates + 3 * at, before, rest + at, d, to, dr, activation, recurrentActivation);
      else through<f32>(row, gates + 3 * at, before, rest + at, d, to, dr, activation, recurrentActivation);
    }
    if (resetAfter) {
      if (t || first) back(batch, n, n, drest + step, all, v, drop, dh, scratch);
    } else {
      product(batch, n, n, dz + 3 * step + 2 * row, 3 * all, v, 0, 0, scratch, row);
      for (let b: u32 = 0; b < batch; b++) {
        if (skipped(mask, <usize>b * steps + t)) continue;
        const at = <usize>b * all + step, from = gates + 3 * at + row, to = dz + 3 * at + row, own = <usize>b * row;
        const before = t ? y + at - row : h0 ? h0 + own : 0, kept = drop ? drop + own : 0;
        if (SIMD) reset<v128>(row, from, before, kept, scratch + own, dh + own, to, recurrentActivation);
        else reset<f32>(row, from, before, kept, scratch + own, dh + own, to, recurrentActivation);
      }
    }
    if (t || first) back(batch, n, 2 * n, dz + 3 * step, 3 * all, u, drop, dh, scratch);
  }
}

/**
 * dupdate = dh (before - candidate) F', dcandidate = dh (1 - update) F'; with `drest` that is dcandidate reset, and dreset =
 * dcandidate rest F'; then dh = dh update for the step before.
 */
function through<V>(
  row: usize, gates: usize, before: usize, rest: usize, dh: usize, dz: usize, drest: usize,
  activation: u32, recurrent: u32,
): void {
  const one = splat<V>(1);
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    const p = gates + j, q = dz + j, left = row - j;
    const update = load<V>(p), reset = load<V>(p + row), candidate = load<V>(p + 2 * row), d = load<V>(dh + j);
    const old = before ? load<V>(before + j) : splat<V>(0);
    const dc = mul<V>(mul<V>(d, sub<V>(one, update)), slope<V>(activation, candidate));
    put<V>(q, mul<V>(mul<V>(d, sub<V>(old, candidate)), slope<V>(recurrent, update)), left);
    if (drest) {
      put<V>(q + row, mul<V>(mul<V>(dc, load<V>(rest + j)), slope<V>(recurrent, reset)), left);
      put<V>(drest + j, mul<V>(dc, reset), left);
    }
    put<V>(q + 2 * row, dc, left);
    put<V>(dh + j, mul<V>(d, update), left);
  }
}

/** Of rest = reset before drop, whose gradient is `d`: dreset = d before drop F', dh += d reset drop. */
function reset<V>(
  row: usize, gate: usize, before: usize, drop: usize, d: usize, dh: usize, dz: usize, recurrent: u32,
): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    const r = load<V>(gate + j), old = before ? load<V>(before + j) : splat<V>(0), left = row - j;
    const g = mul<V>(load<V>(d + j), drop ? load<V>(drop + j) : splat<V>(1));
    put<V>(dz + j, mul<V>(mul<V>(g, old), slope<V>(recurrent, r)), left);
    put<V>(dh + j, add<V>(load<V>(dh + j), mul<V>(g, r)), left);
  }
}
