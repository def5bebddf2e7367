// Convolutions of floats and their gradients, pooling, padding.
import { CHEAP, MADD, type Range, type Rule, type Rules, WORD } from "./range.js";

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, ...): images, each of them rows of its output. `groups` is an argument, or none. */
const convolution =
  (groups: number | undefined, x: number): Rule =>
  (a) => {
    const [, h, w, c, oh, ow, kh, kw, sh] = a;
    const n = a[12];
    const row = MADD * ow * n * kh * kw * (c / (groups === undefined ? 1 : a[groups]));
    const y = x + 3;
    return {
      count: 0,
      cost: oh * row,
      moves: [
        [x, 4 * h * w * c],
        [y, 4 * oh * ow * n],
      ],
      inner: () => ({
        count: 4,
        cost: row,
        moves: [
          [x, 4 * sh * w * c],
          [y, 4 * ow * n],
        ],
      }),
    };
  };

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, groups, pixel, channel, x, packed, df): rows of the filter, their taps, channels. */
const filterGradient: Rule = (a) => {
  const [batch, , w, c, oh, ow, , kw] = a;
  const [dh, dw, n, groups, pixel, channel] = a.slice(10, 16);
  const row = MADD * batch * oh * ow * n;
  const channels = c / groups;
  const ofChannels: Rule = () => ({
    count: 3,
    cost: row,
    preferred: 2,
    moves: [
      [16, 4 * channel],
      [18, 4 * n],
    ],
  });
  const ofTaps: Rule = () => ({
    count: 7,
    cost: channels * row,
    moves: [
      [16, 4 * dw * pixel],
      [18, 4 * channels * n],
    ],
    inner: groups === 1 ? ofChannels : undefined,
  });
  return {
    count: 6,
    cost: kw * channels * row,
    perThread: channels === 1 ? 1 : undefined,
    moves: [
      [16, 4 * dh * w * pixel],
      [18, 4 * kw * channels * n],
    ],
    inner: channels === 1 ? undefined : ofTaps, // a single row of results takes as long as two
  };
};

/**
 * (batch, h, w, c, oh, ow, kh, kw, sh, ...): images, at the arguments `images` and `results`. Where `top` is the argument of the padding
 * above and no sums go into the images, a single one is rows of its output: one row on is a window sh rows further down.
 */
export const windows =
  (images: readonly number[], results: readonly number[], cost = WORD, top?: number, bytes = 4): Rule =>
  (a) => {
    const [, h, w, c, oh, ow, kh, kw, sh] = a;
    const moves = [
      ...images.map((argument) => [argument, bytes * h * w * c] as const),
      ...results.map((argument) => [argument, bytes * oh * ow * c] as const),
    ];
    const row = cost * ow * c * kh * kw;
    const ofRows: Rule | undefined =
      top === undefined
        ? undefined
        : () => ({
            count: 4,
            cost: row,
            moves: [[top, -sh], ...results.map((argument) => [argument, bytes * ow * c] as const)],
          });
    return { count: 0, cost: oh * row, moves, inner: ofRows };
  };

/** Whole vectors of channels. */
const whole = (channels: number): number => Math.ceil(channels / 4) * 4;

export const conv: Rules = {
  f32_conv2d: convolution(undefined, 13),
  f32_conv2d_grouped: convolution(13, 14),
  f32_conv2d_filter_grad: (a) => {
    const args = [...a.slice(0, 13), 1, a[3], 1, ...a.slice(13)];
    return { ...(filterGradient(args) as Range), as: { kernel: "f32_conv2d_filter_grad_grouped", args } };
  },
  f32_conv2d_filter_grad_grouped: filterGradient,
  // Each part reads all of the filter again, for each of its blocks of tiles.
  f32_conv2d_3x3_winograd: ([, , c, , , , , n, , , block]) => ({
    count: 9,
    from: 8,
    perThread: 2,
    cost: MADD * (36 * c * n + 300 * (c + n)),
    preferred: 4,
    multiple: 2,
    moves: [],
    // conv2d_3x3_winograd_scratch(c, n, block) of assembly/winograd.ts
    scratch: { argument: 15, bytes: 4 * (144 + 36 * (whole(c) + block * (whole(c) + whole(n)) + 32)) },
  }),
  // Each part transforms all of x again.
  f32_conv2d_3x3_winograd_filter_grad: ([batch, , , c, oh, ow, , , n, , , block]) => ({
    count: 10,
    from: 9,
    perThread: 1,
    cost: MADD * batch * Math.ceil(oh / 4) * Math.ceil(ow / 4) * (36 * c + 300),
    multiple: 16,
    moves: [],
    // conv2d_3x3_winograd_filter_grad_scratch(c, n, block)
    scratch: {
      argument: 15,
      bytes:
        4 *
        (144 +
          Math.max(36 * whole(c), 16 * whole(n)) +
          36 * (block * whole(c) + block * Math.ceil(n / 8) * 8 + 16 + whole(c) * whole(n) + 32)),
    },
  }),
  // With zeros between the pixels of x (th > 1) a row on is not a whole number of its rows.
  f32_depthwise_conv2d: (a) => windows([16], [19], WORD, a[14] === 1 ? 12 : undefined)(a),
  f32_max_pool2d: windows([12], [13], WORD, 10),
  f32_max_pool2d_grad: windows([12, 14], [13], 2 * CHEAP),
  f32_avg_pool2d: windows([15], [16]),
  f32_avg_pool2d_grad: windows([16], [15]),
  f32_pad2d: ([, h, w, c, oh, ow]) => ({
    count: 0,
    cost: CHEAP * oh * ow * c,
    moves: [
      [10, 4 * h * w * c],
      [11, 4 * oh * ow * c],
    ],
  }),
};
