// Layer normalization of 16-bit gates, as TensorFlow Lite's integer LSTM has it.

import { roundShift, scaled } from "./fixed32";

/**
 * x [n] (i16) = (x - mean) / deviation times weights (i16) plus bias (i32, of 1024 times the product), scaled; clamped. A variance
 * below 1 is `least`. 1024 divided by n stands for its reciprocal, so that a variance is exact where n is a power of two.
 */
export function normalize16(
  n: u32, x: usize, weights: usize, bias: usize, multiplier: i32, shift: i32, least: i32,
): void {
  let sum: i64 = 0, squares: i64 = 0;
  const end = x + (<usize>n << 1);
  for (let at = x; at < end; at += 2) {
    const value = <i32>load<i16>(at);
    sum += value;
    squares += value * value;
  }
  const mean = <i32>(sum * 1024 / <i64>n);
  const variance = <i32>((squares * <i64>((1 << 20) / n) - <i64>mean * <i64>mean) / (1 << 20));
  const inverse = inverseSqrt(variance < 1 ? least : variance);
  const factor = <i32>(inverse >> 32), right = <i32>inverse;
  for (; x < end; x += 2, weights += 2, bias += 4) {
    const normal = scaled(1024 * <i32>load<i16>(x) - mean, factor, -right);
    const product = normal * <i32>load<i16>(weights) + load<i32>(bias);
    const tenth = <i32>((<i64>product + (product > 0 ? 512 : -512)) / 1024);
    store<i16>(x, <i16>min<i32>(max<i32>(scaled(tenth, multiplier, shift + 12), -32768), 32767));
  }
}

/**
 * 1 / sqrt(x) as a multiplier of 31 bits (in the upper half) and how far its product is shifted right (in the lower). x >= 0; 0 counts
 * as 1.
 */
function inverseSqrt(x: i32): i64 {
  if (x <= 1) return (<i64>0x7fffffff << 32);
  let right = 11;
  for (; x >= 1 << 29; x /= 4) right++;
  const pairs = ((clz<i32>(x) - 1) >> 1) - 1;
  right -= pairs;
  x <<= 2 * pairs;
  // Newton's iteration for 1 / sqrt in Q3.28, five steps from 1.
  const half = roundShift(x >> 1, 1), threeHalves = (1 << 28) + (1 << 27);
  let y: i32 = 1 << 28;
  for (let i = 0; i < 5; i++) {
    const cube = clampedShift(high(high(y, y), y), 6);
    y = clampedShift(high(threeHalves, y) - high(half, cube), 3);
  }
  y = high(y, 1518500250); // sqrt(2) / 2
  if (right < 0) {
    y <<= -right;
    right = 0;
  }
  return (<i64>y << 32) | <i64>right;
}

/** a b / 2^31 to the nearest integer, ties up. */
// @ts-ignore: decorator
@inline
function high(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b + (1 << 30)) >> 31);
}

/** x 2^by, clamped. */
// @ts-ignore: decorator
@inline
function clampedShift(x: i32, by: i32): i32 {
  return <i32>min<i64>(max<i64>(<i64>x << by, -0x80000000), 0x7fffffff);
}
