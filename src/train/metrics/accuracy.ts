// Metrics that are means over all samples.
import { rangeError, told } from "../../errors.js";
import { mul, sub } from "../../ops/arithmetic.js";
import { equal, greater, less } from "../../ops/comparison.js";
import { oneHot } from "../../ops/gather.js";
import { matches } from "../../ops/loss.js";
import { argMax, sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/shape.js";
import { square } from "../../ops/unary.js";
import { sizeOf } from "../../shape.js";
import { like, type Metric, share } from "./metric.js";

/**
 * Share of samples that are predicted right: by `binaryAccuracy` for one prediction a sample, by `sparseCategoricalAccuracy` for labels that
 * are class numbers, by `categoricalAccuracy` for one-hot labels. The shapes tell which, as in Keras.
 * @example
 * const metrics = [accuracy()];
 */
export function accuracy(): Metric {
  return {
    name: "accuracy",
    of(yTrue, yPred) {
      const classes = yPred.shape[yPred.shape.length - 1];
      if (classes === 1) return binaryAccuracy().of(yTrue, yPred);
      const sparse = yTrue.shape.length < yPred.shape.length || sizeOf(yTrue.shape) < sizeOf(yPred.shape);
      return (sparse ? sparseCategoricalAccuracy() : categoricalAccuracy()).of(yTrue, yPred);
    },
  };
}

/**
 * Share of numbers that are on the right side of a threshold; labels are 0 and 1.
 * @param options.threshold default 0.5; above it counts as 1
 * @example
 * const metrics = [binaryAccuracy({ threshold: 0 })];
 */
export const binaryAccuracy = ({ threshold = 0.5 }: { threshold?: number } = {}): Metric => ({
  name: "binaryAccuracy",
  of: (yTrue, yPred) => share(equal(like(yTrue, yPred, "binaryAccuracy"), share(greater(yPred, threshold)))),
});

/**
 * Share of samples whose largest prediction is at the largest of their one-hot labels; the first one counts where several are largest.
 * @example
 * const metrics = [categoricalAccuracy()];
 */
export const categoricalAccuracy = (): Metric => ({
  name: "categoricalAccuracy",
  of: (yTrue, yPred) => matches(argMax(like(yTrue, yPred, "categoricalAccuracy")), argMax(yPred)),
});

/**
 * Share of samples whose largest prediction is at the integer label; the first one counts where several are largest.
 * @example
 * const metrics = [sparseCategoricalAccuracy()];
 */
export const sparseCategoricalAccuracy = (): Metric => ({
  name: "sparseCategoricalAccuracy",
  of: (yTrue, yPred) => matches(argMax(yPred), reshape(yTrue, yPred.shape.slice(0, -1))),
});

/**
 * Share of samples whose one-hot label is among the `k` largest predictions; equal ones count as among them.
 * @param options.k default 5
 * @throws {RangeError} unless `k` is a positive integer
 * @example
 * const metrics = [topKCategoricalAccuracy({ k: 3 })];
 */
export function topKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): Metric {
  const name = "topKCategoricalAccuracy";
  if (!(Number.isSafeInteger(k) && k >= 1))
    throw rangeError({ op: name, expected: "k to be a positive integer", actual: told(k) });
  return {
    name,
    of(yTrue, yPred) {
      const right = sum(mul(like(yTrue, yPred, name), yPred), -1, { keepDims: true });
      return share(less(sum(share(greater(yPred, right)), -1), k));
    },
  };
}

/**
 * Share of samples whose integer label is among the `k` largest predictions; equal ones count as among them.
 * @param options.k default 5
 * @throws {RangeError} unless `k` is a positive integer
 * @example
 * const metrics = [sparseTopKCategoricalAccuracy({ k: 3 })];
 */
export function sparseTopKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): Metric {
  const dense = topKCategoricalAccuracy({ k });
  return {
    name: "sparseTopKCategoricalAccuracy",
    of(yTrue, yPred) {
      const labels = reshape(yTrue, yPred.shape.slice(0, -1));
      return dense.of(oneHot(labels, yPred.shape[yPred.shape.length - 1]), yPred);
    },
  };
}

/**
 * The square root of the mean squared difference over all samples.
 * @example
 * const metrics = [rootMeanSquaredError()];
 */
export const rootMeanSquaredError = (): Metric => ({
  name: "rootMeanSquaredError",
  of: (yTrue, yPred) => square(sub(yPred, like(yTrue, yPred, "rootMeanSquaredError"))),
  result: Math.sqrt,
});
