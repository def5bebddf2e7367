// Fully connected layer.
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type ActivationName, activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { matmul } from "../ops/matmul.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";

export interface DenseOptions extends LayerOptions {
  /** Default linear. */
  activation?: ActivationName | ((x: Value) => Value);
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
}

/**
 * y = activation(x kernel + bias), as Keras' `Dense`. Weights: `kernel` [in, units], `bias` [units].
 * @param units number of outputs
 * @returns a layer from float32 [batch, ..., in] to [batch, ..., units]
 * @throws {RangeError} when `units` is no positive integer
 * @example
 * dense(10, { activation: "softmax" })(input([64])).shape; // [1, 10]
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  positive("dense", "units", units);
  const { useBias = true, kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  const act = activation(options.activation, "dense");
  return layer("dense", options, ["activation", "useBias", "kernelInitializer", "biasInitializer"], (x, weight) => {
    if (x.shape.length < 2)
      throw new ShapeError({ op: "dense", expected: "an input [..., features]", actual: show(x.shape.slice(1)) });
    const kernel = weight("kernel", [x.shape[x.shape.length - 1], units], kernelInitializer);
    const product = matmul(x, kernel);
    return act(useBias ? add(product, weight("bias", [units], biasInitializer)) : product);
  });
}
