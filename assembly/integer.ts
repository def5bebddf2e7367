// Arithmetic on int32 arrays of one shape, and on truth values (one byte each, 0 or 1). Sums and products wrap. What has no quotient, a
// division by 0, gives 0.

import { addInt, load as loadLanes, mulInt, SIMD, subInt } from "./lanes";
import { put } from "./map";

/** y [n] (i32) = a + b. */
export function i32_add(n: u32, a: usize, b: usize, y: usize): void {
  pairs<Add>(n, a, b, y);
}

/** y [n] (i32) = a - b. */
export function i32_sub(n: u32, a: usize, b: usize, y: usize): void {
  pairs<Sub>(n, a, b, y);
}

/** y [n] (i32) = a b. */
export function i32_mul(n: u32, a: usize, b: usize, y: usize): void {
  pairs<Mul>(n, a, b, y);
}

/** y [n] (i32) = the larger of a and b. */
export function i32_maximum(n: u32, a: usize, b: usize, y: usize): void {
  pairs<Maximum>(n, a, b, y);
}

/** y [n] (i32) = the smaller of a and b. */
export function i32_minimum(n: u32, a: usize, b: usize, y: usize): void {
  pairs<Minimum>(n, a, b, y);
}

/** y [n] (i32) = a / b, towards zero. */
export function i32_div(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += 4, b += 4, y += 4) {
    store<i32>(y, quotient(load<i32>(a), load<i32>(b)));
  }
}

/** y [n] (i32) = a / b, rounded down. */
export function i32_floor_div(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += 4, b += 4, y += 4) {
    const p = load<i32>(a), q = load<i32>(b), whole = quotient(p, q);
    store<i32>(y, whole - i32(q != 0 && whole * q != p && (p ^ q) < 0));
  }
}

/** y [n] (i32) = a - b floor(a / b): what is left has the sign of b. */
export function i32_floor_mod(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += 4, b += 4, y += 4) {
    const p = load<i32>(a), q = load<i32>(b), rest = q == 0 ? 0 : p - quotient(p, q) * q;
    store<i32>(y, rest + (rest != 0 && (rest ^ q) < 0 ? q : 0));
  }
}

/** y [n] (u8) = a < b (i32). */
export function i32_less(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; a += 4, b += 4, ++y) store<u8>(y, u8(load<i32>(a) < load<i32>(b)));
}

/** y [n] (u8) = a and b. */
export function u8_and(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; ++a, ++b, ++y) store<u8>(y, u8((load<u8>(a) != 0) & (load<u8>(b) != 0)));
}

/** y [n] = c ? a : b for elements of four bytes, c a boolean of one byte. */
export function x32_select(n: u32, c: usize, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; ++c, a += 4, b += 4, y += 4) {
    store<u32>(y, load<u8>(c) ? load<u32>(a) : load<u32>(b));
  }
}

/** y [n] = c ? a : b for elements of one byte. */
export function x8_select(n: u32, c: usize, a: usize, b: usize, y: usize): void {
  for (const end = y + n; y < end; ++c, ++a, ++b, ++y) store<u8>(y, load<u8>(c) ? load<u8>(a) : load<u8>(b));
}

/** a / b towards zero; 0 for a division by 0, and -2^31 / -1 wraps, where the instruction would trap. */
// @ts-ignore: decorator
@inline
function quotient(a: i32, b: i32): i32 {
  if (b == 0) return 0;
  return b == -1 ? 0 - a : a / b;
}

function pairs<F>(n: u32, a: usize, b: usize, y: usize): void {
  if (SIMD) lanes<F, v128>(n, a, b, y);
  else lanes<F, i32>(n, a, b, y);
}

function lanes<F, I>(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += sizeof<I>(), b += sizeof<I>(), y += sizeof<I>()) {
    put<I>(y, changetype<F>(0).at<I>(loadLanes<I>(a), loadLanes<I>(b)), end - y);
  }
}

@unmanaged @final class Add {
  // @ts-ignore: decorator
  @inline at<I>(a: I, b: I): I { return addInt<I>(a, b); }
}

@unmanaged @final class Sub {
  // @ts-ignore: decorator
  @inline at<I>(a: I, b: I): I { return subInt<I>(a, b); }
}

@unmanaged @final class Mul {
  // @ts-ignore: decorator
  @inline at<I>(a: I, b: I): I { return mulInt<I>(a, b); }
}

@unmanaged @final class Maximum {
  // @ts-ignore: decorator
  @inline at<I>(a: I, b: I): I {
    if (isVector<I>()) return i32x4.max_s(a, b);
    return a > b ? a : b;
  }
}

@unmanaged @final class Minimum {
  // @ts-ignore: decorator
  @inline at<I>(a: I, b: I): I {
    if (isVector<I>()) return i32x4.min_s(a, b);
    return a < b ? a : b;
  }
}
