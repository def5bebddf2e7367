// What a loss is, and the checks of targets that several losses share.
import { rangeError, ShapeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { reshape } from "../../ops/shape.js";
import { type Shape, sameShape, show, sizeOf } from "../../shape.js";
import type { DType, Tensor } from "../../tensor.js";

/** A loss as users write it: any Value of float32; its mean is minimised. */
export type LossFunction = (yTrue: Value, yPred: Value) => Value;

/** A loss that also knows what its targets must be, and checks them before anything is trained. */
export interface Loss {
  readonly name: string;
  /** What targets are converted to; default their own dtype. */
  readonly target?: DType;
  /** @throws for targets that cannot belong to predictions of this shape (without the batch) */
  check(targets: Tensor, prediction: Shape): void;
  /** Whether it looks at the mask of predictions itself; else what is masked has no part in it. */
  readonly masks?: boolean;
  /** What makes probabilities of scores, where predictions are the one or the other: of classes, or of labels each by itself. */
  readonly distribution?: "softmax" | "sigmoid";
  /** Whether predictions are scores; default false. */
  readonly fromLogits?: boolean;
  /** The loss of each sample, [batch, ...]; the mean of it is minimised. */
  readonly of: LossFunction;
}

/** Keras' `epsilon()`: what probabilities are kept away from 0 and 1 by. */
export const EPSILON = 1e-7;

/** A loss of numbers against numbers of the same shape, [..., n] to [...]; where n is 1, targets may leave that axis out. */
export function elementwise(
  name: string,
  of: LossFunction,
  labels?: Range,
  more: Pick<Loss, "distribution" | "fromLogits"> = {},
): Loss {
  return {
    ...more,
    name,
    target: "float32",
    check(targets, prediction) {
      checkShape(name, targets, prediction);
      if (labels) checkRange(name, targets, labels);
    },
    of: (yTrue, yPred) => of(reshape(yTrue, yPred.shape), yPred),
  };
}

/** What labels must be: a test, and how it is said. */
export interface Range {
  readonly what: string;
  readonly holds: (label: number) => boolean;
}

/** Labels of which each is a share. */
export const shares: Range = { what: "labels in [0, 1]", holds: (x) => x >= 0 && x <= 1 };

function checkShape(op: string, { shape }: Tensor, prediction: Shape): void {
  const own = shape.slice(1);
  if (sameShape(own, prediction) || (prediction.at(-1) === 1 && sameShape(own, prediction.slice(0, -1)))) return;
  const expected = `targets ${show([shape[0], ...prediction])} like the predictions`;
  throw new ShapeError({ op, expected, actual: show(shape) });
}

/** @throws {RangeError} for the first label that is none, naming its sample */
export function checkRange(op: string, { data, shape }: Tensor, { what, holds }: Range): void {
  const wrong = data.findIndex((label) => !holds(label));
  if (wrong < 0) return;
  const sample = Math.floor(wrong / Math.max(1, sizeOf(shape.slice(1))));
  throw rangeError({ op, expected: what, actual: `${data[wrong]} (sample ${sample})` });
}

/** @throws {RangeError} unless it is a share below 1 */
export function checkSmoothing(op: string, labelSmoothing: number): void {
  if (labelSmoothing >= 0 && labelSmoothing < 1) return;
  throw rangeError({ op, expected: "labelSmoothing in [0, 1)", actual: String(labelSmoothing) });
}
