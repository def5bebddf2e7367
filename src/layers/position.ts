// Where in its sequence a step is: learned vectors, or features turned by an angle.
import { rangeError, ShapeError, told } from "../errors.js";
import { apply } from "../graph/value.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { rotaryOps } from "../ops/rotary.js";
import { expandDims } from "../ops/shape.js";
import { slice } from "../ops/slice.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";
import { positive } from "./options.js";

export interface PositionEmbeddingOptions extends LayerOptions {
  /** Default `glorotUniform`. */
  initializer?: InitializerName | Initializer;
}

export interface RotaryEmbeddingOptions extends LayerOptions {
  /** Positions from one turn of the slowest features to the next, about; default 10000. */
  maxWavelength?: number;
  /** What positions are divided by; default 1. */
  scalingFactor?: number;
}

/**
 * A trained vector for each position, to be added to a sequence, as KerasHub's `PositionEmbedding`; one for all samples: the batch of the
 * result is 1, and its mask that of the sequence. Weight: `embeddings` [sequenceLength, features].
 * @param sequenceLength most steps of a sequence
 * @returns a layer from float32 [batch, steps, features] to [1, steps, features]
 * @throws {RangeError} for a length that is no positive integer; the layer throws {ShapeError} for a sequence that is longer
 * @example
 * const tokens = embedding(1000, 16)(input([20], { dtype: "int32" }));
 * add(tokens, positionEmbedding(64)(tokens)).shape; // [1, 20, 16]
 */
export function positionEmbedding(sequenceLength: number, options: PositionEmbeddingOptions = {}): Layer {
  const op = "positionEmbedding";
  const { initializer = "glorotUniform" } = options;
  positive(op, "sequenceLength", sequenceLength);
  return stepwise(op, options, ["initializer"], ({ shape }, weight) => {
    const [, steps, features] = shape;
    if (shape.length !== 3 || steps > sequenceLength)
      throw new ShapeError({
        op,
        expected: `a sequence [steps, features] of at most ${sequenceLength} steps, as many as there are positions`,
        actual: show(shape.slice(1)),
      });
    const all = weight("embeddings", [sequenceLength, features], initializer);
    return expandDims(steps === sequenceLength ? all : slice(all, [0, 0], [steps, features]), 0);
  });
}

/**
 * Features turned by angles that grow with the step, each pair at its own pace, so that products of queries and keys depend on how far
 * apart they are, as KerasHub's `RotaryEmbedding`: feature i is a pair with feature i + features / 2.
 * @returns a layer from float32 [batch, steps, ..., features] to the same shape
 * @throws {RangeError} for a wavelength or a factor that is no positive number; the layer throws {ShapeError} for an odd number of features
 * @example
 * rotaryEmbedding()(input([20, 4, 8])).shape; // [1, 20, 4, 8]
 */
export function rotaryEmbedding(options: RotaryEmbeddingOptions = {}): Layer {
  const op = "rotaryEmbedding";
  const { maxWavelength = 10000, scalingFactor = 1 } = options;
  for (const [what, x] of Object.entries({ maxWavelength, scalingFactor }))
    if (!(Number.isFinite(x) && x > 0))
      throw rangeError({ op, expected: `${what} to be a positive number`, actual: told(x) });
  return stepwise(op, options, ["maxWavelength", "scalingFactor"], (x) =>
    apply(rotaryOps.rotary, [x], { wavelength: maxWavelength, scaling: scalingFactor, inverse: false }),
  );
}
