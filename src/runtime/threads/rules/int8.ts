// Kernels of quantized models.
import { windows } from "./conv.js";
import { CHEAP, COSTLY, each, type Range, type Rule, type Rules, WORD } from "./range.js";

/** About what a multiplication and its addition take. */
const MADD = 0.015;

/** Bytes of a panel of 8 columns: HEAD and pairs of assembly/qgemm.ts. */
const panel = (pairs: number): number => 64 + 32 * pairs;

/**
 * (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, n, groups, block, ..., x, packed, scratch, y): images, and rows of one, whose
 * window is sh rows further down. Where every pixel is by itself all of them are divided; a single one by columns.
 */
const convolution: Rule = (a): Range => {
  const [batch, h, w, c, oh, ow, kh, kw, sh, sw, , dw, top, left, n, groups, block] = a;
  const whole = groups === 1 && (dw === 1 || kw === 1);
  const run = whole ? kw * c : c / groups;
  const pairs = kh * (whole ? 1 : kw) * Math.ceil(run / 2);
  const scratch = { argument: 23, bytes: 4 * pairs * block + 5 * run + 256 };
  const pixel = (MADD * n * kh * kw * c) / groups + CHEAP * pairs;
  const images = (cost: number, from: number, to: number) =>
    ({
      count: 0,
      cost,
      moves: [
        [21, from],
        [24, to],
      ],
      scratch,
    }) as const;
  if (batch * oh * ow === 1 && groups === 1) {
    const moves = [
      [22, panel(pairs) / 8],
      [24, 1],
    ] as const;
    return { count: 14, cost: pixel / n, multiple: 8, moves, scratch };
  }
  if (kh * kw * sh * sw === 1 && oh === h && ow === w && top + left === 0) {
    const args = [...a];
    args.splice(0, 6, batch * h * w, 1, 1, c, 1, 1);
    return { ...images(pixel, c, n), preferred: 16, as: { kernel: "i8_conv2d", args } };
  }
  const ofRows: Rule = () => ({
    count: 4,
    cost: ow * pixel,
    moves: [
      [12, -sh],
      [24, ow * n],
    ],
    scratch,
  });
  return { ...images(oh * ow * pixel, h * w * c, oh * ow * n), inner: ofRows };
};

/** (batch, h, w, c, oh, ow, top, left, n, block, ..., x, packed, scratch, y): images, and pairs of rows of one. */
const winograd: Rule = ([, h, w, c, oh, ow, , , n, block]) => {
  const scratch = { argument: 16, bytes: block * (32 * c + 512) + 16 * c }; // as i8_conv2d_3x3_winograd says
  const row = ow * (4 * MADD * c * n + 8 * CHEAP * (c + n));
  const ofRows: Rule = () => ({
    count: 4,
    cost: row,
    multiple: 2,
    moves: [
      [6, -1],
      [17, ow * n],
    ],
    scratch,
  });
  return {
    count: 0,
    cost: oh * row,
    moves: [
      [14, h * w * c],
      [17, oh * ow * n],
    ],
    inner: ofRows,
    scratch,
  };
};

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, ..., x, packed, scratch, y): images, already padded, and rows of one. */
const depthwise: Rule = ([, h, w, c, oh, ow, kh, kw, sh]) => {
  const scratch = { argument: 17, bytes: 4 * (kh * kw + 1) };
  const row = 4 * MADD * ow * c * kh * kw;
  const rows = (count: number, cost: number, from: number, to: number) =>
    ({
      count,
      cost,
      moves: [
        [15, from],
        [18, to],
      ],
      scratch,
    }) as const;
  return { ...rows(0, oh * row, h * w * c, oh * ow * c), inner: () => rows(4, row, sh * w * c, ow * c) };
};

export const int8: Rules = {
  i8_conv2d: convolution,
  i8_conv2d_3x3_winograd: winograd,
  i8_depthwise_conv2d: depthwise,
  i8_avg_pool2d: windows([15], [16], CHEAP, 10, 1),
  i8_max_pool2d: windows([14], [15], WORD / 4, 10, 1),
  i8_pad2d: ([, h, w, c, oh, ow]) => ({
    count: 0,
    cost: (WORD / 4) * oh * ow * c,
    moves: [
      [9, h * w * c],
      [10, oh * ow * c],
    ],
  }),
  i8_mean: ([, n, inner]) => ({
    count: 0,
    cost: COSTLY * n * inner,
    moves: [
      [8, n * inner],
      [9, inner],
    ],
  }),
  f32_to_i8_quantized: each(CHEAP, 4, 1),
  i8_to_f32_dequantized: each(CHEAP, 1, 4),
  i8_requantize: each(CHEAP, 1, 1),
  i8_add: each(CHEAP, 1, 1, 1),
  i8_mul: each(CHEAP, 1, 1, 1),
  i8_lookup: each(COSTLY, 1, 0, 1),
  i8_softmax: ([, n]) => ({
    count: 0,
    cost: 3 * COSTLY * n,
    moves: [
      [2, n],
      [4, n],
    ],
  }),
};
