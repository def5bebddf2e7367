import { expect, test } from "vitest";
import { expectSameBits, out, Random, run, runF32, SIZES } from "./harness.js";

const { fround } = Math;

const SHAPES = [
  ...SIZES.map((n) => [2, n, 1]),
  ...[2, 3, 4, 5, 16, 19].flatMap((inner) => [0, 1, 3, 4, 5, 9].map((n) => [2, n, inner])),
  [0, 5, 3],
];

/** The vectors along the middle axis of x [outer, reduce, inner], as [outer, inner] of them. */
function lines(x: Float32Array, outer: number, reduce: number, inner: number): Float32Array[] {
  return Array.from({ length: outer * inner }, (_, at) => {
    const [o, j] = [Math.floor(at / inner), at % inner];
    return Float32Array.from({ length: reduce }, (_, r) => x[(o * reduce + r) * inner + j]);
  });
}

test.each([
  ["f32_max", Math.max],
  ["f32_min", Math.min],
])("%s, with NaN, infinities and zeros of both signs", (kernel, of) => {
  for (const [outer, n, inner] of SHAPES) {
    for (const every of [2, 3 * n + 2]) {
      const x = new Random(n + inner).wild(outer * n * inner, every);
      const y = Float32Array.from(lines(x, outer, n, inner), (line) => of(...line));
      expectSameBits(runF32(kernel, outer, n, inner, x, out(y.length)), y, `[${outer}, ${n}, ${inner}]`);
    }
  }
});

/** Along rows the order of every reduction (ARCHITECTURE.md): 16 interleaved, then vectors, then lanes. */
function interleaved(x: Float32Array): number {
  const partial = new Float32Array(16).fill(1);
  x.forEach((v, i) => {
    partial[i % 16] *= v;
  });
  const lane = [0, 1, 2, 3].map((l) => {
    const [a, b, c, d] = [0, 4, 8, 12].map((v) => partial[v + l]);
    return fround(fround(a * b) * fround(c * d));
  });
  return fround(fround(lane[0] * lane[2]) * fround(lane[1] * lane[3]));
}

test("products run in the stated order, bit for bit", () => {
  for (const [outer, n, inner] of SHAPES) {
    const x = new Random(n + inner).f32(outer * n * inner, 0.7, 1.4);
    const of = inner === 1 ? interleaved : (line: Float32Array) => line.reduce((p, v) => fround(p * v), 1);
    const y = Float32Array.from(lines(x, outer, n, inner), of);
    expectSameBits(runF32("f32_prod", outer, n, inner, x, out(y.length)), y, `[${outer}, ${n}, ${inner}]`);
  }
});

/** NumPy's argmin: the first minimum, and the first NaN before all others. */
function argmin(x: Float32Array): number {
  const nan = x.findIndex(Number.isNaN);
  return nan >= 0 ? nan : x.indexOf(x.reduce((a, b) => Math.min(a, b)));
}

test("argmin takes the first minimum, and the first NaN before any number", () => {
  for (const [outer, n, inner] of SHAPES.filter(([, n]) => n > 0)) {
    const size = outer * n * inner;
    const random = new Random(size);
    const few = Float32Array.from({ length: size }, () => random.int(-2, 2)); // equal minima
    for (const x of [few, random.f32(size), random.wild(size, 3 * n)]) {
      const y = Int32Array.from(lines(x, outer, n, inner), argmin);
      const { outputs } = run("f32_argmin", outer, n, inner, x, out(y.length, Int32Array));
      expectSameBits(outputs[0], y, `[${outer}, ${n}, ${inner}]`);
    }
  }
});

test("cumsum runs in sequence from either end, with or without the element itself", () => {
  for (const [outer, n, inner] of SHAPES)
    for (const reverse of [0, 1])
      for (const exclusive of [0, 1]) {
        const x = new Random(n + inner).f32(outer * n * inner);
        const y = new Float32Array(x.length);
        lines(x, outer, n, inner).forEach((line, at) => {
          const [o, j] = [Math.floor(at / inner), at % inner];
          let sum = 0;
          for (let k = 0; k < n; k++) {
            const i = reverse ? n - 1 - k : k;
            const next = fround(sum + line[i]);
            y[(o * n + i) * inner + j] = exclusive ? sum : next;
            sum = next;
          }
        });
        const what = `[${outer}, ${n}, ${inner}] ${reverse} ${exclusive}`;
        expectSameBits(runF32("f32_cumsum", outer, n, inner, x, out(y.length), reverse, exclusive), y, what);
      }
});

test("prod_grad is the product of the others, with zeros too", () => {
  for (const [outer, n, inner] of SHAPES) {
    const random = new Random(n + inner);
    const x = random.f32(outer * n * inner, 0.5, 1.5).map((v, i) => (i % 11 === 3 ? 0 : v));
    const dy = random.f32(outer * inner);
    const y = new Float32Array(x.length);
    lines(x, outer, n, inner).forEach((line, at) => {
      const [o, j] = [Math.floor(at / inner), at % inner];
      for (let i = 0; i < n; i++) {
        const before = line.slice(0, i).reduce((p, v) => fround(p * v), dy[at]);
        const after = line.slice(i + 1).reduceRight((p, v) => fround(p * v), 1);
        y[(o * n + i) * inner + j] = fround(before * after);
      }
    });
    expectSameBits(runF32("f32_prod_grad", outer, n, inner, x, dy, out(y.length)), y, `[${outer}, ${n}, ${inner}]`);
  }
});

test("any and all of truth values", () => {
  for (const [outer, n, inner] of SHAPES) {
    const random = new Random(n * inner + outer);
    const x = new Uint32Array(Math.ceil((outer * n * inner) / 4)).map(() => random.u32() & random.u32() & 0x01000301);
    const bytes = Float32Array.from(new Uint8Array(x.buffer).subarray(0, outer * n * inner));
    for (const [kernel, of] of [
      ["u8_any", (line: Float32Array) => line.some((v) => v !== 0)],
      ["u8_all", (line: Float32Array) => line.every((v) => v !== 0)],
    ] as const) {
      const { outputs } = run(kernel, outer, n, inner, x, out(Math.ceil((outer * inner) / 4), Uint32Array));
      const y = [...new Uint8Array(outputs[0].buffer)].slice(0, outer * inner);
      expect(y, `${kernel} [${outer}, ${n}, ${inner}]`).toEqual(
        lines(bytes, outer, n, inner).map((line) => Number(of(line))),
      );
    }
  }
});
