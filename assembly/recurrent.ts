// What recurrent layers share: the product of the state with the recurrent weights, activations of a row, and steps that a mask lets
// pass. A kernel takes all steps of all sequences: x times its kernel is one product outside, before it. See rnn.ts, lstm.ts, gru.ts.

import { f32_sigmoid, f32_tanh } from "./activation";
import { add, load, mul, SIMD } from "./lanes";
import { f32_relu, put } from "./map";
import { tile } from "./tile";

export const LINEAR: u32 = 0;
export const TANH: u32 = 1;
export const SIGMOID: u32 = 2;
export const RELU: u32 = 3;

/**
 * c [rows, n] = init [rows, n] + a [rows, k] times packed b [k, n], each sum sequential in k from its `init` on (from +0 where that is
 * 0). Rows of each are so many bytes apart. `init` is read up to 28 bytes past a row.
 */
export function product(
  rows: u32, n: u32, k: u32, a: usize, aStride: usize, b: usize, init: usize, initStride: usize,
  c: usize, cStride: usize,
): void {
  for (let j: u32 = 0; j < n; j += 16) {
    const columns = min<u32>(16, n - j), offset = <usize>j << 2, panel = b + offset * k;
    for (let i: u32 = 0; i < rows; ) {
      const count = i + 1 < rows ? (rows - i) & ~1 : 1; // an even number of rows, then the last
      const row = a + <usize>i * aStride, from = init ? init + offset + <usize>i * initStride : 0;
      tile(
        count, columns, row, row + aStride, 2 * aStride, 1, 0, 1, 0, k, 4,
        panel, from, initStride, c + offset + <usize>i * cStride, cStride, -Infinity, Infinity,
      );
      i += count;
    }
  }
}

/** y [n] = the activation of x; y may be x. */
export function activate(kind: u32, n: u32, x: usize, y: usize): void {
  if (kind == TANH) f32_tanh(n, x, y);
  else if (kind == SIGMOID) f32_sigmoid(n, x, y);
  else if (kind == RELU) f32_relu(n, x, y);
  else if (x != y) memory.copy(y, x, <usize>n << 2);
}

/** y [n] = a * b; y may be either. */
export function times(n: u32, a: usize, b: usize, y: usize): void {
  if (SIMD) timesLanes<v128>(n, a, b, y);
  else timesLanes<f32>(n, a, b, y);
}

function timesLanes<V>(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += sizeof<V>(), b += sizeof<V>(), y += sizeof<V>()) {
    put<V>(y, mul<V>(load<V>(a), load<V>(b)), end - y);
  }
}

/** y [n] += a * b. */
export function addTimes(n: u32, a: usize, b: usize, y: usize): void {
  if (SIMD) addTimesLanes<v128>(n, a, b, y);
  else addTimesLanes<f32>(n, a, b, y);
}

function addTimesLanes<V>(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += sizeof<V>(), b += sizeof<V>(), y += sizeof<V>()) {
    put<V>(y, add<V>(load<V>(y), mul<V>(load<V>(a), load<V>(b))), end - y);
  }
}

/** Whether a mask (0 for none) passes over a step. */
// @ts-ignore: decorator
@inline
export function skipped(mask: usize, at: usize): bool {
  return mask != 0 && !i32.load8_u(mask + at);
}
