// Elementwise kernels of two arrays with NumPy broadcasting: four loops, each operand with its own step along them (0 repeats it).

import { add, div, load, loadSplat, mul, SIMD, splat, store, storePart, sub } from "./lanes";

/** y [d0, d1, d2, d3] = F(a, b); aN and bN are steps in elements, and a3, b3 are 0 or 1. y may be a or b where they are not repeated. */
// @ts-ignore: decorator
@inline
function broadcast<F>(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  for (let i: u32 = 0; i < d0; ++i) {
    for (let j: u32 = 0; j < d1; ++j) {
      for (let k: u32 = 0; k < d2; ++k) {
        const p = a + (<usize>(i * a0 + j * a1 + k * a2) << 2), q = b + (<usize>(i * b0 + j * b1 + k * b2) << 2);
        if (SIMD) row<F, v128>(d3, p, a3, q, b3, y);
        else row<F, f32>(d3, p, a3, q, b3, y);
        y += <usize>d3 << 2;
      }
    }
  }
}

function row<F, V>(n: u32, a: usize, stepA: u32, b: usize, stepB: u32, y: usize): void {
  const w = sizeof<V>(), end = y + (<usize>n << 2);
  if (stepA & stepB) {
    for (; y + w <= end; a += w, b += w, y += w) store<V>(y, changetype<F>(0).at<V>(load<V>(a), load<V>(b)));
    if (isVector<V>() && y < end) storePart<V>(y, changetype<F>(0).at<V>(load<V>(a), load<V>(b)), <u32>(end - y) >> 2);
  } else if (stepA) {
    const s = loadSplat<V>(b);
    for (; y + w <= end; a += w, y += w) store<V>(y, changetype<F>(0).at<V>(load<V>(a), s));
    if (isVector<V>() && y < end) storePart<V>(y, changetype<F>(0).at<V>(load<V>(a), s), <u32>(end - y) >> 2);
  } else {
    const s = loadSplat<V>(a), step: usize = stepB ? w : 0;
    for (; y + w <= end; b += step, y += w) store<V>(y, changetype<F>(0).at<V>(s, stepB ? load<V>(b) : loadSplat<V>(b)));
    if (isVector<V>() && y < end) {
      storePart<V>(y, changetype<F>(0).at<V>(s, stepB ? load<V>(b) : loadSplat<V>(b)), <u32>(end - y) >> 2);
    }
  }
}

@unmanaged @final class Add {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V): V { return add<V>(a, b); }
}
@unmanaged @final class Sub {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V): V { return sub<V>(a, b); }
}
@unmanaged @final class Mul {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V): V { return mul<V>(a, b); }
}
@unmanaged @final class Div {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V): V { return div<V>(a, b); }
}

export function f32_add(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Add>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

export function f32_sub(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Sub>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

export function f32_mul(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Mul>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

export function f32_div(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Div>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y [n] (f32) = a [n] == b [n] ? 1 : 0, for integers. */
export function i32_equal(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = a + (<usize>n << 2); a < end; a += 4, b += 4, y += 4) f32.store(y, i32.load(a) == i32.load(b) ? 1 : 0);
}
