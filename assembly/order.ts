// Elements in another order: the largest ones of rows, and rows whose beginning is turned round.

import { copyRow } from "./strided";

/**
 * values [rows, k] and indices [rows, k] (i32) = the k largest of each row of x [rows, n] and where they are, the largest first; of equal
 * ones the first, and NaN above all numbers. k is at most n.
 */
export function f32_top_k(rows: u32, n: u32, k: u32, x: usize, values: usize, indices: usize): void {
  if (k == 0) return;
  const row = <usize>k << 2;
  for (; rows > 0; rows--, x += <usize>n << 2, values += row, indices += row) {
    for (let i: u32 = 0, count: usize = 0; i < n; i++) {
      const v = load<f32>(x + (<usize>i << 2));
      // The place behind all that are not below v; one more element stays while there is room.
      let at = count;
      if (count == row && !larger(v, load<f32>(values + row - 4))) continue;
      if (count == row) at -= 4;
      else count += 4;
      for (; at > 0 && larger(v, load<f32>(values + at - 4)); at -= 4) {
        store<f32>(values + at, load<f32>(values + at - 4));
        store<u32>(indices + at, load<u32>(indices + at - 4));
      }
      store<f32>(values + at, v);
      store<u32>(indices + at, i);
    }
  }
}

/** a > b, NaN above every number. */
// @ts-ignore: decorator
@inline
function larger(a: f32, b: f32): bool {
  return a > b || (a != a && b == b);
}

/**
 * y [batch, n, inner] (bytes) = x with the first lengths[b] (i32) rows of each image b in reverse order, the others as they are; lengths
 * count as at least 0 and at most n.
 */
export function x8_reverse_sequence(batch: u32, n: u32, inner: u32, lengths: usize, x: usize, y: usize): void {
  for (const end = lengths + (<usize>batch << 2); lengths < end; lengths += 4) {
    const turned = min<u32>(<u32>max<i32>(load<i32>(lengths), 0), n), last = x + <usize>inner * turned;
    for (let i: u32 = 1; i <= turned; i++, y += inner) copyRow<u8>(inner, last - <usize>inner * i, y);
    memory.copy(y, last, <usize>inner * (n - turned));
    y += <usize>inner * (n - turned);
    x += <usize>inner * n;
  }
}
