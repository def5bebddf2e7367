// Shapes to measure, by the title of the row whose op they go to. The shapes that targets are set for are in bench/rows.mjs; here
// every op has some, large enough that calling it costs nothing and small enough to stay in a cache.
import { functions } from "../oracle/elementwise.js";
import type { Benchmark } from "./case.js";

const MANY = 2 ** 20;
const [square, cube] = [
  [1024, 1024],
  [64, 128, 128],
] as const;

const of = (...shapes: Benchmark["shapes"]): Benchmark => ({ shapes });
const each = (titles: readonly string[], ...list: Benchmark[]): Record<string, readonly Benchmark[]> =>
  Object.fromEntries(titles.map((title) => [title, list]));

const heads = (...shape: number[]): Benchmark => of(shape, shape, shape);
const reductions = ["sum", "mean", "max", "min", "prod", "variance", "logSumExp", "norm"];
const losses = ["meanSquaredError", "huber", "klDivergence", "binaryCrossentropy", "categoricalCrossentropy"];
const matrices = of([256, 256], [256, 256]);
const pools = ["maxPool2d", "avgPool2d"];

export const benchmarks: Record<string, readonly Benchmark[]> = {
  ...each(["relu", ...Object.keys(functions)], of([MANY])),
  ...each(["add", "sub", "mul", "div"], of([MANY], [MANY]), of(square, [1024]), of(square, [1024, 1])),
  ...each(["maximum", "minimum", "pow"], of([MANY], [MANY])),
  clip: [of([MANY])],
  where: [of(square, [1024], [1024, 1])],
  ...each(["softmax", "logSoftmax"], of([256, 1000])),
  sparseSoftmaxCrossEntropy: [{ shapes: [[256, 1000], [256]], below: 1000 }],
  ...each(losses, of([256, 1000], [256, 1000])),
  ...each(
    reductions.flatMap((name) => [0, 1, 2].map((axis) => `${name} over ${axis} of`)),
    of(cube),
  ),
  ...each(["cumsum 0 of", "cumsum 2 of"], of(cube)),
  ...each(
    ["scaledDotProductAttention", "scaledDotProductAttention causal"],
    heads(12, 64, 4, 32),
    heads(1, 512, 8, 64),
  ),
  rotaryEmbedding: [of([12, 64, 4, 32])],
  matmul: [matrices, of([1, 1024], [1024, 1024]), of([8, 64, 64], [8, 64, 64]), of([97, 131], [131, 113])],
  ...each(["matmul transposeA", "matmul transposeB", "matmul transposeA transposeB"], matrices),
  "conv2d {strides:[1,1],padding:same}": [
    of([1, 28, 28, 128], [3, 3, 128, 128]),
    of([1, 28, 28, 32], [5, 5, 32, 64]),
    of([1, 56, 56, 64], [1, 1, 64, 128]),
  ],
  "conv2d {strides:[2,2],padding:same}": [of([1, 56, 56, 64], [3, 3, 64, 128]), of([1, 224, 224, 3], [3, 3, 3, 32])],
  "conv2d {strides:[1,1],padding:valid,dilations:[2,2]}": [of([1, 28, 28, 64], [3, 3, 64, 64])],
  "conv2d {strides:[1,1],padding:same,groups:2}": [of([1, 28, 28, 128], [3, 3, 64, 128])],
  "conv2dTranspose {strides:[2,2],padding:same}": [of([1, 28, 28, 64], [3, 3, 64, 64])],
  "depthwiseConv2d {strides:[1,1],padding:same}": [
    of([1, 112, 112, 32], [3, 3, 32, 1]),
    of([1, 14, 14, 240], [5, 5, 240, 1]),
  ],
  "depthwiseConv2d {strides:[2,2],padding:same}": [of([1, 56, 56, 144], [3, 3, 144, 1])],
  ...each(
    pools.map((name) => `${name} 2,2 strides 2,2 valid`),
    of([1, 112, 112, 64]),
  ),
  ...each(
    pools.map((name) => `${name} 3,3 strides 2,2 same`),
    of([1, 112, 112, 64]),
  ),
  batchNormTrain: [of([32, 28, 28, 32], [32], [32])],
  layerNorm: [of([512, 768], [768], [768])],
  simpleRNN: [of([32, 100, 128], [128, 128])],
  lstm: [of([32, 100, 512], [128, 512]), of([1, 100, 256], [64, 256])],
  "gru reset after": [of([32, 100, 384], [128, 384])],
  "gru reset before": [of([32, 100, 384], [128, 384])],
  "ctc of different labels": [
    {
      shapes: [
        [16, 200, 30],
        [16, 20],
      ],
      below: 30,
    },
  ],
  "transpose to 1,0 of": [of(square)],
  ...each(["transpose to 0,2,1 of", "transpose to 2,1,0 of"], of(cube)),
  "transpose to 0,3,1,2 of": [of([8, 56, 56, 32])],
  ...each(["pad of", "pad reflect of", "flip all axes of"], of(square)),
  "concat along the last axis of": [of([1024, 512], [1024, 512])],
  "stack of": [of([1024, 512], [1024, 512])],
  "repeat of": [of([256, 1024])],
  gather: [{ shapes: [[10_000, 64], [4096]], below: 10_000 }],
  "gather along the last axis": [{ shapes: [[256, 1024], [1024]], below: 1024 }],
  "cast from int8 to bool, times": [of([MANY])],
  "cast from int32 to uint8, times": [of([MANY])],
};
