import { expect, test } from "vitest";
import { expectClose, expectSameBits, inout, out, Random, run, runF32, SIZES } from "./harness.js";

/** One block of Philox 4x32-10 with 64-bit products, written from the paper. */
function philox(k0: number, k1: number, counter: readonly number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt);
  let [x, y] = [BigInt(k0), BigInt(k1)];
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const [p, q] = [a * 0xd2511f53n, c * 0xcd9e8d57n];
    [a, b, c, d] = [(q >> 32n) ^ b ^ x, q & mask, (p >> 32n) ^ d ^ y, p & mask];
    [x, y] = [(x + 0x9e3779b9n) & mask, (y + 0xbb67ae85n) & mask];
  }
  return [a, b, c, d].map(Number);
}

/** Words in the order of elements: word (i / 4) mod 4 of block 4 * (i / 16) + i mod 4. */
function words(n: number, k0: number, k1: number, [c0, c1, c2, c3]: readonly number[]): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => {
    const block = (c0 + 4 * Math.floor(i / 16) + (i % 4)) >>> 0;
    return philox(k0, k1, [block, c1, c2, c3])[Math.floor(i / 4) % 4];
  });
}

const draw = (n: number, k0: number, k1: number, c: readonly number[]) =>
  run("u32_philox", n, k0, k1, ...c, out(n, Uint32Array)).outputs[0];

const ONES = 0xffffffff;

// Random123's kat_vectors, philox4x32 10.
test.each([
  [0, 0, [0, 0, 0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [ONES, ONES, [ONES, ONES, ONES, ONES], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  [
    0xa4093822,
    0x299f31d0,
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])("philox gives Random123's known answers for key %i, %i", (k0, k1, counter, answer) => {
  const block = draw(16, k0, k1, counter);
  expect([0, 4, 8, 12].map((i) => block[i])).toEqual(answer);
  expect(philox(k0, k1, counter)).toEqual(answer);
});

test("philox gives each element its word at every length, block numbers wrapping at 2^32", () => {
  for (const n of SIZES) {
    const counter = [0xfffffff0, 5, 6, 7];
    expectSameBits(draw(n, 123, 456, counter), words(n, 123, 456, counter), `n = ${n}`);
  }
});

const RNG = Uint32Array.of(0xdeadbeef, 0x12345678, 41);
const STREAM = 9;
const KERNELS = ["f32_random_uniform", "f32_random_normal", "f32_random_truncated_normal"] as const;
const sample = (kernel: string, n: number, a: number, b: number, rng = RNG, stream = STREAM) =>
  runF32(kernel, n, rng, out(n), a, b, stream);

test("uniform takes the upper 24 bits of each word, keyed by seed, step and stream", () => {
  const unit = Float32Array.from(words(1000, RNG[0], RNG[1], [0, STREAM, RNG[2], 0]), (w) => (w >>> 8) * 2 ** -24);
  expectSameBits(sample("f32_random_uniform", 1000, 0, 1), unit);
  const scaled = unit.map((u) => -2 + Math.fround(u * 5));
  expectSameBits(sample("f32_random_uniform", 1000, -2, 3), scaled);
});

test.each(KERNELS)("%s of fewer elements is the start of more", (kernel) => {
  const whole = sample(kernel, 1000, 0.5, 2);
  for (const n of SIZES) expectSameBits(sample(kernel, n, 0.5, 2), whole.slice(0, n), `n = ${n}`);
});

test.each(KERNELS)("%s changes with the seed, the step and the stream", (kernel) => {
  const draws = [
    sample(kernel, 20, 0, 1),
    ...[0, 1, 2].map((i) =>
      sample(
        kernel,
        20,
        0,
        1,
        RNG.map((v, j) => (i === j ? v + 1 : v)),
      ),
    ),
    sample(kernel, 20, 0, 1, RNG, STREAM + 1),
  ];
  const seen = new Set(draws.flatMap((y) => [...y]));
  expect(seen.size).toBe(100);
});

test("normal follows Box and Muller within 2e-6 of float64", () => {
  const n = 1600;
  const w = words(n, RNG[0], RNG[1], [0, STREAM, RNG[2], 0]);
  const exact = Array.from(w, (_, i) => {
    const even = i - (i % 8) + (i % 4); // element of the pair's first word
    const radius = Math.sqrt(-2 * Math.log(((w[even] >>> 8) + 1) * 2 ** -24));
    const angle = ((w[even + 4] >>> 6) * 2 ** -26 + 0) * 2 * Math.PI;
    return 3 + 2 * radius * (i === even ? Math.cos(angle) : Math.sin(angle));
  });
  expectClose(sample("f32_random_normal", n, 3, 2), exact, 1e-6, 2e-6);
});

/** erf by its power series, which converges fast within 2. */
function erf(x: number): number {
  let [sum, term] = [0, x];
  for (let k = 0; k < 80; k++) {
    sum += term / (2 * k + 1);
    term *= (-x * x) / (k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

test("truncated normal is the inverse of its distribution function at each word, within a relative 3e-7", () => {
  const n = 4000;
  const w = words(n, RNG[0], RNG[1], [0, STREAM, RNG[2], 0]);
  const z = sample("f32_random_truncated_normal", n, 0, 1);
  const whole = erf(Math.SQRT2);
  let worst = 0;
  for (let i = 0; i < n; i++) {
    const quantile = (2 * ((w[i] | 0) >> 8) + 1) * 2 ** -24;
    const slope = (Math.sqrt(2 / Math.PI) * Math.exp((-z[i] * z[i]) / 2)) / whole;
    const off = (erf(z[i] / Math.SQRT2) / whole - quantile) / slope;
    worst = Math.max(worst, Math.abs(off / z[i]));
  }
  expect(worst).toBeLessThan(3e-7);
  expect(Math.max(...z.map(Math.abs))).toBeLessThanOrEqual(2);
});

test.each([
  ["f32_random_uniform", 0, 1, 0.5, 1 / 12],
  ["f32_random_normal", 0, 1, 0, 1],
  ["f32_random_truncated_normal", 0, 1, 0, 0.7737413], // 1 - 4 pdf(2) / (cdf(2) - cdf(-2))
])("%s has its mean and variance, and neighbours do not correlate", (kernel, a, b, mean, variance) => {
  const n = 1 << 18;
  const y = sample(kernel, n, a, b);
  const average = (f: (v: number, i: number) => number) => y.reduce((s, v, i) => s + f(v, i), 0) / n;
  const bound = 5 / Math.sqrt(n); // five standard deviations of the averages below, which are those of terms of size 1
  expect(Math.abs(average((v) => v) - mean)).toBeLessThan(bound);
  expect(Math.abs(average((v) => (v - mean) ** 2) - variance)).toBeLessThan(bound * Math.SQRT2);
  for (const lag of [1, 4, 8, 16]) {
    const correlation = average((v, i) => (i < lag ? 0 : (v - mean) * (y[i - lag] - mean)));
    expect(Math.abs(correlation)).toBeLessThan(bound);
  }
});

test("dropout scales what it keeps, zeroes the rest, and decides alike for x and dy", () => {
  for (const n of SIZES) {
    const x = new Random(n).wild(n);
    const u = sample("f32_random_uniform", n, 0, 1);
    const [rate, scale] = [Math.fround(0.3), Math.fround(1 / Math.fround(1 - Math.fround(0.3)))];
    const y = x.map((v, i) => (u[i] >= rate ? v * scale : 0));
    expectSameBits(runF32("f32_dropout", n, RNG, x, out(n), 0.3, STREAM, 0), y, `n = ${n}`);
    const target = inout(x);
    expectSameBits(runF32("f32_dropout", n, RNG, target, target, 0.3, STREAM, 0), y, `in place, n = ${n}`);
  }
});

test("dropout at rate 0 keeps everything, at rate 1 nothing, and between about its share", () => {
  const x = new Float32Array(10_000).fill(1);
  expectSameBits(runF32("f32_dropout", x.length, RNG, x, out(x.length), 0, STREAM, 0), x);
  expectSameBits(runF32("f32_dropout", x.length, RNG, x, out(x.length), 1, STREAM, 0), new Float32Array(x.length));
  const kept = runF32("f32_dropout", x.length, RNG, x, out(x.length), 0.25, STREAM, 0).filter((v) => v !== 0).length;
  expect(Math.abs(kept - 7500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.25 * 0.75));
});
