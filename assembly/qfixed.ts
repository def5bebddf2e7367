// What is done in fixed point with bytes: sums of 32 bits to int8, and rows over the root of the sum of their squares.

import { doubledHigh, scaled, shiftRounded } from "./fixedpoint";

/** y [n] (i8) = x (i32) multiplier 2^(shift - 31), rounded twice, plus zero, within [low, high]. */
export function i32_to_i8_fixed(
  n: u32, x: usize, y: usize, multiplier: i32, shift: i32, zero: i32, low: i32, high: i32,
): void {
  const left = max<i32>(shift, 0), right = max<i32>(-shift, 0);
  for (const end = y + n; y < end; x += 4, y++) {
    store<i8>(y, <i8>min<i32>(max<i32>(scaled(load<i32>(x), multiplier, left, right) + zero, low), high));
  }
}

/**
 * y [rows, n] (i8) = x (i8) - zero over the root of the sum of their squares along a row, as multiples of 1/128; rows of zeros are as if
 * the sum were 1. n is at most 65536.
 */
export function i8_l2_normalize(rows: u32, n: u32, x: usize, y: usize, zero: i32): void {
  for (; rows > 0; rows--, x += n, y += n) {
    let sum: i32 = 0;
    for (let k: u32 = 0; k < n; k++) {
      const v = <i32>load<i8>(x + k) - zero;
      sum += v * v;
    }
    let shift: i32 = 0;
    let multiplier = i32.MAX_VALUE;
    if (sum > 1) {
      // The sum as a fixed-point number in [1/4, 1) of three integer bits, and how far it was moved.
      shift = 11;
      while (sum >= 1 << 29) {
        sum >>= 2;
        shift++;
      }
      const doubled = ((clz(sum) - 1) >> 1) - 1;
      shift -= doubled;
      multiplier = inverseRoot((sum << (2 * doubled)) >> 1);
      if (shift < 0) {
        multiplier <<= -shift;
        shift = 0;
      }
    }
    const left = max<i32>(7 - shift, 0), right = max<i32>(shift - 7, 0);
    for (let k: u32 = 0; k < n; k++) {
      const v = scaled(<i32>load<i8>(x + k) - zero, multiplier, left, right);
      store<i8>(y + k, <i8>min<i32>(max<i32>(v, -128), 127));
    }
  }
}

/** sqrt(1/2) / sqrt(a), of 28 fraction bits as a is: five steps of Newton's x (3 - a x^2) / 2 from 1. */
function inverseRoot(a: i32): i32 {
  const half = shiftRounded(a, 1);
  let x: i32 = 1 << 28;
  for (let i = 0; i < 5; i++) {
    // A product of two numbers of 3 integer bits has 6, of three 9.
    const cube = widened(doubledHigh(doubledHigh(x, x), x), 6);
    x = widened(doubledHigh((1 << 28) + (1 << 27), x) - doubledHigh(half, cube), 3);
  }
  return doubledHigh(x, 1518500250); // sqrt(1/2), a fraction of 2^31
}

/** x 2^by, at the end of the range where it does not fit. */
function widened(x: i32, by: i32): i32 {
  const least = i32.MIN_VALUE >> by, most = i32.MAX_VALUE >> by;
  return x < least ? i32.MIN_VALUE : x > most ? i32.MAX_VALUE : x << by;
}
