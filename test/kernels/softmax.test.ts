// Softmax, and cross-entropy fused with it, against float64.
import { expect, test } from "vitest";
import { expectClose, expectSameBits, inout, out, Random, runF32, SIZES } from "./harness.js";

const ROWS = 3;

function rows(x: ArrayLike<number>, n: number): number[][] {
  return Array.from({ length: n === 0 ? 0 : x.length / n }, (_, r) =>
    Array.from({ length: n }, (_, j) => x[r * n + j]),
  );
}

/** In float64, but for x - max: its rounding alone is a relative error of 6e-8 |x - max| in the result. */
function softmax(x: number[]): number[] {
  const max = Math.max(...x);
  const e = x.map((v) => Math.exp(Math.fround(v - max)));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

const sum = (x: number[]): number => x.reduce((a, b) => a + b, 0);

test("softmax is within 1e-6 to 7e-6 of float64, by how far a number is below the largest, at every length", () => {
  for (const n of SIZES) {
    for (const range of [1, 30, 1000]) {
      const x = new Random(n).f32(ROWS * n, -range, range);
      const y = runF32("f32_softmax", ROWS, n, x, out(ROWS * n));
      // Exponentials below the smallest normal number are 0.
      expectClose(
        y,
        rows(x, n).flatMap(softmax),
        range === 1 ? 1e-6 : range === 30 ? 4e-6 : 7e-6,
        2 ** -126,
        `n = ${n}`,
      );
    }
  }
});

test("softmax of equal numbers is uniform, and infinities behave as limits where there is one", () => {
  const x = Float32Array.of(3, 3, 3, 3, -Infinity, 0, -Infinity, 0, 1, -Infinity, -200, 1);
  expectSameBits(
    runF32("f32_softmax", 3, 4, x, out(12)),
    Float32Array.of(0.25, 0.25, 0.25, 0.25, 0, 0.5, 0, 0.5, 0.5, 0, 0, 0.5),
  );
});

test("softmax's exponentials are within 2e-7 + 6e-8 |x| of float64, and 0 below 2^-126", () => {
  const x = new Random(2).f32(20_000, -106, 0);
  const pairs = Float32Array.from({ length: 2 * x.length }, (_, i) => (i % 2 ? x[(i - 1) / 2] : 0));
  const y = runF32("f32_softmax", x.length, 2, pairs, out(pairs.length));
  x.forEach((v, i) => {
    const exact = Math.exp(v) / (1 + Math.exp(v));
    if (v < -88) expect(y[2 * i + 1]).toBe(0);
    else if (v > -87) expect(Math.abs(y[2 * i + 1] / exact - 1), `e^${v}`).toBeLessThan(3.5e-7 + 6e-8 * -v);
  });
});

test("every NaN makes its row NaN, whatever its payload", () => {
  for (const bits of [0x7f800001, 0x7fc0beef, 0x7fffffff, 0xff80beef, 0xffffffff]) {
    const x = new Random(bits).f32(37);
    new Uint32Array(x.buffer)[20] = bits;
    expect(runF32("f32_softmax", 1, 37, x, out(37)).every(Number.isNaN)).toBe(true);
  }
});

test("NaN, +infinity, or nothing but -infinity make a row NaN and leave the others", () => {
  for (const n of [5, 16, 37]) {
    const clean = new Random(n).f32(4 * n);
    const x = clean.slice();
    x[n - 1] = Number.NaN;
    x[n] = Infinity;
    x.fill(-Infinity, 2 * n, 3 * n);
    const y = runF32("f32_softmax", 4, n, x, out(4 * n));
    expect(y.slice(0, 3 * n).every(Number.isNaN)).toBe(true);
    expectSameBits(y.slice(3 * n), runF32("f32_softmax", 4, n, clean, out(4 * n)).slice(3 * n));
  }
});

test("the gradient of softmax is within 1e-6 of float64", () => {
  for (const n of SIZES) {
    const random = new Random(n);
    const y = Float32Array.from(rows(random.f32(ROWS * n), n).flatMap(softmax));
    const dy = random.f32(ROWS * n);
    const exact = rows(dy, n).flatMap((d, r) => {
      const p = rows(y, n)[r];
      const dot = sum(d.map((v, j) => v * p[j]));
      return d.map((v, j) => p[j] * (v - dot));
    });
    expectClose(runF32("f32_softmax_grad", ROWS, n, y, dy, out(ROWS * n)), exact, 1e-6, 1e-7, `n = ${n}`);
  }
});

test("softmax and its gradient may work in place", () => {
  const x = new Random(1).f32(74);
  const y = runF32("f32_softmax", 2, 37, x, out(74));
  const target = inout(x);
  expectSameBits(runF32("f32_softmax", 2, 37, target, target), y);
  const dx = runF32("f32_softmax_grad", 2, 37, y, x, out(74));
  expectSameBits(runF32("f32_softmax_grad", 2, 37, y, target, target), dx);
  const probabilities = inout(y);
  expectSameBits(runF32("f32_softmax_grad", 2, 37, probabilities, x, probabilities), dx);
});

const CROSS_ENTROPY = "f32_sparse_softmax_cross_entropy";

test("cross-entropy is within 1e-6 of float64, at every length and with large logits", () => {
  for (const n of SIZES.filter((n) => n > 0)) {
    for (const range of [1, 30, 1000]) {
      const random = new Random(n);
      const x = random.f32(ROWS * n, -range, range);
      const labels = random.i32(ROWS, 0, n);
      const exact = rows(x, n).map((row, r) => {
        const max = Math.max(...row);
        return Math.log(sum(row.map((v) => Math.exp(v - max)))) - (row[labels[r]] - max);
      });
      expectClose(runF32(CROSS_ENTROPY, ROWS, n, x, labels, out(ROWS)), exact, 1e-6, 2e-7, `n = ${n}, range ${range}`);
    }
  }
});

test("the gradient of cross-entropy is softmax, less one at the label, times dloss", () => {
  for (const n of SIZES.filter((n) => n > 0)) {
    const random = new Random(n);
    const x = random.f32(ROWS * n, -10, 10);
    const labels = random.i32(ROWS, 0, n);
    const d = random.f32(ROWS);
    const exact = rows(x, n).flatMap((row, r) => softmax(row).map((p, j) => (p - (j === labels[r] ? 1 : 0)) * d[r]));
    const dx = runF32(`${CROSS_ENTROPY}_grad`, ROWS, n, x, labels, d, out(ROWS * n));
    expectClose(dx, exact, 2e-6, 1e-7, `n = ${n}`);
    const y = runF32("f32_softmax", ROWS, n, x, out(ROWS * n));
    const off = dx.map((_, i) => (i % n === labels[Math.floor(i / n)] ? 0 : Math.fround(y[i] * d[Math.floor(i / n)])));
    expectSameBits(
      dx.map((v, i) => (i % n === labels[Math.floor(i / n)] ? 0 : v)),
      off,
      "the softmax of f32_softmax",
    );
    const target = inout(x);
    expectSameBits(runF32(`${CROSS_ENTROPY}_grad`, ROWS, n, target, labels, d, target), dx, "in place");
  }
});

test("a label outside the classes gives NaN for its row only, and touches nothing else", () => {
  const x = new Random(5).f32(4 * 10);
  const labels = Int32Array.of(3, -1, 10, 0x7fffffff);
  const d = Float32Array.of(1, 1, 1, 1);
  const loss = runF32(CROSS_ENTROPY, 4, 10, x, labels, out(4));
  expect([...loss].map(Number.isNaN)).toEqual([false, true, true, true]);
  const dx = runF32(`${CROSS_ENTROPY}_grad`, 4, 10, x, labels, d, out(40));
  expect([...dx].map(Number.isNaN)).toEqual(Array.from({ length: 40 }, (_, i) => i >= 10));
});

test("NaN logits give a NaN loss", () => {
  const x = Float32Array.of(1, Number.NaN, 2);
  expect(runF32(CROSS_ENTROPY, 1, 3, x, Int32Array.of(0), out(1))[0]).toBeNaN();
});
