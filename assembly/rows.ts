// Sums of int8 rows times an int8 vector. Rows are as a file has them, each filled up with zeros to a multiple of 16 bytes, so that what
// lies behind the vector counts nothing. For one vector at a time, as recurrent layers have it: qgemm.ts is for many.

import { SIMD } from "./lanes";

/** Bytes from one row of n to the next. */
// @ts-ignore: decorator
@inline
export function paddedRow(n: u32): usize {
  return (<usize>n + 15) & ~15;
}

/** The sum over n of row times x, 32 bits that wrap. */
export function rowDot(n: u32, row: usize, x: usize): i32 {
  if (SIMD) {
    let sums = i32x4.splat(0);
    for (const end = row + n; row < end; row += 16, x += 16) sums = dot16(v128.load(row), v128.load(x), sums);
    const pairs = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
    return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
  }
  let sum: i32 = 0;
  for (const end = row + n; row < end; row++, x++) sum += <i32>load<i8>(row) * <i32>load<i8>(x);
  return sum;
}

/** The sums of four rows, `stride` bytes apart. Only with SIMD. */
export function rowDots(n: u32, row: usize, stride: usize, x: usize): v128 {
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (const end = row + n; row < end; row += 16, x += 16) {
    const v = v128.load(x);
    s0 = dot16(v128.load(row), v, s0);
    s1 = dot16(v128.load(row + stride), v, s1);
    s2 = dot16(v128.load(row + 2 * stride), v, s2);
    s3 = dot16(v128.load(row + 3 * stride), v, s3);
  }
  const a = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 1, 4, 5), v128.shuffle<i32>(s0, s1, 2, 3, 6, 7));
  const b = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 1, 4, 5), v128.shuffle<i32>(s2, s3, 2, 3, 6, 7));
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

// @ts-ignore: decorator
@inline
function dot16(a: v128, b: v128, sums: v128): v128 {
  const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_s(b));
  const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_s(b));
  return i32x4.add(sums, i32x4.add(low, high));
}

/** y [rows] (i32) = bias (i32; 0 for none) + factor times the sum of each row of w [rows, n] (i8, padded rows). */
export function i8_row_sums(rows: u32, n: u32, factor: i32, w: usize, bias: usize, y: usize): void {
  for (const end = w + paddedRow(n) * rows; w < end; w += paddedRow(n), y += 4) {
    let sum: i32 = 0;
    for (let j: u32 = 0; j < n; j++) sum += load<i8>(w + j);
    store<i32>(y, factor * sum + (bias ? load<i32>(bias) : 0));
    if (bias) bias += 4;
  }
}
