// Rows of sparse weights: the op itself, and products that leave weights out, of shapes for which each kernel is taken, and for which none is.
import { constant, convolution2d, matmul } from "../../src/index.js";
import { sparse } from "../../src/ops/sparse.js";
import { type Array64, numbers } from "../oracle/array.js";
import { matmul as product } from "../oracle/matmul.js";
import * as windows from "../oracle/window.js";
import { type Case, row } from "./case.js";

/** Weights [..., n] of which so many in a hundred are kept, in blocks of so many outputs, and the mask that says which. */
export function pruned(shape: readonly number[], percent: number, block: number) {
  const n = shape[shape.length - 1];
  const draws = numbers(shape, 41 + percent, 0, 100).data;
  const kept = (i: number) => draws[i - (((i % n) % block) | 0)] < percent;
  const all = numbers(shape, 3 + block).data;
  const mask = Uint8Array.from(all, (_, i) => Number(kept(i)));
  const weights: Array64 = { shape, data: all.map((w, i) => (mask[i] ? w : 0)) };
  return {
    weights,
    values: () =>
      [
        constant({ data: Float32Array.from(all), shape, dtype: "float32" }),
        constant({ data: mask, shape, dtype: "bool" }),
      ] as const,
  };
}

const densities = [0, 10, 50, 100];

const products = [
  { m: 1, k: 40, n: 37 },
  { m: 3, k: 64, n: 16 },
  { m: 37, k: 50, n: 22 },
  { m: 64, k: 30, n: 9 },
].flatMap((sizes) => densities.flatMap((percent) => [1, 4].map((block) => ({ ...sizes, percent, block }))));

const convolutions = [
  { x: [1, 5, 7, 8], f: [3, 3, 8, 12], strides: [1, 1], padding: "same" },
  { x: [2, 7, 6, 5], f: [3, 2, 5, 18], strides: [2, 1], padding: "valid" },
  { x: [2, 4, 5, 16], f: [1, 1, 16, 21], strides: [1, 1], padding: "valid" },
  { x: [1, 9, 8, 6], f: [2, 3, 6, 10], strides: [1, 1], padding: "same", dilations: [2, 2] },
  { x: [2, 8, 9, 12], f: [1, 1, 12, 8], strides: [2, 2], padding: "valid" },
] as const;

export const sparseCases: readonly Case[] = [
  row(
    "sparse",
    [[3, 5, 7]],
    (x) => sparse(x, pruned([3, 5, 7], 40, 1).values()[1]),
    ({ shape, data }) => {
      const { weights } = pruned([3, 5, 7], 40, 1);
      return { shape, data: data.map((v, i) => (weights.data[i] === 0 ? 0 : v)) };
    },
  ),
  ...products.map(({ m, k, n, percent, block }) => {
    const { weights, values } = pruned([k, n], percent, block);
    const title = `matmul with sparse [${k},${n}], ${percent} % in blocks of ${block}`;
    return row(
      title,
      [[m, k]],
      (x) => matmul(x, sparse(...values())),
      (x) => product(false, false)(x, weights),
    );
  }),
  ...convolutions.flatMap(({ x, f, ...options }) =>
    [8, 30].flatMap((percent) =>
      [1, 4].map((block) => {
        const { weights, values } = pruned(f, percent, block);
        const title = `conv2d with sparse [${f}] ${JSON.stringify(options)}, ${percent} % in blocks of ${block}`;
        return row(
          title,
          [x],
          (image) => convolution2d(image, sparse(...values()), options),
          (image) => windows.conv2d(options)(image, weights),
        );
      }),
    ),
  ),
];
