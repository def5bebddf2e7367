// Kernels of quantized models.
import { conv2dScratch, conv3x3Scratch, depthwiseScratch, pairsOf } from "../../scratch.js";
import { windows } from "./conv.js";
import { CHEAP, COSTLY, each, type Range, type Rule, type Rules, WORD } from "./range.js";

/** About what a multiplication and its addition take. */
const MADD = 0.015;

/** Bytes of a panel of 8 columns: HEAD and pairs of assembly/qgemm.ts. Panels of assembly/qdot.ts have 16 columns, in twice as many. */
const panel = (pairs: number): number => 64 + 32 * pairs;

/**
 * (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, n, groups, block, ..., x, packed, scratch, y): images, and rows of one, whose
 * window is sh rows further down. Where every pixel is by itself all of them are divided; a single one by columns.
 */
const convolution =
  (kernel: string): Rule =>
  (a): Range => {
    const [batch, h, w, c, oh, ow, kh, kw, sh, sw, , dw, top, left, n, groups] = a;
    const pairs = pairsOf(kh, kw, c, dw, groups);
    const scratch = { argument: 23, bytes: conv2dScratch(a) };
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
      return { count: 14, cost: pixel / n, multiple: 16, moves, scratch };
    }
    if (kh * kw * sh * sw === 1 && oh === h && ow === w && top + left === 0) {
      const args = [...a];
      args.splice(0, 6, batch * h * w, 1, 1, c, 1, 1);
      return { ...images(pixel, c, n), preferred: 16, as: { kernel, args } };
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
const winograd: Rule = (a) => {
  const [, h, w, c, oh, ow, , , n] = a;
  const scratch = { argument: 16, bytes: conv3x3Scratch(a) };
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

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, ..., x, packed, scratch, y): images, and rows of one. */
const depthwise: Rule = (a) => {
  const scratch = { argument: 20, bytes: depthwiseScratch(a) };
  const range = windows([18], [21], 3 * MADD, 12, 1)(a) as Range;
  return { ...range, scratch, inner: (part) => ({ ...(range.inner?.(part) as Range), scratch }) };
};

export const int8: Rules = {
  i8_conv2d: convolution("i8_conv2d"),
  i8_conv2d_any: convolution("i8_conv2d_any"),
  i8_conv2d_3x3: winograd,
  i8_depthwise_conv2d: depthwise,
  i8_depthwise_conv2d_any: depthwise,
  i8_avg_pool2d: windows([15], [16], CHEAP, 10, 1),
  i8_max_pool2d: windows([14], [15], WORD / 4, 10, 1),
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
