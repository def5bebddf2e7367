import { expect, test } from "vitest";
import { expectSameBits, out, Random, runF32 } from "./harness.js";

interface Pool {
  batch: number;
  h: number;
  w: number;
  c: number;
  oh: number;
  ow: number;
  kh: number;
  kw: number;
  sh: number;
  sw: number;
  top: number;
  left: number;
}

const sizes = (p: Pool) => [p.batch, p.h, p.w, p.c, p.oh, p.ow, p.kh, p.kw, p.sh, p.sw, p.top, p.left];

/** Output size as in Keras; "same" pads as in TensorFlow, the odd pixel after. */
function pool(
  batch: number,
  h: number,
  w: number,
  c: number,
  k: [number, number],
  s: [number, number],
  same: boolean,
): Pool {
  const [[kh, kw], [sh, sw]] = [k, s];
  const size = (n: number, k: number, s: number) => (same ? Math.ceil(n / s) : Math.floor((n - k) / s) + 1);
  const [oh, ow] = [size(h, kh, sh), size(w, kw, sw)];
  const before = (n: number, o: number, k: number, s: number) => Math.max(0, Math.floor(((o - 1) * s + k - n) / 2));
  return { batch, h, w, c, oh, ow, kh, kw, sh, sw, top: before(h, oh, kh, sh), left: before(w, ow, kw, sw) };
}

/** For each output element in order, the index in x of the first maximum of its window; NaN counts as maximum. */
function winners(p: Pool, x: Float32Array): number[] {
  const found: number[] = [];
  for (let b = 0; b < p.batch; b++)
    for (let i = 0; i < p.oh; i++)
      for (let j = 0; j < p.ow; j++)
        for (let k = 0; k < p.c; k++) {
          let best = -1;
          for (let r = i * p.sh - p.top; r < i * p.sh - p.top + p.kh; r++)
            for (let q = j * p.sw - p.left; q < j * p.sw - p.left + p.kw; q++) {
              if (r < 0 || r >= p.h || q < 0 || q >= p.w) continue;
              const at = ((b * p.h + r) * p.w + q) * p.c + k;
              if (best < 0 || x[at] > x[best] || (Number.isNaN(x[at]) && !Number.isNaN(x[best]))) best = at;
            }
          found.push(best);
        }
  return found;
}

const CASES: [string, Pool][] = [
  ["2x2 of 6x8x5", pool(2, 6, 8, 5, [2, 2], [2, 2], false)],
  ["2x2 of 7x9x4, a row and a column left over", pool(2, 7, 9, 4, [2, 2], [2, 2], false)],
  ["2x2 same of 7x9x3", pool(1, 7, 9, 3, [2, 2], [2, 2], true)],
  ["2x2 of 4x7x36, more channels than a vector", pool(2, 4, 7, 36, [2, 2], [2, 2], false)],
  ["3x3 stride 2 of 9x14x16, windows in twos", pool(2, 9, 14, 16, [3, 3], [2, 2], false)],
  ["3x3 stride 2 same of 8x8x8, windows in twos at the border", pool(1, 8, 8, 8, [3, 3], [2, 2], true)],
  ["3x3 stride 2 of 11x13x7, windows overlap", pool(2, 11, 13, 7, [3, 3], [2, 2], false)],
  ["3x3 stride 1 same of 5x5x17", pool(1, 5, 5, 17, [3, 3], [1, 1], true)],
  ["5x1 stride 1 same of 4x3x1, windows larger than the image", pool(1, 4, 3, 1, [5, 1], [1, 1], true)],
  ["1x2 stride 3 of 5x11x2, pixels in no window", pool(3, 5, 11, 2, [1, 2], [3, 3], false)],
  ["1x1 of 3x3x33", pool(1, 3, 3, 33, [1, 1], [1, 1], false)],
  ["global 7x7 of 7x7x6", pool(2, 7, 7, 6, [7, 7], [7, 7], false)],
  ["no images", pool(0, 4, 4, 3, [2, 2], [2, 2], false)],
];

/** Distinct numbers; few numbers, so that many windows hold equal maxima; and all special values. */
function inputs(p: Pool): Float32Array[] {
  const n = p.batch * p.h * p.w * p.c;
  const random = new Random(n);
  return [
    random.f32(n),
    Float32Array.from({ length: n }, () => random.int(-2, 1)),
    random.wild(n),
    new Float32Array(n).fill(-Infinity),
  ];
}

test.each(CASES)("max_pool2d takes the maximum: %s", (_, p) => {
  for (const x of inputs(p)) {
    const y = Float32Array.from(winners(p, x), (at) => x[at]);
    // Of +0 and -0 either may be the maximum: adding +0 makes both +0.
    const actual = runF32("f32_max_pool2d", ...sizes(p), x, out(y.length));
    expectSameBits(
      actual.map((v) => v + 0),
      y.map((v) => v + 0),
    );
  }
});

test.each(CASES)("max_pool2d_grad gives dy to the first maximum: %s", (_, p) => {
  for (const x of inputs(p)) {
    const dy = new Random(1).f32(p.batch * p.oh * p.ow * p.c);
    const dx = new Float32Array(x.length);
    winners(p, x).forEach((at, i) => {
      dx[at] += dy[i];
    });
    expectSameBits(runF32("f32_max_pool2d_grad", ...sizes(p), x, dy, out(x.length), Number.NaN), dx);
  }
});

test.each(CASES)("max_pool2d_grad with a lowest maximum is the gradient of relu before the pooling too: %s", (_, p) => {
  for (const x of inputs(p).slice(0, 2)) {
    const y = x.map((v) => Math.max(v, 0));
    const dy = new Random(1).f32(p.batch * p.oh * p.ow * p.c);
    const pooled = runF32("f32_max_pool2d_grad", ...sizes(p), y, dy, out(y.length), Number.NaN);
    const dx = runF32("f32_relu_grad", y.length, y, pooled, out(y.length));
    expectSameBits(runF32("f32_max_pool2d_grad", ...sizes(p), y, dy, out(y.length), 0), dx);
  }
});

test("windows with no positive value still pass their gradient", () => {
  const p = pool(1, 2, 2, 1, [2, 2], [2, 2], false);
  const x = Float32Array.of(-3, -1, -2, -1);
  expectSameBits(runF32("f32_max_pool2d", ...sizes(p), x, out(1)), Float32Array.of(-1));
  expectSameBits(
    runF32("f32_max_pool2d_grad", ...sizes(p), x, Float32Array.of(5), out(4), Number.NaN),
    Float32Array.of(0, 5, 0, 0),
  );
});

test("a NaN in a window wins, wherever it is", () => {
  const p = pool(1, 2, 2, 1, [2, 2], [2, 2], false);
  for (let i = 0; i < 4; i++) {
    const x = Float32Array.of(1, 2, 3, 4);
    x[i] = Number.NaN;
    expect(runF32("f32_max_pool2d", ...sizes(p), x, out(1))[0]).toBeNaN();
    const dx = runF32("f32_max_pool2d_grad", ...sizes(p), x, Float32Array.of(1), out(4), Number.NaN);
    expect(dx.indexOf(1)).toBe(i);
  }
});
