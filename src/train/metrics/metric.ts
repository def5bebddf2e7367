// What a metric is: a number that people watch, of a function of Values that is averaged or added up over all samples; a loss is one too.
import { ShapeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { where } from "../../ops/comparison.js";
import { reshape } from "../../ops/shape.js";
import { type Shape, sameShape, show } from "../../shape.js";

export interface Metric {
  readonly name: string;
  /** Per sample or more; averaged. With `sums`, numbers along the last axis of which each is added up over all samples. */
  readonly of: (yTrue: Value, yPred: Value) => Value;
  /** How many sums it keeps, of predictions of a shape (with the batch); default none: it is a mean. */
  readonly sums?: (prediction: Shape) => number;
  /** What is told of the mean over all samples, or of the sums; default the mean itself. */
  readonly result?: (...numbers: number[]) => number;
}

/** float32 1 where a condition holds, else 0. */
export const share = (condition: Value): Value => where(condition, 1, 0);

/** Targets in the shape of the predictions; an axis of 1 at the end may be left out. */
export function like(yTrue: Value, yPred: Value, op: string): Value {
  const fits = sameShape([...yTrue.shape, 1], yPred.shape) || sameShape(yTrue.shape, yPred.shape);
  if (fits) return reshape(yTrue, yPred.shape);
  throw new ShapeError({
    op,
    expected: `targets ${show(yPred.shape)} like the predictions`,
    actual: show(yTrue.shape),
  });
}
