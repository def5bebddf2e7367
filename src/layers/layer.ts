// What a layer is: a function from Value to Value that makes its weights when it is first applied and shares them ever after.
import { checkKeys, inLayer, ShapeError, told, typeError } from "../errors.js";
import { checkValue, type LayerInfo, type Node, type Value } from "../graph/value.js";
import { type Initializer, type InitializerName, resolveInitializer } from "../ops/initializer.js";
import { isState, state } from "../ops/leaf.js";
import type { Regularizer } from "../ops/regularizer.js";
import { type Shape, sameShape, show } from "../shape.js";

/** Applying the same layer twice shares its weights. */
export type Layer = (x: Value) => Value;

/** Options every layer takes. */
export interface LayerOptions {
  /** The layer's name, which its weights' names begin with; default the kind with a number: `conv2d`, `conv2d_1`, ... */
  name?: string;
}

/** What a weight may be beside its shape. */
export interface WeightOptions {
  /** Default true; moving statistics are not. */
  readonly trainable?: boolean;
  /** Default none. */
  readonly regularizer?: Regularizer | undefined;
}

/** Gives a layer its weight of that name, making it at first use. */
export type WeightOf = (
  name: string,
  shape: Shape,
  initializer: InitializerName | Initializer,
  options?: WeightOptions,
) => Value;

/**
 * Makes a layer of a function that says what it does with a value.
 * @param kind the Keras class in lower camel case
 * @param options as the user gave them; keys not in `known` are refused
 */
export function layer<O extends LayerOptions>(
  kind: string,
  options: O,
  known: readonly (keyof O)[],
  body: (x: Value, weight: WeightOf) => Value,
): Layer {
  const allowed: readonly PropertyKey[] = [...known, "name"];
  checkKeys(kind, options, allowed);
  const { name } = options;
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw typeError({ op: kind, expected: "name to be a text", actual: told(name) });
  const info: LayerInfo = { kind, name: options.name };
  const weights = new Map<string, Value>();
  const weight: WeightOf = (name, shape, initializer, { trainable = true, regularizer } = {}) => {
    const made = weights.get(name);
    if (made === undefined) {
      const value = state(name, shape, resolveInitializer(initializer, shape, kind), trainable, "float32", regularizer);
      value.node.layer = info;
      weights.set(name, value);
      return value;
    }
    if (!sameShape(made.shape, shape)) {
      throw new ShapeError({
        op: kind,
        expected: `an input that fits the shared ${name} ${show(made.shape)}`,
        actual: `one for ${show(shape)}`,
      });
    }
    return made;
  };
  return (x) => {
    try {
      checkValue(x, kind);
      const y = body(x, weight);
      own(y, x, info);
      return y;
    } catch (error) {
      throw inLayer(error, kind, options.name);
    }
  };
}

/** Marks the nodes between a layer's input and its result as the layer's. */
function own(y: Value, x: Value, info: LayerInfo): void {
  const open: Node[] = [y.node];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === x.node || node.layer !== undefined || isState(node.outputs[0])) continue;
    node.layer = info;
    open.push(...node.inputs.map((value) => value.node));
  }
}
