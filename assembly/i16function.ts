// Functions of int16 by tables and the line between their entries, as TensorFlow Lite's reference kernels have them.

import { scaled } from "./fixedpoint";

/**
 * y [n] (i16, 15 bits after the point) = sigmoid of x (i16) times m / 2^shift / (3 4096): table[i] (u16 [256]) is the function of i / 24
 * in 16 bits after the point.
 */
export function i16_sigmoid(n: u32, x: usize, table: usize, y: usize, m: i32, shift: i32): void {
  const half: i32 = shift ? 1 << (shift - 1) : 0;
  for (; n; n--, x += 2, y += 2) {
    const at = (<i32>load<i16>(x) * m + half) >> shift, size: u32 = abs<i32>(at);
    let value = between(table, size, 9, 0x7fff << 10);
    if (at < 0) value = <u32>(1 << 25) - value - 1;
    store<i16>(y, <i16>((value + 512) >> 10));
  }
}

/** The same for tanh, by the same table: tanh(v) = 2 sigmoid(2 v) - 1. */
export function i16_tanh(n: u32, x: usize, table: usize, y: usize, m: i32, shift: i32): void {
  const half: i32 = shift ? 1 << (shift - 1) : 0;
  for (; n; n--, x += 2, y += 2) {
    const at = (<i32>load<i16>(x) * m + half) >> shift, size: u32 = abs<i32>(at);
    const value = <i32>between(table, size, 8, 0xffff << 8);
    store<i16>(y, <i16>((at >= 0 ? value - (1 << 23) + 128 : -value + (1 << 23) + 127) >> 8));
  }
}

/** What lies `size` / 2^bits entries into the table, with as many bits more; `most` from entry 255 on. */
// @ts-ignore: decorator
@inline
function between(table: usize, size: u32, bits: u32, most: u32): u32 {
  const i = size >> bits;
  if (i >= 255) return most;
  const at = table + (<usize>i << 1), a: u32 = load<u16>(at), b: u32 = load<u16>(at, 2);
  return (a << bits) + (size & ((1 << bits) - 1)) * (b - a);
}

/** What x (i16) finds in 512 entries (i16) and the line between two of them. */
// @ts-ignore: decorator
@inline
function interpolated(x: i32, table: usize): i32 {
  const at = table + (<usize>(256 + (x >> 7)) << 1), a: i32 = load<i16>(at), b: i32 = load<i16>(at, 2);
  return <i16>(a + (((b - a) * (x & 127) + 64) >> 7));
}

/**
 * y [rows, n] (i16, 15 bits after the point) = softmax of x (i16) times 2^left m / 2^(31 + right): `exponentials` (i16 [513]) has those of
 * 65536 steps from -10 to 0, `inverses` 1 / (1 + v) of as many from 0 to 1. Exponentials are added in order in 32 bits.
 */
export function i16_softmax(
  rows: u32, n: u32, x: usize, exponentials: usize, inverses: usize, y: usize, m: i32, left: i32, right: i32,
): void {
  for (; rows && n; rows--, x += <usize>n << 1, y += <usize>n << 1) {
    const end = x + (<usize>n << 1);
    let largest: i32 = -32768, sum: i32 = 0;
    for (let p = x; p < end; p += 2) largest = max<i32>(largest, load<i16>(p));
    for (let p = x, q = y; p < end; p += 2, q += 2) {
      const below = scaled(<i32>load<i16>(p) - largest, m, left, right) + 32767;
      const e = interpolated(min<i32>(max<i32>(below, -32768), 32767), exponentials);
      store<i16>(q, <i16>e);
      sum += e;
    }
    // The sum as 1 + v times a power of two.
    const zeros = clz<i32>(sum), place = <i32>(((<i64>sum << (zeros - 1)) + 8192) >> 14) - 98304;
    const inverse = interpolated(min<i32>(max<i32>(place, -32768), 32767), inverses), shift = 31 - zeros;
    for (let q = y; q < y + (<usize>n << 1); q += 2) {
      const p = <i32>((<i64>load<i16>(q) * <i64>inverse + (<i64>1 << (shift - 1))) >> shift);
      store<i16>(q, <i16>min<i32>(max<i32>(p, 0), 32767));
    }
  }
}
