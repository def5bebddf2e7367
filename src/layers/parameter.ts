// A weight of one's own, for layers written as plain functions of Values.
import { checkKeys } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type Initializer, type InitializerName, resolveInitializer } from "../ops/initializer.js";
import { state } from "../ops/leaf.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { checkShape } from "../shape.js";

export interface ParameterOptions {
  /** Default `parameter`, with a number where several have it. */
  name?: string;
  /** Whether training changes it; default true. */
  trainable?: boolean;
  /** Default none. */
  regularizer?: RegularizerName | Regularizer;
}

/**
 * A trained array. Use the Value several times and it is shared; `build` gives it memory and its first numbers.
 * @param shape without a batch: the weight is the same for all samples
 * @param initializer default `glorotUniform`
 * @throws {RangeError} for a shape that is none; {TypeError} for an initializer or a regularizer that there is not
 * @example
 * const x = input([4]);
 * const scale = parameter([4], "ones", { name: "scale" });
 * const model = await build(x, mul(x, scale));
 * Object.keys(model.weights()); // ["scale"]
 */
export function parameter(
  shape: readonly number[],
  initializer: InitializerName | Initializer = "glorotUniform",
  options: ParameterOptions = {},
): Value {
  const op = "parameter";
  checkKeys(op, options, ["name", "trainable", "regularizer"]);
  const { name = op, trainable = true, regularizer } = options;
  checkShape(shape, op);
  const penalty = resolveRegularizer(regularizer, op);
  return state(name, shape, resolveInitializer(initializer, shape, op), trainable, "float32", penalty);
}
