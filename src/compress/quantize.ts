// Post-training quantization: products with weights, and what lies between them, in int8; the rest stays float.
import { checkKeys, told, typeError } from "../errors.js";
import type { Model } from "../program/model.js";
import { convert } from "./convert.js";
import { planOf } from "./plan.js";
import { type Calibration, observe, quantizationOf, type Range, type RangeMethod, rangeMethods } from "./ranges.js";

export interface QuantizeOptions {
  /** Batches of inputs such as the model will see; some hundred samples do. */
  calibration: Calibration;
  /** Names of layers that stay float; default none. */
  skip?: readonly string[];
  /** What goes into the model: floats (default), or int8, whose meaning `model.inputs` tells. */
  inputs?: "float32" | "int8";
  /** What comes out of it, likewise. */
  outputs?: "float32" | "int8";
  /** How ranges are made of what is observed, default `minMax`. */
  method?: RangeMethod;
}

/**
 * A model of floats as one of int8. Normalizations are folded into the products before them; products with weights (`dense`, `conv1d`,
 * `conv2d`, depthwise and separable ones, and the projections within other layers) have a scale for each output channel and int32 sums. What
 * lies between them stays int8: sums, differences and products of two branches, concatenation, padding, cropping, slices, splits, exchanged
 * axes, views, repeated and nearest pixels, pooling, means and sums over axes, softmax, and whatever elementwise functions make of one number
 * (by a table of 256). Float, between conversions, stay products of two activations (attention), recurrent layers, normalizations that
 * measure their input, bilinear resizing, transposed convolutions, normalizations that nothing precedes to be folded into, elementwise
 * arithmetic with an array of weights, embeddings, and functions and softmax after the last product, unless `outputs` is `int8`. The result
 * is a model of its own, with `kernel`, `scale` and `bias` for each layer (of layers with several kernels by their own names, such as
 * `query/kernel`). It is saved as any, and loads with `{ layers: int8Ops }` of `lanewise/int8`.
 * @throws {RangeError} when calibration is empty, constant or not finite, or a layer in `skip` is none that could be quantized;
 *   {ShapeError} when calibration does not fit the inputs; {TypeError} for a model that is quantized already or keeps state
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const small = await quantize(model, { calibration: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]) });
 * small.weights()["dense/kernel"].dtype; // "int8"
 */
export async function quantize(model: Model, options: QuantizeOptions): Promise<Model> {
  const op = "quantize";
  checkKeys(op, options, ["calibration", "skip", "method", "inputs", "outputs"]);
  const { calibration, method = "minMax", ...given } = options;
  const plan = planOf(model, op, given);
  if (!rangeMethods.includes(method))
    throw typeError({ op, expected: `method to be ${rangeMethods.join(" or ")}`, actual: told(method) });
  const ranges = await observe(model, plan.graph, plan.points, calibration, method, op);
  return convert(model, plan, { of: (value) => quantizationOf(ranges.get(value) as Range) });
}
