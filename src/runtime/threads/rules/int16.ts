// Kernels of quantized models with activations of 16 bits.
import { windows } from "./conv.js";
import { CHEAP, COSTLY, each, type Rule, type Rules, WORD } from "./range.js";

/** About what a multiplication and its addition take. */
const MADD = 0.017;

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, groups, block, ..., x, packed, scratch, y): images, rows of one, pixels of one row. */
const convolution: Rule = (a) => {
  const [batch, h, w, c, oh, ow, kh, kw, sh, sw, , , n, groups, block] = a;
  const scratch = { argument: 20, bytes: 4 * (block + kh * kw) + 336 }; // as i16_conv2d says
  const pixel = (MADD * n * kh * kw * c) / groups + CHEAP * n;
  const part = (count: number, cost: number, from: number, to: number) =>
    ({
      count,
      cost,
      moves: [
        [18, 2 * from],
        [21, 2 * to],
      ],
      scratch,
    }) as const;
  if (batch * oh === 1) return { ...part(5, pixel, sw * c, n), preferred: 4 };
  return { ...part(0, oh * ow * pixel, h * w * c, oh * ow * n), inner: () => part(4, ow * pixel, sh * w * c, ow * n) };
};

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, ..., x, packed, scratch, y): images, already padded, and rows of one. */
const depthwise: Rule = ([, h, w, c, oh, ow, kh, kw, sh]) => {
  const scratch = { argument: 17, bytes: 4 * kh * kw + 148 };
  const row = 4 * MADD * ow * c * kh * kw;
  const rows = (count: number, cost: number, from: number, to: number) =>
    ({
      count,
      cost,
      moves: [
        [15, 2 * from],
        [18, 2 * to],
      ],
      scratch,
    }) as const;
  return { ...rows(0, oh * row, h * w * c, oh * ow * c), inner: () => rows(4, row, sh * w * c, ow * c) };
};

export const int16: Rules = {
  i16_conv2d: convolution,
  i16_depthwise_conv2d: depthwise,
  i16_avg_pool2d: windows([14], [15], CHEAP, 10, 2),
  i16_max_pool2d: windows([14], [15], WORD, 10, 2),
  f32_to_i16_quantized: each(CHEAP, 4, 2),
  i16_to_f32_dequantized: each(CHEAP, 2, 4),
  i16_requantize: each(CHEAP, 2, 2),
  i16_add: each(CHEAP, 2, 2, 2),
  i16_mul: each(CHEAP, 2, 2, 2),
  i16_leaky_relu: each(CHEAP, 2, 2),
  i16_sigmoid: each(COSTLY, 2, 0, 2),
  i16_tanh: each(COSTLY, 2, 0, 2),
  i16_softmax: ([, n]) => ({
    count: 0,
    cost: 4 * COSTLY * n,
    moves: [
      [2, 2 * n],
      [5, 2 * n],
    ],
  }),
};
