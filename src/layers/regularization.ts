// Layers that act only while a model is trained.
import { rangeError, told } from "../errors.js";
import { dropout as drop } from "../ops/random.js";
import { l1l2, type Regularizer, regularized } from "../ops/regularizer.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

/**
 * While training, zeroes a share of the elements and scales the others by 1 / (1 - rate), as Keras' `Dropout`; else passes its input on.
 * @param rate share of zeros, in [0, 1)
 * @throws {RangeError} for a rate outside [0, 1)
 * @example
 * dropout(0.5)(input([64])).shape; // [1, 64]
 */
export function dropout(rate: number, options: LayerOptions = {}): Layer {
  if (!(typeof rate === "number" && rate >= 0 && rate < 1))
    throw rangeError({ op: "dropout", expected: "a rate in [0, 1)", actual: told(rate) });
  return stepwise("dropout", options, [], (x) => (rate === 0 ? x : drop(x, rate)));
}

export interface ActivityRegularizationOptions extends LayerOptions, Partial<Regularizer> {}

/**
 * Its input, whose penalty l1 sum(|x|) + l2 sum(x^2), divided by the batch size, a loss adds; as Keras' `ActivityRegularization`.
 * @param options.l1, options.l2 default 0
 * @throws {TypeError} for a factor that is no number of at least 0
 * @example
 * activityRegularization({ l1: 0.01 })(input([64])).shape; // [1, 64]
 */
export function activityRegularization(options: ActivityRegularizationOptions = {}): Layer {
  const { l1 = 0, l2 = 0 } = options;
  const penalty = l1l2({ l1, l2 });
  return stepwise("activityRegularization", options, ["l1", "l2"], (x) => regularized(x, penalty));
}
