// Losses: functions of the true and the predicted values. What they return is averaged over the batch.
import { rangeError, ShapeError, typeError, UnsupportedError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { softmaxLogits } from "../ops/activation.js";
import { mul, sub } from "../ops/arithmetic.js";
import { sparseSoftmaxCrossEntropy } from "../ops/loss.js";
import { mean } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import { type Shape, sameShape, show, sizeOf } from "../shape.js";
import type { DType, Tensor } from "../tensor.js";

/** A loss as users write it: any Value of float32; its mean is minimised. */
export type LossFunction = (yTrue: Value, yPred: Value) => Value;

/** A loss that also knows what its targets must be, and checks them before anything is trained. */
export interface Loss {
  readonly name: string;
  /** What targets are converted to; default their own dtype. */
  readonly target?: DType;
  /** @throws for targets that cannot belong to predictions of this shape (without the batch) */
  check(targets: Tensor, prediction: Shape): void;
  readonly of: LossFunction;
}

/**
 * Cross-entropy of integer labels, as Keras' `SparseCategoricalCrossentropy`. Predictions that come from a softmax are taken from before
 * it, in one stable kernel.
 * @param options.fromLogits the predictions are scores, not probabilities; default false
 * @example
 * const loss = sparseCategoricalCrossentropy({ fromLogits: true });
 */
export function sparseCategoricalCrossentropy({ fromLogits = false }: { fromLogits?: boolean } = {}): Loss {
  const name = "sparseCategoricalCrossentropy";
  return {
    name,
    target: "int32",
    check({ data, shape }, prediction) {
      const rows = [shape[0], ...prediction.slice(0, -1)];
      if (!sameShape(shape, rows) && !sameShape(shape, [...rows, 1])) {
        throw new ShapeError({
          op: name,
          expected: `labels ${show(rows)} for predictions ${show([shape[0], ...prediction])}`,
          actual: show(shape),
        });
      }
      const classes = prediction[prediction.length - 1];
      const wrong = data.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
      if (wrong < 0) return;
      const sample = Math.floor(wrong / sizeOf(prediction.slice(0, -1)));
      throw rangeError({
        op: name,
        expected: `integer labels in [0, ${classes - 1}]`,
        actual: `${data[wrong]} (sample ${sample})`,
      });
    },
    of(yTrue, yPred) {
      const logits = fromLogits ? yPred : softmaxLogits(yPred);
      if (logits === undefined) {
        throw new UnsupportedError(
          `${name}: the model's output is no softmax; leave the softmax out and say fromLogits: true`,
          [name],
        );
      }
      return sparseSoftmaxCrossEntropy(logits, reshape(yTrue, logits.shape.slice(0, -1)));
    },
  };
}

/**
 * Mean of squared differences, as Keras' `MeanSquaredError`.
 * @example
 * const loss = meanSquaredError();
 */
export function meanSquaredError(): Loss {
  return {
    name: "meanSquaredError",
    target: "float32",
    check: checkSameShape("meanSquaredError"),
    of(yTrue, yPred) {
      const difference = sub(yPred, yTrue);
      return mean(mul(difference, difference), -1);
    },
  };
}

const checkSameShape =
  (op: string) =>
  ({ shape }: Tensor, prediction: Shape): void => {
    if (sameShape(shape.slice(1), prediction)) return;
    throw new ShapeError({
      op,
      expected: `targets ${show([shape[0], ...prediction])} like the predictions`,
      actual: show(shape),
    });
  };

const byName = { sparseCategoricalCrossentropy, meanSquaredError, mse: meanSquaredError } as const;

type Snake<S extends string> = S extends `${infer A}${infer B}`
  ? A extends Lowercase<A>
    ? `${A}${Snake<B>}`
    : `_${Lowercase<A>}${Snake<B>}`
  : S;
type Name = keyof typeof byName;
/** Names of losses; Keras' own spelling with underscores means the same. */
export type LossName = Name | Snake<Name>;

/** `sparse_categorical_crossentropy` as `sparseCategoricalCrossentropy`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The loss behind a name or a user's function. @throws {TypeError} for a name that there is not */
export function resolveLoss(given: LossName | Loss | LossFunction | undefined, op: string): Loss {
  if (typeof given === "function") return { name: "loss", check: () => {}, of: given };
  if (typeof given === "object" && given !== null && typeof given.of === "function") return given;
  const name = typeof given === "string" ? camelCase(given) : "";
  if (Object.hasOwn(byName, name)) return byName[name as Name]();
  throw typeError({
    op,
    expected: `a loss: ${Object.keys(byName).join(", ")}, or a function of Values`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
