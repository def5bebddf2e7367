import { describe, expect, test } from "vitest";
import { build, dense, input, sub, sum, type Tensor, tensor } from "../../src/index.js";
import {
  accuracy,
  binaryAccuracy,
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  evaluate,
  fit,
  type Metric,
  type MetricName,
  meanSquaredError,
  sgd,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from "../../src/train/index.js";

/** A model whose prediction is its input. */
async function mirror(size: number) {
  const x = input([size]);
  const y = dense(size, { useBias: false, name: "d" })(x);
  const model = await build(x, y);
  model.setWeights({
    "d/kernel": tensor(
      Float32Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)),
      [size, size],
    ),
  });
  return model;
}

async function measure(
  x: Tensor,
  y: Tensor,
  metric: MetricName | Metric,
  loss: Parameters<typeof evaluate>[2]["loss"],
) {
  const model = await mirror(x.shape[1]);
  const logs = await evaluate(model, { x, y }, { loss, metrics: [metric], batchSize: 2 });
  return logs[typeof metric === "string" ? metric : metric.name];
}

const scores = tensor([
  [0.1, 0.7, 0.2],
  [0.5, 0.3, 0.2],
  [0.2, 0.3, 0.5],
  [0.1, 0.8, 0.1],
]);
const labels = tensor([1, 1, 2, 0], [4], "int32");
const oneHot = tensor([
  [0, 1, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 0],
]);
const sides = tensor([[0.2], [0.6], [0.9], [0.4]]);
const truth = tensor([[0], [1], [0], [1]]);

describe("metrics", () => {
  test.each<[string, Tensor, Tensor, MetricName | Metric, Parameters<typeof evaluate>[2]["loss"], number]>([
    ["accuracy of labels", scores, labels, "accuracy", "sparseCategoricalCrossentropy", 0.5],
    ["accuracy of labels [n, 1]", scores, tensor(labels.data, [4, 1]), "acc", "sparse_categorical_crossentropy", 0.5],
    ["accuracy of one-hot labels", scores, oneHot, accuracy(), "categoricalCrossentropy", 0.5],
    ["accuracy of yes and no", sides, truth, "accuracy", "binaryCrossentropy", 0.5],
    [
      "accuracy of yes and no without the last axis",
      sides,
      tensor(truth.data, [4]),
      "accuracy",
      "binary_crossentropy",
      0.5,
    ],
    ["sparseCategoricalAccuracy", scores, labels, "sparse_categorical_accuracy", "sparseCategoricalCrossentropy", 0.5],
    ["categoricalAccuracy", scores, oneHot, "categoricalAccuracy", "mse", 0.5],
    ["binaryAccuracy by a threshold", sides, truth, binaryAccuracy({ threshold: 0.3 }), "mse", 0.75],
    ["topKCategoricalAccuracy", scores, oneHot, topKCategoricalAccuracy({ k: 2 }), "mse", 1],
    [
      "sparseTopKCategoricalAccuracy",
      scores,
      labels,
      sparseTopKCategoricalAccuracy({ k: 1 }),
      "sparseCategoricalCrossentropy",
      0.5,
    ],
    ["a loss by name", sides, truth, "mean_squared_error", "mae", (0.04 + 0.16 + 0.81 + 0.36) / 4],
    ["a loss", sides, truth, meanSquaredError(), "mae", (0.04 + 0.16 + 0.81 + 0.36) / 4],
    ["rootMeanSquaredError", sides, truth, "rootMeanSquaredError", "mae", Math.sqrt((0.04 + 0.16 + 0.81 + 0.36) / 4)],
    ["one of one's own", sides, truth, { name: "bias", of: (t, p) => sub(p, t) }, "mse", 0.1 / 4],
  ])("%s", async (_, x, y, metric, loss, expected) => {
    expect(await measure(x, y, metric, loss)).toBeCloseTo(expected, 6);
  });

  test("ties count as among the k largest", async () => {
    const flat = tensor([[1, 1, 1, 0]]);
    const of = (k: number, label: number) =>
      measure(
        flat,
        tensor(
          [0, 1, 2, 3].map((i) => Number(i === label)),
          [1, 4],
        ),
        topKCategoricalAccuracy({ k }),
        "mse",
      );
    expect(await of(1, 2)).toBe(1);
    expect(await of(3, 3)).toBe(0);
    expect(await of(4, 3)).toBe(1);
  });

  test("in fit are those of the whole epoch: the root of a mean, not the mean of roots", async () => {
    const model = await mirror(1);
    const options = { optimizer: sgd({ learningRate: 0 }), loss: "mse", metrics: ["rootMeanSquaredError"] } as const;
    const { history } = await fit(model, { x: sides, y: truth }, { ...options, batchSize: 1 });
    expect(history.rootMeanSquaredError[0]).toBeCloseTo(Math.sqrt(history.loss[0]), 6);
  });
});

describe("losses check their targets", () => {
  test.each<[string, Tensor, Parameters<typeof evaluate>[2]["loss"], string]>([
    ["shapes", oneHot, "mse", "meanSquaredError: expected targets [4, 1] like the predictions, got [4, 3]"],
    [
      "labels above 1",
      tensor([[0], [2], [0], [0]]),
      "binaryCrossentropy",
      "expected labels in [0, 1], got 2 (sample 1)",
    ],
    ["counts below 0", tensor([[0], [1], [-2], [0]]), "poisson", "targets of at least 0, got -2 (sample 2)"],
    [
      "labels of no side",
      tensor([[0], [1], [0.5], [0]]),
      "hinge",
      "labels of -1 and 1, or of 0 and 1, got 0.5 (sample 2)",
    ],
  ])("%s", async (_, y, loss, message) => {
    await expect(evaluate(await mirror(1), { x: sides, y }, { loss })).rejects.toThrow(message);
  });

  test.each<[string, () => unknown, string]>([
    [
      "gamma",
      () => binaryFocalCrossentropy({ gamma: -1 }),
      "binaryFocalCrossentropy: expected gamma to be a number of",
    ],
    [
      "alpha",
      () => categoricalFocalCrossentropy({ alpha: 2 }),
      "categoricalFocalCrossentropy: expected alpha in [0, 1]",
    ],
  ])("and focal ones their %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("labels of 0 and 1 and of -1 and 1 are the same for hinge losses", async () => {
    const signs = tensor([[-1], [1], [-1], [1]]);
    for (const loss of ["hinge", "squared_hinge"] as const) {
      const model = await mirror(1);
      const a = await evaluate(model, { x: sides, y: truth }, { loss });
      expect(a).toEqual(await evaluate(model, { x: sides, y: signs }, { loss }));
    }
  });

  test("probabilities that are not from a softmax give the loss of their shares", async () => {
    const own = await measure(scores, labels, { name: "n", of: (_, p) => sum(p, -1) }, "sparseCategoricalCrossentropy");
    expect(own).toBeCloseTo(1, 6);
    const { loss } = await evaluate(
      await mirror(3),
      { x: scores, y: labels },
      { loss: "sparseCategoricalCrossentropy" },
    );
    expect(loss).toBeCloseTo(-(Math.log(0.7) + Math.log(0.3) + Math.log(0.5) + Math.log(0.1)) / 4, 6);
  });
});
