// The long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers and others 2000), all steps of it. Its
// gradient is in lstmgrad.ts.

import { add, load, mul, SIMD } from "./lanes";
import { put } from "./map";
import { activate, product, skipped, times } from "./recurrent";
import { dropped, keep } from "./rnn";

/**
 * gates [batch, steps, 4 n] = i, f, g, o: the recurrent activation of z + h times packed U [n, 4 n], but for g the activation; cells
 * [batch, steps, n] = c_t = f c_(t-1) + i g; y [batch, steps, n] = o activation(c). h is y of the step before, times drop [batch, n]
 * unless that is 0; before the first step h0 and c0 [batch, n] (0 for zeros). Where mask [batch, steps] (u8; 0 for none) is 0 both states
 * stay, and gates are undefined. `scratch` [batch, n] is for h times drop alone. gates may be z.
 */
export function f32_lstm(
  batch: u32, steps: u32, n: u32, z: usize, u: usize, h0: usize, c0: usize, mask: usize, drop: usize,
  gates: usize, y: usize, cells: usize, scratch: usize, activation: u32, recurrentActivation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  let h = h0, c = c0, stride = row;
  for (let t: u32 = 0; t < steps; t++, z += 4 * row, gates += 4 * row, y += row, cells += row) {
    let g = z;
    if (h) {
      const a = dropped(batch, n, h, stride, drop, scratch);
      product(batch, 4 * n, n, a, drop ? row : stride, u, z, 4 * all, gates, 4 * all);
      g = gates;
    }
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all, from = g + 4 * at, to = gates + 4 * at, cell = c ? c + <usize>b * stride : 0;
      if (skipped(mask, <usize>b * steps + t)) {
        keep(row, h ? h + <usize>b * stride : 0, y + at);
        keep(row, cell, cells + at);
        continue;
      }
      activate(recurrentActivation, 2 * n, from, to);
      activate(activation, n, from + 2 * row, to + 2 * row);
      activate(recurrentActivation, n, from + 3 * row, to + 3 * row);
      if (SIMD) remember<v128>(row, to, cell, cells + at);
      else remember<f32>(row, to, cell, cells + at);
      activate(activation, n, cells + at, y + at);
      times(n, y + at, to + 3 * row, y + at);
    }
    h = y;
    c = cells;
    stride = all;
  }
}

/** c = i g + f before. */
function remember<V>(row: usize, gates: usize, before: usize, c: usize): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    let cell = mul<V>(load<V>(gates + j), load<V>(gates + 2 * row + j));
    if (before) cell = add<V>(mul<V>(load<V>(gates + row + j), load<V>(before + j)), cell);
    put<V>(c + j, cell, row - j);
  }
}
