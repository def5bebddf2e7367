// Functions built on exp and log, generic over V = v128 | f32 like those of math.ts: the same bits in every lane and build. Bounds are
// the largest distance from the exact value, measured by test/kernels/special.test.ts. Polynomials are our own minimax fits.

import { add, constant, div, lt, mul, mulAdd, splat, where } from "./lanes";

/** a < b ? x : y */
// @ts-ignore: decorator
@inline
export function ifLess<V>(a: V, b: V, x: V, y: V): V {
  if (isVector<V>()) return where<V, v128>(lt<V, v128>(a, b), x, y);
  return where<V, i32>(lt<V, i32>(a, b), x, y);
}

/** log(1 + x) for x in [0, 1], within 3 ulp: 2 artanh(x / (2 + x)), a polynomial in the square of that. */
// @ts-ignore: decorator
@inline
export function log1pUnit<V>(x: V): V {
  const u = div<V>(x, add<V>(splat<V>(2), x)), z = mul<V>(u, u);
  let p = constant<V>(0.28006786);
  p = mulAdd<V>(p, z, constant<V>(0.28003025));
  p = mulAdd<V>(p, z, constant<V>(0.40021437));
  p = mulAdd<V>(p, z, constant<V>(0.6666642));
  return mul<V>(mulAdd<V>(p, z, constant<V>(2)), u);
}

/** The error function for |x| < 0.9: x P(x^2). */
// @ts-ignore: decorator
@inline
export function erfSmall<V>(x: V): V {
  const z = mul<V>(x, x);
  let p = constant<V>(8.53884121e-5);
  p = mulAdd<V>(p, z, constant<V>(-8.18192784e-4));
  p = mulAdd<V>(p, z, constant<V>(5.2044359e-3));
  p = mulAdd<V>(p, z, constant<V>(-0.0268607531));
  p = mulAdd<V>(p, z, constant<V>(0.112837195));
  p = mulAdd<V>(p, z, constant<V>(-0.376126349));
  return mul<V>(mulAdd<V>(p, z, constant<V>(1.12837923)), x);
}

/**
 * The normal distribution's upper tail 1 - Phi(x) for x in [0, 14], from e = e^(-x^2 / 2), which it is times a function that a
 * quotient of polynomials gives within 3 ulp.
 */
// @ts-ignore: decorator
@inline
export function normalTail<V>(x: V, e: V, one: V): V {
  let p = constant<V>(0.0040933564), q = constant<V>(0.010260398);
  p = mulAdd<V>(p, x, constant<V>(0.040478725));
  q = mulAdd<V>(q, x, constant<V>(0.10147177));
  p = mulAdd<V>(p, x, constant<V>(0.18277694));
  q = mulAdd<V>(q, x, constant<V>(0.468261));
  p = mulAdd<V>(p, x, constant<V>(0.43767667));
  q = mulAdd<V>(q, x, constant<V>(1.2006003));
  p = mulAdd<V>(p, x, constant<V>(0.5));
  q = mulAdd<V>(q, x, constant<V>(1.6732383));
  return div<V>(mul<V>(e, p), mulAdd<V>(q, x, one));
}
