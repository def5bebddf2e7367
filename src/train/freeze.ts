// Which weights are trained: all that can be, less those that are frozen.
import { told, typeError, UnsupportedError } from "../errors.js";
import type { LayerInfo, Value } from "../graph/value.js";
import { stateAttrs } from "../ops/leaf.js";
import type { Model } from "../program/model.js";

/** Names of layers or of weights (`conv2d` or `conv2d/kernel`), or a function that says so of a name. */
export type Freeze = string | readonly string[] | ((name: string) => boolean);

export interface Trained {
  /** By name, in the order of the model. */
  readonly weights: ReadonlyMap<string, Value>;
  /** Layers of which nothing is trained: batch normalization then uses its moving statistics and leaves them. */
  readonly frozen: (layer: LayerInfo) => boolean;
}

/** @param still tells of weights that are frozen besides. @throws {TypeError} for a name that the model does not have; {UnsupportedError} when nothing is left to train */
export function trainedWeights(
  { names }: Model,
  freeze: Freeze = [],
  op: string,
  still: (weight: string) => boolean = () => false,
): Trained {
  const matches = typeof freeze === "function" ? freeze : isListed(names, freeze, op);
  const layerOf = ({ node }: Value) => node.layer && names.layers.get(node.layer);
  const isFrozen = ([name, value]: readonly [string, Value]) => {
    const layer = layerOf(value);
    return still(name) || matches(name) || (layer !== undefined && matches(layer));
  };
  const trainable = [...names.states].filter(([, value]) => stateAttrs(value).trainable);
  const weights = new Map(trainable.filter((entry) => !isFrozen(entry)));
  if (weights.size === 0) {
    const why = trainable.length === 0 ? "" : `: all ${trainable.length} are frozen`;
    throw new UnsupportedError(`${op}: the model has no weights to train${why}`);
  }
  const moving = new Set([...weights.values()].map(({ node }) => node.layer));
  const unmoved = new Set(
    trainable.flatMap(([, { node }]) => (node.layer && !moving.has(node.layer) ? [node.layer] : [])),
  );
  return {
    weights,
    frozen: (layer) => unmoved.has(layer) || matches(names.layers.get(layer) ?? layer.kind),
  };
}

function isListed(names: Model["names"], freeze: string | readonly string[], op: string) {
  if (typeof freeze !== "string" && !Array.isArray(freeze))
    throw typeError({ op, expected: "names of layers or weights to freeze", actual: told(freeze) });
  const listed = new Set(typeof freeze === "string" ? [freeze] : freeze);
  const known = [...names.layers.values(), ...names.states.keys()];
  const unknown = [...listed].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw typeError({ op, expected: `layers or weights to freeze of ${known.join(", ")}`, actual: `"${unknown}"` });
  return (name: string) => listed.has(name);
}
