// Layers that change only the shape.
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { wantElements } from "../ops/check.js";
import { reshape as reshaped } from "../ops/shape.js";
import { checkShape, type Shape, show, sizeOf } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";

/**
 * All axes but the batch as one, in row-major order, as Keras' `Flatten`.
 * @returns a layer that throws {ShapeError} for samples of no elements
 * @example
 * flatten()(input([5, 5, 64])).shape; // [1, 1600]
 */
export function flatten(options: LayerOptions = {}): Layer {
  return layer("flatten", options, [], (x) => {
    wantElements("flatten", x, ...x.shape.keys());
    return reshaped(x, [-1, sizeOf(x.shape.slice(1))]);
  });
}

/**
 * The same numbers under another shape; costs nothing when it runs. Given a shape alone, a layer as Keras' `Reshape`.
 * @param shape of the op, with the batch first: write -1 for it, so that the model runs at any size; of the layer, without the batch. One
 *   entry may be -1 and is worked out
 * @throws {ShapeError} when the element counts differ
 * @example
 * reshape(input([28, 28]), [-1, 784]).shape; // [1, 784]
 * reshape([7, -1])(input([28, 28])).shape; // [1, 7, 112]
 */
export function reshape(x: Value, shape: Shape): Value;
export function reshape(shape: Shape, options?: LayerOptions): Layer;
export function reshape(first: Value | Shape, second?: Shape | LayerOptions): Value | Layer {
  if (!Array.isArray(first)) return reshaped(first as Value, second as Shape);
  const op = "reshape";
  const open = first.indexOf(-1);
  checkShape(first.toSpliced(Math.max(0, open), open < 0 ? 0 : 1), op);
  const shape: Shape = [...first];
  return layer(op, (second ?? {}) as LayerOptions, [], (x) => {
    const size = sizeOf(x.shape.slice(1));
    const known = sizeOf(shape.filter((d) => d !== -1));
    const free = known === 0 ? 0 : size / known;
    if (open < 0 ? known !== size : !Number.isInteger(free) || (known === 0 && size > 0)) {
      const expected = `${size} elements, as in ${show(x.shape.slice(1))}`;
      throw new ShapeError({ op, expected, actual: show(shape) });
    }
    return reshaped(x, [-1, ...shape.map((d) => (d === -1 ? free : d))]);
  });
}
