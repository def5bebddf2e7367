// Softmax along rows and its gradient. The row's maximum is subtracted first, so that no exponential overflows. NaN anywhere in
// a row, +inf, or nothing but -inf make the whole row NaN.

import { ROUND, power } from "./exponential";
import { add, constant, firstLanes, load, mul, mulAdd, pmax, SIMD, splat, store, sub } from "./lanes";
import { map, put, zip } from "./map";
import { fold } from "./reduce";

/** y [rows, n] = e^(x - max) * (1 / sum(e^(x - max))) along each row, the sum in the order of `fold`; y may be x. */
export function f32_softmax(rows: u32, n: u32, x: usize, y: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, x += row, y += row) {
    const sum = exponentials(n, x, y, fold<Max>(n, x, x, 0));
    map<Scale>(n, y, 1 / sum, 1, y);
  }
}

/** dx [rows, n] = y * (dy - sum(y * dy)) along each row, the sum in the order of `fold`; dx may be y or dy. */
export function f32_softmax_grad(rows: u32, n: u32, y: usize, dy: usize, dx: usize): void {
  const row = <usize>n << 2;
  for (; rows > 0; rows--, y += row, dy += row, dx += row) {
    zip<SoftmaxGrad>(n, y, dy, fold<Dot>(n, y, dy, 0), dx);
  }
}

/**
 * The sum of e^(x - shift) over x [n], none above shift, in the order of `fold`; y [n] = the terms, unless y is 0. y may be x. The relative
 * error of a term is 2e-7 and 6e-8 |x - shift|, which is what rounding the difference costs again; terms below 2^-126 are 0.
 */
export function exponentials(n: u32, x: usize, y: usize, shift: f32): f32 {
  let l0: f32, l1: f32, l2: f32, l3: f32;
  if (SIMD) {
    const v = expSum<v128>(n, x, y, splat<v128>(shift), 0);
    l0 = f32x4.extract_lane(v, 0);
    l1 = f32x4.extract_lane(v, 1);
    l2 = f32x4.extract_lane(v, 2);
    l3 = f32x4.extract_lane(v, 3);
  } else {
    l0 = expSum<f32>(n, x, y, shift, 0);
    l1 = expSum<f32>(n, x, y, shift, 1);
    l2 = expSum<f32>(n, x, y, shift, 2);
    l3 = expSum<f32>(n, x, y, shift, 3);
  }
  return (l0 + l2) + (l1 + l3);
}

// e^x = 2^k e^r as in exponential.ts, r = x - k ln 2 in one part, e^r = (1 + r) + r^2 ((c2 + c3 r) + r^2 (c4 + c5 r)). The softmax of
// 256x1000 takes 0.184 ms, 0.221 with ln 2 in two parts, 0.314 with one vector after the other, a longer polynomial and constants in the
// loop (Zen 4, Node 24).
function expSum<V>(n: u32, x: usize, y: usize, shift: V, lane: u32): V {
  const low = constant<V>(-88), log2e = constant<V>(1.44269504), round = constant<V>(ROUND), one = constant<V>(1);
  const ln2 = constant<V>(0.693147182), c2 = constant<V>(0.4999923), c3 = constant<V>(0.16667116);
  const c4 = constant<V>(0.041890256), c5 = constant<V>(0.0083124693);
  let sum0 = splat<V>(0), sum1 = sum0, sum2 = sum0, sum3 = sum0, p = x + (<usize>lane << 2), q = y + (<usize>lane << 2);
  if (n >= 16) {
    do {
      const x0 = pmax<V>(sub<V>(load<V>(p), shift), low), x1 = pmax<V>(sub<V>(load<V>(p + 16), shift), low);
      const x2 = pmax<V>(sub<V>(load<V>(p + 32), shift), low), x3 = pmax<V>(sub<V>(load<V>(p + 48), shift), low);
      const t0 = mulAdd<V>(x0, log2e, round), t1 = mulAdd<V>(x1, log2e, round);
      const t2 = mulAdd<V>(x2, log2e, round), t3 = mulAdd<V>(x3, log2e, round);
      const k0 = sub<V>(t0, round), k1 = sub<V>(t1, round), k2 = sub<V>(t2, round), k3 = sub<V>(t3, round);
      const r0 = sub<V>(x0, mul<V>(k0, ln2)), r1 = sub<V>(x1, mul<V>(k1, ln2));
      const r2 = sub<V>(x2, mul<V>(k2, ln2)), r3 = sub<V>(x3, mul<V>(k3, ln2));
      const s0 = mul<V>(r0, r0), s1 = mul<V>(r1, r1), s2 = mul<V>(r2, r2), s3 = mul<V>(r3, r3);
      const u0 = mulAdd<V>(r0, c5, c4), u1 = mulAdd<V>(r1, c5, c4);
      const u2 = mulAdd<V>(r2, c5, c4), u3 = mulAdd<V>(r3, c5, c4);
      const v0 = mulAdd<V>(r0, c3, c2), v1 = mulAdd<V>(r1, c3, c2);
      const v2 = mulAdd<V>(r2, c3, c2), v3 = mulAdd<V>(r3, c3, c2);
      const w0 = mulAdd<V>(s0, u0, v0), w1 = mulAdd<V>(s1, u1, v1);
      const w2 = mulAdd<V>(s2, u2, v2), w3 = mulAdd<V>(s3, u3, v3);
      const z0 = mulAdd<V>(s0, w0, add<V>(r0, one)), z1 = mulAdd<V>(s1, w1, add<V>(r1, one));
      const z2 = mulAdd<V>(s2, w2, add<V>(r2, one)), z3 = mulAdd<V>(s3, w3, add<V>(r3, one));
      const e0 = mul<V>(z0, power<V>(t0)), e1 = mul<V>(z1, power<V>(t1));
      const e2 = mul<V>(z2, power<V>(t2)), e3 = mul<V>(z3, power<V>(t3));
      if (y) {
        store<V>(q, e0);
        store<V>(q + 16, e1);
        store<V>(q + 32, e2);
        store<V>(q + 48, e3);
      }
      sum0 = add<V>(sum0, e0);
      sum1 = add<V>(sum1, e1);
      sum2 = add<V>(sum2, e2);
      sum3 = add<V>(sum3, e3);
      n -= 16;
      p += 64;
      q += 64;
    } while (n >= 16);
  }
  // What is left, a vector at a time; the sums take turns, so that after four each is where it was.
  if (n) {
    for (let i: u32 = 0; i < 16; i += 4, p += 16, q += 16) {
      const first = sum0;
      sum0 = sum1;
      sum1 = sum2;
      sum2 = sum3;
      sum3 = first;
      if (i + (isVector<V>() ? 0 : lane) >= n) continue;
      const a = pmax<V>(sub<V>(load<V>(p), shift), low), t = mulAdd<V>(a, log2e, round), k = sub<V>(t, round);
      const r = sub<V>(a, mul<V>(k, ln2)), s = mul<V>(r, r);
      const w = mulAdd<V>(s, mulAdd<V>(r, c5, c4), mulAdd<V>(r, c3, c2));
      const e = mul<V>(mulAdd<V>(s, w, add<V>(r, one)), power<V>(t));
      if (y) put<V>(q, e, <usize>(n - i) << 2);
      sum3 = firstLanes<V>(n - i, lane, add<V>(first, e), first);
    }
  }
  return add<V>(add<V>(sum0, sum1), add<V>(sum2, sum3));
}

/** x * a * b */
@unmanaged @final export class Scale {
  // @ts-ignore: decorator
  @inline at<V>(x: V, a: V, b: V): V { return mul<V>(mul<V>(x, a), b); }
}

@unmanaged @final export class SoftmaxGrad {
  // @ts-ignore: decorator
  @inline at<V>(y: V, dy: V, sum: V): V { return mul<V>(y, sub<V>(dy, sum)); }
}

/** Maximum, NaN passed over: exp(NaN - max) brings it back. */
@unmanaged @final export class Max {
  // @ts-ignore: decorator
  @inline start(): f32 { return -Infinity; }
  // @ts-ignore: decorator
  @inline step<V>(best: V, x: usize, z: usize, a: V): V { return pmax<V>(best, load<V>(x)); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return pmax<V>(a, b); }
}

/** sum(x * z) */
@unmanaged @final export class Dot {
  // @ts-ignore: decorator
  @inline start(): f32 { return 0; }
  // @ts-ignore: decorator
  @inline step<V>(sum: V, x: usize, z: usize, a: V): V { return add<V>(sum, mul<V>(load<V>(x), load<V>(z))); }
  // @ts-ignore: decorator
  @inline join<V>(a: V, b: V): V { return add<V>(a, b); }
}
