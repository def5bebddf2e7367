// Fully connected layer.
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type ActivationName, activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { wantElements } from "../ops/check.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { matmul } from "../ops/matmul.js";
import { type Regularizer, type RegularizerName, regularized } from "../ops/regularizer.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";
import { positive, regularizerOptions, regularizers } from "./options.js";

export interface DenseOptions extends LayerOptions {
  /** Default linear. */
  activation?: ActivationName | ((x: Value) => Value);
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
  /** Default none. */
  kernelRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  biasRegularizer?: RegularizerName | Regularizer;
  /** Of the layer's output, its penalty divided by the batch size as in Keras; default none. */
  activityRegularizer?: RegularizerName | Regularizer;
}

const known = [
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  ...regularizerOptions,
] as const satisfies (keyof DenseOptions)[];

/**
 * y = activation(x kernel + bias), as Keras' `Dense`. Weights: `kernel` [in, units], `bias` [units].
 * @param units number of outputs
 * @returns a layer from float32 [batch, ..., in] to [batch, ..., units]
 * @throws {RangeError} when `units` is no positive integer; the layer throws {ShapeError} for an input of no features
 * @example
 * dense(10, { activation: "softmax" })(input([64])).shape; // [1, 10]
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  positive("dense", "units", units);
  const { useBias = true, kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  const act = activation(options.activation, "dense");
  const { ofKernel, ofBias, ofOutput } = regularizers("dense", options);
  return stepwise("dense", options, known, (x, weight) => {
    if (x.shape.length < 2)
      throw new ShapeError({ op: "dense", expected: "an input [..., features]", actual: show(x.shape.slice(1)) });
    wantElements("dense", x, x.shape.length - 1);
    const kernel = weight("kernel", [x.shape[x.shape.length - 1], units], kernelInitializer, {
      regularizer: ofKernel,
    });
    const product = matmul(x, kernel);
    const bias = () => weight("bias", [units], biasInitializer, { regularizer: ofBias });
    return regularized(act(useBias ? add(product, bias()) : product), ofOutput);
  });
}
