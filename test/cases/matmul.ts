// Rows of matrix products, batches of them among these.
import { matmul } from "../../src/index.js";
import { matmul as oracle } from "../oracle/matmul.js";
import { type Case, row } from "./case.js";

const plain = [
  { a: [5], k: 9, b: [], n: 7 },
  { a: [1], k: 40, b: [], n: 17 },
  { a: [2, 3], k: 8, b: [], n: 16 },
  { a: [3, 4], k: 5, b: [3], n: 6 },
  { a: [2, 3, 4], k: 5, b: [2, 3], n: 18 },
  { a: [2, 1, 4], k: 3, b: [3], n: 2 },
  { a: [4], k: 3, b: [5], n: 8 },
  { a: [2, 1, 2, 1, 3], k: 2, b: [1, 3, 1, 2], n: 2 },
  { a: [1, 1], k: 1, b: [1], n: 1 },
  { a: [128], k: 2, b: [], n: 64 }, // transposed, the left side is written out first
  { a: [2, 3], k: 128, b: [2], n: 64 }, // in batches too
] as const;

const swap = (shape: readonly number[]): number[] => [...shape.slice(0, -2), ...shape.slice(-2).reverse()];

/** Every product in all four forms. `a` is the batch and the rows, `b` the batch of the right side. */
export const matmulCases: readonly Case[] = plain.flatMap(({ a, k, b, n }) =>
  [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ].map(([transposeA, transposeB]) => {
    const [left, right] = [
      [...a, k],
      [...b, k, n],
    ];
    return row(
      `matmul${transposeA ? " transposeA" : ""}${transposeB ? " transposeB" : ""}`,
      [transposeA ? swap(left) : left, transposeB ? swap(right) : right],
      (x, y) => matmul(x, y, { transposeA, transposeB }),
      oracle(transposeA, transposeB),
    );
  }),
);
