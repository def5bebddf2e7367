// Matrix products and convolutions against naive loops in float32 arithmetic: every sum has a stated order, so the kernels must
// give these bits exactly, in both builds, whatever tile, tail or part of a blocked sum an output falls in.
import { expect, test } from "vitest";
import { expectClose, expectSameBits, out, Random, run, runF32 } from "./harness.js";

const { fround } = Math;
const clamp = (x: number, lo: number, hi: number) => (x < lo ? lo : Math.min(x, hi)); // NaN passes

/** c [m, n] = clamp(a times b [k, n] + bias), in order of k, rounded to float32 after each operation. */
function product(
  [m, n, k]: readonly number[],
  a: (i: number, t: number) => number,
  b: Float32Array,
  bias?: Float32Array,
  lo = Number.NEGATIVE_INFINITY,
  hi = Number.POSITIVE_INFINITY,
): Float32Array {
  return Float32Array.from({ length: m * n }, (_, at) => {
    const i = Math.floor(at / n);
    const j = at % n;
    let sum = bias ? bias[j] : 0;
    for (let t = 0; t < k; t++) sum = fround(sum + fround(a(i, t) * b[t * n + j]));
    return clamp(sum, lo, hi);
  });
}

function packedSize(k: number, n: number): number {
  const { value } = run("gemm_packed_size", k, n);
  return value as number;
}

function pack(k: number, n: number, b: Float32Array): Float32Array {
  return runF32("f32_gemm_pack", k, n, n, 1, b, out(packedSize(k, n)));
}

// Rows below, at and above a pair, a run of rows and a block of 256; columns around each panel width and vector; sums around one
// step, two steps and the parts of 192 and 1024 terms.
const SHAPES = [
  ...[1, 2, 3, 4, 5, 8, 31].flatMap((m) => [1, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 24, 25, 37].map((n) => [m, n, 6])),
  ...[0, 1, 2, 3, 4, 191, 192, 193, 390, 1023, 1024, 1025].flatMap((k) => [1, 2, 3, 6].map((m) => [m, 21, k])),
  ...[1, 2, 3, 5].map((m) => [m, 12, 2051]),
  ...[255, 256, 257, 513].map((m) => [m, 10, 3]),
  [97, 113, 131],
] as [number, number, number][];

test.each(SHAPES)("gemm %i x %i x %i, bias and clamp", (m, n, k) => {
  const random = new Random(m * 7919 + n * 131 + k);
  const [a, b, bias] = [random.f32(m * k), random.f32(k * n), random.f32(n)];
  const c = runF32("f32_gemm", m, n, k, a, pack(k, n, b), bias, out(m * n), -0.5, 1.25);
  expectSameBits(
    c,
    product([m, n, k], (i, t) => a[i * k + t], b, bias, -0.5, 1.25),
  );
});

// Around a vector of columns and a step of four terms.
const FEW_ROWS = [0, 1, 3].flatMap((m) =>
  [0, 1, 3, 4, 5, 8, 13].flatMap((n) => [0, 1, 3, 4, 5, 8, 11].map((k) => [m, n, k])),
);

test.each(FEW_ROWS)("gemm_unpacked %i x %i x %i, bias and clamp", (m, n, k) => {
  const random = new Random(m * 7919 + n * 131 + k);
  const [a, b, bias] = [random.f32(m * k), random.f32(k * n), random.wild(n, 3)];
  const expected = product([m, n, k], (i, t) => a[i * k + t], b, bias, -0.5, 1.25);
  expectSameBits(runF32("f32_gemm_unpacked", m, n, k, a, b, bias, out(m * n), -0.5, 1.25), expected);
  const plain = product([m, n, k], (i, t) => a[i * k + t], b);
  expectSameBits(runF32("f32_gemm_unpacked", m, n, k, a, b, 0, out(m * n), -Infinity, Infinity), plain, "without bias");
});

test.each(SHAPES)("gemm_tn %i x %i x %i", (m, n, k) => {
  const random = new Random(m * 7919 + n * 131 + k);
  const [a, b] = [random.f32(k * m), random.f32(k * n)];
  const c = runF32("f32_gemm_tn", m, n, k, a, pack(k, n, b), out(m * n));
  expectSameBits(
    c,
    product([m, n, k], (i, t) => a[t * m + i], b),
  );
});

test.each([
  [3, 5, 4],
  [2, 19, 7],
  [6, 16, 1025],
])("gemm %i x %i x %i of NaN, infinities, zeros and subnormals, clamped to [0, inf)", (m, n, k) => {
  const random = new Random(5);
  const a = random.f32(m * k);
  const [b, bias] = [random.wild(k * n, k), random.wild(n, 3)];
  b[n + 1] = Number.NaN;
  const c = runF32("f32_gemm", m, n, k, a, pack(k, n, b), bias, out(m * n), 0, Number.POSITIVE_INFINITY);
  const expected = product([m, n, k], (i, t) => a[i * k + t], b, bias, 0);
  expectSameBits(c, expected);
  expect(expected.some(Number.isNaN)).toBe(true);
});

test("gemm without bias starts from +0", () => {
  const c = runF32("f32_gemm", 3, 5, 0, new Float32Array(0), new Float32Array(0), 0, out(15), -1, 1);
  expectSameBits(c, new Float32Array(15));
  const minusZero = Float32Array.of(-0);
  const one = runF32("f32_gemm", 1, 1, 1, minusZero, pack(1, 1, Float32Array.of(1)), 0, out(1), -1, 1);
  expectSameBits(one, Float32Array.of(0));
});

test.each([
  [1, 1],
  [5, 3],
  [4, 4],
  [7, 8],
  [9, 9],
  [16, 16],
  [11, 23],
  [6, 40],
])("gemm_pack b [%i, %i] plain, transposed and strided", (k, n) => {
  const b = new Random(k * 100 + n).f32(k * n);
  const columns = (n + 7) & ~7;
  expect(packedSize(k, n)).toBe(k * columns);
  const expected = new Float32Array(k * columns);
  for (let t = 0; t < k; t++) {
    for (let j = 0; j < n; j++) {
      const panel = j & ~15;
      expected[panel * k + t * Math.min(16, columns - panel) + (j - panel)] = b[t * n + j];
    }
  }
  const spread = (rowStride: number, colStride: number) => {
    const x = new Float32Array((k - 1) * rowStride + (n - 1) * colStride + 1).fill(Number.NaN);
    for (let t = 0; t < k; t++) for (let j = 0; j < n; j++) x[t * rowStride + j * colStride] = b[t * n + j];
    return x;
  };
  for (const [rowStride, colStride] of [
    [n, 1],
    [n + 3, 1],
    [1, k],
    [1, k + 2],
    [2 * n, 2],
    [3, 3 * k],
  ]) {
    const packed = runF32("f32_gemm_pack", k, n, rowStride, colStride, spread(rowStride, colStride), out(k * columns));
    expectSameBits(packed, expected, `strides ${rowStride}, ${colStride}`);
  }
});

interface Convolution {
  x: [batch: number, h: number, w: number, c: number];
  f: [kh: number, kw: number, n: number];
  stride?: [number, number];
  dilation?: [number, number];
}

const CONVOLUTIONS: Convolution[] = [
  { x: [1, 1, 1, 1], f: [1, 1, 1] },
  { x: [2, 6, 5, 1], f: [3, 3, 32] },
  { x: [1, 28, 28, 1], f: [3, 3, 5] },
  { x: [1, 5, 7, 3], f: [3, 3, 8] },
  { x: [3, 5, 5, 2], f: [5, 5, 17] },
  { x: [2, 7, 9, 5], f: [3, 2, 7], stride: [2, 3] },
  { x: [1, 9, 8, 3], f: [3, 3, 9], dilation: [2, 3] },
  { x: [2, 11, 12, 1], f: [2, 3, 4], stride: [3, 2], dilation: [3, 2] },
  { x: [2, 3, 17, 4], f: [1, 1, 12] },
  { x: [2, 5, 7, 4], f: [1, 1, 12], stride: [2, 2] },
  { x: [5, 3, 9, 2], f: [3, 4, 3] },
  { x: [5, 9, 3, 2], f: [4, 3, 3] },
  { x: [1, 5, 4, 150], f: [3, 3, 3] },
  { x: [1, 3, 3, 600], f: [2, 2, 3] },
  { x: [1, 2, 3, 1100], f: [2, 2, 3] },
  { x: [2, 14, 13, 3], f: [2, 2, 21] },
  { x: [1, 40, 4, 1], f: [2, 3, 6] },
  { x: [90, 3, 3, 2], f: [2, 2, 6] },
  { x: [1, 2, 210, 1], f: [2, 3, 3] },
  { x: [1, 6, 6, 120], f: [3, 3, 3], dilation: [2, 2] },
];

const named = CONVOLUTIONS.map(
  (convolution) =>
    [
      Object.entries(convolution)
        .map(([key, value]) => `${key}=[${value}]`)
        .join(" "),
      convolution,
    ] as const,
);

function geometry({ x: [batch, h, w, c], f: [kh, kw, n], stride = [1, 1], dilation = [1, 1] }: Convolution) {
  const oh = Math.floor((h - (kh - 1) * dilation[0] - 1) / stride[0]) + 1;
  const ow = Math.floor((w - (kw - 1) * dilation[1] - 1) / stride[1]) + 1;
  const sizes = [batch, h, w, c, oh, ow, kh, kw, ...stride, ...dilation, n] as const;
  /** Where x has what output pixel `p` of [batch, oh, ow] multiplies with filter element `t` of [kh, kw, c]. */
  const at = (p: number, t: number) => {
    const i = (Math.floor(p / ow) % oh) * stride[0] + Math.floor(t / c / kw) * dilation[0];
    const j = (p % ow) * stride[1] + (Math.floor(t / c) % kw) * dilation[1];
    return ((Math.floor(p / ow / oh) * h + i) * w + j) * c + (t % c);
  };
  return { sizes, at, inputs: batch * h * w * c, pixels: batch * oh * ow, taps: kh * kw * c, n };
}

test.each(named)("conv2d %s, bias and relu", (_, convolution) => {
  const { sizes, at, inputs, pixels, taps, n } = geometry(convolution);
  const random = new Random(inputs * 31 + taps * n);
  const [x, f, bias] = [random.f32(inputs), random.f32(taps * n), random.f32(n)];
  const packed = pack(taps, n, f);
  const y = runF32("f32_conv2d", ...sizes, x, packed, bias, out(pixels * n), 0, Number.POSITIVE_INFINITY);
  expectSameBits(
    y,
    product([pixels, n, taps], (p, t) => x[at(p, t)], f, bias, 0),
  );
});

test.each(named)("conv2d_filter_grad %s", (_, convolution) => {
  const { sizes, at, inputs, pixels, taps, n } = geometry(convolution);
  const random = new Random(inputs * 31 + taps * n);
  const [x, dy] = [random.f32(inputs), random.f32(pixels * n)];
  const df = runF32("f32_conv2d_filter_grad", ...sizes, x, pack(pixels, n, dy), out(taps * n));
  expectSameBits(
    df,
    product([taps, n, pixels], (t, p) => x[at(p, t)], dy),
  );
});

test.each([
  [1, 1, 1, 1],
  [3, 3, 1, 5],
  [2, 3, 7, 4],
  [3, 2, 8, 9],
])("conv2d_flip f [%i, %i, %i, %i]", (kh, kw, c, n) => {
  const f = new Random(kh * kw * c * n).f32(kh * kw * c * n);
  const expected = Float32Array.from(f, (_, at) => {
    const tap = kh * kw - 1 - Math.floor(at / (n * c));
    const [j, i] = [Math.floor(at / c) % n, at % c];
    return f[(tap * c + i) * n + j];
  });
  expectSameBits(runF32("f32_conv2d_flip", kh, kw, c, n, 1, f, out(f.length)), expected);
});

test("the convolution of padded dy with the flipped filter is the gradient to x", () => {
  const [h, w, c, kh, kw, n] = [6, 5, 3, 3, 2, 4];
  const [oh, ow] = [h - kh + 1, w - kw + 1];
  const random = new Random(1);
  const [f, dy] = [random.f32(kh * kw * c * n), random.f32(oh * ow * n)];
  const expected = new Float64Array(h * w * c);
  for (let i = 0; i < oh; i++)
    for (let j = 0; j < ow; j++)
      for (let p = 0; p < kh; p++)
        for (let q = 0; q < kw; q++)
          for (let ci = 0; ci < c; ci++)
            for (let o = 0; o < n; o++)
              expected[((i + p) * w + j + q) * c + ci] += dy[(i * ow + j) * n + o] * f[((p * kw + q) * c + ci) * n + o];
  const [ph, pw] = [oh + 2 * (kh - 1), ow + 2 * (kw - 1)];
  const padded = new Float32Array(ph * pw * n);
  for (let i = 0; i < oh; i++) padded.set(dy.subarray(i * ow * n, (i + 1) * ow * n), ((i + kh - 1) * pw + kw - 1) * n);
  const flipped = runF32("f32_conv2d_flip", kh, kw, c, n, 1, f, out(f.length));
  const packed = pack(kh * kw * n, c, flipped);
  const sizes = [1, ph, pw, n, h, w, kh, kw, 1, 1, 1, 1, c];
  const dx = runF32("f32_conv2d", ...sizes, padded, packed, 0, out(h * w * c), -1e9, 1e9);
  expectClose(dx, expected, 0, 1e-5);
});
