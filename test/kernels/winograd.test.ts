// Winograd's convolution and the gradient of its filter, against sums in float64.
import { expect, test } from "vitest";
import { type Argument, expectClose, expectSameBits, out, Random, run, runIn } from "./harness.js";

interface Shape {
  batch: number;
  h: number;
  w: number;
  c: number;
  oh: number;
  ow: number;
  top: number;
  left: number;
  n: number;
}

/** Calls f with the offset of a pixel of y, of the pixel of x under tap (p, q), and p and q, wherever the tap is inside. */
function eachTap({ batch, h, w, oh, ow, top, left }: Shape, f: (y: number, x: number, p: number, q: number) => void) {
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let p = 0; p < 3; p++)
          for (let q = 0; q < 3; q++) {
            const [row, col] = [i + p - top, j + q - left];
            if (row >= 0 && row < h && col >= 0 && col < w) f((b * oh + i) * ow + j, (b * h + row) * w + col, p, q);
          }
}

/** The first output, of the same bits in both builds; workspaces and unused columns of panels may differ. */
function first(kernel: string, ...args: Argument[]): Float32Array {
  const [simd, scalar] = (["simd", "scalar"] as const).map((build) => runIn(build, kernel, ...args).outputs[0]);
  expectSameBits(simd, scalar, `${kernel}, SIMD against scalar`);
  return simd as Float32Array;
}

const size = (name: string, ...args: number[]): number => run(name, ...args).value as number;
const tiles = ({ batch, oh, ow }: Shape): number => batch * Math.ceil(oh / 4) * Math.ceil(ow / 4);

function conv2d(
  shape: Shape,
  x: Float32Array,
  f: Float32Array,
  bias: Float32Array | 0,
  { from = 0, to = tiles(shape), block = 4, low = -Infinity, high = Infinity } = {},
): Float32Array {
  const { batch, h, w, c, oh, ow, top, left, n } = shape;
  const u = out(36 * (size("gemm_packed_size", c, n) + 16));
  const filter = runIn("simd", "f32_conv2d_3x3_winograd_filter", c, n, f, u, out(144)).outputs[0];
  const scratch = out(size("conv2d_3x3_winograd_scratch", c, n, block));
  const sizes = [h, w, c, oh, ow, top, left, n, from, to, block];
  const y = out(batch * oh * ow * n);
  return first("f32_conv2d_3x3_winograd", ...sizes, x, filter, bias, y, scratch, low, high);
}

function filterGrad(
  shape: Shape,
  x: Float32Array,
  dy: Float32Array,
  { block = 64, from = 0, to = shape.n } = {},
): Float32Array {
  const { batch, h, w, c, oh, ow, top, left, n } = shape;
  const scratch = out(size("conv2d_3x3_winograd_filter_grad_scratch", c, n, block));
  const sizes = [batch, h, w, c, oh, ow, top, left, n, from, to, block];
  const df = out(9 * c * n);
  return first("f32_conv2d_3x3_winograd_filter_grad", ...sizes, x, dy, df, scratch);
}

// Images smaller than a tile, of one, and of more with all remainders; channels around a vector and both widths of panels;
// padding within and beyond the filter, before and after.
const shapes: Shape[] = [
  { batch: 1, h: 6, w: 6, c: 4, oh: 4, ow: 4, top: 0, left: 0, n: 8 },
  { batch: 2, h: 3, w: 5, c: 1, oh: 3, ow: 5, top: 1, left: 1, n: 1 },
  { batch: 1, h: 1, w: 1, c: 3, oh: 1, ow: 1, top: 1, left: 1, n: 5 },
  { batch: 1, h: 9, w: 12, c: 5, oh: 7, ow: 10, top: 0, left: 0, n: 17 },
  { batch: 3, h: 7, w: 6, c: 18, oh: 7, ow: 6, top: 1, left: 1, n: 12 },
  { batch: 1, h: 5, w: 4, c: 7, oh: 11, ow: 9, top: 5, left: 2, n: 24 },
  { batch: 2, h: 13, w: 13, c: 9, oh: 8, ow: 9, top: -2, left: -1, n: 33 },
  { batch: 1, h: 8, w: 8, c: 40, oh: 8, ow: 8, top: 1, left: 1, n: 3 },
];

const name = ({ batch, h, w, c, oh, ow, top, left, n }: Shape) =>
  `x [${batch}, ${h}, ${w}, ${c}], from (${-top}, ${-left}) to y [${batch}, ${oh}, ${ow}, ${n}]`;

test.each(shapes.map((shape) => [name(shape), shape] as const))("%s", (_, shape) => {
  const { batch, h, w, c, oh, ow, n } = shape;
  const random = new Random(h * w + c);
  const [x, f, bias] = [random.f32(batch * h * w * c), random.f32(9 * c * n), random.f32(n)];
  const expected = Float64Array.from({ length: batch * oh * ow * n }, (_, i) => bias[i % n]);
  eachTap(shape, (at, from, p, q) => {
    for (let i = 0; i < c; i++)
      for (let o = 0; o < n; o++) expected[at * n + o] += x[from * c + i] * f[((p * 3 + q) * c + i) * n + o];
  });
  const y = conv2d(shape, x, f, bias);
  expectClose(y, expected, 1e-6, 4e-6 * Math.sqrt(c));
  expectSameBits(conv2d(shape, x, f, bias, { block: 2 }), y, "two tiles at a time");
  expectSameBits(conv2d(shape, x, f, bias, { block: 64 }), y, "all tiles together");
  const clamped = conv2d(shape, x, f, bias, { low: -0.5, high: 0.25 });
  expectSameBits(
    clamped,
    y.map((v) => Math.min(Math.max(v, -0.5), 0.25)),
    "clamped",
  );
});

test.each(shapes.map((shape) => [name(shape), shape] as const))("gradient of the filter, %s", (_, shape) => {
  const { batch, h, w, c, oh, ow, n } = shape;
  const random = new Random(h + w * c);
  const [x, dy] = [random.f32(batch * h * w * c), random.f32(batch * oh * ow * n)];
  const expected = new Float64Array(9 * c * n);
  eachTap(shape, (at, from, p, q) => {
    for (let i = 0; i < c; i++)
      for (let o = 0; o < n; o++) expected[((p * 3 + q) * c + i) * n + o] += x[from * c + i] * dy[at * n + o];
  });
  const df = filterGrad(shape, x, dy, { block: 3 });
  expectClose(df, expected, 1e-6, 4e-6 * Math.sqrt(batch * oh * ow));
  expectSameBits(filterGrad(shape, x, dy), df, "all tiles together");
});

test("a range of tiles gives the bits of all tiles, and writes no others", () => {
  const shape = shapes[4];
  const random = new Random(3);
  const { batch, h, w, c, oh, ow, n } = shape;
  const data = [random.f32(batch * h * w * c), random.f32(9 * c * n), random.f32(n)] as const;
  const all = conv2d(shape, ...data);
  const parts = [
    [0, 5],
    [5, 6],
    [6, tiles(shape)],
  ].map(([from, to]) => conv2d(shape, ...data, { from, to })); // what is not written stays NaN
  const written = parts.map((part) => part.reduce((count, v) => count + (Number.isNaN(v) ? 0 : 1), 0));
  expect(written.reduce((a, b) => a + b)).toBe(batch * oh * ow * n);
  expectSameBits(
    all.map((_, i) => parts.map((part) => part[i]).find((v) => !Number.isNaN(v)) as number),
    all,
  );
});

test("columns of the gradient of the filter have the bits of all columns, and no others are written", () => {
  const shape = shapes[6]; // 33 columns
  const random = new Random(5);
  const { batch, h, w, c, oh, ow, n } = shape;
  const [x, dy] = [random.f32(batch * h * w * c), random.f32(batch * oh * ow * n)];
  const parts = [
    [0, 16],
    [16, 33],
  ].map(([from, to]) => filterGrad(shape, x, dy, { from, to })); // what is not written stays NaN
  expect(parts[0].every((v, i) => Number.isNaN(v) !== Number.isNaN(parts[1][i]))).toBe(true);
  expectSameBits(
    parts[0].map((v, i) => (Number.isNaN(v) ? parts[1][i] : v)),
    filterGrad(shape, x, dy),
  );
});

test.each([
  [4, 8],
  [3, 5],
  [9, 17],
])("a filter of %i x %i channels is transformed to the same bits with and without SIMD", (c, n) => {
  const f = new Random(c).f32(9 * c * n);
  const length = size("gemm_packed_size", c, n) + 16;
  const [simd, scalar] = (["simd", "scalar"] as const).map((build) => {
    const u = runIn(build, "f32_conv2d_3x3_winograd_filter", c, n, f, out(36 * length), out(144)).outputs[0];
    // column j of row i is in a panel of 16 columns, or of 8 where no more remain
    const at = (i: number, j: number) => (j & ~15) * c + i * (n - (j & ~15) > 8 ? 16 : 8) + (j & 15);
    return Float32Array.from({ length: 36 * c * n }, (_, k) => {
      const [position, i, j] = [Math.floor(k / (c * n)), Math.floor(k / n) % c, k % n];
      return u[position * length + at(i, j)];
    });
  });
  expectSameBits(simd, scalar);
});

test.each(["with a bias", "without"])("windows of zeros give the bias exactly, %s", (how) => {
  const shape = { batch: 1, h: 12, w: 12, c: 6, oh: 12, ow: 12, top: 1, left: 1, n: 7 };
  const random = new Random(6);
  const x = random.f32(12 * 12 * 6).map((v, i) => (Math.floor(i / 72) < 5 || i % 72 < 30 ? (i % 2 ? 0 : -0) : v));
  const bias = how === "without" ? 0 : random.f32(7);
  const y = conv2d(shape, x, random.f32(9 * 6 * 7), bias);
  let zeros = 0;
  for (let i = 0; i < 12; i++)
    for (let j = 0; j < 12; j++) {
      if (i + 1 >= 5 && j + 1 >= 5) continue; // some pixel of the window is not zero
      zeros++;
      const expected = bias === 0 ? new Float32Array(7) : bias;
      expectSameBits(y.slice((i * 12 + j) * 7, (i * 12 + j + 1) * 7), expected, `pixel ${i}, ${j}`);
    }
  expect(zeros).toBe(80);
});

test("a NaN in the image reaches its tiles and passes the clamp", () => {
  const shape = shapes[3];
  const random = new Random(4);
  const { batch, h, w, c, n } = shape;
  const x = random.f32(batch * h * w * c);
  x[0] = Number.NaN;
  const y = conv2d(shape, x, random.f32(9 * c * n), random.f32(n), { low: 0, high: 6 });
  expect(y.slice(0, n).every(Number.isNaN)).toBe(true);
});
