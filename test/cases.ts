// The table of ops: what each is called with, its float64 oracle, and how near it must come. Correctness and gradients read it.
import { add, div, matmul, mean, mul, relu, reshape, softmax, sub, sum } from "../src/index.js";
import { convolution2d } from "../src/ops/conv2d.js";
import { sparseSoftmaxCrossEntropy } from "../src/ops/loss.js";
import { maxPool2d } from "../src/ops/pool.js";
import { type Case, row } from "./cases/case.js";
import { fill, numbers } from "./oracle/array.js";
import * as oracle from "./oracle/ops.js";

const pairs = [
  [[4], [4]],
  [
    [5, 7, 3],
    [5, 7, 3],
  ],
  [[2, 5, 7], [7]],
  [
    [2, 5, 7],
    [5, 1],
  ],
  [
    [3, 1, 4],
    [2, 1],
  ],
  [[6], []],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
] as const;

const binaries = [
  ["add", add, (a: number, b: number) => a + b],
  ["sub", sub, (a: number, b: number) => a - b],
  ["mul", mul, (a: number, b: number) => a * b],
  ["div", div, (a: number, b: number) => a / b],
] as const;

const convs = [
  { x: [2, 7, 6, 3], f: [3, 3, 3, 4], strides: [1, 1], padding: "valid" },
  { x: [1, 5, 7, 3], f: [3, 3, 3, 8], strides: [2, 2], padding: "same" },
  { x: [2, 6, 6, 2], f: [3, 3, 2, 9], strides: [1, 1], padding: "same" },
  { x: [1, 8, 9, 1], f: [5, 5, 1, 3], strides: [2, 2], padding: "same" },
  { x: [1, 9, 8, 2], f: [2, 3, 2, 5], strides: [3, 2], padding: "valid" },
  { x: [1, 9, 9, 2], f: [3, 3, 2, 4], strides: [1, 1], padding: "valid", dilations: [2, 2] },
  { x: [1, 8, 7, 3], f: [3, 2, 3, 4], strides: [1, 1], padding: "same", dilations: [3, 2] },
  { x: [1, 4, 4, 5], f: [1, 1, 5, 17], strides: [1, 1], padding: "valid" },
  { x: [1, 5, 5, 2], f: [1, 1, 2, 3], strides: [2, 2], padding: "same" },
  { x: [1, 3, 3, 4], f: [4, 4, 4, 2], strides: [1, 1], padding: "same" },
] as const;

const pools = [
  { x: [2, 6, 6, 3], size: [2, 2], strides: [2, 2], padding: "valid" },
  { x: [1, 7, 5, 9], size: [3, 3], strides: [2, 2], padding: "same" },
  { x: [1, 7, 7, 4], size: [3, 2], strides: [1, 2], padding: "valid" },
  { x: [1, 5, 5, 17], size: [2, 2], strides: [1, 1], padding: "same" },
] as const;

export const cases: readonly Case[] = [
  ...[[1], [128], [5, 7, 11, 3]].map((shape) => row("relu", [shape], relu, oracle.relu)),
  ...pairs.flatMap((shapes) =>
    binaries.map(([name, op, f]) =>
      row(name, shapes, op as Case["op"], oracle.binary(f), name === "div" ? [0.5, 2] : undefined),
    ),
  ),
  ...[[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]].flatMap((axes) => [
    row(`sum over ${axes} of`, [[5, 19, 7]], (x) => sum(x, axes), oracle.reduceSum(axes)),
    row(`mean over ${axes} of`, [[3, 4, 37]], (x) => mean(x, axes), oracle.reduceMean(axes)),
  ]),
  row("sum of two runs of axes of", [[3, 4, 5, 2]], (x) => sum(x, [0, 2]), oracle.reduceSum([0, 2])),
  ...[
    [1, 1],
    [4, 10],
    [3, 2, 33],
  ].map((shape) => row("softmax", [shape], softmax, oracle.softmax, [-6, 6])),
  row(
    "reshape",
    [[4, 6]],
    (x) => reshape(x, [2, -1, 3]),
    (x) => ({ shape: [2, 4, 3], data: x.data }),
  ),
  row(
    "matmul",
    [
      [5, 9],
      [9, 7],
    ],
    (a, b) => matmul(a, b),
    oracle.matmul(false, false),
  ),
  row(
    "matmul",
    [
      [1, 40],
      [40, 17],
    ],
    (a, b) => matmul(a, b),
    oracle.matmul(false, false),
  ),
  row(
    "matmul",
    [
      [2, 3, 8],
      [8, 16],
    ],
    (a, b) => matmul(a, b),
    oracle.matmul(false, false),
  ),
  row(
    "matmul transposeA",
    [
      [9, 5],
      [9, 7],
    ],
    (a, b) => matmul(a, b, { transposeA: true }),
    oracle.matmul(true, false),
  ),
  row(
    "matmul transposeB",
    [
      [5, 9],
      [7, 9],
    ],
    (a, b) => matmul(a, b, { transposeB: true }),
    oracle.matmul(false, true),
  ),
  row(
    "matmul transposeA transposeB",
    [
      [9, 5],
      [7, 9],
    ],
    (a, b) => matmul(a, b, { transposeA: true, transposeB: true }),
    oracle.matmul(true, true),
  ),
  ...convs.map(({ x, f, ...options }) =>
    row(`conv2d ${JSON.stringify(options)}`, [x, f], (a, b) => convolution2d(a, b, options), oracle.conv2d(options)),
  ),
  ...pools.map(({ x, size, strides, padding }) =>
    row(
      `maxPool2d ${size} strides ${strides} ${padding}`,
      [x],
      (a) => maxPool2d(a, size, strides, padding),
      oracle.maxPool2d(size, { strides, padding }),
    ),
  ),
  ...[
    [6, 10],
    [2, 3, 5],
  ].map(
    (shape): Case => ({
      name: `sparseSoftmaxCrossEntropy [${shape}]`,
      inputs: [
        numbers(shape, 3, -5, 5),
        { ...fill(shape.slice(0, -1), (...i) => (7 * i[0] + 3 * (i[1] ?? 0)) % shape[shape.length - 1]), labels: true },
      ],
      op: sparseSoftmaxCrossEntropy,
      oracle: oracle.sparseSoftmaxCrossEntropy,
    }),
  ),
];
