// Post-training quantization: products with weights, and what lies between them, in int8; the rest stays float.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import type { Model } from "../program/model.js";
import { type Calibration, observe } from "./calibration.js";
import { convert, type Integers } from "./convert.js";
import { corrections } from "./correction.js";
import { equalized } from "./equalize.js";
import { hybrid } from "./hybrid.js";
import { quantizationOf, type Range } from "./integers.js";
import { isPrepared, learnedOf } from "./learned.js";
import { foldedOf, planOf } from "./plan.js";
import { observers, type RangeMethod } from "./ranges.js";
import { productsOf } from "./weights.js";

export interface QuantizeOptions {
  /**
   * Batches of inputs such as the model will see; some hundred samples do. Int8 activations need it, but for
   * models of `quantizeAware`.
   */
  calibration?: Calibration;
  /** Default `int8`, and nothing else: a scale for each output channel. */
  weights?: "int8";
  /**
   * `int8` (default): arithmetic of integers throughout. `float32`: only weights are int8, a fourth of the bytes at hardly any error; dense
   * layers read them as they are, convolutions make floats of them once. `dynamic`: as `float32`, but dense layers make each row of
   * their input int8 as it comes, and multiply integers.
   */
  activations?: "int8" | "float32" | "dynamic";
  /** Names of layers that stay float; default none. */
  skip?: readonly string[];
  /** What goes into the model: floats (default), or int8, whose meaning `model.inputs` tells. */
  inputs?: "float32" | "int8";
  /** What comes out of it, likewise. */
  outputs?: "float32" | "int8";
  /** How ranges are made of what is observed, default `minMax`. */
  method?: RangeMethod;
  /** Of the method `percentile`: how many of 100 numbers lie below the upper end of a range, and above its lower end; default 99.99. */
  percentile?: number;
  /** Take the mean error that rounding the weights makes in each channel off its bias; default false. */
  biasCorrection?: boolean;
  /** Equalise the ranges of channels between layers first, where only relu, pooling and the like lie between them; default false. */
  equalize?: boolean;
}

/**
 * A model of floats as one of int8, or with weights of int8 (`activations`). Normalizations are folded into the products before them; products with weights (`dense`, `conv1d`,
 * `conv2d`, depthwise and separable ones, and the projections within other layers) have a scale for each output channel and int32 sums. What
 * lies between them stays int8: sums, differences and products of two branches, concatenation, padding, cropping, slices, splits, exchanged
 * axes, views, repeated and nearest pixels, pooling, means and sums over axes, softmax, and whatever elementwise functions make of one number
 * (by a table of 256). Float, between conversions, stay products of two activations (attention), recurrent layers, normalizations that
 * measure their input, bilinear resizing, transposed convolutions, normalizations that nothing precedes to be folded into, elementwise
 * arithmetic with an array of weights, embeddings, and functions and softmax after the last product, unless `outputs` is `int8`. The result
 * is a model of its own, with `kernel`, `scale` and `bias` for each layer (of layers with several kernels by their own names, such as
 * `query/kernel`). It is saved as any, and loads with `{ layers: int8Ops }` of `lanewise/int8`. A model that {@link quantizeAware} prepared has
 * learnt its ranges: it takes `skip`, `inputs` and `outputs` alone.
 * @throws {RangeError} when calibration is empty, constant or not finite, or a layer in `skip` is none that could be quantized;
 *   {ShapeError} when calibration does not fit the inputs; {TypeError} for a model that is quantized already or keeps state, and for options
 *   there are not
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const small = await quantize(model, { calibration: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]) });
 * small.weights()["dense/kernel"].dtype; // "int8"
 */
export async function quantize(model: Model, options: QuantizeOptions = {}): Promise<Model> {
  const op = "quantize";
  checkOptions(op, options, known);
  const { calibration, activations = "int8", skip, inputs, outputs } = options;
  const { method, percentile = 99.99, equalize, biasCorrection } = options;
  const given = { ...(skip && { skip }), ...(inputs && { inputs }), ...(outputs && { outputs }) };
  const folded = foldedOf(model, op);
  if (isPrepared(folded)) {
    const needless = Object.keys(options).find((key) => !(key in given));
    if (needless !== undefined) {
      const expected = "skip, inputs and outputs alone for a model of quantizeAware, whose ranges are learnt";
      throw typeError({ op, expected, actual: needless });
    }
    const { plan, integers } = learnedOf(model, folded, op, given);
    return convert(model, plan, integers);
  }
  const first = planOf(model, op, given, folded); // refuses names there are not
  if (activations !== "int8") return hybrid(model, folded, first, activations === "dynamic");
  const base = equalize ? await equalized(model, folded, op) : model;
  const graph = base === model ? folded : foldedOf(base, op);
  const plan = base === model ? first : planOf(base, op, given, graph);
  const data = calibration as Calibration; // observe refuses what is none
  const ranges = await observe(base, graph, plan.points, data, op, method, percentile);
  const integers: Integers = { of: (value: Value) => quantizationOf(ranges.get(value) as Range) };
  if (!biasCorrection) return convert(base, plan, integers);
  const shifts = await corrections(base, graph, productsOf(plan.products), data, op);
  return convert(base, plan, { ...integers, shift: (product) => shifts.get(product) });
}

const known = [
  "calibration",
  "weights",
  "activations",
  "skip",
  "inputs",
  "outputs",
  "method",
  "percentile",
  "biasCorrection",
  "equalize",
] as const satisfies (keyof QuantizeOptions)[];

/** What only integers between layers have. */
const idleOptions = ["inputs", "outputs", "method", "percentile", "biasCorrection", "equalize"] as const;

/** @throws {TypeError} or {RangeError} for options that cannot be */
export function checkOptions(op: string, options: QuantizeOptions, keys: readonly string[]): void {
  checkKeys(op, options, keys);
  const { weights = "int8", activations = "int8", skip = [], method = "minMax", percentile = 100 } = options;
  if (weights !== "int8") throw typeError({ op, expected: 'weights to be "int8"', actual: told(weights) });
  if (!["int8", "float32", "dynamic"].includes(activations))
    throw typeError({ op, expected: "activations to be int8, float32 or dynamic", actual: told(activations) });
  const idle = idleOptions.find((key) => options[key] !== undefined);
  if (activations !== "int8" && idle !== undefined)
    throw typeError({ op, expected: `${idle} with activations of int8 only`, actual: activations });
  if (!Array.isArray(skip)) throw typeError({ op, expected: "skip to be a list of names", actual: told(skip) });
  const methods = Object.keys(observers);
  if (!methods.includes(method))
    throw typeError({ op, expected: `method to be ${methods.join(", ")}`, actual: told(method) });
  if (!(percentile > 50 && percentile <= 100))
    throw rangeError({ op, expected: "percentile in (50, 100]", actual: String(percentile) });
  for (const key of ["inputs", "outputs"] as const)
    if (!["float32", "int8", undefined].includes(options[key]))
      throw typeError({ op, expected: `${key} to be float32 or int8`, actual: told(options[key]) });
  for (const key of ["biasCorrection", "equalize"] as const)
    if (!["boolean", "undefined"].includes(typeof options[key]))
      throw typeError({ op, expected: `${key} to be true or false`, actual: told(options[key]) });
}
