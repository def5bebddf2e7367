// The exponential that activations share: a loop that finds e^a and leaves the rest to the function at hand. Softmax has its own,
// in softmax.ts.

import {
  add, addInt, bits, constant, constantInt, fromBits, load, mul, mulAdd, shiftLeft, shiftRight, SIMD, splat, store,
  storePart, sub, subInt,
} from "./lanes";

/**
 * y[i] = F.at(x[i], z + 4 i, t, q, 1, a) where e^b = 2^t (1 + q) with b = F.exponent(x[i], low, high, a), t as `power` wants it; F holds b
 * above low, and below high where larger ones would be of use. F.brief says whether an error of e^b of 1.05e-7 is good enough, not 3e-9:
 * a term less, sigmoid takes 0.80 ns an element instead of 0.90 (Node 20: 0.84 instead of 1.01). y may be x or z.
 */
// @ts-ignore: decorator
@inline
export function eachExponential<F>(n: u32, x: usize, z: usize, a: f32, y: usize, low: f32, high: f32): void {
  if (SIMD) exponentials<F, v128>(n, x, z, splat<v128>(a), y, low, high);
  else exponentials<F, f32>(n, x, z, a, y, low, high);
}

// Constants stand before the loop, as V8 13 (Node 24) does not move them there: sigmoid takes 0.89 ns an element instead of 1.75. V8 11
// (Node 20) keeps them there only where the loop does not test at its start: 1.03 ns instead of 1.8. Only whole vectors are stored inside
// the loop: gelu_tanh takes 1.29 ns instead of 1.42. The polynomial is summed in halves (Estrin), not in one chain: 0.97. A second vector
// beside would gain 5 % (gelu 20 %) and cost 1.2 KB of gzipped module (Zen 4).
function exponentials<F, V>(n: u32, x: usize, z: usize, a: V, y: usize, low: f32, high: f32): void {
  const lowest = constant<V>(low), highest = constant<V>(high);
  const log2e = constant<V>(1.44269504), round = constant<V>(ROUND);
  const ln2High = constant<V>(0.693359375), ln2Low = constant<V>(-2.12194440e-4);
  const brief = changetype<F>(0).brief(), c6 = constant<V>(0.0013870657), one = constant<V>(1), w = sizeof<V>();
  const c2 = constant<V>(brief ? 0.49999231 : 0.49999997), c3 = constant<V>(brief ? 0.16667114 : 0.16666546);
  const c4 = constant<V>(brief ? 0.0418902 : 0.041667435), c5 = constant<V>(brief ? 0.008312516 : 0.0083662616);
  const end = y + (<usize>n << 2), last = end - w;
  let value: V;
  while (true) {
    const v = load<V>(x), b = changetype<F>(0).exponent<V>(v, lowest, highest, a);
    const t = mulAdd<V>(b, log2e, round), k = sub<V>(t, round);
    // r = b - k ln 2 in two parts, the first one exact (Cody and Waite, 1980)
    const r = sub<V>(sub<V>(b, mul<V>(k, ln2High)), mul<V>(k, ln2Low)), s = mul<V>(r, r);
    // q = r + r^2 ((c2 + c3 r) + r^2 ((c4 + c5 r) + c6 r^2)) = e^r - 1
    let upper = mulAdd<V>(r, c5, c4);
    if (!brief) upper = mulAdd<V>(s, c6, upper);
    const q = mulAdd<V>(s, mulAdd<V>(s, upper, mulAdd<V>(r, c3, c2)), r);
    value = changetype<F>(0).at<V>(v, z, t, q, one, a);
    if (y > last) break;
    store<V>(y, value);
    x += w;
    z += w;
    y += w;
  }
  if (isVector<V>() && y < end) storePart<V>(y, value, <u32>(end - y) >> 2);
}

/** 1.5 * 2^23 rounds what is added to it to an integer; the 127 makes its last bits the exponent field of a power of two. */
export const ROUND: f32 = 12582912 + 127;

/** 2^k from t = ROUND + k: 0 for k = -127, +inf for k = 128. */
// @ts-ignore: decorator
@inline
export function power<V>(t: V): V {
  if (isVector<V>()) return fromBits<V, v128>(shiftLeft<v128>(bits<V, v128>(t), 23));
  return fromBits<V, i32>(shiftLeft<i32>(bits<V, i32>(t), 23));
}

/** x 2^k for any k in [-152, 128]: two factors, so that the product rounds once where it is subnormal. */
// @ts-ignore: decorator
@inline
export function powerWide<V>(t: V, x: V): V {
  if (isVector<V>()) return powerHalves<V, v128>(t, x);
  return powerHalves<V, i32>(t, x);
}

// @ts-ignore: decorator
@inline
function powerHalves<V, I>(t: V, x: V): V {
  const k = addInt<I>(bits<V, I>(t), constantInt<I>(127)), half = shiftRight<I>(k, 1);
  const first = fromBits<V, I>(shiftLeft<I>(half, 23)), second = fromBits<V, I>(shiftLeft<I>(subInt<I>(k, half), 23));
  return mul<V>(mul<V>(x, first), second);
}
