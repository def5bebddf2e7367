// Functions built on exp and log, generic over V = v128 | f32 like those of math.ts: the same bits in every lane and build. Bounds are
// the largest distance from the exact value, measured by test/kernels/special.test.ts. Polynomials are our own minimax fits. Not inlined
// but for ifLess: a dozen kernels share them, and a call per vector costs 1 to 2 ns where inlining would triple the module.

import { abs, add, constant, div, lt, mul, mulAdd, neg, pmax, splat, sub, where } from "./lanes";
import { exp as expInline, log } from "./math";

/** a < b ? x : y */
// @ts-ignore: decorator
@inline
export function ifLess<V>(a: V, b: V, x: V, y: V): V {
  if (isVector<V>()) return where<V, v128>(lt<V, v128>(a, b), x, y);
  return where<V, i32>(lt<V, i32>(a, b), x, y);
}

/** e^x, as in math.ts. */
export function exp<V>(x: V): V {
  return expInline<V>(x);
}

/** e^x - 1 within 3 ulp. */
export function expm1<V>(x: V): V {
  let p = constant<V>(1.99931834e-4);
  p = mulAdd<V>(p, x, constant<V>(1.39974465e-3));
  p = mulAdd<V>(p, x, constant<V>(8.33307207e-3));
  p = mulAdd<V>(p, x, constant<V>(0.0416653156));
  p = mulAdd<V>(p, x, constant<V>(0.166666687));
  p = mulAdd<V>(p, x, constant<V>(0.5));
  const small = mulAdd<V>(mul<V>(x, x), p, x);
  return ifLess<V>(abs<V>(x), splat<V>(0.5), small, sub<V>(exp<V>(x), splat<V>(1)));
}

/** Hyperbolic tangent within 3 ulp. */
export function tanh<V>(x: V): V {
  const a = abs<V>(x), z = mul<V>(x, x);
  let p = constant<V>(-5.71704469e-3);
  p = mulAdd<V>(p, z, constant<V>(0.0206505861));
  p = mulAdd<V>(p, z, constant<V>(-0.0537434965));
  p = mulAdd<V>(p, z, constant<V>(0.133314908));
  p = mulAdd<V>(p, z, constant<V>(-0.333332837));
  const small = mulAdd<V>(mul<V>(z, x), p, x);
  const e = add<V>(exp<V>(add<V>(a, a)), splat<V>(1));
  const large = sub<V>(splat<V>(1), div<V>(splat<V>(2), e));
  return ifLess<V>(a, splat<V>(0.625), small, ifLess<V>(x, splat<V>(0), neg<V>(large), large));
}

/** 1 / (1 + e^-x) within 4 ulp where it is no subnormal. */
export function sigmoid<V>(x: V): V {
  const e = exp<V>(neg<V>(abs<V>(x)));
  return div<V>(ifLess<V>(x, splat<V>(0), e, splat<V>(1)), add<V>(splat<V>(1), e));
}

/** log(1 + e^x) within 4 ulp: the larger of x and 0, plus log1p(e^-|x|), whose rounding of 1 + t is corrected. */
export function softplus<V>(x: V): V {
  const t = exp<V>(neg<V>(abs<V>(x))), u = add<V>(splat<V>(1), t);
  const rest = div<V>(sub<V>(t, sub<V>(u, splat<V>(1))), u);
  return add<V>(pmax<V>(x, splat<V>(0)), add<V>(log<V>(u), rest));
}

/** log(1 + x) within 4 ulp: log(u) with u = 1 + x rounded, corrected by what the rounding lost; -Infinity at -1. */
export function log1p<V>(x: V): V {
  const u = add<V>(splat<V>(1), x), lost = sub<V>(x, sub<V>(u, splat<V>(1)));
  const plain = log<V>(u), better = ifLess<V>(u, splat<V>(Infinity), add<V>(plain, div<V>(lost, u)), plain);
  return ifLess<V>(splat<V>(0), u, better, plain);
}

// x P(x^2), for |x| < 0.9.
function erfSmall<V>(x: V): V {
  const z = mul<V>(x, x);
  let p = constant<V>(8.53884121e-5);
  p = mulAdd<V>(p, z, constant<V>(-8.18192784e-4));
  p = mulAdd<V>(p, z, constant<V>(5.2044359e-3));
  p = mulAdd<V>(p, z, constant<V>(-0.0268607531));
  p = mulAdd<V>(p, z, constant<V>(0.112837195));
  p = mulAdd<V>(p, z, constant<V>(-0.376126349));
  return mul<V>(mulAdd<V>(p, z, constant<V>(1.12837923)), x);
}

// erfc(a) = t exp(P(t) - a^2) with t = 1 / (1 + a / 2), for a >= 0.8; the relative error grows with a^2, as that is rounded.
function erfcLarge<V>(a: V): V {
  const t = div<V>(splat<V>(1), mulAdd<V>(a, splat<V>(0.5), splat<V>(1)));
  let p = constant<V>(-0.187755212);
  p = mulAdd<V>(p, t, constant<V>(0.470314264));
  p = mulAdd<V>(p, t, constant<V>(-0.204966798));
  p = mulAdd<V>(p, t, constant<V>(-0.257598042));
  p = mulAdd<V>(p, t, constant<V>(0.0180132147));
  p = mulAdd<V>(p, t, constant<V>(0.0449704677));
  p = mulAdd<V>(p, t, constant<V>(0.382555544));
  p = mulAdd<V>(p, t, constant<V>(0.999221265));
  p = mulAdd<V>(p, t, constant<V>(-1.26547909));
  return mul<V>(t, exp<V>(sub<V>(p, mul<V>(a, a))));
}

/** Error function within 3 ulp. */
export function erf<V>(x: V): V {
  const a = abs<V>(x), large = sub<V>(splat<V>(1), erfcLarge<V>(a));
  return ifLess<V>(a, splat<V>(0.9), erfSmall<V>(x), ifLess<V>(x, splat<V>(0), neg<V>(large), large));
}

/** The normal distribution function, (1 + erf(x / sqrt(2))) / 2, without cancellation in its lower tail. */
export function normalCdf<V>(x: V): V {
  const s = mul<V>(x, constant<V>(0.70710678)), a = abs<V>(s), half = splat<V>(0.5);
  const tail = mul<V>(half, erfcLarge<V>(a));
  const outer = ifLess<V>(x, splat<V>(0), tail, sub<V>(splat<V>(1), tail));
  return ifLess<V>(a, splat<V>(0.9), mulAdd<V>(half, erfSmall<V>(s), half), outer);
}

/** The normal density, e^(-x^2 / 2) / sqrt(2 pi). */
export function normalDensity<V>(x: V): V {
  return mul<V>(constant<V>(0.39894228), exp<V>(mul<V>(splat<V>(-0.5), mul<V>(x, x))));
}
