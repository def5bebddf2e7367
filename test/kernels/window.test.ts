// Depthwise and grouped convolution, average pooling, batched products: bit for bit against the sums as they are stated.
import { describe, test } from "vitest";
import { expectSameBits, out, Random, runF32 } from "./harness.js";

const f = Math.fround;

interface Conv {
  batch: number;
  h: number;
  w: number;
  c: number;
  k: [number, number];
  s: [number, number];
  d: [number, number];
}

function geometry({ batch, h, w, c, k, s, d }: Conv) {
  const [oh, ow] = [
    Math.floor((h - (k[0] - 1) * d[0] - 1) / s[0]) + 1,
    Math.floor((w - (k[1] - 1) * d[1] - 1) / s[1]) + 1,
  ];
  const at = (b: number, i: number, j: number, p: number, q: number, ch: number) =>
    ((b * h + i * s[0] + p * d[0]) * w + j * s[1] + q * d[1]) * c + ch;
  return { oh, ow, at, sizes: [batch, h, w, c, oh, ow, ...k, ...s, ...d] };
}

interface Depthwise extends Conv {
  /** Height and width of the result. */
  out: [number, number];
  /** Padding before. */
  pad: [number, number];
  /** Distance of the pixels of x. */
  t: [number, number];
}

const depthwise = (h: number, w: number, c: number, more: Partial<Depthwise>): Depthwise => {
  const conv = { batch: 1, h, w, c, k: [3, 3], s: [1, 1], d: [1, 1], pad: [0, 0], t: [1, 1], ...more } as Depthwise;
  const { oh, ow } = geometry(conv);
  return { ...conv, out: more.out ?? [oh, ow] };
};

// Rows of three pixels, two vectors and what is left of them; padding on each side, more of it than the filter is wide, and none;
// pixels apart, as in gradients of strided and dilated convolutions.
const DEPTHWISE: [string, Depthwise][] = [
  ["3x3 of 5x9x4", depthwise(5, 9, 4, { batch: 2 })],
  ["3x3 stride 2 of 9x13x17", depthwise(9, 13, 17, { s: [2, 2] })],
  ["2x4 dilation 2x1 of 6x7x33", depthwise(6, 7, 33, { k: [2, 4], d: [2, 1] })],
  ["1x1 of 3x5x1", depthwise(3, 5, 1, { batch: 3, k: [1, 1] })],
  ["5x3 stride 1x3 of 7x16x7", depthwise(7, 16, 7, { k: [5, 3], s: [1, 3], d: [1, 2] })],
  ["no images", depthwise(4, 4, 3, { batch: 0 })],
  ["3x3 of 4x8x8, same", depthwise(4, 8, 8, { batch: 2, pad: [1, 1], out: [4, 8] })],
  ["5x5 of 3x2x9, same, wider than the image", depthwise(3, 2, 9, { k: [5, 5], pad: [2, 2], out: [3, 2] })],
  ["3x3 stride 2 of 6x11x12, padded 0 to 1 and 1", depthwise(6, 11, 12, { s: [2, 2], pad: [0, 1], out: [3, 6] })],
  ["3x3 of 2x3x5 within a frame of 4", depthwise(2, 3, 5, { pad: [4, 4], out: [8, 9] })],
  ["3x4 dilation 3x2 of 7x9x16, same", depthwise(7, 9, 16, { k: [3, 4], d: [3, 2], pad: [3, 3], out: [7, 9] })],
  ["3x3 of 3x6x8, cropped", depthwise(3, 6, 8, { k: [2, 2], pad: [-1, -2], out: [1, 3] })],
  ["3x3, pixels of 3x5x9 2 apart", depthwise(3, 5, 9, { pad: [1, 1], t: [2, 2], out: [5, 10] })],
  [
    "5x3, pixels of 2x4x16 3x2 apart, dilation 2",
    depthwise(2, 4, 16, { k: [5, 3], d: [2, 2], pad: [7, 4], t: [3, 2], out: [7, 8] }),
  ],
  [
    "2x2 dilation 3, pixels of 4x3x3 3 apart",
    depthwise(4, 3, 3, { k: [2, 2], d: [3, 3], pad: [3, 2], t: [3, 3], out: [12, 10] }),
  ],
  ["1x1, pixels of 3x3x8 2 apart", depthwise(3, 3, 8, { k: [1, 1], t: [2, 2], out: [6, 5] })],
];

describe.each(DEPTHWISE)("%s", (_, conv) => {
  const {
    batch,
    h,
    w,
    c,
    k,
    s,
    d,
    pad,
    t,
    out: [oh, ow],
  } = conv;
  const random = new Random(h * w * c);
  const [x, filter, bias] = [random.f32(batch * h * w * c), random.f32(k[0] * k[1] * c), random.f32(c)];
  const dy = random.f32(batch * oh * ow * c);
  const sizes = [batch, h, w, c, oh, ow, ...k, ...s, ...d, ...pad];
  /** Index in x of what element (p, q) of the filter meets, if it meets anything. */
  const at = (b: number, i: number, j: number, p: number, q: number, ch: number): number | undefined => {
    const [u, v] = [i * s[0] + p * d[0] - pad[0], j * s[1] + q * d[1] - pad[1]];
    const inside = u >= 0 && v >= 0 && u % t[0] === 0 && v % t[1] === 0 && u / t[0] < h && v / t[1] < w;
    return inside ? ((b * h + u / t[0]) * w + v / t[1]) * c + ch : undefined;
  };

  test.each([true, false])("depthwise_conv2d, bias: %s", (withBias) => {
    const y = new Float32Array(dy.length).map((_, o) => {
      const [ch, j, i, b] = [o % c, Math.floor(o / c) % ow, Math.floor(o / c / ow) % oh, Math.floor(o / c / ow / oh)];
      let sum = withBias ? bias[ch] : 0;
      for (let p = 0; p < k[0]; p++)
        for (let q = 0; q < k[1]; q++) {
          const from = at(b, i, j, p, q, ch);
          if (from !== undefined) sum = f(sum + f(x[from] * filter[(p * k[1] + q) * c + ch]));
        }
      return Math.min(Math.max(sum, -0.5), 6);
    });
    const given = [x, filter, withBias ? bias : 0, out(y.length)];
    expectSameBits(runF32("f32_depthwise_conv2d", ...sizes, ...t, ...given, -0.5, 6), y);
  });

  if (t[0] * t[1] > 1) return;
  test("depthwise_conv2d_filter_grad", () => {
    const df = new Float32Array(filter.length).map((_, o) => {
      const [ch, q, p] = [o % c, Math.floor(o / c) % k[1], Math.floor(o / c / k[1])];
      let sum = 0;
      for (let b = 0; b < batch; b++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) {
            const from = at(b, i, j, p, q, ch);
            if (from !== undefined) sum = f(sum + f(x[from] * dy[((b * oh + i) * ow + j) * c + ch]));
          }
      return sum;
    });
    expectSameBits(runF32("f32_depthwise_conv2d_filter_grad", ...sizes, x, dy, out(df.length)), df);
  });
});

/** Packs one matrix after the other. */
const pack = (batch: number, steps: [number, number, number], k: number, n: number, b: Float32Array): Float32Array => {
  const size = k * Math.ceil(n / 8) * 8;
  return runF32("f32_gemm_pack_batched", batch, steps[0], k, n, steps[1], steps[2], b, out(batch * size));
};

describe.each([
  [2, 3, 5],
  [3, 1, 1],
  [4, 4, 16],
  [2, 8, 19],
])("%i groups of %i to %i channels", (groups, cg, ng) => {
  const conv: Conv = { batch: 2, h: 5, w: 6, c: groups * cg, k: [3, 2], s: [1, 2], d: [1, 1] };
  const { oh, ow, at, sizes } = geometry(conv);
  const { batch, h, w, c, k } = conv;
  const n = groups * ng;
  const random = new Random(n);
  const [x, filter, bias] = [random.f32(batch * h * w * c), random.f32(k[0] * k[1] * cg * n), random.f32(n)];
  const dy = random.f32(batch * oh * ow * n);

  test("conv2d_grouped", () => {
    const y = new Float32Array(dy.length).map((_, o) => {
      const [ch, j, i, b] = [o % n, Math.floor(o / n) % ow, Math.floor(o / n / ow) % oh, Math.floor(o / n / ow / oh)];
      let sum = bias[ch];
      for (let p = 0; p < k[0]; p++)
        for (let q = 0; q < k[1]; q++)
          for (let t = 0; t < cg; t++) {
            const from = Math.floor(ch / ng) * cg + t;
            sum = f(sum + f(x[at(b, i, j, p, q, from)] * filter[((p * k[1] + q) * cg + t) * n + ch]));
          }
      return Math.max(sum, 0);
    });
    const packed = pack(groups, [ng, n, 1], k[0] * k[1] * cg, ng, filter);
    expectSameBits(runF32("f32_conv2d_grouped", ...sizes, n, groups, x, packed, bias, out(y.length), 0, Infinity), y);
  });

  test("conv2d_filter_grad_grouped", () => {
    const df = new Float32Array(filter.length).map((_, o) => {
      const [ch, t, q, p] = [
        o % n,
        Math.floor(o / n) % cg,
        Math.floor(o / n / cg) % k[1],
        Math.floor(o / n / cg / k[1]),
      ];
      const from = Math.floor(ch / ng) * cg + t;
      let sum = 0;
      for (let b = 0; b < batch; b++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++)
            sum = f(sum + f(x[at(b, i, j, p, q, from)] * dy[((b * oh + i) * ow + j) * n + ch]));
      return sum;
    });
    const packed = pack(groups, [ng, n, 1], batch * oh * ow, ng, dy);
    const call = (pixel: number, channel: number, image: Float32Array) =>
      runF32("f32_conv2d_filter_grad_grouped", ...sizes, n, groups, pixel, channel, image, packed, out(df.length));
    expectSameBits(call(c, 1, x), df);
    const pixels = batch * h * w;
    const channelsFirst = x.map((_, o) => x[(o % pixels) * c + Math.floor(o / pixels)]);
    expectSameBits(call(1, pixels, channelsFirst), df, "channels first");
  });

  test("conv2d_flip lays the groups apart", () => {
    const taps = k[0] * k[1];
    const expected = new Float32Array(filter.length).map((_, o) => {
      const [i, j, tap, g] = [
        o % cg,
        Math.floor(o / cg) % ng,
        Math.floor(o / cg / ng) % taps,
        Math.floor(o / cg / ng / taps),
      ];
      return filter[((taps - 1 - tap) * cg + i) * n + g * ng + j];
    });
    expectSameBits(runF32("f32_conv2d_flip", ...k, cg, n, groups, filter, out(filter.length)), expected);
  });
});

test.each([
  [1, 1, 1, 1, 1],
  [2, 3, 5, 7, 9],
  [3, 1, 4, 16, 2],
  [2, 2, 1, 17, 300],
  [1, 4, 3, 8, 0],
])("gemm_batched [%i, %i] of %i x %i, k %i, with repeated operands", (b0, b1, m, n, k) => {
  const random = new Random(b0 + m * n);
  const size = k * Math.ceil(n / 8) * 8;
  const [a, b] = [random.f32(b0 * m * k), random.f32(b1 * k * n)];
  const expected = new Float32Array(b0 * b1 * m * n).map((_, o) => {
    const [j, i, batch] = [o % n, Math.floor(o / n) % m, Math.floor(o / n / m)];
    let sum = 0;
    for (let t = 0; t < k; t++)
      sum = f(sum + f(a[(Math.floor(batch / b1) * m + i) * k + t] * b[((batch % b1) * k + t) * n + j]));
    return sum;
  });
  const packed = pack(b1, [k * n, n, 1], k, n, b);
  const call = (row: number, term: number, left: Float32Array) =>
    runF32("f32_gemm_batched", b0, b1, m, n, k, m * k, 0, 0, size, row, term, left, packed, out(expected.length));
  expectSameBits(call(k, 1, a), expected);
  const turned = a.map((_, o) => a[(Math.floor(o / (m * k)) * m + (o % m)) * k + (Math.floor(o / m) % k)]);
  expectSameBits(call(1, m, turned), expected, "transposed");
});

describe.each([
  { h: 6, w: 7, c: 5, k: [3, 3], s: [2, 2], before: [1, 0], after: [1, 1], out: [3, 3] },
  { h: 5, w: 4, c: 17, k: [2, 3], s: [1, 1], before: [0, 1], after: [1, 1], out: [5, 4] },
  { h: 8, w: 6, c: 3, k: [3, 3], s: [2, 2], before: [1, 1], after: [1, 1], out: [5, 4] }, // the last windows reach beyond the padding
  { h: 4, w: 4, c: 1, k: [4, 4], s: [4, 4], before: [0, 0], after: [0, 0], out: [1, 1] },
  { h: 4, w: 6, c: 8, k: [2, 2], s: [2, 2], before: [0, 0], after: [0, 0], out: [2, 3] },
  { h: 3, w: 4, c: 4, k: [1, 2], s: [1, 2], before: [0, 0], after: [0, 0], out: [3, 2] },
  { h: 4, w: 4, c: 4, k: [2, 2], s: [2, 2], before: [1, 1], after: [0, 0], out: [2, 2] }, // no window has the last row
  { h: 5, w: 7, c: 9, k: [2, 2], s: [2, 3], before: [1, 0], after: [0, 1], out: [3, 3] },
])("windows $k of $h x $w x $c", ({ h, w, c, k, s, before, after, out: [oh, ow] }) => {
  const batch = 2;
  const random = new Random(h * w * c);
  const [x, dy] = [random.f32(batch * h * w * c), random.f32(batch * oh * ow * c)];
  const sizes = [batch, h, w, c, oh, ow, ...k, ...s, ...before, ...after];
  /** Positions of a window along one axis, and how many count. */
  const window = (o: number, axis: 0 | 1, counted: boolean): [inside: number[], count: number] => {
    const n = [h, w][axis];
    const all = Array.from({ length: k[axis] }, (_, p) => o * s[axis] - before[axis] + p);
    const inside = all.filter((p) => p >= 0 && p < n);
    return [inside, counted ? all.filter((p) => p < n + after[axis]).length : inside.length];
  };

  test.each([true, false])("avg_pool2d and its gradient, padding counts: %s", (counted) => {
    const [y, dx] = [new Float32Array(dy.length), new Float32Array(x.length)];
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++)
          for (let ch = 0; ch < c; ch++) {
            const [[rows, high], [cols, wide]] = [window(i, 0, counted), window(j, 1, counted)];
            const o = ((b * oh + i) * ow + j) * c + ch;
            let sum = 0;
            for (const r of rows)
              for (const q of cols) {
                const at = ((b * h + r) * w + q) * c + ch;
                sum = f(sum + x[at]);
                dx[at] = f(dx[at] + f(dy[o] / (high * wide)));
              }
            y[o] = f(sum / (high * wide));
          }
    expectSameBits(runF32("f32_avg_pool2d", ...sizes, Number(counted), x, out(y.length)), y);
    expectSameBits(runF32("f32_avg_pool2d_grad", ...sizes, Number(counted), dy, out(x.length)), dx);
  });
});
