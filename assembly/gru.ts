// The gated recurrent unit (Cho and others 2014), all steps of it, in its two forms: with the reset gate after the product with the
// recurrent weights (that of cuDNN, PyTorch and Keras' default) or before it. Its gradient is in grugrad.ts.

import { add, load, mul, SIMD, splat, sub } from "./lanes";
import { put } from "./map";
import { activate, addTimes, product, skipped, times } from "./recurrent";
import { dropped, keep } from "./rnn";

/**
 * gates [batch, steps, 3 n] = update gate, reset gate and candidate; y [batch, steps, n] = states h = update h +
 * (1 - update) candidate. The gates are the recurrent activation of z [.., 0 to 2 n] + h times packed U [n, 2 n]. With
 * `resetAfter` rest [batch, steps, n] = h times packed V [n, n] + bias [n] (0 for none) and the candidate is the activation
 * of z + reset rest; without, rest = reset h and the candidate the activation of z + rest times V. In products h is times
 * drop [batch, n] unless that is 0. h0, mask and scratch as for f32_lstm; where the mask is 0, gates are undefined. gates
 * may be z.
 */
export function f32_gru(
  batch: u32, steps: u32, n: u32, z: usize, u: usize, v: usize, bias: usize, h0: usize, mask: usize, drop: usize,
  gates: usize, y: usize, rest: usize, scratch: usize, resetAfter: u32, activation: u32, recurrentActivation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  if (gates != z) memory.copy(gates, z, 3 * all * <usize>batch);
  let h = h0, stride = row;
  for (let t: u32 = 0; t < steps; t++, gates += 3 * row, y += row, rest += row) {
    const a = h ? dropped(batch, n, h, stride, drop, scratch) : 0, aStride = drop ? row : stride;
    if (a) {
      product(batch, 2 * n, n, a, aStride, u, gates, 3 * all, gates, 3 * all);
      if (resetAfter) product(batch, n, n, a, aStride, v, bias, 0, rest, all);
    }
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all, g = gates + 3 * at;
      activate(recurrentActivation, 2 * n, g, g);
      if (resetAfter) {
        if (!a) keep(row, bias, rest + at);
      } else if (a && !skipped(mask, <usize>b * steps + t)) {
        times(n, g + row, a + <usize>b * aStride, rest + at);
      } else memory.fill(rest + at, 0, row);
    }
    if (!resetAfter && a) product(batch, n, n, rest, all, v, gates + 2 * row, 3 * all, gates + 2 * row, 3 * all);
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all, g = gates + 3 * at, before = h ? h + <usize>b * stride : 0;
      if (skipped(mask, <usize>b * steps + t)) {
        keep(row, before, y + at);
        continue;
      }
      if (resetAfter) addTimes(n, g + row, rest + at, g + 2 * row);
      activate(activation, n, g + 2 * row, g + 2 * row);
      if (SIMD) blend<v128>(row, g, before, y + at);
      else blend<f32>(row, g, before, y + at);
    }
    h = y;
    stride = all;
  }
}

/** y = update before + (1 - update) candidate. */
function blend<V>(row: usize, gates: usize, before: usize, y: usize): void {
  const one = splat<V>(1);
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    const update = load<V>(gates + j);
    let h = mul<V>(sub<V>(one, update), load<V>(gates + 2 * row + j));
    if (before) h = add<V>(mul<V>(update, load<V>(before + j)), h);
    put<V>(y + j, h, row - j);
  }
}
