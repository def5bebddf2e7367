// Quantization-aware training: from a model of floats to one that rounds what its int8 model will round, to be trained further. It is the
// graph of inference, normalizations folded: weights with the normalizations in them are the numbers that become integers, so these are
// trained, and what is rounded in training is what is rounded afterwards. Jacob and others (2018) fold anew in every step by the statistics
// of its batch, which computes each convolution twice; a model that is only tuned has its statistics.
import { typeError } from "../errors.js";
import type { Model } from "../program/model.js";
import { observe } from "./calibration.js";
import { planOf } from "./plan.js";
import { prepare } from "./prepare.js";
import { checkOptions, type QuantizeOptions } from "./quantize.js";

/** Those of `quantize` that ranges begin with. */
export type QuantizeAwareOptions = Pick<QuantizeOptions, "skip" | "method" | "percentile"> &
  Required<Pick<QuantizeOptions, "calibration">>;

/**
 * A model of floats that is trained further to be int8: it computes with floats what `quantize` would with integers, rounding weights,
 * biases and what lies between layers. `fit` trains the weights and the ranges that are rounded to, with gradients straight through the
 * rounding (Bengio and others 2013) and those of LSQ for the ranges (Esser and others 2020; Bhalgat and others 2020); `quantize(prepared)`
 * then makes the int8 model without calibration. The result is a model of its own, trained, saved and loaded as any (a bundle that only
 * loads it names `fakeQuantizeOps`). Normalizations are folded into the weights, dropout and augmentation are left out. Beside `kernel` and
 * `bias` layers have `scale` [channels] and `output_range` [2], as calibrated, and `scale_log` and `output_range_log`, the logarithms of
 * how many times as large they have become, which are trained. A learning rate of a tenth of the one that trained the model, or less, does;
 * where calibration's ranges are far off, `learningRates: (name) => (name.endsWith("_log") ? 100 : 1)` lets Adam move them further (Jain
 * and others 2020: by 10^4 times).
 * @throws {RangeError} when calibration is empty, constant or not finite, or a layer in `skip` is none that could be quantized;
 *   {ShapeError} when calibration does not fit the inputs; {TypeError} for a model that is quantized or prepared already, keeps state, or
 *   has no layer to quantize
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const x = tensor([[1, 2, 3, 4], [4, 3, 2, 1]]);
 * const prepared = await quantizeAware(model, { calibration: x });
 * const data = { x, y: tensor([[1, 0, 0], [0, 1, 0]]) };
 * await fit(prepared, data, { optimizer: adam({ learningRate: 1e-4 }), loss: "meanSquaredError" });
 * const small = await quantize(prepared);
 * small.weights()["dense/kernel"].dtype; // "int8"
 */
export async function quantizeAware(model: Model, options: QuantizeAwareOptions): Promise<Model> {
  const op = "quantizeAware";
  checkOptions(op, options, ["calibration", "skip", "method", "percentile"]);
  const { calibration, skip = [], method, percentile } = options;
  const plan = planOf(model, op, { skip });
  if (plan.products.length === 0)
    throw typeError({ op, expected: "a model with a layer that can be int8", actual: "one without" });
  return prepare(model, plan, await observe(model, plan.graph, plan.points, calibration, op, method, percentile));
}
