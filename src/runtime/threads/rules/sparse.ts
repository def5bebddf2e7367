// Products with sparse weights. How many weights are kept is not among the arguments: a fifth is assumed.
import { MADD, type Rules } from "./range.js";

const KEPT = 0.2;

export const sparse: Rules = {
  // (batch, h, w, c, oh, ow, sh, sw, n, block, x, packed, bias, y, ...)
  f32_sparse_conv2d_outputs: ([, h, w, c, oh, ow, sh, sw, n]) => {
    const pixel = KEPT * MADD * c * n;
    return {
      count: 0,
      cost: oh * ow * pixel,
      moves: [
        [10, 4 * h * w * c],
        [13, 4 * oh * ow * n],
      ],
      inner: () => ({
        count: oh === 1 ? 5 : 4,
        cost: oh === 1 ? pixel : ow * pixel,
        moves: [
          [10, 4 * (oh === 1 ? sw : sh * w) * c],
          [13, 4 * (oh === 1 ? 1 : ow) * n],
        ],
      }),
    };
  },
  // (batch, image, width, oh, ow, n, x, packed, bias, scratch, y, ...)
  f32_sparse_conv2d_pixels: ([, image, width, oh, ow, n]) => {
    const scratch = { argument: 9, bytes: 512 };
    const pixel = (KEPT * MADD * image * n) / (oh * width);
    return {
      count: 0,
      cost: oh * ow * pixel,
      moves: [
        [6, 4 * image],
        [10, 4 * oh * ow * n],
      ],
      scratch,
      inner: () => ({
        count: oh === 1 ? 4 : 3,
        cost: oh === 1 ? pixel : ow * pixel,
        multiple: oh === 1 ? 32 : 1,
        moves: [
          [6, 4 * (oh === 1 ? 1 : width)],
          [10, 4 * (oh === 1 ? 1 : ow) * n],
        ],
        scratch,
      }),
    };
  },
};
