// Activations as layers of their own.
import type { Value } from "../graph/value.js";
import { type ActivationName, activation as resolve } from "../ops/activation.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

/**
 * An activation as a layer, as Keras' `Activation`.
 * @param of its name, or a function of Values
 * @example
 * activation("relu")(input([8])).shape; // [1, 8]
 */
export function activation(of: ActivationName | ((x: Value) => Value), options: LayerOptions = {}): Layer {
  const act = resolve(of, "activation");
  return stepwise("activation", options, [], act);
}
