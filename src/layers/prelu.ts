// The activation whose slope below zero is learnt.

import { relu } from "../ops/activation.js";
import { mul, sub } from "../ops/arithmetic.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { neg } from "../ops/unary.js";
import { normalizeAxes } from "../shape.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

export interface PreluOptions extends LayerOptions {
  /** Default `zeros`. */
  alphaInitializer?: InitializerName | Initializer;
  /** Default none. */
  alphaRegularizer?: RegularizerName | Regularizer;
  /** Axes, the batch being 0, along which one slope serves all; default none. */
  sharedAxes?: readonly number[];
}

/**
 * x where x > 0, else alpha x with a learnt alpha, as Keras' `PReLU`. Weight: `alpha`, of the input's shape without the batch, 1 along
 * shared axes. He et al., "Delving deep into rectifiers", 2015.
 * @throws {RangeError} for a shared axis that the input does not have
 * @example
 * prelu({ sharedAxes: [1, 2] })(input([8, 8, 16])).shape; // [1, 8, 8, 16]
 */
export function prelu(options: PreluOptions = {}): Layer {
  const { alphaInitializer = "zeros", sharedAxes = [] } = options;
  const regularizer = resolveRegularizer(options.alphaRegularizer, "prelu");
  return stepwise("prelu", options, ["alphaInitializer", "alphaRegularizer", "sharedAxes"], (x, weight) => {
    const shared = normalizeAxes(sharedAxes, x.shape.length, "prelu");
    const shape = x.shape.slice(1).map((d, i) => (shared.includes(i + 1) ? 1 : d));
    return sub(relu(x), mul(weight("alpha", shape, alphaInitializer, { regularizer }), relu(neg(x))));
  });
}
