// Largest, smallest and product of x [outer, reduce, inner] to y [outer, inner]. Products: along rows in the order of `fold`,
// else in sequence. For the extrema the order is no matter: NaN if any is, +0 above -0.

import { above, load, max, min, mul, neg, SIMD, splatInt, where, whereInt } from "./lanes";
import { put } from "./map";
import { reduceAxis } from "./reduce";

/** y [outer, inner] = the largest of x [outer, reduce, inner], NaN if any is; -Infinity of none. */
export function f32_max(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  reduceAxis<Largest>(outer, reduce, inner, x, y);
}

/** y [outer, inner] = the smallest of x [outer, reduce, inner], NaN if any is; Infinity of none. */
export function f32_min(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  reduceAxis<Smallest>(outer, reduce, inner, x, y);
}

/** y [outer, inner] = the product of x [outer, reduce, inner]; 1 of none. */
export function f32_prod(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  reduceAxis<Product>(outer, reduce, inner, x, y);
}

/** y [outer, inner] (i32) = index of the first minimum of x [outer, reduce, inner]; NaN counts as minimum. reduce > 0. */
export function f32_argmin(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  assert(reduce > 0);
  for (; outer > 0; outer--, x += <usize>(reduce * inner) << 2, y += <usize>inner << 2) {
    if (SIMD && inner > 1) argmin<v128, v128>(reduce, inner, x, y);
    else argmin<f32, i32>(reduce, inner, x, y);
  }
}

function argmin<V, I>(reduce: u32, inner: u32, x: usize, y: usize): void {
  const row = <usize>inner << 2, w = sizeof<V>();
  for (const end = y + row; y < end; x += w, y += w) {
    let best = neg<V>(load<V>(x)), index = splatInt<I>(0), p = x + row;
    for (let i: u32 = 1; i < reduce; i++, p += row) {
      const value = neg<V>(load<V>(p)), better = above<V, I>(value, best);
      best = where<V, I>(better, value, best);
      index = whereInt<I>(better, splatInt<I>(i), index);
    }
    put<I>(y, index, end - y);
  }
}

@unmanaged @final class Largest {
  // @ts-ignore: decorator
  @inline start(): f32 { return -Infinity; }
  // @ts-ignore: decorator
  @inline step<V>(best: V, x: usize, z: usize, a: V): V { return max<V>(best, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return max<V>(a, b); }
}

@unmanaged @final class Smallest {
  // @ts-ignore: decorator
  @inline start(): f32 { return Infinity; }
  // @ts-ignore: decorator
  @inline step<V>(best: V, x: usize, z: usize, a: V): V { return min<V>(best, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return min<V>(a, b); }
}

@unmanaged @final class Product {
  // @ts-ignore: decorator
  @inline start(): f32 { return 1; }
  // @ts-ignore: decorator
  @inline step<V>(product: V, x: usize, z: usize, a: V): V { return mul<V>(product, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return mul<V>(a, b); }
}
