// The simple recurrent layer: h_t = activation(z_t + h_(t-1) U). Its gradient is in rnngrad.ts.

import { activate, product, skipped, times } from "./recurrent";

/**
 * y [batch, steps, n] = states of a recurrent layer, one after the other: activation(z [batch, steps, n] + h times packed U [n, n]), the
 * sum from z on. h is y of the step before, h0 [batch, n] before the first (0 for zeros), times drop [batch, n] unless that is 0;
 * `scratch` [batch, n] is for that product alone. Where mask [batch, steps] (u8; 0 for none) is 0 the state stays. y may be z.
 */
export function f32_simple_rnn(
  batch: u32, steps: u32, n: u32, z: usize, u: usize, h0: usize, mask: usize, drop: usize, y: usize, scratch: usize,
  activation: u32,
): void {
  const row = <usize>n << 2, all = row * steps;
  let h = h0, stride = row;
  for (let t: u32 = 0; t < steps; t++, z += row, y += row) {
    if (h) {
      const a = dropped(batch, n, h, stride, drop, scratch);
      product(batch, n, n, a, drop ? row : stride, u, z, all, y, all);
    }
    for (let b: u32 = 0; b < batch; b++) {
      const at = <usize>b * all;
      if (skipped(mask, <usize>b * steps + t)) keep(row, h ? h + <usize>b * stride : 0, y + at);
      else activate(activation, n, (h ? y : z) + at, y + at);
    }
    h = y;
    stride = all;
  }
}

/** The address of h [batch, n] times drop: h itself where that is 0, else `scratch`. */
export function dropped(batch: u32, n: u32, h: usize, stride: usize, drop: usize, scratch: usize): usize {
  if (!drop) return h;
  const row = <usize>n << 2;
  for (let b: u32 = 0; b < batch; b++) times(n, h + <usize>b * stride, drop + <usize>b * row, scratch + <usize>b * row);
  return scratch;
}

/** A state of `row` bytes once more; zeros where there is none. */
export function keep(row: usize, state: usize, y: usize): void {
  if (state) memory.copy(y, state, row);
  else memory.fill(y, 0, row);
}
