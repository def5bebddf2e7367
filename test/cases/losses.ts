// Losses of ../../src/train/losses as rows of the table: what each row is, and its gradients towards targets and predictions.
import { softmax } from "../../src/index.js";
import { sigmoid } from "../../src/ops/unary.js";
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  hinge,
  huber,
  klDivergence,
  type Loss,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  poisson,
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
  ["poisson", poisson(), oracle.poisson, [0.2, 2]],
  ["logCosh", logCosh(), oracle.logCosh, [-4, 4]],
  ["cosineSimilarity", cosineSimilarity(), oracle.cosineSimilarity, [0.1, 1]],
  ["binaryFocalCrossentropy", binaryFocalCrossentropy(), oracle.binaryFocal(2), [0.1, 0.9]],
  [
    "binaryFocalCrossentropy, balanced",
    binaryFocalCrossentropy({ applyClassBalancing: true, alpha: 0.3, gamma: 1.5 }),
    oracle.binaryFocal(1.5, (t) => 0.3 * t + 0.7 * (1 - t)),
    [0.1, 0.9],
  ],
  [
    "binaryFocalCrossentropy of logits, smoothed",
    binaryFocalCrossentropy({ fromLogits: true, gamma: 3, labelSmoothing: 0.2 }),
    oracle.binaryFocalOfLogits(3, 0.2),
    [0.1, 0.9],
  ],
  ["binaryFocalCrossentropy, gamma 0", binaryFocalCrossentropy({ gamma: 0 }), oracle.binaryCrossentropy, [0.1, 0.9]],
  ["categoricalFocalCrossentropy", categoricalFocalCrossentropy(), oracle.categoricalFocal(2, 0.25), [0.1, 0.9]],
  [
    "categoricalFocalCrossentropy of logits",
    categoricalFocalCrossentropy({ fromLogits: true, gamma: 1.5, alpha: 0.6 }),
    oracle.categoricalFocalOfLogits(1.5, 0.6),
    [-2, 2],
  ],
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
