// Post-training quantization: products with weights, and what lies between them, in int8; the rest stays float.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import type { Model } from "../program/model.js";
import { convert } from "./convert.js";
import { observed, planOf } from "./plan.js";
import { type Calibration, observe, quantizationOf, type Range, type RangeMethod, rangeMethods } from "./ranges.js";

export interface QuantizeOptions {
  /** Batches of inputs such as the model will see; some hundred samples do. */
  calibration: Calibration;
  /** Names of layers that stay float; default none. */
  skip?: readonly string[];
  /** How ranges are made of what is observed, default `minMax`. */
  method?: RangeMethod;
}

/**
 * A model of floats as one of int8. Normalizations are folded into the products before them; products with weights have a scale for each
 * output channel and int32 sums; sums of two branches, pooling and views between them stay int8; every other op stays float, between
 * conversions, as do inputs and outputs. The result is a model of its own, with `kernel`, `scale` and `bias` for each layer. It is saved as
 * any, and loads with `{ layers: int8Ops }` of `lanewise/int8`.
 * @throws {RangeError} when calibration is empty, constant or not finite, or a layer in `skip` is none that could be quantized;
 *   {ShapeError} when calibration does not fit the inputs; {TypeError} for a model that is quantized already or keeps state
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const small = await quantize(model, { calibration: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]) });
 * small.weights()["dense/kernel"].dtype; // "int8"
 */
export async function quantize(model: Model, options: QuantizeOptions): Promise<Model> {
  const op = "quantize";
  const plan = planOf(model, op);
  checkKeys(op, options, ["calibration", "skip", "method"]);
  const { calibration, skip = [], method = "minMax" } = options;
  if (!rangeMethods.includes(method))
    throw typeError({ op, expected: `method to be ${rangeMethods.join(" or ")}`, actual: told(method) });
  const missing = skip.find((name) => !plan.layers.includes(name));
  if (missing !== undefined)
    throw rangeError({ op, expected: `layers of ${plan.layers.join(", ")}`, actual: JSON.stringify(missing) });
  const ranges = await observe(model, plan.graph, observed(plan), calibration, method, op);
  return convert(model, plan, { of: (value) => quantizationOf(ranges.get(value) as Range), skip: new Set(skip) });
}
