// A layer for each step of a sequence.
import { ShapeError, told, typeError } from "../errors.js";
import { reshape } from "../ops/shape.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

/**
 * A layer for each step of a sequence by itself, with the same weights, as Keras' `TimeDistributed`. To the layer all steps of all sequences
 * are one batch.
 * @returns a layer from [batch, steps, ...] to [batch, steps, ...what the layer makes of a step]
 * @throws {TypeError} for what is no layer; the layer throws {ShapeError} for an input without steps
 * @example
 * timeDistributed(conv2d(8, 3))(input([5, 28, 28, 1])).shape; // [1, 5, 26, 26, 8]
 */
export function timeDistributed(layer: Layer, options: LayerOptions = {}): Layer {
  const op = "timeDistributed";
  if (typeof layer !== "function") throw typeError({ op, expected: "a layer", actual: told(layer) });
  return stepwise(op, options, [], (x) => {
    const [, steps, ...step] = x.shape;
    if (x.shape.length < 3 || steps === 0)
      throw new ShapeError({ op, expected: "an input [steps, ..., features]", actual: show(x.shape.slice(1)) });
    const y = layer(reshape(x, [-1, ...step]));
    return reshape(y, [-1, steps, ...y.shape.slice(1)]);
  });
}
