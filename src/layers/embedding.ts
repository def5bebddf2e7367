// Rows of a trained table.
import { typeError, UnsupportedError } from "../errors.js";
import { gather } from "../ops/gather.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";

export interface EmbeddingOptions extends LayerOptions {
  /** Default `randomUniform`, in [-0.05, 0.05]. */
  embeddingsInitializer?: InitializerName | Initializer;
  /** Default none. */
  embeddingsRegularizer?: RegularizerName | Regularizer;
  /** Whether 0 is padding that later layers skip; only false for now. */
  maskZero?: boolean;
}

/**
 * A trained vector for every whole number, as Keras' `Embedding`. Weight: `embeddings` [inputDim, outputDim]. A number outside the table
 * gives zeros.
 * @param inputDim how many vectors there are: one more than the largest number
 * @param outputDim their length
 * @returns a layer from int32 [batch, ...] to float32 [batch, ..., outputDim]
 * @throws {RangeError} for sizes that are no positive integers; {UnsupportedError} for `maskZero`; the layer throws {TypeError} unless its
 *   input is int32
 * @example
 * embedding(1000, 16)(input([20], { dtype: "int32" })).shape; // [1, 20, 16]
 */
export function embedding(inputDim: number, outputDim: number, options: EmbeddingOptions = {}): Layer {
  const op = "embedding";
  const { embeddingsInitializer = "randomUniform", maskZero = false } = options;
  positive(op, "inputDim", inputDim);
  positive(op, "outputDim", outputDim);
  if (maskZero !== false)
    throw new UnsupportedError("embedding: masks are not there yet, maskZero must be false", ["embedding"]);
  const regularizer = resolveRegularizer(options.embeddingsRegularizer, op);
  const known = ["embeddingsInitializer", "embeddingsRegularizer", "maskZero"] as const;
  return layer(op, options, known, (x, weight) => {
    if (x.dtype !== "int32")
      throw typeError({ op, expected: 'an input of whole numbers, { dtype: "int32" }', actual: x.dtype });
    return gather(weight("embeddings", [inputDim, outputDim], embeddingsInitializer, { regularizer }), x);
  });
}
