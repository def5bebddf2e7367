// Random numbers from Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words are a
// pure function of a key and a counter, so every element can be drawn alone and a shorter run is the start of a longer one.
//
// `rng` is the address of u32[3] = [seed low, seed high, step]: the key is the seed, the counter [block, stream, step, 0].
// Element i is word (i / 4) mod 4 of block 4 * (i / 16) + i mod 4: of each 16 elements the first four are word 0 of four
// consecutive blocks, the next four word 1, so that four lanes draw four blocks. u is (word >>> 8) * 2^-24, in [0, 1).

import {
  add, addInt, and, bits, constant, fromBits, le, load, mul, mulAdd, mulHigh, mulInt, pmax, pmin, shiftLeft,
  shiftRight, shiftRightUnsigned, SIMD, splat, splatInt, sqrt, sub, toFloat, where, whereInt, xor,
} from "./lanes";
import { put } from "./map";
import { cosQuarter, log, sinQuarter } from "./math";

/** y [n] = lo + u * (hi - lo): uniform in [lo, hi), or up to hi where rounding takes it there. */
export function f32_random_uniform(n: u32, rng: usize, y: usize, lo: f32, hi: f32, stream: u32): void {
  draw<Uniform>(n, rng, stream, 0, y, y, lo, hi - lo);
}

/**
 * y [n] = mean + std * z, z normal by Box and Muller (1958): words 0 and 1 of a block give elements of words 0 and 1,
 * sqrt(-2 log(u0 + 2^-24)) times cosine and sine of word 1 as an angle; words 2 and 3 likewise. |z| <= 5.77.
 */
export function f32_random_normal(n: u32, rng: usize, y: usize, mean: f32, std: f32, stream: u32): void {
  draw<Normal>(n, rng, stream, 0, y, y, mean, std);
}

/**
 * y [n] = mean + std * z, z normal within [-2, 2]: the inverse of its distribution function at each word, no rejection.
 * Its relative error is below 3e-7.
 */
export function f32_random_truncated_normal(n: u32, rng: usize, y: usize, mean: f32, std: f32, stream: u32): void {
  draw<TruncatedNormal>(n, rng, stream, 0, y, y, mean, std);
}

/**
 * y [n] = x / (1 - rate) where u >= rate, else 0. With the same `rng` and `stream` it takes dy to dx; y may be x. x and y start
 * at element `first`, a multiple of 16, of what the numbers are drawn for.
 */
export function f32_dropout(n: u32, rng: usize, x: usize, y: usize, rate: f32, stream: u32, first: u32): void {
  draw<Dropout>(n, rng, stream, first, x, y, rate, 1 / (1 - rate));
}

/** y [n] (u32) = the words themselves, for any key k and counter c; c0 is the first block. For tests and tools. */
export function u32_philox(n: u32, k0: u32, k1: u32, c0: u32, c1: u32, c2: u32, c3: u32, y: usize): void {
  words<Words>(n, k0, k1, c0, c1, c2, c3, y, y, 0, 0);
}

// @ts-ignore: decorator
@inline
function draw<F>(n: u32, rng: usize, stream: u32, first: u32, x: usize, y: usize, a: f32, b: f32): void {
  words<F>(n, load<u32>(rng), load<u32>(rng + 4), first >> 2, stream, load<u32>(rng + 8), 0, x, y, a, b);
}

/** Gives F the words of each block by pairs: `pair(word 0, word 1)` for y, y + 16 and `pair(word 2, word 3)` for y + 32. */
function words<F>(
  n: u32, k0: u32, k1: u32, c0: u32, c1: u32, c2: u32, c3: u32, x: usize, y: usize, a: f32, b: f32,
): void {
  for (const end = y + (<usize>n << 2); y < end; c0 += 4, x += 64, y += 64) {
    if (SIMD) {
      const block = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
      blocks<F, v128, v128>(k0, k1, block, c1, c2, c3, x, y, end, splat<v128>(a), splat<v128>(b));
    } else {
      for (let lane: u32 = 0; lane < 4; lane++) {
        blocks<F, f32, i32>(k0, k1, c0 + lane, c1, c2, c3, x + 4 * lane, y + 4 * lane, end, a, b);
      }
    }
  }
}

function blocks<F, V, I>(
  k0: u32, k1: u32, block: I, c1: u32, c2: u32, c3: u32, x: usize, y: usize, end: usize, a: V, b: V,
): void {
  const m0 = splatInt<I>(0xd2511f53), m1 = splatInt<I>(0xcd9e8d57);
  let w0 = block, w1 = splatInt<I>(c1), w2 = splatInt<I>(c2), w3 = splatInt<I>(c3);
  for (let round = 0; round < 10; round++, k0 += 0x9e3779b9, k1 += 0xbb67ae85) {
    const high0 = mulHigh<I>(m0, w0), low0 = mulInt<I>(m0, w0);
    const high2 = mulHigh<I>(m1, w2), low2 = mulInt<I>(m1, w2);
    w0 = xor<I>(xor<I>(high2, w1), splatInt<I>(k0));
    w2 = xor<I>(xor<I>(high0, w3), splatInt<I>(k1));
    w1 = low2;
    w3 = low0;
  }
  for (let half = 0; half < 2 && y < end; half++, x += 32, y += 32) {
    changetype<F>(0).pair<V, I>(w0, w1, x, y, end, a, b);
    w0 = w2;
    w1 = w3;
  }
}

/** Stores at y what of it lies before the end of the output. */
// @ts-ignore: decorator
@inline
function keep<V>(y: usize, end: usize, value: V): void {
  if (y < end) put<V>(y, value, end - y);
}

/** u of a word: 24 bits in [0, 1). */
// @ts-ignore: decorator
@inline
function unit<V, I>(word: I): V {
  return mul<V>(toFloat<V, I>(shiftRightUnsigned<I>(word, 8)), splat<V>(5.9604644775390625e-8));
}

@unmanaged @final class Words {
  // @ts-ignore: decorator
  @inline pair<V, I>(w0: I, w1: I, x: usize, y: usize, end: usize, a: V, b: V): void {
    keep<I>(y, end, w0);
    keep<I>(y + 16, end, w1);
  }
}

@unmanaged @final class Uniform {
  // @ts-ignore: decorator
  @inline pair<V, I>(w0: I, w1: I, x: usize, y: usize, end: usize, lo: V, range: V): void {
    keep<V>(y, end, mulAdd<V>(unit<V, I>(w0), range, lo));
    keep<V>(y + 16, end, mulAdd<V>(unit<V, I>(w1), range, lo));
  }
}

@unmanaged @final class Dropout {
  // @ts-ignore: decorator
  @inline pair<V, I>(w0: I, w1: I, x: usize, y: usize, end: usize, rate: V, scale: V): void {
    const x0 = mul<V>(load<V>(x), scale), x1 = mul<V>(load<V>(x + 16), scale), zero = splat<V>(0);
    keep<V>(y, end, where<V, I>(le<V, I>(rate, unit<V, I>(w0)), x0, zero));
    keep<V>(y + 16, end, where<V, I>(le<V, I>(rate, unit<V, I>(w1)), x1, zero));
  }
}

@unmanaged @final class Normal {
  // The angle is a quadrant, the top two bits of word 1 + 2^29, and t in [-1/2, 1/2) of a quadrant from the 24 bits below.
  // @ts-ignore: decorator
  @inline pair<V, I>(w0: I, w1: I, x: usize, y: usize, end: usize, mean: V, std: V): void {
    const u = toFloat<V, I>(addInt<I>(shiftRightUnsigned<I>(w0, 8), splatInt<I>(1)));
    const radius = sqrt<V>(mul<V>(splat<V>(-2), log<V>(mul<V>(u, splat<V>(5.9604644775390625e-8)))));
    const turn = addInt<I>(w1, splatInt<I>(0x20000000)), sign = splatInt<I>(0x80000000);
    const t = sub<V>(unit<V, I>(shiftLeft<I>(turn, 2)), splat<V>(0.5));
    const sine = bits<V, I>(sinQuarter<V>(t)), cosine = bits<V, I>(cosQuarter<V>(t));
    const odd = shiftRight<I>(shiftLeft<I>(turn, 1), 31); // in odd quadrants sine and cosine change places
    const sin = xor<I>(whereInt<I>(odd, cosine, sine), and<I>(turn, sign));
    const cos = xor<I>(whereInt<I>(odd, sine, cosine), and<I>(xor<I>(turn, shiftLeft<I>(turn, 1)), sign));
    keep<V>(y, end, mulAdd<V>(mul<V>(radius, fromBits<V, I>(cos)), std, mean));
    keep<V>(y + 16, end, mulAdd<V>(mul<V>(radius, fromBits<V, I>(sin)), std, mean));
  }
}

@unmanaged @final class TruncatedNormal {
  // @ts-ignore: decorator
  @inline pair<V, I>(w0: I, w1: I, x: usize, y: usize, end: usize, mean: V, std: V): void {
    keep<V>(y, end, mulAdd<V>(truncated<V, I>(w0), std, mean));
    keep<V>(y + 16, end, mulAdd<V>(truncated<V, I>(w1), std, mean));
  }
}

/**
 * z with erf(z / sqrt(2)) = erf(sqrt(2)) v, v = (2 s + 1) 2^-24 for the word's upper 24 bits s as a signed integer, so v is
 * in (-1, 1), symmetric and never 0. z = v P(w), w = -log(1 - (erf(sqrt(2)) v)^2): Giles, "Approximating the erfinv
 * function", 2010, with a polynomial of our own fitted to w <= 2.42.
 */
// @ts-ignore: decorator
@inline
function truncated<V, I>(word: I): V {
  const v = mul<V>(add<V>(toFloat<V, I>(shiftRight<I>(word, 8)), splat<V>(0.5)), splat<V>(1.1920928955078125e-7));
  const w = log<V>(sub<V>(splat<V>(1), mul<V>(splat<V>(0.91106975), mul<V>(v, v)))); // its sign is in the coefficients
  let p = constant<V>(-6.0694424e-6);
  p = mulAdd<V>(p, w, constant<V>(-8.653598e-5));
  p = mulAdd<V>(p, w, constant<V>(-2.0571821e-4));
  p = mulAdd<V>(p, w, constant<V>(3.1280185e-3));
  p = mulAdd<V>(p, w, constant<V>(0.015581611));
  p = mulAdd<V>(p, w, constant<V>(-0.31318858));
  p = mulAdd<V>(p, w, constant<V>(1.196288));
  return pmax<V>(pmin<V>(mul<V>(v, p), splat<V>(2)), splat<V>(-2));
}
