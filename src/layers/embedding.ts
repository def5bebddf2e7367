// Rows of a trained table.
import { typeError } from "../errors.js";
import { cast } from "../ops/cast.js";
import { gather } from "../ops/gather.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { withMask } from "../ops/mask.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";

export interface EmbeddingOptions extends LayerOptions {
  /** Default `randomUniform`, in [-0.05, 0.05]. */
  embeddingsInitializer?: InitializerName | Initializer;
  /** Default none. */
  embeddingsRegularizer?: RegularizerName | Regularizer;
  /** Whether 0 is padding: the result is masked there, and later layers pass over it; default false. */
  maskZero?: boolean;
}

/**
 * A trained vector for every whole number, as Keras' `Embedding`. Weight: `embeddings` [inputDim, outputDim]. A number outside the table is
 * an error of `predict` and `fit` where it comes from an input; numbers that the graph itself computes give zeros there.
 * @param inputDim how many vectors there are: one more than the largest number
 * @param outputDim their length
 * @returns a layer from int32 [batch, ...] to float32 [batch, ..., outputDim]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {TypeError} unless its input is int32
 * @example
 * embedding(1000, 16)(input([20], { dtype: "int32" })).shape; // [1, 20, 16]
 */
export function embedding(inputDim: number, outputDim: number, options: EmbeddingOptions = {}): Layer {
  const op = "embedding";
  const { embeddingsInitializer = "randomUniform", maskZero = false } = options;
  positive(op, "inputDim", inputDim);
  positive(op, "outputDim", outputDim);
  const regularizer = resolveRegularizer(options.embeddingsRegularizer, op);
  const known = ["embeddingsInitializer", "embeddingsRegularizer", "maskZero"] as const;
  return layer(op, options, known, (x, weight) => {
    if (x.dtype !== "int32")
      throw typeError({ op, expected: 'an input of whole numbers, { dtype: "int32" }', actual: x.dtype });
    const y = gather(weight("embeddings", [inputDim, outputDim], embeddingsInitializer, { regularizer }), x);
    return maskZero ? withMask(y, cast(x, "bool")) : y;
  });
}
