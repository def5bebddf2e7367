import { expect, test } from "vitest";
import { expectClose, expectSameBits, out, Random, run, runF32, SIZES } from "./harness.js";

const { fround } = Math;

/** The stated order along a row: partial sum i mod 16, then vectors, then lanes, each addition rounded to float32. */
function interleaved(x: Float32Array): number {
  const partial = new Float32Array(16);
  x.forEach((v, i) => {
    partial[i % 16] += v;
  });
  const lane = [0, 1, 2, 3].map((l) => {
    const [a, b, c, d] = [0, 4, 8, 12].map((v) => partial[v + l]);
    return fround(fround(a + b) + fround(c + d));
  });
  return fround(fround(lane[0] + lane[2]) + fround(lane[1] + lane[3]));
}

/** The stated order across rows: from +0, one row after the other. */
const sequential = (x: Float32Array): number => x.reduce((sum, v) => fround(sum + v), 0);

/** The vectors along the middle axis of x [outer, reduce, inner], as [outer, inner] of them. */
function lines(x: Float32Array, outer: number, reduce: number, inner: number): Float32Array[] {
  return Array.from({ length: outer * inner }, (_, at) => {
    const [o, j] = [Math.floor(at / inner), at % inner];
    return Float32Array.from({ length: reduce }, (_, r) => x[(o * reduce + r) * inner + j]);
  });
}

const SHAPES = [
  ...SIZES.map((n) => [2, n, 1]),
  ...[2, 3, 4, 5, 16, 19, 33].flatMap((inner) => [0, 1, 7, 8, 9, 17].map((n) => [2, n, inner])),
  [0, 5, 3],
  [1, 40_000, 1],
  [1, 3000, 6],
];

test("sums run in the stated order, bit for bit", () => {
  for (const [outer, reduce, inner] of SHAPES) {
    const x = new Random(reduce + inner).f32(outer * reduce * inner);
    const sum = inner === 1 ? interleaved : sequential;
    const y = Float32Array.from(lines(x, outer, reduce, inner), sum);
    expectSameBits(runF32("f32_sum", outer, reduce, inner, x, out(y.length)), y, `[${outer}, ${reduce}, ${inner}]`);
  }
});

test("means are sums divided once by the number of elements, NaN for none", () => {
  for (const [outer, reduce, inner] of SHAPES) {
    const x = new Random(reduce + inner).f32(outer * reduce * inner);
    const sum = runF32("f32_sum", outer, reduce, inner, x, out(outer * inner));
    const mean = runF32("f32_mean", outer, reduce, inner, x, out(outer * inner));
    expectSameBits(
      mean,
      sum.map((s) => s / reduce),
      `[${outer}, ${reduce}, ${inner}]`,
    );
  }
});

test("sums are close to the exact ones", () => {
  for (const [outer, reduce, inner] of SHAPES) {
    const x = new Random(reduce + inner).f32(outer * reduce * inner);
    const exact = lines(x, outer, reduce, inner).map((line) => line.reduce((a, b) => a + b, 0));
    expectClose(runF32("f32_sum", outer, reduce, inner, x, out(exact.length)), exact, 1e-5, 1e-7 * Math.max(reduce, 1));
  }
});

test("NaN and infinities reach the sum", () => {
  for (const [n, inner] of [
    [37, 1],
    [9, 5],
  ]) {
    const x = new Random(n).f32(n * inner);
    x[n - 2] = Infinity;
    expect(runF32("f32_sum", 1, n, inner, x, out(inner)).includes(Infinity)).toBe(true);
    x[n - 2 - inner] = Number.NaN;
    expect(runF32("f32_sum", 1, n, inner, x, out(inner)).includes(Number.NaN)).toBe(true);
  }
});

/** NumPy's argmax: the first maximum, and the first NaN before all others. */
function argmax(x: Float32Array): number {
  const nan = x.findIndex(Number.isNaN);
  return nan >= 0 ? nan : x.indexOf(x.reduce((a, b) => Math.max(a, b)));
}

test("argmax takes the first maximum, and the first NaN before any number", () => {
  for (const [outer, reduce, inner] of SHAPES.filter(([, n]) => n > 0)) {
    const size = outer * reduce * inner;
    const random = new Random(size);
    const few = Float32Array.from({ length: size }, () => random.int(-2, 2)); // equal maxima
    for (const x of [few, random.f32(size), random.wild(size, 3 * reduce)]) {
      const y = Int32Array.from(lines(x, outer, reduce, inner), argmax);
      const { outputs } = run("f32_argmax", outer, reduce, inner, x, out(y.length, Int32Array));
      expectSameBits(outputs[0], y, `[${outer}, ${reduce}, ${inner}]`);
    }
  }
});

test("argmax of nothing but -infinity is the first", () => {
  const x = new Float32Array(15).fill(Number.NEGATIVE_INFINITY);
  expectSameBits(run("f32_argmax", 3, 5, 1, x, out(3, Int32Array)).outputs[0], Int32Array.of(0, 0, 0));
  expectSameBits(run("f32_argmax", 1, 3, 5, x, out(5, Int32Array)).outputs[0], Int32Array.of(0, 0, 0, 0, 0));
});

test("count_nonfinite counts NaN and infinities", () => {
  for (const n of SIZES) {
    const x = new Random(n).wild(n, 2);
    expect(run("f32_count_nonfinite", n, x).value).toBe(x.filter((v) => !Number.isFinite(v)).length);
  }
});

test.each([
  [3, 0, 7],
  [33, 5, 9],
  [65, 16, 16],
  [1, 1, 3],
])("the sums of some columns, %i rows from column %i on, %i of them, are f32_sum's bit for bit", (rows, first, n) => {
  const width = first + n + 2;
  const x = new Random(rows).f32(rows * width);
  const all = runF32("f32_sum", 1, rows, width, x, out(width));
  expectSameBits(runF32("f32_sum_columns", rows, n, width, x.subarray(first), out(n)), all.slice(first, first + n));
});
