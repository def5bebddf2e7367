// Layers that change only the shape.
import { reshape } from "../ops/shape.js";
import { sizeOf } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";

/**
 * All axes but the batch as one, in row-major order, as Keras' `Flatten`.
 * @example
 * flatten()(input([5, 5, 64])).shape; // [1, 1600]
 */
export function flatten(options: LayerOptions = {}): Layer {
  return layer("flatten", options, [], (x) => reshape(x, [-1, sizeOf(x.shape.slice(1))]));
}
