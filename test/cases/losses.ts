// Losses of ../../src/train/losses as rows of the table: what each row is, and its gradients towards targets and predictions.
import { softmax } from "../../src/index.js";
import { sigmoid } from "../../src/ops/unary.js";
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  hinge,
  huber,
  klDivergence,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  squaredHinge,
} from "../../src/train/index.js";
import * as oracle from "../oracle/losses.js";
import { type Case, row } from "./case.js";

const shapes = [
  [3, 4],
  [2, 3, 5],
  [17, 9],
];
type Range = [number, number];
const losses: readonly [string, Loss, Case["oracle"], Range][] = [
  ["meanSquaredError", meanSquaredError(), oracle.meanSquaredError, [-2, 2]],
  ["meanAbsoluteError", meanAbsoluteError(), oracle.meanAbsoluteError, [-2, 2]],
  ["huber", huber(), oracle.huber(1), [-2, 2]],
  ["huber with delta 0.3", huber({ delta: 0.3 }), oracle.huber(0.3), [-1, 1]],
  ["klDivergence", klDivergence(), oracle.klDivergence, [0.1, 0.9]],
  ["hinge", hinge(), oracle.hinge, [0.2, 2]],
  ["squaredHinge", squaredHinge(), oracle.squaredHinge, [-2, -0.2]],
  ["categoricalHinge", categoricalHinge(), oracle.categoricalHinge, [0, 1]],
  ["binaryCrossentropy", binaryCrossentropy(), oracle.binaryCrossentropy, [0.1, 0.9]],
  [
    "binaryCrossentropy, smoothed",
    binaryCrossentropy({ labelSmoothing: 0.2 }),
    oracle.smoothedBinaryCrossentropy(0.2),
    [0.1, 0.9],
  ],
  [
    "binaryCrossentropy of logits",
    binaryCrossentropy({ fromLogits: true }),
    oracle.binaryCrossentropyOfLogits,
    [-3, 3],
  ],
  ["categoricalCrossentropy", categoricalCrossentropy(), oracle.categoricalCrossentropy, [0.1, 0.9]],
  [
    "categoricalCrossentropy, smoothed",
    categoricalCrossentropy({ labelSmoothing: 0.1 }),
    oracle.smoothedCategoricalCrossentropy(0.1),
    [0.1, 0.9],
  ],
  [
    "categoricalCrossentropy of logits",
    categoricalCrossentropy({ fromLogits: true }),
    oracle.categoricalCrossentropyOfLogits,
    [-3, 3],
  ],
];

export const lossCases: readonly Case[] = [
  ...losses.flatMap(([name, loss, of, range]) =>
    [...shapes, name.startsWith("categorical") ? [1, 2] : [1, 1]].map((shape) => ({
      ...row(name, [shape, shape], loss.of, of, range),
      tolerance: 4e-6,
    })),
  ),
  row(
    "binaryCrossentropy from before a sigmoid",
    [
      [3, 4],
      [3, 4],
    ],
    (t, z) => binaryCrossentropy().of(t, sigmoid(z)),
    oracle.binaryCrossentropyOfLogits,
    [-3, 3],
  ),
  row(
    "categoricalCrossentropy from before a softmax",
    [
      [3, 4],
      [3, 4],
    ],
    (t, z) => categoricalCrossentropy().of(t, softmax(z)),
    oracle.categoricalCrossentropyOfLogits,
    [-3, 3],
  ),
];
