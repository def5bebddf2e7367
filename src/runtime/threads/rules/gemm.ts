// Products of matrices of floats, and packing.
import { MADD, type Range, type Rule, type Rules, WORD } from "./range.js";

const rowsOfProducts: Rule = ([, , , n, k, , , , , row]) => ({
  count: 2,
  cost: MADD * n * k,
  preferred: 8,
  moves: [
    [11, 4 * row],
    [13, 4 * n],
  ],
});

const innerProducts: Rule = ([, , m, n, k, , a1, , p1]) => ({
  count: 1,
  cost: MADD * m * n * k,
  moves: [
    [11, 4 * a1],
    [12, 4 * p1],
    [13, 4 * m * n],
  ],
  inner: rowsOfProducts,
});

const products: Rule = ([, b1, m, n, k, a0, , p0]) => ({
  count: 0,
  cost: MADD * b1 * m * n * k,
  moves: [
    [11, 4 * a0],
    [12, 4 * p0],
    [13, 4 * b1 * m * n],
  ],
  inner: innerProducts,
});

/** Panels of 16 columns, [k][16] each. */
const panels =
  (count: number, k: number, colStride: number, b: number): Rule =>
  (a) => ({
    count,
    cost: 2 * WORD * a[k],
    multiple: 16,
    moves: [
      [b, 4 * a[colStride]],
      [b + 1, 4 * a[k]],
    ],
  });

export const gemm: Rules = {
  // A single row of c is contiguous, so that it can be divided by columns.
  f32_gemm: ([m, n, k, , , bias]) =>
    m === 1
      ? {
          count: 1,
          cost: MADD * k,
          multiple: 16,
          moves: [
            [4, 4 * k],
            [5, bias && 4],
            [6, 4],
          ],
        }
      : {
          count: 0,
          cost: MADD * n * k,
          preferred: 8,
          moves: [
            [3, 4 * k],
            [6, 4 * n],
          ],
        },
  f32_gemm_unpacked: ([, n, k]) => ({
    count: 0,
    cost: 2 * MADD * n * k,
    moves: [
      [3, 4 * k],
      [6, 4 * n],
    ],
  }),
  f32_gemm_batched: products,
  f32_gemm_tn: ([m, n, k, a, packed, c]) => {
    const args = [1, 1, m, n, k, 0, 0, 0, 0, 1, m, a, packed, c];
    return { ...(rowsOfProducts(args) as Range), as: { kernel: "f32_gemm_batched", args } };
  },
  f32_gemm_pack: panels(1, 0, 3, 4),
  f32_gemm_pack_batched: ([, stride, k, n, , colStride]) => ({
    count: 0,
    cost: 2 * WORD * k * n,
    moves: [
      [6, 4 * stride],
      [7, 4 * k * Math.ceil(n / 8) * 8],
    ],
    inner: () => ({
      count: 3,
      cost: 2 * WORD * k,
      multiple: 16,
      moves: [
        [6, 4 * colStride],
        [7, 4 * k],
      ],
    }),
  }),
};
