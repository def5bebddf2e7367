// Losses of numbers against numbers: differences, and the distance of distributions.

import { rangeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { clip, maximum, minimum } from "../../ops/comparison.js";
import { mean, sum } from "../../ops/reduce.js";
import { abs, log, neg, softplus, sqrt, square } from "../../ops/unary.js";
import { EPSILON, elementwise, type Loss, shares } from "./loss.js";

/**
 * Mean of squared differences over the last axis, as Keras' `MeanSquaredError`.
 * @example
 * const loss = meanSquaredError();
 */
export const meanSquaredError = (): Loss =>
  elementwise("meanSquaredError", (yTrue, yPred) => mean(square(sub(yPred, yTrue)), -1));

/**
 * Mean of absolute differences over the last axis, as Keras' `MeanAbsoluteError`. Its gradient where there is no difference is 0.
 * @example
 * const loss = meanAbsoluteError();
 */
export const meanAbsoluteError = (): Loss =>
  elementwise("meanAbsoluteError", (yTrue, yPred) => mean(abs(sub(yPred, yTrue)), -1));

/**
 * Half the square of differences of at most `delta`, and straight on from there, averaged over the last axis, as Keras' `Huber`.
 * @param options.delta default 1
 * @throws {RangeError} unless `delta` is above 0
 * @example
 * const loss = huber({ delta: 0.5 });
 */
export function huber({ delta = 1 }: { delta?: number } = {}): Loss {
  if (!(Number.isFinite(delta) && delta > 0))
    throw rangeError({ op: "huber", expected: "delta to be a number above 0", actual: String(delta) });
  return elementwise("huber", (yTrue, yPred) => {
    const error = abs(sub(yPred, yTrue));
    // with c = min(|e|, delta): c (|e| - c / 2) is e^2 / 2 below delta and delta |e| - delta^2 / 2 above
    const near = minimum(error, delta);
    return mean(mul(near, sub(error, mul(near, 0.5))), -1);
  });
}

/**
 * sum(t log(t / p)) over the last axis, both clipped to [1e-7, 1], as Keras' `KLDivergence`.
 * @throws when it is used: {RangeError} for labels outside [0, 1]
 * @example
 * const loss = klDivergence();
 */
export const klDivergence = (): Loss =>
  elementwise(
    "klDivergence",
    (yTrue, yPred) => {
      const [t, p] = [clip(yTrue, EPSILON, 1), clip(yPred, EPSILON, 1)];
      return sum(mul(t, log(div(t, p))), -1);
    },
    shares,
    { distribution: "softmax" },
  );

/**
 * Mean of p - t log(p + 1e-7) over the last axis, as Keras' `Poisson`: predictions are rates, targets counts, both [..., n].
 * @throws when it is used: {RangeError} for targets below 0
 * @example
 * const loss = poisson();
 */
export const poisson = (): Loss =>
  elementwise("poisson", (yTrue, yPred) => mean(sub(yPred, mul(yTrue, log(add(yPred, EPSILON)))), -1), {
    what: "targets of at least 0",
    holds: (x) => x >= 0,
  });

/**
 * Mean of log(cosh(p - t)) over the last axis, as Keras' `LogCosh`: about half the square of small differences, and as straight as the
 * absolute difference for large ones.
 * @example
 * const loss = logCosh();
 */
export const logCosh = (): Loss =>
  elementwise("logCosh", (yTrue, yPred) => {
    const error = sub(yPred, yTrue);
    // log((e^x + e^-x) / 2) = x + log(1 + e^-2x) - log 2
    return mean(add(sub(error, Math.LN2), softplus(mul(error, -2))), -1);
  });

/**
 * -sum(t p) / (|t| |p|) over the last axis, as Keras' loss `CosineSimilarity`: -1 for the same direction, 1 for the opposite one. Lengths
 * below 1e-7 count as that. The metric of this name has the other sign, as in Keras.
 * @example
 * const loss = cosineSimilarity();
 */
export const cosineSimilarity = (): Loss =>
  elementwise("cosineSimilarity", (yTrue, yPred) => neg(cosine(yTrue, yPred)));

/** sum(a b) / (|a| |b|) over the last axis. */
export function cosine(a: Value, b: Value): Value {
  const length = (x: Value): Value => sqrt(maximum(sum(square(x), -1), EPSILON * EPSILON));
  return div(sum(mul(a, b), -1), mul(length(a), length(b)));
}
