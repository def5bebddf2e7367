// Reductions of x [outer, reduce, inner] over its middle axis. Where inner > 1, lanes run across it and each sum is sequential; where
// inner == 1, element i of a row goes to partial sum i mod 16, and the 16 are combined in one order (see sumRow).

import { add, load, loadPart, SIMD, splat, store, storePart } from "./lanes";

/**
 * Sum of n contiguous floats: 16 interleaved partial sums from +0, then vectors ((0+1)+(2+3)), then lanes ((0+2)+(1+3)).
 * The scalar build does the same, one of the 16 after the other.
 */
export function sumRow(n: u32, x: usize): f32 {
  if (SIMD) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (; n >= 16; n -= 16, x += 64) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
    }
    const zero = f32x4.splat(0); // partial sums are never -0, so adding +0 changes none
    if (n >= 4) s0 = f32x4.add(s0, v128.load(x));
    if (n >= 8) s1 = f32x4.add(s1, v128.load(x, 16));
    if (n >= 12) s2 = f32x4.add(s2, v128.load(x, 32));
    const rest = n & 3;
    if (rest) {
      const part = loadPart<v128>(x + (<usize>(n - rest) << 2), rest, zero);
      if (n < 4) s0 = f32x4.add(s0, part);
      else if (n < 8) s1 = f32x4.add(s1, part);
      else if (n < 12) s2 = f32x4.add(s2, part);
      else s3 = f32x4.add(s3, part);
    }
    const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    return (f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 2)) + (f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 3));
  }
  return (lane(n, x, 0) + lane(n, x, 2)) + (lane(n, x, 1) + lane(n, x, 3));
}

/** Lane l of the four vectors of partial sums, combined. */
function lane(n: u32, x: usize, l: u32): f32 {
  return (partial(n, x, l) + partial(n, x, l + 4)) + (partial(n, x, l + 8) + partial(n, x, l + 12));
}

function partial(n: u32, x: usize, i: u32): f32 {
  let s: f32 = 0;
  for (; i < n; i += 16) s += f32.load(x + (<usize>i << 2));
  return s;
}

/** y [n] = the sum of `rows` rows of x [rows, n], in order, divided by `divisor`. */
function sumColumns<V>(rows: u32, n: u32, x: usize, y: usize, divisor: f32): void {
  const w = sizeof<V>(), lanes = <u32>w >> 2, stride = <usize>n << 2;
  for (let j: u32 = 0; j < n; ) {
    const p = x + (<usize>j << 2), q = y + (<usize>j << 2);
    if (j + 4 * lanes <= n) {
      let s0 = splat<V>(0), s1 = s0, s2 = s0, s3 = s0;
      for (let i: u32 = 0, r = p; i < rows; ++i, r += stride) {
        s0 = add<V>(s0, load<V>(r));
        s1 = add<V>(s1, load<V>(r + w));
        s2 = add<V>(s2, load<V>(r + 2 * w));
        s3 = add<V>(s3, load<V>(r + 3 * w));
      }
      store<V>(q, divide<V>(s0, divisor));
      store<V>(q + w, divide<V>(s1, divisor));
      store<V>(q + 2 * w, divide<V>(s2, divisor));
      store<V>(q + 3 * w, divide<V>(s3, divisor));
      j += 4 * lanes;
    } else {
      let s = splat<V>(0);
      for (let i: u32 = 0, r = p; i < rows; ++i, r += stride) s = add<V>(s, load<V>(r));
      s = divide<V>(s, divisor);
      if (n - j < lanes) storePart<V>(q, s, n - j);
      else store<V>(q, s);
      j += lanes;
    }
  }
}

// @ts-ignore: decorator
@inline
function divide<V>(x: V, divisor: f32): V {
  if (isVector<V>()) return f32x4.div(x, f32x4.splat(divisor));
  return x / divisor;
}

function reduce(outer: u32, count: u32, inner: u32, x: usize, y: usize, divisor: f32): void {
  for (let i: u32 = 0; i < outer; ++i, x += <usize>(count * inner) << 2, y += <usize>inner << 2) {
    if (inner == 1) f32.store(y, sumRow(count, x) / divisor);
    else if (SIMD) sumColumns<v128>(count, inner, x, y, divisor);
    else sumColumns<f32>(count, inner, x, y, divisor);
  }
}

/** y [outer, inner] = sum of x [outer, count, inner]. */
export function f32_sum(outer: u32, count: u32, inner: u32, x: usize, y: usize): void {
  reduce(outer, count, inner, x, y, 1);
}

/** y [outer, inner] = sum of x [outer, count, inner], divided by count once. */
export function f32_mean(outer: u32, count: u32, inner: u32, x: usize, y: usize): void {
  reduce(outer, count, inner, x, y, <f32>count);
}

/** y [outer, inner] (i32) = index of the largest of x [outer, count, inner]: the first one; a NaN counts as largest, as in NumPy. */
export function f32_argmax(outer: u32, count: u32, inner: u32, x: usize, y: usize): void {
  const stride = <usize>inner << 2;
  for (let i: u32 = 0; i < outer; ++i, x += <usize>count * stride) {
    for (let j: u32 = 0; j < inner; ++j, y += 4) {
      let p = x + (<usize>j << 2), best = f32.load(p), at: u32 = 0;
      for (let k: u32 = 1; k < count && best == best; ++k) {
        p += stride;
        const v = f32.load(p);
        if (!(v <= best)) best = v, at = k;
      }
      i32.store(y, at);
    }
  }
}
