// Cross-entropy of integer labels from scores: log-sum-exp with the maximum off, so that no score overflows.

import { exp, log } from "./math";
import { expSum, maxRow } from "./softmax";

/** loss [rows] = log(sum(exp(logits))) - logits[label]; a label outside [0, n) gives NaN. */
export function f32_sparse_softmax_cross_entropy(rows: u32, n: u32, logits: usize, labels: usize, loss: usize): void {
  const stride = <usize>n << 2;
  for (; rows; --rows, logits += stride, labels += 4, loss += 4) {
    const label = load<u32>(labels), m = maxRow(n, logits);
    const value = log<f32>(expSum(n, logits, m)) + (m - f32.load(logits + (<usize>min<u32>(label, n - 1) << 2)));
    f32.store(loss, label < n ? value : NaN);
  }
}

/** dlogits [rows, n] = (softmax(logits) - onehot(label)) * dloss[row]. */
export function f32_sparse_softmax_cross_entropy_grad(
  rows: u32, n: u32, logits: usize, labels: usize, dloss: usize, dlogits: usize,
): void {
  const stride = <usize>n << 2;
  for (; rows; --rows, logits += stride, labels += 4, dloss += 4, dlogits += stride) {
    const label = load<u32>(labels), m = maxRow(n, logits), s = expSum(n, logits, m), d = f32.load(dloss);
    for (let i: u32 = 0; i < n; ++i) {
      const p = exp<f32>(f32.load(logits + (<usize>i << 2)) - m) / s;
      f32.store(dlogits + (<usize>i << 2), (i == label ? p - 1 : p) * d);
    }
  }
}
