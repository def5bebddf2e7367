// The table of ops: what each is called with, its float64 oracle, how near it must come, and shapes to measure. Correctness, gradients,
// guard zones and `npm run bench` read it.
import { add, div, mean, mul, relu, reshape, softmax, sub, sum } from "../src/index.js";
import { sparseSoftmaxCrossEntropy } from "../src/ops/loss.js";
import { affineCases } from "./cases/affine.js";
import { attentionCases } from "./cases/attention.js";
import { benchmarks } from "./cases/benchmarks.js";
import { type Case, row } from "./cases/case.js";
import { casts } from "./cases/casts.js";
import { ctcCases } from "./cases/ctc.js";
import { elementwise } from "./cases/elementwise.js";
import { emptyCases } from "./cases/empty.js";
import { fakeCases } from "./cases/fake.js";
import { int16Cases } from "./cases/int16.js";
import { lossCases } from "./cases/losses.js";
import { lstmProjectedCases } from "./cases/lstmp.js";
import { matmulCases } from "./cases/matmul.js";
import { movementCases } from "./cases/movement.js";
import { normCases } from "./cases/norm.js";
import { quantizedCases } from "./cases/quantized.js";
import { recurrentCases } from "./cases/recurrent.js";
import { reductionCases } from "./cases/reduction.js";
import { sizeCases } from "./cases/sizes.js";
import { sparseCases } from "./cases/sparse.js";
import { statefulCases } from "./cases/stateful.js";
import { tfliteCases } from "./cases/tflite.js";
import { windowCases } from "./cases/window.js";
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

const rows: readonly Case[] = [
  ...elementwise,
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
  ...affineCases,
  ...attentionCases,
  ...matmulCases,
  ...movementCases,
  ...normCases,
  ...ctcCases,
  ...recurrentCases,
  ...reductionCases,
  ...windowCases,
  ...[
    [6, 10],
    [2, 3, 5],
  ].map(
    (shape): Case => ({
      name: `sparseSoftmaxCrossEntropy [${shape}]`,
      title: "sparseSoftmaxCrossEntropy",
      inputs: [
        numbers(shape, 3, -5, 5),
        { ...fill(shape.slice(0, -1), (...i) => (7 * i[0] + 3 * (i[1] ?? 0)) % shape[shape.length - 1]), labels: true },
      ],
      op: sparseSoftmaxCrossEntropy,
      oracle: oracle.sparseSoftmaxCrossEntropy,
    }),
  ),
  ...lossCases,
  ...lstmProjectedCases,
  ...casts,
  ...int16Cases,
  ...quantizedCases,
  ...fakeCases,
  ...tfliteCases,
  ...sizeCases,
  ...sparseCases,
  ...statefulCases,
  ...emptyCases,
];

/** Benchmarks go with the first row of their title. */
export const cases: readonly Case[] = rows.map((each, i) =>
  each.title !== undefined &&
  Object.hasOwn(benchmarks, each.title) &&
  rows.findIndex(({ title }) => title === each.title) === i
    ? { ...each, benchmark: benchmarks[each.title] }
    : each,
);
