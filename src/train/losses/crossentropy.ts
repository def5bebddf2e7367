// Cross-entropies. Each takes scores (logits) as they are, or probabilities; where these are the result of a softmax or a sigmoid of the
// model, it takes what was before that, so that no logarithm of a rounded probability is ever taken.
import { ShapeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { logSoftmax, softmaxLogits } from "../../ops/activation.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { clip } from "../../ops/comparison.js";
import { sparseSoftmaxCrossEntropy } from "../../ops/loss.js";
import { mean, sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/shape.js";
import { log, neg, softplus, unaryOps } from "../../ops/unary.js";
import { sameShape, show } from "../../shape.js";
import { checkRange, checkSmoothing, EPSILON, elementwise, type Loss, shares } from "./loss.js";

export interface CrossentropyOptions {
  /** The predictions are scores, not probabilities; default false. */
  fromLogits?: boolean;
}

export interface SmoothedCrossentropyOptions extends CrossentropyOptions {
  /** The share of each label that is spread over all classes; default 0. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of integer labels [...] and predictions [..., classes], as Keras' `SparseCategoricalCrossentropy`. Probabilities that are
 * no result of a softmax are clipped by 1e-7 and divided by their sum.
 * @throws when it is used: {RangeError} for labels that are no class, {ShapeError} for other shapes
 * @example
 * const loss = sparseCategoricalCrossentropy({ fromLogits: true });
 */
export function sparseCategoricalCrossentropy({ fromLogits = false }: CrossentropyOptions = {}): Loss {
  const name = "sparseCategoricalCrossentropy";
  return {
    name,
    target: "int32",
    distribution: "softmax",
    fromLogits,
    check(targets, prediction) {
      const { shape } = targets;
      const rows = [shape[0], ...prediction.slice(0, -1)];
      if (!sameShape(shape, rows) && !sameShape(shape, [...rows, 1])) {
        const expected = `labels ${show(rows)} for predictions ${show([shape[0], ...prediction])}`;
        throw new ShapeError({ op: name, expected, actual: show(shape) });
      }
      const classes = prediction[prediction.length - 1];
      checkRange(name, targets, {
        what: `integer labels in [0, ${classes - 1}]`,
        holds: (label) => Number.isInteger(label) && label >= 0 && label < classes,
      });
    },
    of(yTrue, yPred) {
      // softmax(log p) is p / sum(p): the same kernel serves probabilities
      const logits = fromLogits ? yPred : (softmaxLogits(yPred) ?? log(probability(yPred)));
      return sparseSoftmaxCrossEntropy(logits, reshape(yTrue, logits.shape.slice(0, -1)));
    },
  };
}

/**
 * Cross-entropy of one-hot or soft labels [..., classes], as Keras' `CategoricalCrossentropy`. Probabilities that are no result of a softmax
 * are divided by their sum and clipped by 1e-7.
 * @throws {RangeError} for a labelSmoothing outside [0, 1); when it is used, for labels outside [0, 1]
 * @example
 * const loss = categoricalCrossentropy({ labelSmoothing: 0.1 });
 */
export function categoricalCrossentropy({
  fromLogits = false,
  labelSmoothing = 0,
}: SmoothedCrossentropyOptions = {}): Loss {
  const name = "categoricalCrossentropy";
  checkSmoothing(name, labelSmoothing);
  return elementwise(
    name,
    (yTrue, yPred) => {
      const classes = yPred.shape[yPred.shape.length - 1];
      const logits = fromLogits ? yPred : softmaxLogits(yPred);
      const logs = logits ? logSoftmax(logits) : log(probability(div(yPred, sum(yPred, -1, { keepDims: true }))));
      return neg(sum(mul(smooth(yTrue, labelSmoothing, classes), logs), -1));
    },
    shares,
    { distribution: "softmax", fromLogits },
  );
}

/**
 * Cross-entropy of labels that are true or false each by itself, averaged over the last axis, as Keras' `BinaryCrossentropy`. Probabilities
 * that are no result of a sigmoid are clipped by 1e-7.
 * @throws {RangeError} for a labelSmoothing outside [0, 1); when it is used, for labels outside [0, 1]
 * @example
 * const loss = binaryCrossentropy({ fromLogits: true });
 */
export function binaryCrossentropy({ fromLogits = false, labelSmoothing = 0 }: SmoothedCrossentropyOptions = {}): Loss {
  const name = "binaryCrossentropy";
  checkSmoothing(name, labelSmoothing);
  return elementwise(
    name,
    (yTrue, yPred) => {
      const labels = smooth(yTrue, labelSmoothing, 2);
      const logits = fromLogits ? yPred : sigmoidLogits(yPred);
      // -t log sigmoid(z) - (1 - t) log(1 - sigmoid(z)) = softplus(z) - t z
      if (logits) return mean(sub(softplus(logits), mul(labels, logits)), -1);
      const p = probability(yPred);
      return neg(mean(add(mul(labels, log(p)), mul(sub(1, labels), log(sub(1, p)))), -1));
    },
    shares,
    { distribution: "sigmoid", fromLogits },
  );
}

/** Probabilities away from 0 and 1. */
export const probability = (p: Value): Value => clip(p, EPSILON, 1 - EPSILON);

/** Labels of which a share is spread over all classes. */
export const smooth = (labels: Value, share: number, classes: number): Value =>
  share === 0 ? labels : add(mul(labels, 1 - share), share / classes);

/** What a sigmoid was applied to, if `y` is the result of one. */
export const sigmoidLogits = (y: Value): Value | undefined =>
  y.node.op === unaryOps.sigmoid ? y.node.inputs[0] : undefined;
