// Elementary functions as our own polynomials, generic over V = v128 | f32: the same bits in every lane, build and engine. Error
// bounds are the largest distance from the exact value in units in the last place (ulp), measured over all 2^32 inputs.
// Coefficients are minimax fits in which each float32 coefficient is rounded before the next ones are fitted.

import {
  add, and, bits, constant, constantInt, eq, fromBits, load, lt, mul, mulAdd, neg, shiftRight, SIMD, splat, sub, subInt,
  toFloat, where,
} from "./lanes";
import { put } from "./map";

/** Natural logarithm within 0.892 ulp, subnormal inputs included; log(0) = -inf, NaN below 0, log(+inf) = +inf, NaN stays. */
export function log<V>(x: V): V {
  if (isVector<V>()) return logOnce<V, v128>(x);
  return logOnce<V, i32>(x);
}

/** y[i] = F.at(x[i], u, log(u), 1, +inf) with u = F.argument(x[i], 1); y may be x. For single values there is `log`, not inlined. */
// @ts-ignore: decorator
@inline
export function eachLogarithm<F>(n: u32, x: usize, y: usize): void {
  if (SIMD) logarithms<F, v128, v128>(n, x, y);
  else logarithms<F, f32, i32>(n, x, y);
}

// Constants before a loop that tests at its end, as in exponential.ts: log takes 1.89 ns an element instead of 2.90, and 1.55 with the
// polynomial in halves (Estrin), not in one chain (Zen 4, Node 24).
function logarithms<F, V, I>(n: u32, x: usize, y: usize): void {
  const tiny = constant<V>(TINY), scale = constant<V>(SCALE), shift = constant<V>(SHIFT), one = constant<V>(1);
  const root = constantInt<I>(SQRT_HALF_BITS), exponent = constantInt<I>(EXPONENT);
  const q8 = constant<V>(Q8), q7 = constant<V>(Q7), q6 = constant<V>(Q6), q5 = constant<V>(Q5), q4 = constant<V>(Q4);
  const q3 = constant<V>(Q3), q2 = constant<V>(Q2), q1 = constant<V>(Q1), half = constant<V>(0.5);
  const low = constant<V>(LN2_LOW), high = constant<V>(LN2_HIGH), nan = constant<V>(NaN);
  const infinity = constant<V>(Infinity), end = y + (<usize>n << 2), w = sizeof<V>();
  if (!n) return;
  do {
    const v = load<V>(x), u = changetype<F>(0).argument<V>(v, one);
    const l = logLanes<V, I>(
      u, tiny, scale, shift, one, root, exponent, q8, q7, q6, q5, q4, q3, q2, q1, half, low, high, infinity, nan,
    );
    put<V>(y, changetype<F>(0).at<V>(v, u, l, one, infinity), end - y);
    x += w;
    y += w;
  } while (y < end);
}

// @ts-ignore: decorator
@inline
function logOnce<V, I>(x: V): V {
  return logLanes<V, I>(
    x, constant<V>(TINY), constant<V>(SCALE), constant<V>(SHIFT), constant<V>(1), constantInt<I>(SQRT_HALF_BITS),
    constantInt<I>(EXPONENT), constant<V>(Q8), constant<V>(Q7), constant<V>(Q6), constant<V>(Q5), constant<V>(Q4),
    constant<V>(Q3), constant<V>(Q2), constant<V>(Q1), constant<V>(0.5), constant<V>(LN2_LOW), constant<V>(LN2_HIGH),
    constant<V>(Infinity), constant<V>(NaN),
  );
}

// log(x) from the constants of the two above: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = f - f^2 / 2 + f^3 Q(f).
// Subnormals are scaled by 2^23 first.
// @ts-ignore: decorator
@inline
function logLanes<V, I>(
  x: V, tiny: V, scale: V, shift: V, one: V, root: I, exponent: I, q8: V, q7: V, q6: V, q5: V, q4: V, q3: V, q2: V,
  q1: V, half: V, low: V, high: V, infinity: V, nan: V,
): V {
  const small = lt<V, I>(x, tiny), zero = splat<V>(0);
  const i = bits<V, I>(where<V, I>(small, mul<V>(x, scale), x));
  const above = subInt<I>(i, root); // the exponent field of this counts from sqrt(1/2)
  const k = add<V>(toFloat<V, I>(shiftRight<I>(above, 23)), where<V, I>(small, shift, zero));
  const f = sub<V>(fromBits<V, I>(subInt<I>(i, and<I>(above, exponent))), one), f2 = mul<V>(f, f);
  const upper = mulAdd<V>(mulAdd<V>(q8, f, q7), f2, mulAdd<V>(q6, f, q5));
  let q = mulAdd<V>(upper, mul<V>(f2, f2), mulAdd<V>(mulAdd<V>(q4, f, q3), f2, mulAdd<V>(q2, f, q1)));
  q = mulAdd<V>(mul<V>(f, f2), q, mul<V>(k, low));
  q = add<V>(f, sub<V>(q, mul<V>(f2, half)));
  q = mulAdd<V>(k, high, q);
  const outside = where<V, I>(eq<V, I>(x, zero), neg<V>(infinity), nan);
  return where<V, I>(lt<V, I>(x, infinity), where<V, I>(lt<V, I>(zero, x), q, outside), x);
}

/** sin(pi/2 t) for t in [-1/2, 1/2], within 1 ulp. */
// @ts-ignore: decorator
@inline
export function sinQuarter<V>(t: V): V {
  const t2 = mul<V>(t, t);
  let p = constant<V>(-0.0046859714);
  p = mulAdd<V>(p, t2, constant<V>(0.079712525));
  p = mulAdd<V>(p, t2, constant<V>(-0.64596665));
  return mul<V>(mulAdd<V>(p, t2, constant<V>(1.5707964)), t);
}

/** cos(pi/2 t) for t in [-1/2, 1/2], within 1 ulp. */
// @ts-ignore: decorator
@inline
export function cosQuarter<V>(t: V): V {
  const t2 = mul<V>(t, t);
  let p = constant<V>(0.00089446065);
  p = mulAdd<V>(p, t2, constant<V>(-0.020855593));
  p = mulAdd<V>(p, t2, constant<V>(0.25366855));
  p = mulAdd<V>(p, t2, constant<V>(-1.2337005));
  return mulAdd<V>(p, t2, constant<V>(1));
}

const TINY: f32 = 1.17549435e-38;
const SCALE: f32 = 8388608;
const SHIFT: f32 = -23;
const Q8: f32 = -0.076363996;
const Q7: f32 = 0.127622;
const Q6: f32 = -0.13159613;
const Q5: f32 = 0.14201581;
const Q4: f32 = -0.16623409;
const Q3: f32 = 0.20001242;
const Q2: f32 = -0.2500082;
const Q1: f32 = 0.3333333;
const LN2_HIGH: f32 = 0.693359375; // nine bits, so that k * LN2_HIGH is exact
const LN2_LOW: f32 = -2.12194440e-4;
const SQRT_HALF_BITS: i32 = 0x3f3504f3;
const EXPONENT: i32 = 0xff800000;
