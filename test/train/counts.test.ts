// Metrics that add counts up over all batches, against their definitions on all samples at once.
import { describe, expect, test } from "vitest";
import { build, dense, input, type Model, type Tensor, tensor } from "../../src/index.js";
import {
  auc,
  confusionMatrix,
  evaluate,
  f1Score,
  fit,
  type Metric,
  type MetricName,
  meanIoU,
  precision,
  r2Score,
  recall,
  sgd,
} from "../../src/train/index.js";

/** A model whose prediction is its input. */
async function mirror(size: number): Promise<Model> {
  const model = await build(input([size]), dense(size, { useBias: false, name: "d" }));
  const identity = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)));
  model.setWeights({ "d/kernel": tensor(identity) });
  return model;
}

async function measure(
  x: Tensor,
  y: Tensor,
  metric: MetricName | Metric,
  loss: "mse" | "sparseCategoricalCrossentropy",
) {
  const logs = await evaluate(await mirror(x.shape[1]), { x, y }, { loss, metrics: [metric], batchSize: 4 });
  return logs[typeof metric === "string" ? metric : metric.name];
}

const COUNT = 37;
const p = Array.from({ length: COUNT }, (_, i) => Math.fround(((i * 29 + 5) % 41) / 41));
const t = p.map((x, i) => Number((i * 37 + 11) % 100 < 20 + 60 * x));
const column = (list: number[]) => tensor(Float32Array.from(list), [list.length, 1]);
const [x, y] = [column(p), column(t)];

/** True and false positives above a threshold. */
const above = (threshold: number): [tp: number, fp: number] => {
  const yes = t.filter((_, i) => p[i] > threshold);
  return [yes.filter((label) => label === 1).length, yes.filter((label) => label === 0).length];
};
const positives = t.filter((label) => label === 1).length;
const grid = (n: number) =>
  Array.from({ length: n }, (_, i) => (i === 0 ? -1e-7 : i === n - 1 ? 1 + 1e-7 : i / (n - 1)));

function roc(n: number): number {
  const points = grid(n)
    .map(above)
    .map(([tp, fp]) => [fp / (COUNT - positives), tp / positives]);
  return points.slice(1).reduce((s, [fx, ty], i) => s + (points[i][0] - fx) * ((points[i][1] + ty) / 2), 0);
}

/** The area under tp / (tp + fp) over recall, tp linear in tp + fp between points: by many small steps. */
function pr(n: number): number {
  const points = grid(n).map(above);
  const STEPS = 20000;
  return points.slice(1).reduce((area, [tp0, fp0], i) => {
    const [tp1, fp1] = points[i];
    for (let k = 0; k < STEPS; k++) {
      const at = (k + 0.5) / STEPS;
      const [tp, all] = [tp0 + at * (tp1 - tp0), tp0 + fp0 + at * (tp1 + fp1 - tp0 - fp0)];
      if (all > 0) area += ((tp / all) * (tp1 - tp0)) / STEPS / positives;
    }
    return area;
  }, 0);
}

describe("decisions", () => {
  const [tp, fp] = above(0.5);
  const [tp3, fp3] = above(0.3);
  test.each<[string, MetricName | Metric, number]>([
    ["precision", "precision", tp / (tp + fp)],
    ["precision above 0.3", precision({ threshold: 0.3 }), tp3 / (tp3 + fp3)],
    ["recall", "recall", tp / positives],
    ["recall above 0.3", recall({ threshold: 0.3 }), tp3 / positives],
    ["f1", "f1", (2 * tp) / (tp + fp + positives)],
    ["f1Score above 0.3", f1Score({ threshold: 0.3 }), (2 * tp3) / (tp3 + fp3 + positives)],
    ["auc", "auc", roc(200)],
    ["auc of 5 thresholds", auc({ numThresholds: 5 }), roc(5)],
    ["auc of precision and recall", auc({ curve: "PR" }), pr(200)],
    ["auc of precision and recall, 7 thresholds", auc({ curve: "PR", numThresholds: 7 }), pr(7)],
  ])("%s", async (_, metric, expected) => {
    expect(expected).toBeGreaterThan(0.1);
    expect(expected).toBeLessThan(0.99);
    expect(await measure(x, y, metric, "mse")).toBeCloseTo(expected, 6);
  });

  test("auc of Keras' own example is 0.75", async () => {
    const [scores, labels] = [column([0, 0.5, 0.3, 0.9]), column([0, 0, 1, 1])];
    expect(await measure(scores, labels, auc({ numThresholds: 3 }), "mse")).toBeCloseTo(0.75, 7);
  });

  test("of scores are those of their sigmoids", async () => {
    const scores = column(p.map((v) => Math.log((v + 0.01) / (1.01 - v))));
    const own = column(Array.from(scores.data, (z) => 1 / (1 + Math.exp(-z))));
    const expected = await measure(own, y, auc(), "mse");
    expect(await measure(scores, y, auc({ fromLogits: true }), "mse")).toBeCloseTo(expected, 6);
  });

  test("nothing called positive gives 0, not NaN", async () => {
    const none = column([0.1, 0.2]);
    for (const metric of ["precision", "recall", "f1Score"] as const)
      expect(await measure(none, column([0, 0]), metric, "mse")).toBe(0);
  });

  test("in fit they are of the whole epoch and resume in the middle of it", async () => {
    const options = { optimizer: sgd({ learningRate: 0 }), loss: "mse", metrics: ["auc", "f1"], batchSize: 4 } as const;
    const saved: Uint8Array[] = [];
    const onTrainBatchEnd = (_: unknown, { save }: { save(): Uint8Array }) => {
      saved.push(save());
    };
    const { history } = await fit(await mirror(1), { x, y }, { ...options, callbacks: [{ onTrainBatchEnd }] });
    expect(history.auc[0]).toBeCloseTo(roc(200), 6);
    const rest = await fit(await mirror(1), { x, y }, { ...options, resume: saved[3] });
    expect(rest.history).toEqual(history);
  });
});

describe("regression", () => {
  const targets = tensor([
    [1, 10],
    [2, 14],
    [4, 11],
    [3, 9],
    [5, 13],
  ]);
  const predictions = tensor([
    [1.5, 11],
    [2, 13],
    [3, 12],
    [3.5, 9.5],
    [4, 12],
  ]);
  test("r2Score is the mean over the columns", async () => {
    const errors = [2.5, 4.25];
    const spread = [10, 17.2];
    const expected = (1 - errors[0] / spread[0] + 1 - errors[1] / spread[1]) / 2;
    for (const metric of ["r2", "r2Score", r2Score()] as const)
      expect(await measure(predictions, targets, metric, "mse")).toBeCloseTo(expected, 5);
  });

  test("cosineSimilarity is the loss of this name with the other sign", async () => {
    const options = { loss: "cosineSimilarity", metrics: ["cosineSimilarity"] } as const;
    const logs = await evaluate(await mirror(2), { x: predictions, y: targets }, options);
    expect(logs.cosineSimilarity).toBeGreaterThan(0.9);
    expect(logs.cosineSimilarity).toBe(-logs.loss);
  });
});

describe("classes", () => {
  const scores = tensor([
    [0.7, 0.2, 0.1, 0],
    [0.1, 0.8, 0.1, 0],
    [0.2, 0.3, 0.5, 0],
    [0.6, 0.3, 0.1, 0],
    [0.1, 0.1, 0.8, 0],
    [0.3, 0.4, 0.3, 0],
  ]);
  const labels = tensor([0, 1, 1, 2, 2, 1], [6], "int32");
  // labels by predictions: [1 0 0], [0 2 1], [1 0 1]; the fourth class is neither
  const expected = (1 / 2 + 2 / 3 + 1 / 3) / 3;
  test("confusionMatrix counts them", () => {
    const matrix = [
      [1, 0, 0, 0],
      [0, 2, 1, 0],
      [1, 0, 1, 0],
      [0, 0, 0, 0],
    ];
    expect(confusionMatrix(labels, scores)).toEqual(matrix);
    const guesses = tensor([0, 1, 2, 0, 2, 1], [6], "int32");
    expect(confusionMatrix(labels, guesses, { numClasses: 4 })).toEqual(matrix);
    expect(confusionMatrix(labels, guesses)).toEqual(matrix.slice(0, 3).map((row) => row.slice(0, 3)));
  });

  test("meanIoU of class numbers and of one-hot labels", async () => {
    expect(await measure(scores, labels, "meanIoU", "sparseCategoricalCrossentropy")).toBeCloseTo(expected, 7);
    const hot = tensor(Array.from(labels.data, (label) => [0, 1, 2, 3].map((c) => Number(c === label))));
    expect(await measure(scores, hot, meanIoU(), "mse")).toBeCloseTo(expected, 7);
  });
});

test.each<[string, () => unknown, string]>([
  ["a threshold above 1", () => precision({ threshold: 2 }), "precision: expected threshold in [0, 1], got 2"],
  ["one threshold", () => auc({ numThresholds: 1 }), "auc: expected numThresholds to be an integer above 1"],
  ["another curve", () => auc({ curve: "DET" as never }), 'auc: expected curve to be "ROC" or "PR"'],
  ["a class too many", () => confusionMatrix(tensor([0, 3]), tensor([0, 1]), { numClasses: 3 }), "classes in [0, 2]"],
  ["predictions too few", () => confusionMatrix(tensor([0, 3]), tensor([0])), "expected 2 predictions for labels [2]"],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});

describe("of several classes", () => {
  const scores = Array.from({ length: 23 }, (_, i) =>
    Array.from({ length: 4 }, (_, c) => ((i * 31 + c * 17 + 3) % 29) / 29),
  );
  const truth = scores.map((_, i) => [0, 1, 2, 3].map((c) => Number((i * 7 + c * 3) % 5 < (c === 0 ? 3 : 1))));
  /** Counts of one class, or of all, where `yes` says what is predicted to be. */
  const count = (yes: (row: number[], c: number) => boolean, classes: number[]) => {
    let [tp, fp, fn] = [0, 0, 0];
    scores.forEach((row, i) => {
      for (const c of classes) {
        if (yes(row, c)) truth[i][c] ? tp++ : fp++;
        else if (truth[i][c]) fn++;
      }
    });
    return { tp, fp, fn };
  };
  const f1 = ({ tp, fp, fn }: { tp: number; fp: number; fn: number }) => (2 * tp) / (2 * tp + fp + fn);
  const largest = (row: number[], c: number) => row[c] === Math.max(...row);
  const over = (row: number[], c: number) => row[c] > 0.5;
  const among = (row: number[], c: number) => row.filter((x) => x > row[c]).length < 2;
  const all = [0, 1, 2, 3];
  const support = all.map((c) => truth.filter((row) => row[c] === 1).length);
  const total = support.reduce((a, b) => a + b, 0);
  const each = (yes: typeof over) => all.map((c) => f1(count(yes, [c])));

  test.each<[string, Metric, number]>([
    ["f1 macro", f1Score({ average: "macro" }), each(over).reduce((a, b) => a + b, 0) / 4],
    [
      "f1 macro of the largest",
      f1Score({ average: "macro", threshold: null }),
      each(largest).reduce((a, b) => a + b, 0) / 4,
    ],
    [
      "f1 weighted",
      f1Score({ average: "weighted", threshold: null }),
      each(largest).reduce((sum, score, c) => sum + (score * support[c]) / total, 0),
    ],
    ["f1 micro of the largest", f1Score({ threshold: null }), f1(count(largest, all))],
    ["precision of the two largest", precision({ topK: 2 }), count(among, all).tp / (23 * 2)],
    ["recall of the two largest", recall({ topK: 2 }), count(among, all).tp / total],
    ["recall of one class", recall({ classId: 3 }), count(over, [3]).tp / support[3]],
    [
      "precision of one class among the two largest above a threshold",
      precision({ classId: 1, topK: 2, threshold: 0.7 }),
      (() => {
        const { tp, fp } = count((row, c) => among(row, c) && row[c] > 0.7, [1]);
        return tp / (tp + fp);
      })(),
    ],
  ])("%s is the share over all batches", async (_, metric, wanted) => {
    expect(wanted).toBeGreaterThan(0.1);
    expect(wanted).toBeLessThan(1);
    expect(await measure(tensor(scores), tensor(truth), metric, "mse")).toBeCloseTo(wanted, 6);
  });

  test.each<[string, () => unknown, string]>([
    [
      "another average",
      () => f1Score({ average: "none" as never }),
      'f1Score: expected average to be "micro", "macro" or',
    ],
    ["topK of 0", () => precision({ topK: 0 }), "precision: expected topK to be an integer in [1, 100], got 0"],
    ["a class below 0", () => recall({ classId: -1 }), "recall: expected classId to be the number of a class, got -1"],
    ["a slip", () => f1Score({ topK: 2 } as never), 'got "topK"'],
    [
      "a matrix of too many classes",
      () => confusionMatrix(tensor([1e9 | 0], [1], "int32"), tensor([0], [1], "int32")),
      "confusionMatrix: expected at most 4096 classes, got 1000000001",
    ],
  ])("%s is refused", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("a class that the predictions do not have is refused when it is used", async () => {
    await expect(measure(tensor(scores), tensor(truth), recall({ classId: 4 }), "mse")).rejects.toThrow(
      "recall: expected classId below 4, got 4",
    );
  });
});
