// What moves numbers or mixes neighbours along an axis: copies, lookups, images that are moved or resized, running sums.
import { CHEAP, type Rule, type Rules, WORD } from "./range.js";

/** (n, h, w, c, oh, ow, linear, ...): images of both sizes, each with a map of 6 numbers. */
const affine =
  ([input, output]: readonly [number, number]): Rule =>
  ([, h, w, c, oh, ow, linear]) => ({
    count: 0,
    cost: oh * ow * (linear === 1 ? 26 : 8),
    moves: [
      [input, 4 * h * w * c],
      [9, 24],
      [output, 4 * oh * ow * c],
    ],
  });

/** Five loops with steps of their own: the first with enough turns for all threads, or the longest. */
const strided =
  (bytes: number): Rule =>
  (a) => {
    const extents = a.slice(0, 5);
    const long = extents.findIndex((extent) => extent >= 16);
    const loop = long >= 0 ? long : extents.indexOf(Math.max(...extents));
    const moves = [
      [17, bytes * a[5 + loop]],
      [18, bytes * a[10 + loop]],
    ] as const;
    const rest = extents.reduce((x, y) => x * y, 1) / extents[loop];
    return { count: loop, cost: 3 * WORD * rest, preferred: loop > 2 ? 16 : 1, moves };
  };

/** (outer, n, inner, count, x, indices, y): matrices, or the rows that are picked from one. */
const gather =
  (bytes: number): Rule =>
  ([outer, n, inner, count]) =>
    outer > 1
      ? {
          count: 0,
          cost: WORD * count * inner,
          moves: [
            [4, bytes * n * inner],
            [6, bytes * count * inner],
          ],
        }
      : {
          count: 3,
          cost: WORD * inner,
          moves: [
            [5, 4],
            [6, bytes * inner],
          ],
        };

export const movement: Rules = {
  x32_strided_copy: strided(4),
  x8_strided_copy: strided(1),
  x32_gather: gather(4),
  x8_gather: gather(1),
  f32_scatter_add: ([, n, inner, count]) => ({
    count: 0,
    cost: CHEAP * count * inner,
    moves: [
      [4, 4 * count * inner],
      [6, 4 * n * inner],
    ],
  }),
  f32_affine: affine([8, 10]),
  f32_affine_grad: affine([10, 8]),
  f32_interpolate: ([, n, inner, m]) => ({
    count: 0,
    cost: CHEAP * m * inner,
    moves: [
      [4, 4 * n * inner],
      [5, 4 * m * inner],
    ],
  }),
  f32_interpolate_grad: ([, n, inner, m]) => ({
    count: 0,
    cost: CHEAP * m * inner,
    moves: [
      [4, 4 * m * inner],
      [5, 4 * n * inner],
    ],
  }),
  f32_cumsum: ([, n, inner]) => ({
    count: 0,
    cost: CHEAP * n * inner,
    moves: [
      [3, 4 * n * inner],
      [4, 4 * n * inner],
    ],
  }),
};
