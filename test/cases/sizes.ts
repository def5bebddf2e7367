// Rows of every size below, at and above the tiles that kernels work in: 4 lanes, 8 columns of a panel, 4 to 16 rows, 16 partial sums.

import { add, convolution2d, exp, logSoftmax, matmul, max, mean, softmax, sum } from "../../src/index.js";
import { depthwiseConv2d } from "../../src/ops/depthwise.js";
import { layerNorm } from "../../src/ops/layernorm.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { functions, logSoftmax as logSoftmaxOracle, map } from "../oracle/elementwise.js";
import { matmul as matmulOracle } from "../oracle/matmul.js";
import { layerNorm as layerNormOracle } from "../oracle/norm.js";
import * as oracle from "../oracle/ops.js";
import { reduce } from "../oracle/reduction.js";
import * as window from "../oracle/window.js";
import { type Case, row } from "./case.js";

const sizes = [...Array.from({ length: 17 }, (_, i) => i + 1), 31, 32, 33];
/** Another order of the same sizes, so that two of them together are no squares. */
const others = sizes.map((_, i) => sizes[(7 * i + 3) % sizes.length]);
const thirds = sizes.map((_, i) => sizes[(11 * i + 8) % sizes.length]);

const forms = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

const [valid, twice] = [
  { strides: [1, 1], padding: "valid" },
  { strides: [2, 2], padding: "same" },
] as const;

export const sizeCases: readonly Case[] = [
  ...sizes.flatMap((m, i) => {
    const [n, k] = [others[i], thirds[i]];
    return forms.map(([transposeA, transposeB]) =>
      row(
        `matmul ${Number(transposeA)}${Number(transposeB)}`,
        [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]],
        (a, b) => matmul(a, b, { transposeA, transposeB }),
        matmulOracle(transposeA, transposeB),
      ),
    );
  }),
  ...sizes.map((m, i) =>
    row(
      "matmul",
      [
        [2, m, 3],
        [2, 3, others[i]],
      ],
      (a, b) => matmul(a, b),
      matmulOracle(false, false),
    ),
  ),
  ...sizes.flatMap((w, i) => [
    row(
      "conv2d",
      [
        [1, 1, w + 1, 2],
        [1, 2, 2, others[i]],
      ],
      (x, f) => convolution2d(x, f),
      window.conv2d(valid),
    ),
    row(
      "conv2d in 2 groups",
      [
        [1, 2, 4, 2],
        [2, 2, 1, 2 * w],
      ],
      (x, f) => convolution2d(x, f, { groups: 2 }),
      window.conv2d({ ...valid, groups: 2 }),
    ),
    row(
      "depthwiseConv2d",
      [
        [1, 3, others[i], w],
        [2, 2, w, 1],
      ],
      (x, f) => depthwiseConv2d(x, f, { ...twice, dilations: [1, 1] }),
      window.depthwiseConv2d(twice),
    ),
    row(
      "maxPool2d",
      [[1, 3, others[i], w]],
      (x) => maxPool2d(x, [2, 2], [2, 2], "same"),
      window.maxPool2d([2, 2], twice),
    ),
    row(
      "avgPool2d",
      [[1, 3, others[i], w]],
      (x) => avgPool2d(x, [2, 2], [2, 2], "same"),
      window.avgPool2d([2, 2], twice),
    ),
  ]),
  ...sizes.flatMap((n, i) => [
    row("exp", [[n]], exp, map(functions.exp)),
    row(
      "add",
      [[n], [n]],
      add,
      oracle.binary((a, b) => a + b),
    ),
    row(
      "add",
      [[3, n], [n]],
      add,
      oracle.binary((a, b) => a + b),
    ),
    row("softmax", [[3, n]], softmax, oracle.softmax),
    row("logSoftmax", [[3, n]], logSoftmax, logSoftmaxOracle),
    row("layerNorm", [[3, n], [n], [n]], (x, g, b) => layerNorm(x, g, b, 1e-3), layerNormOracle(1e-3)),
    row("sum over 1 of", [[others[i], n]], (x) => sum(x, 1), oracle.reduceSum([1])),
    row("mean over 0 of", [[others[i], n]], (x) => mean(x, 0), oracle.reduceMean([0])),
    row(
      "max over 1 of",
      [[2, n, others[i]]],
      (x) => max(x, 1),
      reduce([1], (list) => Math.max(...list)),
    ),
  ]),
];
