// The dot product of bytes of relaxed SIMD: four products of a signed byte and one of seven bits, and their sum added to 32 bits. What it
// makes of all eight bits is up to the machine; where that is exact, signed or unsigned, it computes what pairs of int16 do, in a
// quarter of the instructions. Only the family int8dot has it, which is taken where `i8_dot_is_exact` says so.

/** c + the products of w (signed) and x, four bytes to a lane. */
// @ts-ignore: decorator
@inline
export function dot(w: v128, x: v128, c: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c);
}

/** What the bytes of x are taken to be more than they are, once `flipped`: 128 where the machine takes them for unsigned, else 0. */
export function shift(): i32 {
  return i32x4.extract_lane(dot(i8x16.splat(1), i8x16.splat(-128), i32x4.splat(0)), 0) < 0 ? 0 : 128;
}

/** What int8 are to be combined with by xor so that they are what the machine takes, all of them more by `shift`. */
// @ts-ignore: decorator
@inline
export function flipOf(shift: i32): v128 {
  return i8x16.splat(<i8>shift);
}

/** Whether all bits of both operands are exact: 1, or 0 where sums of two products saturate or wrap in 16 bits. */
export function i8_dot_is_exact(): i32 {
  const more = shift() * 2, one = i32x4.splat(1);
  const low = i8x16.splat(-128), high = i8x16.splat(127);
  // -128 and 127 times the extremes: as they are where both are signed, else x is 0 to 255.
  const last = more ? 255 : -128;
  const same = i32x4.eq(dot(low, more ? i8x16.splat(-1) : low, one), i32x4.splat(4 * -128 * last + 1));
  const other = i32x4.eq(dot(high, more ? i8x16.splat(-1) : low, one), i32x4.splat(4 * 127 * last + 1));
  const small = i32x4.eq(dot(low, high, one), i32x4.splat(4 * -128 * 127 + 1));
  return i32x4.all_true(v128.and(v128.and(same, other), small)) ? 1 : 0;
}
