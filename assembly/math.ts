// Elementary functions as our own polynomials, generic over V = v128 | f32: the same bits in every lane, build and engine. Error
// bounds are the largest distance from the exact value in units in the last place (ulp), measured over all 2^32 inputs.
// Coefficients are minimax fits in which each float32 coefficient is rounded before the next ones are fitted.

import {
  add, and, bits, constant, constantInt, eq, fromBits, lt, mul, mulAdd, shiftRight, splat, sub, subInt, toFloat, where,
} from "./lanes";

/** Natural logarithm within 0.860 ulp, subnormal inputs included; log(0) = -inf, NaN below 0, log(+inf) = +inf, NaN stays. */
// @ts-ignore: decorator
@inline
export function log<V>(x: V): V {
  if (isVector<V>()) return logLanes<V, v128>(x);
  return logLanes<V, i32>(x);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = f - f^2 / 2 + f^3 Q(f). Subnormals are scaled by 2^23 first.
// @ts-ignore: decorator
@inline
function logLanes<V, I>(x: V): V {
  const tiny = lt<V, I>(x, constant<V>(1.17549435e-38));
  const i = bits<V, I>(where<V, I>(tiny, mul<V>(x, constant<V>(8388608)), x));
  const above = subInt<I>(i, constantInt<I>(SQRT_HALF_BITS)); // the exponent field of this counts from sqrt(1/2)
  const k = add<V>(toFloat<V, I>(shiftRight<I>(above, 23)), where<V, I>(tiny, constant<V>(-23), splat<V>(0)));
  const f = sub<V>(fromBits<V, I>(subInt<I>(i, and<I>(above, constantInt<I>(EXPONENT)))), constant<V>(1));
  const f2 = mul<V>(f, f);
  let q = constant<V>(-0.076363996);
  q = mulAdd<V>(q, f, constant<V>(0.127622));
  q = mulAdd<V>(q, f, constant<V>(-0.13159613));
  q = mulAdd<V>(q, f, constant<V>(0.14201581));
  q = mulAdd<V>(q, f, constant<V>(-0.16623409));
  q = mulAdd<V>(q, f, constant<V>(0.20001242));
  q = mulAdd<V>(q, f, constant<V>(-0.2500082));
  q = mulAdd<V>(q, f, constant<V>(0.3333333));
  q = mulAdd<V>(mul<V>(f, f2), q, mul<V>(k, constant<V>(LN2_LOW)));
  q = add<V>(f, sub<V>(q, mul<V>(f2, constant<V>(0.5))));
  q = mulAdd<V>(k, constant<V>(LN2_HIGH), q);
  const outside = where<V, I>(eq<V, I>(x, splat<V>(0)), splat<V>(-Infinity), splat<V>(NaN));
  q = where<V, I>(lt<V, I>(splat<V>(0), x), q, outside);
  return where<V, I>(lt<V, I>(x, splat<V>(Infinity)), q, x);
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

const LN2_HIGH: f32 = 0.693359375; // nine bits, so that k * LN2_HIGH is exact
const LN2_LOW: f32 = -2.12194440e-4;
const SQRT_HALF_BITS: i32 = 0x3f3504f3;
const EXPONENT: i32 = 0xff800000;
