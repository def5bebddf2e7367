// Reductions of x [outer, reduce, inner] to y [outer, inner]. A reduction is a class: `start`, `step` (an element joins an
// accumulator) and `join` (two accumulators become one). `fold` runs it along contiguous memory, `foldColumns` across it.

import {
  above, add, addInt, div, firstLanes, load, ne, SIMD, splat, splatInt, store, sub, where, whereInt,
} from "./lanes";
import { map, put } from "./map";

/** y [outer, inner] = sum of x [outer, reduce, inner]: along rows in the order of `fold`, else in sequence from +0. */
export function f32_sum(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  reduceAxis<Sum>(outer, reduce, inner, x, y);
}

/** y [n] = the sums down n > 1 columns of x, whose rows are `step` elements apart: f32_sum of some of its columns, bit for bit. */
export function f32_sum_columns(rows: u32, n: u32, step: u32, x: usize, y: usize): void {
  if (SIMD) foldColumns<Sum, v128>(rows, n, step, x, y);
  else foldColumns<Sum, f32>(rows, n, step, x, y);
}

/** y [outer, inner] = the sum as f32_sum gives it, divided by `reduce`. */
export function f32_mean(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  reduceAxis<Sum>(outer, reduce, inner, x, y);
  map<Quotient>(outer * inner, y, <f32>reduce, 0, y);
}

/** y [n] = the means of some of the columns of a matrix, as f32_mean gives them, rows `step` elements apart. */
export function columnMeans(rows: u32, n: u32, step: u32, x: usize, y: usize): void {
  if (step == 1) f32_sum(1, rows, 1, x, y);
  else f32_sum_columns(rows, n, step, x, y);
  map<Quotient>(n, y, <f32>rows, 0, y);
}

/** y [outer, inner] (i32) = index of the first maximum of x [outer, reduce, inner]; NaN counts as maximum. reduce > 0. */
export function f32_argmax(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  assert(reduce > 0);
  for (let o: u32 = 0; o < outer; o++) {
    if (SIMD && inner > 1) argmaxColumns<v128, v128>(reduce, inner, x, y);
    else argmaxColumns<f32, i32>(reduce, inner, x, y);
    x += <usize>(reduce * inner) << 2;
    y += <usize>inner << 2;
  }
}

/** How many of x [n] are infinite or NaN. */
export function f32_count_nonfinite(n: u32, x: usize): u32 {
  const end = x + (<usize>n << 2);
  let count: u32 = 0;
  if (SIMD) {
    let negative = i32x4.splat(0);
    for (; x + 16 <= end; x += 16) negative = addInt<v128>(negative, nonfinite<v128, v128>(x));
    count = -(i32x4.extract_lane(negative, 0) + i32x4.extract_lane(negative, 1)
      + i32x4.extract_lane(negative, 2) + i32x4.extract_lane(negative, 3));
  }
  for (; x < end; x += 4) count -= nonfinite<f32, i32>(x);
  return count;
}

/**
 * F over n contiguous elements at x; `z` and `a` are handed to its `step` (a second array, a scalar). Sixteen interleaved
 * accumulators: element i joins number i mod 16. They are combined as vectors of four, (v0 + v1) + (v2 + v3), then as
 * lanes, (l0 + l2) + (l1 + l3). The scalar build runs the same, one lane after the other.
 */
// @ts-ignore: decorator
@inline
export function fold<F>(n: u32, x: usize, z: usize, a: f32): f32 {
  let l0: f32, l1: f32, l2: f32, l3: f32;
  if (SIMD) {
    const v = accumulate<F, v128>(n, x, z, splat<v128>(a), 0);
    l0 = f32x4.extract_lane(v, 0);
    l1 = f32x4.extract_lane(v, 1);
    l2 = f32x4.extract_lane(v, 2);
    l3 = f32x4.extract_lane(v, 3);
  } else {
    l0 = accumulate<F, f32>(n, x, z, a, 0);
    l1 = accumulate<F, f32>(n, x + 4, z + 4, a, 1);
    l2 = accumulate<F, f32>(n, x + 8, z + 8, a, 2);
    l3 = accumulate<F, f32>(n, x + 12, z + 12, a, 3);
  }
  return changetype<F>(0).join<f32>(changetype<F>(0).join<f32>(l0, l2), changetype<F>(0).join<f32>(l1, l3));
}

function accumulate<F, V>(n: u32, x: usize, z: usize, a: V, lane: u32): V {
  let v0 = splat<V>(changetype<F>(0).start()), v1 = v0, v2 = v0, v3 = v0;
  for (; n >= 16; n -= 16, x += 64, z += 64) {
    v0 = changetype<F>(0).step<V>(v0, x, z, a);
    v1 = changetype<F>(0).step<V>(v1, x + 16, z + 16, a);
    v2 = changetype<F>(0).step<V>(v2, x + 32, z + 32, a);
    v3 = changetype<F>(0).step<V>(v3, x + 48, z + 48, a);
  }
  if (n > 0) v0 = firstLanes<V>(n, lane, changetype<F>(0).step<V>(v0, x, z, a), v0);
  if (n > 4) v1 = firstLanes<V>(n - 4, lane, changetype<F>(0).step<V>(v1, x + 16, z + 16, a), v1);
  if (n > 8) v2 = firstLanes<V>(n - 8, lane, changetype<F>(0).step<V>(v2, x + 32, z + 32, a), v2);
  if (n > 12) v3 = firstLanes<V>(n - 12, lane, changetype<F>(0).step<V>(v3, x + 48, z + 48, a), v3);
  return changetype<F>(0).join<V>(changetype<F>(0).join<V>(v0, v1), changetype<F>(0).join<V>(v2, v3));
}

/** y [outer, inner] = F over the middle axis of x [outer, reduce, inner]: along rows by `fold`, else down columns in sequence. */
export function reduceAxis<F>(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  for (let o: u32 = 0; o < outer; o++) {
    if (inner == 1) store<f32>(y, fold<F>(reduce, x, x, 0));
    else if (SIMD) foldColumns<F, v128>(reduce, inner, inner, x, y);
    else foldColumns<F, f32>(reduce, inner, inner, x, y);
    x += <usize>(reduce * inner) << 2;
    y += <usize>inner << 2;
  }
}

/** y [inner] = F down columns of x, rows `step` apart, in sequence; lanes across columns, eight rows at a time. */
function foldColumns<F, V>(reduce: u32, inner: u32, step: u32, x: usize, y: usize): void {
  const width = <usize>inner << 2, row = <usize>step << 2, w = sizeof<V>(), zero = splat<V>(0);
  map<Start<F>>(inner, y, 0, 0, y);
  for (; reduce >= 8; reduce -= 8, x += 8 * row) {
    for (let j: usize = 0; j < width; j += w) {
      let acc = load<V>(y + j), p = x + j;
      acc = changetype<F>(0).step<V>(acc, p, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + row, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + 2 * row, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + 3 * row, p, zero);
      p += 4 * row;
      acc = changetype<F>(0).step<V>(acc, p, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + row, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + 2 * row, p, zero);
      acc = changetype<F>(0).step<V>(acc, p + 3 * row, p, zero);
      put<V>(y + j, acc, width - j);
    }
  }
  for (; reduce > 0; reduce--, x += row) {
    for (let j: usize = 0; j < width; j += w) {
      put<V>(y + j, changetype<F>(0).step<V>(load<V>(y + j), x + j, x, zero), width - j);
    }
  }
}

@unmanaged @final export class Sum {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return add<V>(sum, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}

/** The start of F, as an elementwise op. */
@unmanaged @final class Start<F> {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return splat<V>(changetype<F>(0).start()); }
}

@unmanaged @final class Quotient {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return div<V>(x, a); }
}

function argmaxColumns<V, I>(reduce: u32, inner: u32, x: usize, y: usize): void {
  const row = <usize>inner << 2, end = y + row, w = sizeof<V>();
  for (; y < end; x += w, y += w) {
    let best = load<V>(x), index = splatInt<I>(0), p = x + row;
    for (let i: u32 = 1; i < reduce; i++, p += row) {
      const value = load<V>(p), better = above<V, I>(value, best);
      best = where<V, I>(better, value, best);
      index = whereInt<I>(better, splatInt<I>(i), index);
    }
    put<I>(y, index, end - y);
  }
}

/** -1 where the element at x is infinite or NaN, else 0: those less themselves are NaN. */
// @ts-ignore: decorator
@inline
function nonfinite<V, I>(x: usize): I {
  const difference = sub<V>(load<V>(x), load<V>(x));
  return ne<V, I>(difference, difference);
}
