// Rows of arrays without elements: what there is nothing of, ops make nothing of, and sums of nothing are 0. Where an op has no answer
// it refuses, and says so: `refusals`.

import { make } from "../../src/graph/value.js";
import * as lw from "../../src/index.js";
import { batchNormOps } from "../../src/ops/batchnorm.js";
import { depthwiseConv2d } from "../../src/ops/depthwise.js";
import { layerNorm } from "../../src/ops/layernorm.js";
import { sparseSoftmaxCrossEntropy } from "../../src/ops/loss.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { numbers, zeros } from "../oracle/array.js";
import { functions, logSoftmax, map } from "../oracle/elementwise.js";
import { matmul } from "../oracle/matmul.js";
import * as movement from "../oracle/movement.js";
import * as norm from "../oracle/norm.js";
import * as oracle from "../oracle/ops.js";
import * as reduction from "../oracle/reduction.js";
import * as window from "../oracle/window.js";
import { type Case, row } from "./case.js";

type Shape = readonly number[];
type Op = Case["op"];
const { input } = lw;

const shapes: readonly Shape[] = [[0], [0, 3], [3, 0], [2, 0, 3]];
const axesOf = (shape: Shape): number[][] => [...shape.map((_, axis) => [axis]), shape.map((_, axis) => axis)];
const swap = (shape: Shape): Shape => [...shape.slice(0, -2), ...shape.slice(-2).reverse()];

/** Products with no batch, no rows, no columns, and sums of no terms. */
const products: readonly [a: Shape, b: Shape][] = [
  [
    [0, 3],
    [3, 4],
  ],
  [
    [2, 0],
    [0, 4],
  ],
  [
    [2, 3],
    [3, 0],
  ],
  [
    [0, 0],
    [0, 0],
  ],
  [
    [0, 2, 3],
    [0, 3, 4],
  ],
  [
    [2, 2, 0],
    [2, 0, 4],
  ],
  [
    [2, 0, 3],
    [2, 3, 4],
  ],
  [
    [2, 2, 3],
    [2, 3, 0],
  ],
  [
    [0, 2, 3],
    [3, 4],
  ],
  [
    [2, 0],
    [3, 0, 4],
  ],
];

const one = { strides: [1, 1], padding: "same" } as const;
const strided = { strides: [2, 2], padding: "same" } as const;
const none = (shape: Shape) => () => zeros(...shape);

/** Convolutions of no image, no channels or no filters. */
const convs: readonly [x: Shape, f: Shape, groups?: number][] = [
  [
    [0, 5, 5, 2],
    [3, 3, 2, 4],
  ],
  [
    [1, 5, 5, 0],
    [3, 3, 0, 4],
  ],
  [
    [1, 5, 5, 2],
    [3, 3, 2, 0],
  ],
  [[0, 5, 5, 4], [3, 3, 2, 4], 2],
  [[1, 5, 5, 4], [3, 3, 2, 0], 2],
  [[0, 5, 5, 4], [3, 3, 1, 4], 4],
];

const labelled = (name: string, x: Shape, count: number, op: Op, of: Case["oracle"]): Case => ({
  name: `${name} [${x}] with ${count} indices`,
  inputs: [numbers(x, 3), { ...zeros(count), labels: true }],
  op,
  oracle: of,
});

export const emptyCases: readonly Case[] = [
  ...shapes.flatMap((shape) => [
    row("relu", [shape], lw.relu, oracle.relu),
    row("gelu", [shape], (x) => lw.gelu(x), map(functions.gelu)),
    row("softmax", [shape], lw.softmax, oracle.softmax),
    row("logSoftmax", [shape], lw.logSoftmax, logSoftmax),
    row(
      "add",
      [shape, shape],
      lw.add,
      oracle.binary((a, b) => a + b),
    ),
    row(
      "mul",
      [shape, [1]],
      lw.mul,
      oracle.binary((a, b) => a * b),
    ),
    row(
      "pow",
      [[], shape],
      lw.pow,
      oracle.binary((a, b) => a ** b),
      [1, 2],
    ),
    row("where", [shape, shape, []], (c, a, b) => lw.where(lw.greater(c, 0), a, b), none(shape)),
    row("cumsum", [shape], (x) => lw.cumsum(x, 0), reduction.cumsum(0)),
    row("cast to int8 and back,", [shape], (x) => lw.cast(lw.cast(x, "int8"), "float32"), none(shape)),
    row("transpose of", [shape], (x) => lw.transpose(x), none([...shape].reverse())),
    row("flip of", [shape], (x) => lw.flip(x), none(shape)),
    row("reshape of", [shape], (x) => lw.reshape(x, [-1, 5]), none([0, 5])),
    row(
      "tile of",
      [shape],
      (x) =>
        lw.tile(
          x,
          shape.map(() => 2),
        ),
      none(shape.map((d) => 2 * d)),
    ),
    row(
      "pad of",
      [shape],
      (x) =>
        lw.pad(
          x,
          shape.map(() => 1),
          { value: 3 },
        ),
      movement.pad(
        shape.map(() => [1, 1]),
        3,
      ),
    ),
    row("concat of", [shape, shape], (a, b) => lw.concat([a, b], 0), movement.concat(0)),
    row("stack of", [shape, shape], (a, b) => lw.stack([a, b], 0), none([2, ...shape])),
    row("split of", [shape], (x) => lw.split(x, [0, shape[0]], 0)[1], none(shape)),
    ...axesOf(shape).flatMap((axes) => [
      row(`sum over ${axes} of`, [shape], (x) => lw.sum(x, axes), oracle.reduceSum(axes)),
      row(`mean over ${axes} of`, [shape], (x) => lw.mean(x, axes), oracle.reduceMean(axes)),
      row(
        `max over ${axes} of`,
        [shape],
        (x) => lw.max(x, axes),
        reduction.reduce(axes, (list) => Math.max(...list)),
      ),
      row(
        `min over ${axes} of`,
        [shape],
        (x) => lw.min(x, axes),
        reduction.reduce(axes, (list) => Math.min(...list)),
      ),
      row(`prod over ${axes} of`, [shape], (x) => lw.prod(x, axes), reduction.reduce(axes, reduction.product)),
      row(`norm over ${axes} of`, [shape], (x) => lw.norm(x, axes), reduction.reduce(axes, reduction.l2)),
      row(`variance over ${axes} of`, [shape], (x) => lw.variance(x, axes), reduction.reduce(axes, reduction.variance)),
      row(
        `logSumExp over ${axes} of`,
        [shape],
        (x) => lw.logSumExp(x, axes),
        reduction.reduce(axes, reduction.logSumExp),
      ),
      row(
        `all over ${axes} of`,
        [shape],
        (x) => lw.cast(lw.all(lw.greater(x, 0), axes), "float32"),
        reduction.reduce(axes, () => 1),
      ),
    ]),
    labelled("gather", shape, 2, (x, i) => lw.gather(x, i), movement.gather(0)),
    labelled("gather", shape, 0, (x, i) => lw.gather(x, i), movement.gather(0)),
  ]),
  labelled("gather", [4, 3], 0, (x, i) => lw.gather(x, i), movement.gather(0)),
  labelled("scatterAdd", [0, 3], 0, (x, i) => lw.scatterAdd(x, i, 4), movement.scatterAdd(0, 4)),
  labelled("scatterAdd to nothing", [2, 3], 2, (x, i) => lw.scatterAdd(x, i, 0), movement.scatterAdd(0, 0)),
  labelled("sparseSoftmaxCrossEntropy", [0, 4], 0, sparseSoftmaxCrossEntropy, oracle.sparseSoftmaxCrossEntropy),
  row("a slice of nothing of", [[3, 4]], (x) => lw.slice(x, [0, 1], [-1, 0]), none([3, 0])),
  row("a backward slice of nothing of", [[3, 4]], (x) => lw.stridedSlice(x, [-9], [null], [-1]), none([0, 4])),
  row(
    "a part of nothing of",
    [[4, 3]],
    (x) => lw.add(lw.sum(lw.split(x, [0, 4], 0)[0]), lw.sum(x)),
    oracle.reduceSum([0, 1]),
  ),
  row("tile by 0 of", [[2, 3]], (x) => lw.tile(x, [1, 0]), none([2, 0])),
  row(
    "add",
    [
      [0, 3],
      [1, 1],
    ],
    lw.add,
    none([0, 3]),
  ),
  row(
    "add",
    [
      [1, 3],
      [0, 1],
    ],
    lw.add,
    none([0, 3]),
  ),
  ...products.flatMap(([a, b]) =>
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].map(([transposeA, transposeB]) =>
      row(
        `matmul ${Number(transposeA)}${Number(transposeB)}`,
        [transposeA ? swap(a) : a, transposeB ? swap(b) : b],
        (x, y) => lw.matmul(x, y, { transposeA, transposeB }),
        matmul(transposeA, transposeB),
      ),
    ),
  ),
  ...[
    [
      [0, 5, 5, 2],
      [3, 3, 4, 2],
    ],
    [
      [1, 5, 5, 0],
      [3, 3, 4, 0],
    ],
    [
      [1, 5, 5, 2],
      [3, 3, 0, 2],
    ],
  ].map((shapes) =>
    row(
      "conv2dTranspose",
      shapes,
      (a, b) => lw.convolution2dTranspose(a, b, strided),
      window.conv2dTranspose({ ...strided, out: [10, 10], cut: [0, 0] }),
    ),
  ),
  ...convs.flatMap(([x, f, groups = 1]) =>
    [one, strided].map((options) =>
      row(
        `conv2d strides ${options.strides} in ${groups} groups`,
        [x, f],
        (a, b) => lw.convolution2d(a, b, { ...options, groups }),
        window.conv2d({ ...options, groups }),
      ),
    ),
  ),
  ...[
    [
      [0, 5, 5, 2],
      [3, 3, 2, 1],
    ],
    [
      [1, 5, 5, 2],
      [3, 3, 2, 0],
    ],
  ].map((given) =>
    row(
      "depthwiseConv2d",
      given,
      (x, f) => depthwiseConv2d(x, f, { ...one, dilations: [1, 1] }),
      window.depthwiseConv2d(one),
    ),
  ),
  ...[
    [0, 4, 4, 2],
    [1, 4, 4, 0],
  ].flatMap((x) => [
    row("maxPool2d", [x], (a) => maxPool2d(a, [2, 2], [2, 2], "same"), window.maxPool2d([2, 2], strided)),
    row("avgPool2d", [x], (a) => avgPool2d(a, [2, 2], [2, 2], "same"), window.avgPool2d([2, 2], strided)),
    row("resize", [x], (a) => lw.resize(a, [3, 7]), movement.resize([3, 7], "bilinear")),
    row(
      "resize, nearest,",
      [x],
      (a) => lw.resize(a, [3, 7], { interpolation: "nearest" }),
      movement.resize([3, 7], "nearest"),
    ),
  ]),
  row("layerNorm", [[0, 4], [4], [4]], (x, g, b) => layerNorm(x, g, b, 1e-3), norm.layerNorm(1e-3)),
  ...[
    [0, 4],
    [3, 0],
  ].map((x) =>
    row(
      "batchNormTrain",
      [x, x.slice(-1), x.slice(-1)],
      (a, g, b) => make(batchNormOps.batchNormTrain, [a, g, b], { epsilon: 1e-3 }).outputs[0],
      none(x),
    ),
  ),
];

/** Calls on arrays without elements that have no answer, and what they are told. */
export const refusals: Record<string, [call: () => unknown, told: RegExp]> = {
  "argMax of none": [() => lw.argMax(input([0])), /^argMax: expected elements along axis 1, got none/],
  "argMin of none": [() => lw.argMin(input([3, 0])), /^argMin: expected elements along axis 2, got none/],
  "layerNorm of no features": [
    () =>
      layerNorm(
        input([0]),
        lw.constant(lw.tensor(new Float32Array(0), [0])),
        lw.constant(lw.tensor(new Float32Array(0), [0])),
        0,
      ),
    /^layerNorm: expected elements along axis 1, got none/,
  ],
  "cross-entropy of no classes": [
    () => sparseSoftmaxCrossEntropy(input([0]), input([], { dtype: "int32" })),
    /^sparseSoftmaxCrossEntropy: expected elements along axis 1, got none/,
  ],
  "conv2d of no pixels": [
    () => lw.conv2d(4, 3, { padding: "same" })(input([0, 5, 2])),
    /: expected images and windows with pixels, got \[0, 5\]/,
  ],
  "conv2d with a filter of no rows": [
    () => lw.convolution2d(input([5, 5, 2]), lw.constant(lw.tensor(new Float32Array(0), [0, 3, 2, 4]))),
    /^conv2d: expected images and windows with pixels, got windows of \[0, 3\]/,
  ],
  "depthwiseConv2d of no channels": [
    () =>
      depthwiseConv2d(input([5, 5, 0]), lw.constant(lw.tensor(new Float32Array(0), [3, 3, 0, 1])), {
        ...one,
        dilations: [1, 1],
      }),
    /^depthwiseConv2d: expected elements along axis 3, got none/,
  ],
  "maxPool2d of no pixels": [
    () => maxPool2d(input([4, 0, 2]), [2, 2], [2, 2], "same"),
    /^maxPool2d: expected images .* with pixels/,
  ],
  "avgPool2d of padding alone": [
    () =>
      avgPool2d(
        input([0, 4, 2]),
        [2, 2],
        [2, 2],
        [
          [1, 1],
          [0, 0],
        ],
      ),
    /^avgPool2d: expected images .* with pixels/,
  ],
  "resize of no pixels": [
    () => lw.resize(input([0, 4, 1]), [3, 3]),
    /^resize: expected an image with pixels, got none/,
  ],
  "reshape of six elements into none": [() => lw.reshape(input([6]), [-1, 0]), /^reshape: expected 6 elements/],
};
