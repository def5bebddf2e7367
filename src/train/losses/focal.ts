// Cross-entropies in which what is predicted well counts less (Lin and others 2017).
import { rangeError, told } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { logSoftmax, softmaxLogits } from "../../ops/activation.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { maximum, pow } from "../../ops/comparison.js";
import { mean, sum } from "../../ops/reduce.js";
import { exp, log, neg, sigmoid, softplus } from "../../ops/unary.js";
import { probability, type SmoothedCrossentropyOptions, sigmoidLogits, smooth } from "./crossentropy.js";
import { checkSmoothing, EPSILON, elementwise, type Loss, shares } from "./loss.js";

export interface FocalOptions extends SmoothedCrossentropyOptions {
  /** What (1 - p) of the right answer is raised to; 0 is plain cross-entropy; default 2. */
  gamma?: number;
  /** Weight of labels of 1, in `categoricalFocalCrossentropy` of all; default 0.25. */
  alpha?: number;
}

export interface BinaryFocalOptions extends FocalOptions {
  /** Whether labels of 1 count `alpha` times and labels of 0 `1 - alpha` times; default false. */
  applyClassBalancing?: boolean;
}

/**
 * Binary cross-entropy times (1 - p)^gamma, where p is the probability given to the label, averaged over the last axis, as Keras'
 * `BinaryFocalCrossentropy` (Lin and others 2017). Labels and predictions are [..., n]; probabilities that are no result of a sigmoid are
 * clipped by 1e-7.
 * @throws {RangeError} for a gamma below 0, an alpha outside [0, 1] or a labelSmoothing outside [0, 1); when it is used, for labels outside
 *   [0, 1]
 * @example
 * const loss = binaryFocalCrossentropy({ gamma: 2, applyClassBalancing: true });
 */
export function binaryFocalCrossentropy(options: BinaryFocalOptions = {}): Loss {
  const { gamma = 2, alpha = 0.25, applyClassBalancing = false, fromLogits = false, labelSmoothing = 0 } = options;
  const name = "binaryFocalCrossentropy";
  check(name, gamma, alpha, labelSmoothing);
  return elementwise(
    name,
    (yTrue, yPred) => {
      const t = smooth(yTrue, labelSmoothing, 2);
      const logits = fromLogits ? yPred : sigmoidLogits(yPred);
      const p = logits ? sigmoid(logits) : probability(yPred);
      const other = sub(1, t);
      const entropy = logits
        ? sub(softplus(logits), mul(t, logits))
        : neg(add(mul(t, log(p)), mul(other, log(sub(1, p)))));
      // 1 - (t p + (1 - t) (1 - p))
      const wrong = add(mul(t, sub(1, p)), mul(other, p));
      const focal = mul(focus(wrong, gamma), entropy);
      return mean(applyClassBalancing ? mul(add(mul(t, alpha), mul(other, 1 - alpha)), focal) : focal, -1);
    },
    shares,
    { distribution: "sigmoid", fromLogits },
  );
}

/**
 * Sum of -alpha (1 - p)^gamma t log(p) over the classes, as Keras' `CategoricalFocalCrossentropy` (Lin and others 2017). Labels (one-hot or
 * soft) and predictions are [..., classes]; probabilities that are no result of a softmax are divided by their sum and clipped by 1e-7.
 * @throws {RangeError} for a gamma below 0, an alpha outside [0, 1] or a labelSmoothing outside [0, 1); when it is used, for labels outside
 *   [0, 1]
 * @example
 * const loss = categoricalFocalCrossentropy({ gamma: 3, fromLogits: true });
 */
export function categoricalFocalCrossentropy(options: FocalOptions = {}): Loss {
  const { gamma = 2, alpha = 0.25, fromLogits = false, labelSmoothing = 0 } = options;
  const name = "categoricalFocalCrossentropy";
  check(name, gamma, alpha, labelSmoothing);
  return elementwise(
    name,
    (yTrue, yPred) => {
      const t = smooth(yTrue, labelSmoothing, yPred.shape[yPred.shape.length - 1]);
      const logits = fromLogits ? yPred : softmaxLogits(yPred);
      const shared = logits ? undefined : probability(div(yPred, sum(yPred, -1, { keepDims: true })));
      const logs = shared ? log(shared) : logSoftmax(logits as Value);
      const focal = mul(focus(sub(1, shared ?? exp(logs)), gamma), mul(t, logs));
      return mul(sum(focal, -1), -alpha);
    },
    shares,
    { distribution: "softmax", fromLogits },
  );
}

/** wrong^gamma; away from 0, where its derivative may have no bound. */
function focus(wrong: Value, gamma: number): Value | number {
  if (gamma === 0) return 1;
  return gamma === 2 ? mul(wrong, wrong) : pow(maximum(wrong, EPSILON), gamma);
}

function check(op: string, gamma: number, alpha: number, labelSmoothing: number): void {
  if (!(Number.isFinite(gamma) && gamma >= 0))
    throw rangeError({ op, expected: "gamma to be a number of at least 0", actual: told(gamma) });
  if (!(alpha >= 0 && alpha <= 1)) throw rangeError({ op, expected: "alpha in [0, 1]", actual: told(alpha) });
  checkSmoothing(op, labelSmoothing);
}
