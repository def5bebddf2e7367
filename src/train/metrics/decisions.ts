// Metrics of yes and no: counts of right and wrong decisions over all samples, at one threshold or at many. Labels are 0 and 1, with shares
// between counting for both.
import { rangeError, told, typeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { mul, sub } from "../../ops/arithmetic.js";
import { greater } from "../../ops/comparison.js";
import { concat } from "../../ops/concat.js";
import { constant } from "../../ops/leaf.js";
import { reshape } from "../../ops/shape.js";
import { sigmoid } from "../../ops/unary.js";
import { sizeOf } from "../../shape.js";
import { log } from "../numbers.js";
import { like, type Metric, share } from "./metric.js";

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** A metric of the counts of true positives, false positives and positives above one threshold. */
function counted(
  name: string,
  threshold: number,
  result: (tp: number, fp: number, positives: number) => number,
): Metric {
  if (!(threshold >= 0 && threshold <= 1))
    throw rangeError({ op: name, expected: "threshold in [0, 1]", actual: told(threshold) });
  return {
    name,
    sums: () => 3,
    of(yTrue, yPred) {
      const flat = [sizeOf(yPred.shape), 1];
      const t = reshape(like(yTrue, yPred, name), flat);
      const yes = share(greater(reshape(yPred, flat), threshold));
      return concat([mul(yes, t), mul(yes, sub(1, t)), t]);
    },
    result,
  };
}

/**
 * Of what is predicted to be 1, the share that is, as Keras' `Precision`; 0 where nothing is. Targets and predictions (probabilities) have
 * the same shape, and count over all their numbers and all batches together.
 * @param options.threshold default 0.5; above it counts as 1
 * @throws {RangeError} for a threshold outside [0, 1]
 * @example
 * const metrics = [precision({ threshold: 0.7 })];
 */
export const precision = ({ threshold = 0.5 }: { threshold?: number } = {}): Metric =>
  counted("precision", threshold, (tp, fp) => ratio(tp, tp + fp));

/**
 * Of what is 1, the share that is predicted to be, as Keras' `Recall`; 0 where nothing is. Targets and predictions (probabilities) have the
 * same shape, and count over all their numbers and all batches together.
 * @param options.threshold default 0.5; above it counts as 1
 * @throws {RangeError} for a threshold outside [0, 1]
 * @example
 * const metrics = [recall({ threshold: 0.3 })];
 */
export const recall = ({ threshold = 0.5 }: { threshold?: number } = {}): Metric =>
  counted("recall", threshold, (tp, _, positives) => ratio(tp, positives));

/**
 * 2 / (1 / precision + 1 / recall) over all numbers of all batches, as Keras' `F1Score` with `average="micro"` and a threshold; 0 where there
 * are neither. Targets and predictions (probabilities) have the same shape.
 * @param options.threshold default 0.5; above it counts as 1
 * @throws {RangeError} for a threshold outside [0, 1]
 * @example
 * const metrics = [f1Score(), "recall"];
 */
export const f1Score = ({ threshold = 0.5 }: { threshold?: number } = {}): Metric =>
  counted("f1Score", threshold, (tp, fp, positives) => ratio(2 * tp, tp + fp + positives));

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
