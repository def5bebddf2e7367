// What a layer is: a function from Value to Value that makes its weights when it is first applied and shares them ever after.
import { checkKeys, inLayer, ShapeError, told, typeError } from "../errors.js";
import { checkValue, type LayerInfo, type Node, type Value } from "../graph/value.js";
import { type Initializer, type InitializerName, resolveInitializer } from "../ops/initializer.js";
import { isState, state } from "../ops/leaf.js";
import { maskOf, withMask, withoutMask } from "../ops/mask.js";
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
  /** Whether it is no weight but what the layer carries from one run to the next; default false. */
  readonly carried?: boolean;
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
 * @param body is given its input without the mask, and the mask apart
 */
export function layer<O extends LayerOptions>(
  kind: string,
  options: O,
  known: readonly (keyof O)[],
  body: (x: Value, weight: WeightOf, mask: Value | undefined) => Value,
): Layer {
  const made = define(kind, options, known, ([x], weight, [mask]) => body(x, weight, mask), false);
  return (x) => made([x]);
}

/** The same for a layer that works on each step by itself: its result has the mask of its input (Keras' `supports_masking`). */
export function stepwise<O extends LayerOptions>(
  kind: string,
  options: O,
  known: readonly (keyof O)[],
  body: (x: Value, weight: WeightOf, mask: Value | undefined) => Value,
): Layer {
  const made = define(kind, options, known, ([x], weight, [mask]) => body(x, weight, mask), true);
  return (x) => made([x]);
}

/**
 * The same for a layer of several inputs and weights of its own. Its result has the mask of the first where `keepsMask`; values that are
 * no sequences, such as masks, are further inputs.
 */
export function define<O extends LayerOptions, Call = undefined>(
  kind: string,
  options: O,
  known: readonly (keyof O)[],
  body: (values: readonly Value[], weight: WeightOf, masks: readonly (Value | undefined)[], call: Call) => Value,
  keepsMask: boolean,
): (values: readonly Value[], call?: Call) => Value {
  const allowed: readonly PropertyKey[] = [...known, "name"];
  checkKeys(kind, options, allowed);
  const { name } = options;
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw typeError({ op: kind, expected: "name to be a text", actual: told(name) });
  const info: LayerInfo = { kind, name: options.name };
  const weights = new Map<string, Value>();
  const weight: WeightOf = (name, shape, initializer, { trainable = true, regularizer, carried } = {}) => {
    const made = weights.get(name);
    if (made === undefined) {
      const first = resolveInitializer(initializer, shape, kind);
      const value = state(name, shape, first, trainable, "float32", regularizer, carried);
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
  return (values, call) => {
    try {
      for (const value of values) checkValue(value, kind);
      const [bare, masks] = [values.map(withoutMask), values.map(maskOf)];
      const y = body(bare, weight, masks, call as Call);
      own(y, [...bare, ...masks], info);
      const [mask] = masks;
      if (!keepsMask || mask === undefined) return y;
      const masked = withMask(y, mask);
      masked.node.layer = info;
      return masked;
    } catch (error) {
      throw inLayer(error, kind, options.name);
    }
  };
}

/** Marks the nodes between a layer's inputs and its result as the layer's. */
export function own(y: Value, given: readonly (Value | undefined)[], info: LayerInfo): void {
  const open: Node[] = [y.node];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const isGiven = given.some((value) => value?.node === node);
    if (isGiven || node.layer !== undefined || isState(node.outputs[0])) continue;
    node.layer = info;
    open.push(...node.inputs.map((value) => value.node));
  }
}
