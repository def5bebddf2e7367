// The vocabulary the kernels are written in, generic over V = v128 (four lanes of f32) or V = f32 (one), and over their bits
// I = v128 (four lanes of i32) or I = i32. The only file that knows whether the build has SIMD. No operation contracts a
// multiplication and an addition, but for mulAdd in the relaxed build. Read map.ts next to see how a driver uses it.

/** True in builds with 128-bit SIMD; a compile-time constant, so `if (SIMD)` costs nothing. */
export const SIMD: bool = ASC_FEATURE_SIMD;

// Memory

// @ts-ignore: decorator
@inline
export function load<V>(p: usize): V {
  if (isVector<V>()) return v128.load(p);
  if (isFloat<V>()) return f32.load(p);
  return i32.load(p);
}

// @ts-ignore: decorator
@inline
export function store<V>(p: usize, x: V): void {
  if (isVector<V>()) v128.store(p, x);
  else if (isFloat<V>()) f32.store(p, x);
  else i32.store(p, x);
}

/** The first `count` lanes (1 to 3) from `p`, `fill` in the others; reads four. */
// @ts-ignore: decorator
@inline
export function loadPart<V>(p: usize, count: u32, fill: V): V {
  if (isVector<V>()) return v128.bitselect(v128.load(p), fill, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
  return fill;
}

/** Stores the first `count` lanes (1 to 3) and touches nothing behind them. Only vectors have parts. */
// @ts-ignore: decorator
@inline
export function storePart<V>(p: usize, x: V, count: u32): void {
  if (isVector<V>()) {
    if (count == 1) v128.store32_lane(p, x, 0);
    else v128.store64_lane(p, x, 0);
    if (count == 3) v128.store32_lane(p, x, 2, 8);
  }
}

// @ts-ignore: decorator
@inline
export function splat<V>(x: f32): V {
  if (isVector<V>()) return f32x4.splat(x);
  return x;
}

/** The f32 at `p` in every lane. */
// @ts-ignore: decorator
@inline
export function loadSplat<V>(p: usize): V {
  if (isVector<V>()) return v128.load32_splat(p);
  return f32.load(p);
}

/**
 * A constant in every lane, for loops that process several vectors at a time. V8 13 (Node 24) rebuilds a `v128.const`
 * with three instructions at every use; behind `memory.size() >>> 17`, which is always 0, it keeps one copy for all
 * vectors of an iteration: exp takes 1.11 ns instead of 2.20, and on V8 11 (Node 20) no more than before.
 */
// @ts-ignore: decorator
@inline
export function constant<V>(x: f32): V {
  if (isVector<V>()) return i32x4.splat(reinterpret<i32>(x) + (memory.size() >>> 17));
  return x;
}

/** `constant` for integers. */
// @ts-ignore: decorator
@inline
export function constantInt<I>(x: i32): I {
  if (isVector<I>()) return i32x4.splat(x + (memory.size() >>> 17));
  return x;
}

// Arithmetic

// @ts-ignore: decorator
@inline
export function add<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.add(a, b);
  return a + b;
}

// @ts-ignore: decorator
@inline
export function sub<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.sub(a, b);
  return a - b;
}

// @ts-ignore: decorator
@inline
export function mul<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.mul(a, b);
  return a * b;
}

// @ts-ignore: decorator
@inline
export function div<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.div(a, b);
  return a / b;
}

/** a * b + c, rounded twice; in the relaxed build once where the machine can. */
// @ts-ignore: decorator
@inline
export function mulAdd<V>(a: V, b: V, c: V): V {
  if (ASC_FEATURE_RELAXED_SIMD && isVector<V>()) return f32x4.relaxed_madd(a, b, c);
  return add<V>(mul<V>(a, b), c);
}

// @ts-ignore: decorator
@inline
export function sqrt<V>(x: V): V {
  if (isVector<V>()) return f32x4.sqrt(x);
  return f32.sqrt(x);
}

// @ts-ignore: decorator
@inline
export function abs<V>(x: V): V {
  if (isVector<V>()) return f32x4.abs(x);
  return f32.abs(x);
}

// @ts-ignore: decorator
@inline
export function neg<V>(x: V): V {
  if (isVector<V>()) return f32x4.neg(x);
  return -x;
}

/** |x| with the sign of `sign`; `minusZero` is -0 in every lane. */
// @ts-ignore: decorator
@inline
export function copySign<V>(x: V, sign: V, minusZero: V): V {
  if (isVector<V>()) return v128.bitselect(sign, x, minusZero);
  return f32.copysign(x, sign);
}

// @ts-ignore: decorator
@inline
export function floor<V>(x: V): V {
  if (isVector<V>()) return f32x4.floor(x);
  return f32.floor(x);
}

/** To the nearest integer, even in ties. */
// @ts-ignore: decorator
@inline
export function nearest<V>(x: V): V {
  if (isVector<V>()) return f32x4.nearest(x);
  return f32.nearest(x);
}

/** max(a, b) as `a < b ? b : a`: a NaN in `a` survives, a NaN in `b` does not. One instruction on x86. */
// @ts-ignore: decorator
@inline
export function pmax<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.pmax(a, b);
  return a < b ? b : a;
}

/** min(a, b) as `b < a ? b : a`: a NaN in `a` survives, a NaN in `b` does not. One instruction on x86. */
// @ts-ignore: decorator
@inline
export function pmin<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.pmin(a, b);
  return b < a ? b : a;
}

/** IEEE 754-2019 maximum: NaN if either is, +0 above -0. Eight instructions on x86. */
// @ts-ignore: decorator
@inline
export function max<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.max(a, b);
  return f32.max(a, b);
}

/** IEEE 754-2019 minimum: NaN if either is, -0 below +0. */
// @ts-ignore: decorator
@inline
export function min<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.min(a, b);
  return f32.min(a, b);
}

// Comparison: all ones where true, zero where false

// @ts-ignore: decorator
@inline
export function lt<V, I>(a: V, b: V): I {
  if (isVector<V>()) return f32x4.lt(a, b);
  return -i32(a < b);
}

// @ts-ignore: decorator
@inline
export function le<V, I>(a: V, b: V): I {
  if (isVector<V>()) return f32x4.le(a, b);
  return -i32(a <= b);
}

// @ts-ignore: decorator
@inline
export function eq<V, I>(a: V, b: V): I {
  if (isVector<V>()) return f32x4.eq(a, b);
  return -i32(a == b);
}

// @ts-ignore: decorator
@inline
export function ne<V, I>(a: V, b: V): I {
  if (isVector<V>()) return f32x4.ne(a, b);
  return -i32(a != b);
}

/** mask ? a : b */
// @ts-ignore: decorator
@inline
export function where<V, I>(mask: I, a: V, b: V): V {
  if (isVector<V>()) return v128.bitselect(a, b, mask);
  return mask ? a : b;
}

/** mask ? a : b, for integers */
// @ts-ignore: decorator
@inline
export function whereInt<I>(mask: I, a: I, b: I): I {
  if (isVector<I>()) return v128.bitselect(a, b, mask);
  return mask ? a : b;
}

/** The first `count` lanes of `a`, the others of `b`; `lane` is the first lane of the four that V stands for. */
// @ts-ignore: decorator
@inline
export function firstLanes<V>(count: u32, lane: u32, a: V, b: V): V {
  if (isVector<V>()) return v128.bitselect(a, b, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
  return lane < count ? a : b;
}

/** x > best, where NaN is above every number and not above itself: NumPy's order of argmax. */
// @ts-ignore: decorator
@inline
export function above<V, I>(x: V, best: V): I {
  if (isVector<V>()) return v128.andnot(f32x4.eq(best, best), f32x4.le(x, best));
  return -i32(!(x <= best) && best == best);
}

// Bits

// @ts-ignore: decorator
@inline
export function bits<V, I>(x: V): I {
  if (isVector<V>()) return x;
  return reinterpret<i32>(x);
}

// @ts-ignore: decorator
@inline
export function fromBits<V, I>(x: I): V {
  if (isVector<V>()) return x;
  return reinterpret<f32>(x);
}

/** The signed integer as a float, exact below 2^24. */
// @ts-ignore: decorator
@inline
export function toFloat<V, I>(x: I): V {
  if (isVector<V>()) return f32x4.convert_i32x4_s(x);
  return <f32>x;
}

// @ts-ignore: decorator
@inline
export function splatInt<I>(x: i32): I {
  if (isVector<I>()) return i32x4.splat(x);
  return x;
}

// @ts-ignore: decorator
@inline
export function addInt<I>(a: I, b: I): I {
  if (isVector<I>()) return i32x4.add(a, b);
  return a + b;
}

// @ts-ignore: decorator
@inline
export function subInt<I>(a: I, b: I): I {
  if (isVector<I>()) return i32x4.sub(a, b);
  return a - b;
}

// @ts-ignore: decorator
@inline
export function mulInt<I>(a: I, b: I): I {
  if (isVector<I>()) return i32x4.mul(a, b);
  return a * b;
}

/** The upper 32 bits of the unsigned product. The scalar form avoids 64-bit integers, which JavaScript builds emulate. */
// @ts-ignore: decorator
@inline
export function mulHigh<I>(a: I, b: I): I {
  if (isVector<I>()) {
    return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
  }
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16), low = al * bh + (middle & 0xffff);
  return ah * bh + (middle >>> 16) + (low >>> 16);
}

// @ts-ignore: decorator
@inline
export function eqInt<I>(a: I, b: I): I {
  if (isVector<I>()) return i32x4.eq(a, b);
  return -i32(a == b);
}

// @ts-ignore: decorator
@inline
export function shiftLeft<I>(x: I, by: i32): I {
  if (isVector<I>()) return i32x4.shl(x, by);
  return x << by;
}

/** Signed: the sign bit fills. */
// @ts-ignore: decorator
@inline
export function shiftRight<I>(x: I, by: i32): I {
  if (isVector<I>()) return i32x4.shr_s(x, by);
  return x >> by;
}

/** Unsigned: zero fills. */
// @ts-ignore: decorator
@inline
export function shiftRightUnsigned<I>(x: I, by: i32): I {
  if (isVector<I>()) return i32x4.shr_u(x, by);
  return x >>> by;
}

// @ts-ignore: decorator
@inline
export function and<I>(a: I, b: I): I {
  if (isVector<I>()) return v128.and(a, b);
  return a & b;
}

/** a & ~b */
// @ts-ignore: decorator
@inline
export function andNot<I>(a: I, b: I): I {
  if (isVector<I>()) return v128.andnot(a, b);
  return a & ~b;
}

// @ts-ignore: decorator
@inline
export function or<I>(a: I, b: I): I {
  if (isVector<I>()) return v128.or(a, b);
  return a | b;
}

// @ts-ignore: decorator
@inline
export function xor<I>(a: I, b: I): I {
  if (isVector<I>()) return v128.xor(a, b);
  return a ^ b;
}

/** No bit is set. */
// @ts-ignore: decorator
@inline
export function none<I>(x: I): bool {
  if (isVector<I>()) return !v128.any_true(x);
  return !x;
}
