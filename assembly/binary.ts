// Elementwise kernels of two arrays with NumPy broadcasting, collapsed by the caller to four dimensions. An op is a class with
// `at(a, b, _)`, as in map.ts, whose loops run the rows.

import { add, div, max, min, mul, sub } from "./lanes";
import { map, zip } from "./map";
import { pow } from "./pow";

/**
 * y [d0, d1, d2, d3] = a + b. aN and bN are the steps of a and b along each dimension in elements, 0 where it is repeated;
 * y is contiguous. Rows run at full speed where (a3, b3) is (1, 1), (1, 0) or (0, 1).
 */
export function f32_add(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Add>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = a - b, shapes and steps as in f32_add. */
export function f32_sub(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Sub>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = a * b, shapes and steps as in f32_add. */
export function f32_mul(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Mul>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = a / b, shapes and steps as in f32_add. */
export function f32_div(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Div>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = the larger of a and b, NaN where either is, shapes and steps as in f32_add. */
export function f32_maximum(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Maximum>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = the smaller of a and b, NaN where either is, shapes and steps as in f32_add. */
export function f32_minimum(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Minimum>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y = a^b, shapes and steps as in f32_add. */
export function f32_pow(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  broadcast<Pow>(d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
}

/** y [n] (f32) = 1 where the integers a and b are equal, else 0. */
export function i32_equal(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += 4, b += 4, y += 4) {
    f32.store(y, <f32>(load<i32>(a) == load<i32>(b)));
  }
}

@unmanaged @final class Add {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return add<V>(a, b); }
}

@unmanaged @final class Sub {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return sub<V>(a, b); }
}

@unmanaged @final class Mul {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return mul<V>(a, b); }
}

@unmanaged @final class Div {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return div<V>(a, b); }
}

@unmanaged @final class Maximum {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return max<V>(a, b); }
}

@unmanaged @final class Minimum {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return min<V>(a, b); }
}

@unmanaged @final class Pow {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V {
    if (isVector<V>()) return powLanes(a, b);
    return pow(a, b);
  }
}

function powLanes(a: v128, b: v128): v128 {
  let y = f32x4.splat(pow(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)));
  y = f32x4.replace_lane(y, 1, pow(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)));
  y = f32x4.replace_lane(y, 2, pow(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)));
  return f32x4.replace_lane(y, 3, pow(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)));
}

/** F with its operands exchanged. */
@unmanaged @final class Swapped<F> {
  // @ts-ignore: decorator
  @inline at<V>(a: V, b: V, _: V): V { return changetype<F>(0).at<V>(b, a, _); }
}

function broadcast<F>(
  d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
  a: usize, b: usize, y: usize,
): void {
  for (let i: u32 = 0; i < d0; i++) {
    for (let j: u32 = 0; j < d1; j++) {
      for (let k: u32 = 0; k < d2; k++) {
        const p = a + (<usize>(i * a0 + j * a1 + k * a2) << 2), q = b + (<usize>(i * b0 + j * b1 + k * b2) << 2);
        if (a3 == 1 && b3 == 1) zip<F>(d3, p, q, 0, y);
        else if (a3 == 1 && b3 == 0) map<F>(d3, p, load<f32>(q), 0, y);
        else if (a3 == 0 && b3 == 1) map<Swapped<F>>(d3, q, load<f32>(p), 0, y);
        else strided<F>(d3, p, a3, q, b3, y);
        y += <usize>d3 << 2;
      }
    }
  }
}

function strided<F>(n: u32, a: usize, stepA: u32, b: usize, stepB: u32, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += <usize>stepA << 2, b += <usize>stepB << 2, y += 4) {
    store<f32>(y, changetype<F>(0).at<f32>(load<f32>(a), load<f32>(b), 0));
  }
}
