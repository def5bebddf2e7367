// Metrics of yes and no: counts of right and wrong decisions over all samples, at one threshold or at many. Labels are 0 and 1, with shares
// between counting for both.
import { checkKeys, rangeError, told, typeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { log } from "../../numbers.js";
import { mul, sub } from "../../ops/arithmetic.js";
import { greater, greaterEqual, where } from "../../ops/comparison.js";
import { concat } from "../../ops/concat.js";
import { max } from "../../ops/extremum.js";
import { constant } from "../../ops/leaf.js";
import { reshape } from "../../ops/shape.js";
import { slice } from "../../ops/slice.js";
import { sigmoid } from "../../ops/unary.js";
import { sizeOf } from "../../shape.js";
import { like, type Metric, share } from "./metric.js";

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** A metric of the counts of true positives, false positives and positives. */
function counted(
  name: string,
  { threshold, topK, classId }: DecisionOptions,
  result: (tp: number, fp: number, positives: number) => number,
): Metric {
  checkThreshold(name, threshold ?? 0.5);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1 && topK <= 100))
    throw rangeError({ op: name, expected: "topK to be an integer in [1, 100]", actual: told(topK) });
  if (classId !== undefined && !(Number.isSafeInteger(classId) && classId >= 0))
    throw rangeError({ op: name, expected: "classId to be the number of a class", actual: told(classId) });
  return {
    name,
    sums: () => 3,
    of(yTrue, yPred) {
      const classes = yPred.shape[yPred.shape.length - 1];
      if (classId !== undefined && classId >= classes)
        throw rangeError({ op: name, expected: `classId below ${classes}`, actual: String(classId) });
      const yes = decided(yPred, threshold, topK);
      const one = (x: Value): Value => reshape(x, [sizeOf(x.shape), 1]);
      const column = (x: Value): Value =>
        one(classId === undefined ? x : slice(rows(x), [0, classId], [sizeOf(x.shape) / classes, 1]));
      const [t, p] = [column(like(yTrue, yPred, name)), column(yes)];
      return concat([mul(p, t), mul(p, sub(1, t)), t]);
    },
    result,
  };
}

function checkThreshold(op: string, threshold: number): void {
  if (threshold >= 0 && threshold <= 1) return;
  throw rangeError({ op, expected: "threshold in [0, 1]", actual: told(threshold) });
}

const rows = (x: Value): Value => {
  const columns = x.shape[x.shape.length - 1];
  return reshape(x, [columns === 0 ? 0 : sizeOf(x.shape) / columns, columns]);
};

/** 1 for what is predicted to be: above the threshold (0.5 where there is no `topK`), and among the `topK` largest of its row. */
function decided(yPred: Value, threshold: number | undefined, topK: number | undefined): Value {
  const above = (): Value => share(greater(yPred, threshold ?? 0.5));
  if (topK === undefined) return above();
  let [rest, least] = [yPred, max(yPred, -1, { keepDims: true })];
  for (let i = 1; i < Math.min(topK, yPred.shape[yPred.shape.length - 1]); i++) {
    rest = where(greaterEqual(rest, least), -3e38, rest);
    least = max(rest, -1, { keepDims: true });
  }
  const among = share(greaterEqual(yPred, least));
  return threshold === undefined ? among : mul(among, above());
}

export interface DecisionOptions {
  /** Above it counts as 1; default 0.5, or none where there is `topK`. */
  threshold?: number;
  /** Only the so many largest predictions of each row count as 1, those that equal the last of them too; default all. */
  topK?: number;
  /** Only this column counts; default all. */
  classId?: number;
}

/**
 * Of what is predicted to be 1, the share that is, as Keras' `Precision`; 0 where nothing is. Targets and predictions (probabilities) have
 * the same shape, and count over all their numbers and all batches together.
 * @throws {RangeError} for a threshold outside [0, 1], a `topK` or `classId` that cannot be
 * @example
 * const metrics = [precision({ threshold: 0.7 })];
 */
export function precision(options: DecisionOptions = {}): Metric {
  checkKeys("precision", options, ["threshold", "topK", "classId"]);
  return counted("precision", options, (tp, fp) => ratio(tp, tp + fp));
}

/**
 * Of what is 1, the share that is predicted to be, as Keras' `Recall`; 0 where nothing is. Targets and predictions (probabilities) have the
 * same shape, and count over all their numbers and all batches together.
 * @throws {RangeError} for a threshold outside [0, 1], a `topK` or `classId` that cannot be
 * @example
 * const metrics = [recall({ threshold: 0.3 })];
 */
export function recall(options: DecisionOptions = {}): Metric {
  checkKeys("recall", options, ["threshold", "topK", "classId"]);
  return counted("recall", options, (tp, _, positives) => ratio(tp, positives));
}

export interface F1Options {
  /**
   * `micro`: of all numbers together; `macro`: the mean over the classes; `weighted`: that, weighted by how often each is there. Default
   * `micro`.
   */
  average?: "micro" | "macro" | "weighted";
  /** Above it counts as 1; `null`: the largest of each row does. Default 0.5. */
  threshold?: number | null;
}

/**
 * 2 / (1 / precision + 1 / recall) over all batches, as Keras' `F1Score`; 0 where there are neither. Targets and predictions (probabilities)
 * have the same shape, [..., classes].
 * @throws {RangeError} for a threshold outside [0, 1]; {TypeError} for another average
 * @example
 * const metrics = [f1Score({ average: "macro", threshold: null }), "recall"];
 */
export function f1Score(options: F1Options = {}): Metric {
  const name = "f1Score";
  checkKeys(name, options, ["average", "threshold"]);
  const { average = "micro", threshold = 0.5 } = options;
  if (!["micro", "macro", "weighted"].includes(average))
    throw typeError({ op: name, expected: 'average to be "micro", "macro" or "weighted"', actual: told(average) });
  if (threshold !== null) checkThreshold(name, threshold);
  const f1 = (tp: number, fp: number, positives: number): number => ratio(2 * tp, tp + fp + positives);
  return {
    name,
    sums: (prediction) => 3 * (prediction[prediction.length - 1] ?? 1),
    of(yTrue, yPred) {
      const yes = threshold === null ? decided(yPred, undefined, 1) : decided(yPred, threshold, undefined);
      const [t, p] = [rows(like(yTrue, yPred, name)), rows(yes)];
      return concat([mul(p, t), mul(p, sub(1, t)), t]);
    },
    result(...counts) {
      const classes = counts.length / 3;
      const [tp, fp, positives] = [0, 1, 2].map((i) => counts.slice(i * classes, (i + 1) * classes));
      const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
      if (average === "micro") return f1(total(tp), total(fp), total(positives));
      const each = tp.map((right, c) => f1(right, fp[c], positives[c]));
      if (average === "macro") return total(each) / classes;
      return ratio(total(each.map((score, c) => score * positives[c])), total(positives));
    },
  };
}

export interface AucOptions {
  /** `ROC` (true over false positives) or `PR` (precision over recall); default `ROC`. */
  curve?: "ROC" | "PR";
  /** Points of the curve, evenly in [0, 1]; default 200. */
  numThresholds?: number;
  /** The predictions are scores, not probabilities; default false. */
  fromLogits?: boolean;
}

/** How far the first and last threshold are outside [0, 1]. */
const OUTSIDE = 1e-7;

/**
 * Area under a curve of decisions at many thresholds, as Keras' `AUC`: by trapezoids under `ROC`, by the interpolation of Davis and Goadrich
 * (2006) under `PR`. Targets and predictions have the same shape, and count over all their numbers and all batches together.
 * @throws {TypeError} for another curve; {RangeError} unless `numThresholds` is an integer above 1
 * @example
 * const metrics = [auc({ curve: "PR", numThresholds: 100 })];
 */
export function auc({ curve = "ROC", numThresholds = 200, fromLogits = false }: AucOptions = {}): Metric {
  if (curve !== "ROC" && curve !== "PR")
    throw typeError({ op: "auc", expected: 'curve to be "ROC" or "PR"', actual: told(curve) });
  if (!(Number.isSafeInteger(numThresholds) && numThresholds > 1))
    throw rangeError({ op: "auc", expected: "numThresholds to be an integer above 1", actual: told(numThresholds) });
  const last = numThresholds - 1;
  const thresholds = Float32Array.from({ length: numThresholds }, (_, i) =>
    i === 0 ? -OUTSIDE : i === last ? 1 + OUTSIDE : i / last,
  );
  return {
    name: "auc",
    sums: () => 2 * numThresholds,
    of(yTrue, yPred) {
      const column = (x: Value): Value => reshape(x, [sizeOf(yPred.shape), 1]);
      const t = column(like(yTrue, yPred, "auc"));
      const p = column(fromLogits ? sigmoid(yPred) : yPred);
      const yes = share(greater(p, constant({ data: thresholds, shape: [numThresholds], dtype: "float32" })));
      return concat([mul(yes, t), mul(yes, sub(1, t))]);
    },
    result(...counts) {
      const [tp, fp] = [counts.slice(0, numThresholds), counts.slice(numThresholds)];
      let area = 0;
      for (let i = 0; i < last; i++) area += (curve === "ROC" ? trapezoid : interpolated)(tp, fp, i);
      return area;
    },
  };
}

/** Below the line from point i of the curve to the next; the first point has all positives and negatives. */
const trapezoid = (tp: readonly number[], fp: readonly number[], i: number): number =>
  (ratio(fp[i] - fp[i + 1], fp[0]) * ratio(tp[i] + tp[i + 1], tp[0])) / 2;

/** With tp linear in all that is called positive, the integral of tp / (tp + fp) over tp between two points. */
function interpolated(tp: readonly number[], fp: readonly number[], i: number): number {
  const [from, to] = [tp[i + 1] + fp[i + 1], tp[i] + fp[i]];
  const slope = ratio(tp[i] - tp[i + 1], to - from);
  const intercept = tp[i + 1] - slope * from;
  const bent = from > 0 && to > 0 ? intercept * log(to / from) : 0;
  return ratio(slope * (tp[i] - tp[i + 1] + bent), tp[0]);
}
