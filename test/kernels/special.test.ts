// The special functions against float64, over all magnitudes, within the bounds that assembly/special.ts and pow.ts state.
import { expect, test } from "vitest";
import { erf } from "../oracle/elementwise.js";
import { expectSameBits, out, runF32, runIn } from "./harness.js";

/** Distance of a float32 from the exact value, in units of the last place of a float32 there. */
function ulps(actual: number, exact: number): number {
  if (Object.is(actual, exact) || Math.fround(exact) === actual) return 0;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  return Math.abs(actual - exact) / 2 ** (exponent - 23);
}

/** Every 65,537th float32 of both signs: all magnitudes, NaN and infinities among them. */
const samples = Float32Array.from({ length: 65536 }, (_, i) => {
  if (i < 4) return [-1, 1, -0, 0][i];
  const bits = (i * 65537 + 12345) >>> 0;
  return new Float32Array(Uint32Array.of(bits).buffer)[0];
});

const cases: [kernel: string, exact: (x: number) => number, bound: number][] = [
  ["f32_tanh", Math.tanh, 3],
  ["f32_sigmoid", (x) => 1 / (1 + Math.exp(-x)), 4],
  ["f32_softplus", (x) => (x > 40 ? x : Math.log1p(Math.exp(x))), 4],
  ["f32_erf", erf, 3],
  ["f32_log1p", Math.log1p, 4],
  ["f32_sqrt", Math.sqrt, 0.5],
  ["f32_rsqrt", (x) => 1 / Math.sqrt(x), 1.5],
  ["f32_floor", Math.floor, 0],
  ["f32_abs", Math.abs, 0],
];

test.each(cases)("%s stays within its bound over all magnitudes", (kernel, exact, _bound) => {
  const bound = cases.find(([name]) => name === kernel)?.[2] as number;
  const y = runF32(kernel, samples.length, samples, out(samples.length));
  let worst = 0;
  samples.forEach((x, i) => {
    const expected = exact(x);
    if (Number.isNaN(expected)) expect(y[i], `${kernel}(${x})`).toBeNaN();
    // results that are subnormal are held to half the smallest normal number
    else if (Math.abs(expected) >= 2 ** -126 || expected === 0) worst = Math.max(worst, ulps(y[i], expected));
    else expect(Math.abs(y[i] - expected)).toBeLessThan(2 ** -126);
  });
  expect(worst).toBeLessThanOrEqual(bound);
});

test.each(["f32_tanh", "f32_sigmoid", "f32_softplus", "f32_erf", "f32_gelu", "f32_gelu_tanh", "f32_silu", "f32_mish"])(
  "%s gives the same bits with and without SIMD",
  (kernel) => {
    const [simd, scalar] = (["simd", "scalar"] as const).map((build) =>
      runIn(build, kernel, samples.length, samples, out(samples.length)),
    );
    expectSameBits(simd.outputs[0], scalar.outputs[0], kernel);
  },
);

test("pow is within 0.51 ulp over bases and exponents of all magnitudes", () => {
  const n = samples.length;
  const b = Float32Array.from(samples, (_, i) => ((i * 7919) % 401) / 10 - 20);
  const a = samples.map((x) => Math.abs(x));
  const y = runF32("f32_pow", 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, a, b, out(n));
  let worst = 0;
  a.forEach((x, i) => {
    const exact = x ** b[i];
    if (Number.isNaN(exact)) expect(y[i]).toBeNaN();
    else if (Math.abs(exact) < 2 ** 127 && exact >= 2 ** -126) worst = Math.max(worst, ulps(y[i], exact));
  });
  expect(worst).toBeLessThanOrEqual(0.51);
});

test("pow has the special cases of IEEE 754", () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const rows = [
    [nan, 0, 1],
    [1, nan, 1],
    [nan, 2, nan],
    [2, nan, nan],
    [0, -1, inf],
    [-0, -1, -inf],
    [-0, 3, -0],
    [-0, 2, 0],
    [0, 2.5, 0],
    [-2, 3, -8],
    [-2, 2, 4],
    [-2, 0.5, nan],
    [-1, inf, 1],
    [0.5, inf, 0],
    [2, inf, inf],
    [0.5, -inf, inf],
    [inf, 2, inf],
    [-inf, 3, -inf],
    [-inf, -3, -0],
    [inf, -1, 0],
    [2, 128, inf],
    [2, -150, 0],
  ];
  const y = runF32(
    "f32_pow",
    1,
    1,
    1,
    rows.length,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    1,
    Float32Array.from(rows, ([a]) => a),
    Float32Array.from(rows, ([, b]) => b),
    out(rows.length),
  );
  rows.forEach(([a, b, expected], i) => {
    expect(y[i], `${a} ^ ${b}`).toBe(expected);
  });
});
