// Products of two int8 arrays that both change from run to run, and images of another size.

import { SIMD } from "./lanes";

/** y [batch, m, n] (i32) = (a [batch, m, k] (i8) - aZero) (b [batch, n, k] (i8) - bZero)'. */
export function i8_matmul(
  batch: u32, m: u32, n: u32, k: u32, aZero: i32, bZero: i32, a: usize, b: usize, y: usize,
): void {
  for (; batch > 0; batch--, a += <usize>m * k, b += <usize>n * k) {
    for (let i: u32 = 0; i < m; i++) {
      const row = a + <usize>i * k;
      for (let j: u32 = 0, column = b; j < n; j++, column += k, y += 4) {
        let sum: i32 = 0, t: u32 = 0;
        if (SIMD) {
          const az = i16x8.splat(<i16>aZero), bz = i16x8.splat(<i16>bZero);
          let sums = i32x4.splat(0);
          for (; t + 8 <= k; t += 8) {
            const p = i16x8.sub(v128.load8x8_s(row + t), az), q = i16x8.sub(v128.load8x8_s(column + t), bz);
            sums = i32x4.add(sums, i32x4.dot_i16x8_s(p, q));
          }
          sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) +
            i32x4.extract_lane(sums, 3);
        }
        for (; t < k; t++) sum += (<i32>load<i8>(row + t) - aZero) * (<i32>load<i8>(column + t) - bZero);
        store<i32>(y, sum);
      }
    }
  }
}

/**
 * y [batch, oh, ow, c] = x [batch, h, w, c] (both i8) between pixels: rows [2, oh] and columns [2, ow] (i32) say which two, rowParts [oh]
 * and columnParts [ow] (i32) how much of the second, of 2^11; a place that there is not is the last. All products are exact; the
 * sum is rounded once, ties up.
 */
export function i8_interpolate_2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, rows: usize, rowParts: usize,
  columns: usize, columnParts: usize, x: usize, y: usize,
): void {
  const line = <usize>w * c, after = <usize>ow << 2;
  for (; batch > 0; batch--, x += line * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const at = rows + (<usize>i << 2), s = load<i32>(rowParts + (<usize>i << 2));
      const above = x + line * min(load<u32>(at), h - 1);
      const below = x + line * min(load<u32>(at + (<usize>oh << 2)), h - 1);
      for (let j: u32 = 0, column = columns; j < ow; j++, column += 4) {
        const t = load<i32>(columnParts + (<usize>j << 2));
        const left = <usize>min(load<u32>(column), w - 1) * c, right = <usize>min(load<u32>(column + after), w - 1) * c;
        let k: u32 = 0;
        if (SIMD) {
          for (; k + 8 <= c; k += 8, y += 8) {
            const a = v128.load8x8_s(above + left + k), b = v128.load8x8_s(above + right + k);
            const d = v128.load8x8_s(below + left + k), e = v128.load8x8_s(below + right + k);
            const u = i16x8.sub(b, a), v = i16x8.sub(e, d);
            const first = between4(
              i32x4.extend_low_i16x8_s(a), i32x4.extend_low_i16x8_s(u), i32x4.extend_low_i16x8_s(d),
              i32x4.extend_low_i16x8_s(v), s, t,
            );
            const second = between4(
              i32x4.extend_high_i16x8_s(a), i32x4.extend_high_i16x8_s(u), i32x4.extend_high_i16x8_s(d),
              i32x4.extend_high_i16x8_s(v), s, t,
            );
            const words = i16x8.narrow_i32x4_s(first, second);
            v128.store64_lane(y, i8x16.narrow_i16x8_s(words, words), 0);
          }
        }
        for (; k < c; k++, y++) {
          const a = <i32>load<i8>(above + left + k), b = <i32>load<i8>(above + right + k);
          const d = <i32>load<i8>(below + left + k), e = <i32>load<i8>(below + right + k);
          const upper = (a << 11) + (b - a) * t, lower = (d << 11) + (e - d) * t;
          store<i8>(y, <i8>(((upper << 11) + (lower - upper) * s + (1 << 21)) >> 22));
        }
      }
    }
  }
}

/** Four pixels between a and a + u above, and d and d + v below. */
// @ts-ignore: decorator
@inline
function between4(a: v128, u: v128, d: v128, v: v128, s: i32, t: i32): v128 {
  const upper = i32x4.add(i32x4.shl(a, 11), i32x4.mul(u, i32x4.splat(t)));
  const lower = i32x4.add(i32x4.shl(d, 11), i32x4.mul(v, i32x4.splat(t)));
  const sum = i32x4.add(i32x4.shl(upper, 11), i32x4.mul(i32x4.sub(lower, upper), i32x4.splat(s)));
  return i32x4.shr_s(i32x4.add(sum, i32x4.splat(1 << 21)), 22);
}
