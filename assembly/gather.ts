// Rows taken by index, and rows added by index. An index outside the array reads and writes nothing: a gathered row is then 0,
// as TensorFlow's on GPUs, and a scattered one is dropped.

import { add, load as loadLanes, SIMD } from "./lanes";
import { put } from "./map";
import { copyRow } from "./strided";

/** y [outer, count, inner] = x [outer, n, inner] at indices [count] (i32) of its middle axis; 0 for an index outside [0, n). */
export function x32_gather(outer: u32, n: u32, inner: u32, count: u32, x: usize, indices: usize, y: usize): void {
  gather<u32>(outer, n, inner, count, x, indices, y);
}

/** x32_gather for elements of one byte. */
export function x8_gather(outer: u32, n: u32, inner: u32, count: u32, x: usize, indices: usize, y: usize): void {
  gather<u8>(outer, n, inner, count, x, indices, y);
}

function gather<T>(outer: u32, n: u32, inner: u32, count: u32, x: usize, indices: usize, y: usize): void {
  const row = <usize>inner * sizeof<T>(), end = indices + (<usize>count << 2);
  for (; outer > 0; outer--, x += row * n) {
    for (let at = indices; at < end; at += 4, y += row) {
      const index = load<u32>(at);
      if (index >= n) memory.fill(y, 0, row);
      else if (inner == 1) store<T>(y, load<T>(x + index * sizeof<T>()));
      else copyRow<T>(inner, x + row * index, y);
    }
  }
}

/**
 * y [outer, n, inner] = 0, then plus x [outer, count, inner] at indices [count] (i32) of its middle axis, in the order of the
 * indices; those outside [0, n) are dropped.
 */
export function f32_scatter_add(
  outer: u32, n: u32, inner: u32, count: u32, x: usize, indices: usize, y: usize,
): void {
  const row = <usize>inner << 2, end = indices + (<usize>count << 2);
  memory.fill(y, 0, row * n * outer);
  for (; outer > 0; outer--, y += row * n) {
    for (let at = indices; at < end; at += 4, x += row) {
      const index = load<u32>(at);
      if (index >= n) continue;
      if (SIMD && inner > 1) addRow<v128>(x, y + row * index, row);
      else addRow<f32>(x, y + row * index, row);
    }
  }
}

function addRow<V>(x: usize, y: usize, row: usize): void {
  for (const end = y + row; y < end; x += sizeof<V>(), y += sizeof<V>()) {
    put<V>(y, add<V>(loadLanes<V>(y), loadLanes<V>(x)), end - y);
  }
}

/** y [n, depth] (f32) = 1 at indices [n] (i32) of each row, else 0; an index outside [0, depth) leaves its row 0. */
export function i32_one_hot(n: u32, depth: u32, indices: usize, y: usize): void {
  const row = <usize>depth << 2;
  memory.fill(y, 0, row * n);
  for (; n > 0; n--, indices += 4, y += row) {
    const index = load<u32>(indices);
    if (index < depth) store<f32>(y + (<usize>index << 2), 1);
  }
}
