import { expect, test } from "vitest";
import { expectSameBits, out, Random, run, runF32, SIZES } from "./harness.js";

const { fround } = Math;
const WILD = [-1, -(2 ** 31), 2 ** 31 - 1];

/** Indices of [0, n) with some outside. */
function indicesFor(n: number, count: number, random: Random): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (i % 5 === 4 ? [...WILD, n][i % 4] : random.int(0, n)));
}

test("gather takes rows by index, zeros for those outside", () => {
  for (const inner of SIZES.filter((n) => n > 0)) {
    for (const [outer, n, count] of [
      [1, 7, 9],
      [3, 2, 4],
      [2, 5, 0],
    ]) {
      const random = new Random(inner + count);
      const x = random.wild(outer * n * inner);
      const indices = indicesFor(n, count, random);
      const y = new Float32Array(outer * count * inner);
      y.forEach((_, at) => {
        const [o, c, j] = [Math.floor(at / (count * inner)), Math.floor(at / inner) % count, at % inner];
        const k = indices[c];
        if (k >= 0 && k < n) y[at] = x[(o * n + k) * inner + j];
      });
      expectSameBits(runF32("x32_gather", outer, n, inner, count, x, indices, out(y.length)), y, `rows of ${inner}`);
      const bytes = new Uint8Array(x.buffer);
      if (count > 0) {
        const { outputs } = run(
          "x8_gather",
          outer,
          n,
          4 * inner,
          count,
          new Uint32Array(bytes.buffer),
          indices,
          out(y.length),
        );
        expectSameBits(outputs[0], y, `bytes, rows of ${4 * inner}`);
      }
    }
  }
});

test("scatter_add adds rows in the order of the indices and drops those outside", () => {
  for (const inner of SIZES) {
    for (const [outer, n, count] of [
      [1, 4, 19],
      [2, 3, 7],
      [2, 5, 0],
    ]) {
      const random = new Random(inner + n);
      const x = random.f32(outer * count * inner);
      const indices = indicesFor(n, count, random);
      const y = new Float32Array(outer * n * inner);
      for (let o = 0; o < outer; o++)
        indices.forEach((k, c) => {
          if (k < 0 || k >= n) return;
          for (let j = 0; j < inner; j++) {
            const at = (o * n + k) * inner + j;
            y[at] = fround(y[at] + x[(o * count + c) * inner + j]);
          }
        });
      expectSameBits(
        runF32("f32_scatter_add", outer, n, inner, count, x, indices, out(y.length)),
        y,
        `rows of ${inner}`,
      );
    }
  }
});

test("one_hot writes one 1 a row, none for an index outside", () => {
  for (const depth of [0, 1, 3, 10, 17]) {
    const indices = Int32Array.of(0, depth - 1, depth, -1, 2 ** 31 - 1, Math.floor(depth / 2));
    const y = Float32Array.from({ length: 6 * depth }, (_, i) => Number(indices[Math.floor(i / depth)] === i % depth));
    expectSameBits(runF32("i32_one_hot", 6, depth, indices, out(y.length)), y, `depth ${depth}`);
  }
  expect(runF32("i32_one_hot", 0, 5, new Int32Array(0), out(0))).toHaveLength(0);
});

/** Neighbours and weight of position i, as the kernel states them. */
function place(i: number, n: number, m: number): [a: number, b: number, t: number] {
  const at = (i + 0.5) * (n / m) - 0.5;
  const clamp = (k: number) => Math.min(Math.max(k, 0), n - 1);
  const low = Math.floor(at);
  return [clamp(low), clamp(low + 1), fround(at - low)];
}

test("interpolate and its gradient, bit for bit", () => {
  for (const inner of [1, 2, 3, 4, 5, 8, 17])
    for (const [n, m] of [
      [1, 1],
      [1, 4],
      [5, 3],
      [3, 7],
      [8, 16],
      [16, 5],
    ]) {
      const outer = 2;
      const random = new Random(inner * n + m);
      const x = random.f32(outer * n * inner);
      const dy = random.f32(outer * m * inner);
      const y = new Float32Array(outer * m * inner);
      const dx = new Float32Array(outer * n * inner);
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < m; i++) {
          const [a, b, t] = place(i, n, m);
          for (let j = 0; j < inner; j++) {
            const [p, q] = [a, b].map((row) => (o * n + row) * inner + j);
            const to = (o * m + i) * inner + j;
            y[to] = fround(x[p] + fround(fround(x[q] - x[p]) * t));
            dx[p] += fround(dy[to] * fround(1 - t));
            dx[q] += fround(dy[to] * t);
          }
        }
      expectSameBits(
        runF32("f32_interpolate", outer, n, inner, m, x, out(y.length)),
        y,
        `${n} to ${m}, rows of ${inner}`,
      );
      expectSameBits(runF32("f32_interpolate_grad", outer, n, inner, m, dy, out(dx.length)), dx, `${n} to ${m}, back`);
    }
});
