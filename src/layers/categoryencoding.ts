// Categories as vectors.
import { rangeError, told, typeError } from "../errors.js";
import { max } from "../ops/extremum.js";
import { oneHot } from "../ops/gather.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";

export interface CategoryEncodingOptions extends LayerOptions {
  /** `multiHot` (default): 1 for each category that a sample has. `oneHot`: a vector for each number. `count`: how often it has it. */
  outputMode?: "multiHot" | "oneHot" | "count";
}

/**
 * Category numbers as vectors, as Keras' `CategoryEncoding`. A number outside [0, numTokens), as -1 for one that is missing, has no place
 * in the vector (Keras refuses it).
 * @param numTokens how many categories there are
 * @returns a layer from int32 [batch, n] to float32 [batch, numTokens]; with `oneHot` from [batch, ..., n] to [batch, ..., n, numTokens],
 *   without the axis of n where n is 1
 * @throws {RangeError} for sizes and modes that there are not; the layer throws {TypeError} unless its input is int32
 * @example
 * const model = await build(input([2], { dtype: "int32" }), categoryEncoding(4));
 * [...model.predict(tensor([[0, 2]], undefined, "int32")).data]; // [1, 0, 1, 0]
 */
export function categoryEncoding(numTokens: number, options: CategoryEncodingOptions = {}): Layer {
  const op = "categoryEncoding";
  const { outputMode = "multiHot" } = options;
  if (!Number.isSafeInteger(numTokens) || numTokens < 1)
    throw rangeError({ op, expected: "numTokens to be a positive integer", actual: told(numTokens) });
  if (outputMode !== "multiHot" && outputMode !== "oneHot" && outputMode !== "count")
    throw rangeError({ op, expected: "outputMode multiHot, oneHot or count", actual: told(outputMode) });
  return layer(op, options, ["outputMode"], (x) => {
    if (x.dtype !== "int32")
      throw typeError({ op, expected: 'an input of whole numbers, { dtype: "int32" }', actual: x.dtype });
    const rest = x.shape.slice(1);
    const hot = oneHot(x, numTokens);
    if (rest.length === 0) return hot;
    if (outputMode !== "oneHot") return outputMode === "count" ? sum(hot, -2) : max(hot, -2);
    return rest[rest.length - 1] === 1 ? reshape(hot, [-1, ...rest.slice(0, -1), numTokens]) : hot;
  });
}
