// Sigmoid and tanh of fixed-point numbers of 16 bits, as gemmlowp computes them: e^x below 0 by a polynomial on a quarter and constants
// for the rest, then a quotient by Newton's iteration. Generic over H = v128 (eight i16) or i32 (one, its sign extended). Qm.f has m
// bits above the point and f = 15 - m behind it.

// @ts-ignore: decorator
@inline
export function load16<H>(p: usize): H {
  if (isVector<H>()) return v128.load(p);
  return load<i16>(p);
}

// @ts-ignore: decorator
@inline
export function store16<H>(p: usize, x: H): void {
  if (isVector<H>()) v128.store(p, x);
  else store<i16>(p, <i16>x);
}

// @ts-ignore: decorator
@inline
export function splat16<H>(x: i32): H {
  if (isVector<H>()) return i16x8.splat(<i16>x);
  return x;
}

/** Sums that do not fit wrap. */
// @ts-ignore: decorator
@inline
export function add16<H>(a: H, b: H): H {
  if (isVector<H>()) return i16x8.add(a, b);
  return <i32><i16>(a + b);
}

// @ts-ignore: decorator
@inline
export function sub16<H>(a: H, b: H): H {
  if (isVector<H>()) return i16x8.sub(a, b);
  return <i32><i16>(a - b);
}

// @ts-ignore: decorator
@inline
function and16<H>(a: H, b: H): H {
  if (isVector<H>()) return v128.and(a, b);
  return a & b;
}

/** x 2^by of what fits. */
// @ts-ignore: decorator
@inline
function shift16<H>(x: H, by: i32): H {
  if (isVector<H>()) return i16x8.shl(x, by);
  return x << by;
}

/** (a + b) / 2 of numbers that are not negative, ties up. */
// @ts-ignore: decorator
@inline
function halfSum<H>(a: H, b: H): H {
  if (isVector<H>()) return i16x8.avgr_u(a, b);
  return (a + b + 1) >> 1;
}

// @ts-ignore: decorator
@inline
function clampedAdd<H>(a: H, b: H): H {
  if (isVector<H>()) return i16x8.add_sat_s(a, b);
  return min<i32>(max<i32>(a + b, -32768), 32767);
}

/** a b / 2^15 to the nearest integer, ties up; -1 times -1 is the largest number there is. */
// @ts-ignore: decorator
@inline
function times<H>(a: H, b: H): H {
  if (isVector<H>()) return i16x8.q15mulr_sat_s(a, b);
  return min<i32>((a * b + 0x4000) >> 15, 32767);
}

/** x 2^by, clamped; by is 1 or 2. */
// @ts-ignore: decorator
@inline
function clampedShift<H>(x: H, by: i32): H {
  const once = clampedAdd<H>(x, x);
  return by == 1 ? once : clampedAdd<H>(once, once);
}

/** x / 2^by to the nearest integer, ties away from zero. */
// @ts-ignore: decorator
@inline
function roundedShift<H>(x: H, by: i32): H {
  const mask = (1 << by) - 1;
  if (isVector<H>()) {
    const m = i16x8.splat(<i16>mask), middle = i16x8.add(i16x8.splat(<i16>(mask >> 1)), i16x8.shr_u(x, 15));
    return i16x8.sub(i16x8.shr_s(x, by), i16x8.gt_s(v128.and(x, m), middle));
  }
  return (x >> by) + i32((x & mask) > (mask >> 1) + i32(x < 0));
}

/** a where x < limit, else b. */
// @ts-ignore: decorator
@inline
function whereBelow<H>(x: H, limit: i32, a: H, b: H): H {
  if (isVector<H>()) return v128.bitselect(a, b, i16x8.lt_s(x, i16x8.splat(<i16>limit)));
  return x < limit ? a : b;
}

/** a where x = 0, else b. */
// @ts-ignore: decorator
@inline
function whereZero<H>(x: H, a: H, b: H): H {
  if (isVector<H>()) return v128.bitselect(a, b, i16x8.eq(x, i16x8.splat(0)));
  return x == 0 ? a : b;
}

/** a where x and bit have it, else b. */
// @ts-ignore: decorator
@inline
function whereBit<H>(x: H, bit: i32, a: H, b: H): H {
  if (isVector<H>()) return v128.bitselect(b, a, i16x8.eq(v128.and(x, i16x8.splat(<i16>bit)), i16x8.splat(0)));
  return x & bit ? a : b;
}

/** e^x in Q0.15 of x in Q0.15, in [-1/4, 0): Taylor's polynomial around -1/8. */
// @ts-ignore: decorator
@inline
function expQuarter<H>(x: H): H {
  const first = splat16<H>(28918), third = splat16<H>(10923); // e^(-1/8) and 1/3
  const d = add16<H>(x, splat16<H>(1 << 12)), d2 = times<H>(d, d), d3 = times<H>(d2, d), d4 = times<H>(d2, d2);
  const rest = add16<H>(times<H>(add16<H>(roundedShift<H>(d4, 2), d3), third), d2);
  return clampedAdd<H>(first, times<H>(first, add16<H>(d, roundedShift<H>(rest, 1))));
}

/** e^x in Q0.15 of x <= 0 with `bits` bits above the point, at most 7. */
// @ts-ignore: decorator
@inline
function expBelowZero<H>(x: H, bits: i32): H {
  const one = 15 - bits; // the bit that is 1
  const quarter = splat16<H>(1 << (one - 2));
  const part = sub16<H>(and16<H>(x, splat16<H>((1 << (one - 2)) - 1)), quarter);
  let y = expQuarter<H>(shift16<H>(part, bits));
  const rest = sub16<H>(part, x);
  // e to the power of -1/4, -1/2, -1, -2, -4, -8, -16
  if (bits > -2) y = whereBit<H>(rest, 1 << (one - 2), times<H>(y, splat16<H>(25520)), y);
  if (bits > -1) y = whereBit<H>(rest, 1 << (one - 1), times<H>(y, splat16<H>(19875)), y);
  if (bits > 0) y = whereBit<H>(rest, 1 << one, times<H>(y, splat16<H>(12055)), y);
  if (bits > 1) y = whereBit<H>(rest, 1 << (one + 1), times<H>(y, splat16<H>(4435)), y);
  if (bits > 2) y = whereBit<H>(rest, 1 << (one + 2), times<H>(y, splat16<H>(600)), y);
  if (bits > 3) y = whereBit<H>(rest, 1 << (one + 3), times<H>(y, splat16<H>(11)), y);
  if (bits > 4) y = whereBit<H>(rest, 1 << (one + 4), times<H>(y, splat16<H>(0)), y);
  if (bits > 5) y = whereBelow<H>(x, -(1 << (one + 5)), splat16<H>(0), y);
  return whereZero<H>(x, splat16<H>(32767), y);
}

/** 2 / (1 + x) in Q2.13 of x in Q0.15, in [0, 1): three steps of Newton's iteration. */
// @ts-ignore: decorator
@inline
function twiceInverse<H>(x: H): H {
  const one = splat16<H>(1 << 13), half = halfSum<H>(x, splat16<H>(32767));
  let y = add16<H>(splat16<H>(23130), times<H>(half, splat16<H>(-15420))); // 48/17 - 32/17 half
  y = add16<H>(y, clampedShift<H>(times<H>(y, sub16<H>(one, times<H>(half, y))), 2));
  y = add16<H>(y, clampedShift<H>(times<H>(y, sub16<H>(one, times<H>(half, y))), 2));
  return add16<H>(y, clampedShift<H>(times<H>(y, sub16<H>(one, times<H>(half, y))), 2));
}

/** 1 / (1 + e^-x) in Q0.15 of x in Q3.12. */
// @ts-ignore: decorator
@inline
export function sigmoid16<H>(x: H): H {
  const below = whereBelow<H>(x, 1, x, sub16<H>(splat16<H>(0), x)); // -|x|
  const y = clampedShift<H>(twiceInverse<H>(expBelowZero<H>(below, 3)), 1);
  return whereZero<H>(x, splat16<H>(1 << 14), whereBelow<H>(x, 0, sub16<H>(splat16<H>(32767), y), y));
}

/** tanh x in Q0.15 of x with `bits` bits above the point, at most 6. */
// @ts-ignore: decorator
@inline
export function tanh16<H>(x: H, bits: i32): H {
  const zero = splat16<H>(0), below = whereBelow<H>(x, 0, x, sub16<H>(zero, x)); // -|x|
  const y = clampedShift<H>(sub16<H>(twiceInverse<H>(expBelowZero<H>(below, bits + 1)), splat16<H>(1 << 13)), 2);
  return whereZero<H>(x, zero, whereBelow<H>(x, 0, sub16<H>(zero, y), y));
}
