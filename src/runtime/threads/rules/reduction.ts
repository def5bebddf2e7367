// Sums over an axis, and what is made of them: softmax, losses, norms, extremes.
import { CHEAP, COSTLY, type Range, type Rule, type Rules, WORD } from "./range.js";

/** (rows, n, ...): `moves` in elements of four bytes, given n. */
const rows =
  (cost: number, moves: (n: number) => [number, number][]): Rule =>
  (a) => ({ count: 0, cost: cost * a[1], moves: moves(a[1]).map(([argument, step]) => [argument, 4 * step] as const) });

/** (outer, reduce, inner, x, y): one or more sums for each of `outer`. */
const outer =
  (cost: number, bytes = 4): Rule =>
  ([, reduce, inner]) => ({
    count: 0,
    cost: cost * reduce * inner,
    moves: [
      [3, bytes * reduce * inner],
      [4, bytes * inner],
    ],
  });

/**
 * (rows, n, step, ...): columns, each pointer of `moves` one further. Few parts, `width` columns each: of narrower ones memory brings what
 * lies beside them too (half of 64 columns take 0.5 to 0.6 of the time of all in batch normalization, half of 32 all of it).
 */
const columns =
  (cost: number, width: number, moves: readonly number[]): Rule =>
  ([rows]) => ({
    count: 1,
    cost: cost * rows,
    perThread: 1,
    preferred: width,
    moves: moves.map((argument) => [argument, 4] as const),
  });

const columnSums = columns(WORD, 64, [3, 4]);

export const reduction: Rules = {
  f32_softmax: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
  ]),
  f32_softmax_grad: rows(CHEAP, (n) => [
    [2, n],
    [3, n],
    [4, n],
  ]),
  f32_log_softmax: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
  ]),
  f32_log_softmax_grad: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
    [4, n],
  ]),
  f32_sparse_softmax_cross_entropy: rows(COSTLY, (n) => [
    [2, n],
    [3, 1],
    [4, 1],
  ]),
  f32_sparse_softmax_cross_entropy_grad: rows(COSTLY, (n) => [
    [2, n],
    [3, 1],
    [4, 1],
    [5, n],
  ]),
  f32_layer_norm: rows(CHEAP, (n) => [
    [2, n],
    [5, n],
    [6, 2],
  ]),
  i32_one_hot: rows(WORD, (n) => [
    [2, 1],
    [3, n],
  ]),

  ...Object.fromEntries(["mean", "max", "min", "prod", "argmax", "argmin"].map((op) => [`f32_${op}`, outer(WORD)])),
  // Sums down the columns of one matrix: columns.
  f32_sum: (a) => {
    const [count, reduce, inner, x, y] = a;
    if (count !== 1 || inner === 1) return outer(WORD)(a);
    const args = [reduce, inner, inner, x, y];
    return { ...(columnSums(args) as Range), as: { kernel: "f32_sum_columns", args } };
  },
  f32_batch_norm: columns(6 * WORD, 32, [3, 4, 5, 6, 7, 8]),
  f32_batch_norm_grad: columns(10 * WORD, 32, [3, 4, 5, 6, 7, 8, 9, 10]),
  f32_fake_quantize_channels: rows(CHEAP, (n) => [
    [2, n],
    [4, n],
  ]),
  f32_fake_quantize_grad: (a) => columns(6 * WORD, 32, [3, 6, 7, 8, 9, ...(a[10] > 0 ? [4] : [])])(a),
  u8_any: outer(WORD, 1),
  u8_all: outer(WORD, 1),
};
