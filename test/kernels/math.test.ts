// exp and log against the engine's float64 functions, whose own error (about 1 ulp of float64) is nothing here.
import { expect, test } from "vitest";
import { expectClose, expectSameBits, MAX_F32, out, Random, runF32, SIZES, ulps } from "./harness.js";

const words = new Uint32Array(1);
const float = new Float32Array(words.buffer);
const fromBits = (bits: number): number => {
  words[0] = bits;
  return float[0];
};
const neighbours = (x: number): number[] => {
  float[0] = x;
  return [words[0] - 2, words[0] - 1, words[0], words[0] + 1, words[0] + 2].map(fromBits);
};

/** Every 1021st float32, of both signs, from subnormals over infinity to NaN. */
const everywhere = Float32Array.from({ length: Math.floor(2 ** 32 / 1021) }, (_, i) => fromBits(i * 1021));

/** Where a branch, a reduction step or the range of the result changes. */
const edges = Float32Array.from(
  [
    ...[0, 2 ** -149, 2 ** -126, 2 ** -100, 2 ** -24, Math.SQRT1_2, 1, Math.SQRT2, 2 ** 23, 2 ** 24, MAX_F32],
    ...[87.33654, 88.72284, 89, 103.27893, 103.97208, 104, 105, 126, 1000],
    ...Array.from({ length: 300 }, (_, k) => (k + 0.5) * Math.LN2),
  ]
    .flatMap(neighbours)
    .flatMap((x) => [x, -x])
    .concat(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0),
);

/** Numbers of the size that networks compute with. */
const usual = new Random(1).f32(200_000, -20, 20);

function worst(kernel: string, x: Float32Array, exact: (x: number) => number): number {
  const y = runF32(kernel, x.length, x, out(x.length));
  return y.reduce((most, value, i) => Math.max(most, ulps(value, exact(x[i]))), 0);
}

test.each([
  ["f32_exp", Math.exp, 1.032],
  ["f32_log", Math.log, 0.892],
] as const)("%s stays within the bound its docstring states, over all of float32", (kernel, exact, bound) => {
  for (const x of [everywhere, edges, usual]) expect(worst(kernel, x, exact)).toBeLessThanOrEqual(bound);
});

test("exp and log give exact results where there are any", () => {
  const x = Float32Array.of(0, -0, -Infinity, Infinity, NaN, 89, -105, 2 ** -149);
  expectSameBits(runF32("f32_exp", 8, x, out(8)), Float32Array.of(1, 1, 0, Infinity, NaN, Infinity, 0, 1));
  const z = Float32Array.of(1, 0, -0, -1, -Infinity, Infinity, NaN, -(2 ** -149));
  expectSameBits(
    runF32("f32_log", 8, z, out(8)),
    Float32Array.of(0, -Infinity, -Infinity, NaN, NaN, Infinity, NaN, NaN),
  );
});

test.each(["f32_exp", "f32_log"])("%s gives each element the same bits at every length", (kernel) => {
  const x = new Random(2).wild(1000);
  const whole = runF32(kernel, 1000, x, out(1000));
  for (const n of SIZES) expectSameBits(runF32(kernel, n, x.slice(0, n), out(n)), whole.slice(0, n), `n = ${n}`);
});

test("the ulp measure sees an error of one unit, an overflow and a lost subnormal", () => {
  expect(ulps(1 + 2 ** -23, 1)).toBe(1);
  expect(ulps(Infinity, MAX_F32)).toBe(1);
  expect(ulps(0, 2 ** -149)).toBe(1);
  expect(ulps(NaN, 1)).toBe(Infinity);
  expect(() => expectClose(Float32Array.of(1), [1.1], 1e-3)).toThrow("element 0");
});
