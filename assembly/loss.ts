// Losses fused with the softmax before them. The softmax is that of softmax.ts, bit for bit.

import { map } from "./map";
import { log } from "./math";
import { fold } from "./reduce";
import { exponentials, Max, Scale } from "./softmax";

/**
 * loss [rows] = -log(softmax(logits [rows, n])[label]) = log(sum(e^(x - max))) - (x[label] - max), labels [rows] (i32).
 * A label outside [0, n) gives NaN.
 */
export function f32_sparse_softmax_cross_entropy(rows: u32, n: u32, logits: usize, labels: usize, loss: usize): void {
  for (const end = loss + (<usize>rows << 2); loss < end; loss += 4, labels += 4, logits += <usize>n << 2) {
    const label = load<u32>(labels);
    if (label >= n) {
      store<f32>(loss, NaN);
      continue;
    }
    const max = fold<Max>(n, logits, logits, 0);
    const sum = exponentials(n, logits, 0, max);
    store<f32>(loss, log<f32>(sum) - (load<f32>(logits + (<usize>label << 2)) - max));
  }
}

/**
 * dlogits [rows, n] = (softmax(logits) - onehot(label)) * dloss [rows]; dlogits may be logits. A label outside [0, n) makes
 * its row NaN.
 */
export function f32_sparse_softmax_cross_entropy_grad(
  rows: u32, n: u32, logits: usize, labels: usize, dloss: usize, dlogits: usize,
): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, logits += row, dlogits += row, labels += 4, dloss += 4) {
    const label = load<u32>(labels), scale: f32 = 1 / exponentials(n, logits, dlogits, fold<Max>(n, logits, logits, 0));
    if (label < n) {
      const target = dlogits + (<usize>label << 2), d = load<f32>(dloss), value = (load<f32>(target) * scale - 1) * d;
      map<Scale>(n, dlogits, scale, d, dlogits);
      store<f32>(target, value);
    } else {
      map<Scale>(n, dlogits, scale, NaN, dlogits);
    }
  }
}
