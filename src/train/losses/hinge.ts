// Losses of margins.
import type { Value } from "../../graph/value.js";
import { add, mul, sub } from "../../ops/arithmetic.js";
import { equal, maximum, where } from "../../ops/comparison.js";
import { max } from "../../ops/extremum.js";
import { mean, sum } from "../../ops/reduce.js";
import { square } from "../../ops/unary.js";
import { elementwise, type Loss, type Range, shares } from "./loss.js";

const signs: Range = { what: "labels of -1 and 1, or of 0 and 1", holds: (x) => x === -1 || x === 0 || x === 1 };

/** max(1 - t p, 0), labels of 0 as -1. */
const margin = (yTrue: Value, yPred: Value): Value => maximum(sub(1, mul(where(equal(yTrue, 0), -1, yTrue), yPred)), 0);

/**
 * Mean of max(1 - t p, 0) over the last axis, as Keras' `Hinge`; labels are -1 and 1, or 0 and 1.
 * @throws when it is used: {RangeError} for other labels
 * @example
 * const loss = hinge();
 */
export const hinge = (): Loss => elementwise("hinge", (yTrue, yPred) => mean(margin(yTrue, yPred), -1), signs);

/**
 * Mean of max(1 - t p, 0)^2 over the last axis, as Keras' `SquaredHinge`; labels are -1 and 1, or 0 and 1.
 * @throws when it is used: {RangeError} for other labels
 * @example
 * const loss = squaredHinge();
 */
export const squaredHinge = (): Loss =>
  elementwise("squaredHinge", (yTrue, yPred) => mean(square(margin(yTrue, yPred)), -1), signs);

/**
 * max(max((1 - t) p) - sum(t p) + 1, 0) over the last axis, as Keras' `CategoricalHinge`; labels are one-hot.
 * @throws when it is used: {RangeError} for labels outside [0, 1]
 * @example
 * const loss = categoricalHinge();
 */
export const categoricalHinge = (): Loss =>
  elementwise(
    "categoricalHinge",
    (yTrue, yPred) => {
      const right = sum(mul(yTrue, yPred), -1);
      return maximum(add(sub(max(mul(sub(1, yTrue), yPred), -1), right), 1), 0);
    },
    shares,
  );
