// A model's graph made anew as part of another model, some of it replaced.
import { type Graph, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { constantOp, input, stateOp } from "../ops/leaf.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";

/**
 * A model of its own with a graph of another and the numbers of its weights.
 * @param infoOf from {@link infos}
 * @param replace what takes the place of a node's result, if anything does; `now` gives what values have become
 */
export function rebuilt(
  model: Model,
  graph: Graph,
  infoOf: (node: Node) => LayerInfo | undefined,
  replace: (node: Node, now: (value: Value) => Value) => Value | undefined,
): Promise<Model> {
  const made = new Map<Value, Value>();
  const now = (value: Value) => made.get(value) as Value;
  for (const node of topological([...graph.inputs, ...roots(graph)])) {
    const other = replace(node, now);
    (other ? [other] : copied(node, now, model)).forEach((value, i) => {
      made.set(node.outputs[i], owned(value, infoOf(node)));
    });
  }
  return build(graph.inputs.map(now), graph.outputs.map(now), { name: model.name, math: model.math });
}

/** The same node over other inputs; of a model's inputs and states another one each. */
export function copied(node: Node, now: (value: Value) => Value, model: Model): readonly Value[] {
  const [first] = node.outputs;
  const at = model.graph.inputs.indexOf(first);
  if (at >= 0) return [input(first.shape.slice(1), { dtype: first.dtype, name: model.names.inputs[at] })];
  if (node.op === stateOp) return [leaf(node.op, node.attrs, first, model.store.read(first))];
  if (node.op === constantOp) return [leaf(node.op, node.attrs, first, node.data)];
  return make(node.op, node.inputs.map(now), node.attrs).outputs;
}

/** The layers of a model's nodes as those of another model, with their names. */
export function infos(model: Model): (node: Node) => LayerInfo | undefined {
  const made = new Map<LayerInfo, LayerInfo>();
  return ({ layer }) => {
    if (layer && !made.has(layer)) made.set(layer, { kind: layer.kind, name: model.names.layers.get(layer) });
    return layer && made.get(layer);
  };
}

export function owned(value: Value, layer: LayerInfo | undefined): Value {
  value.node.layer ??= layer;
  return value;
}

/** A weight that begins with its numbers. */
export function stateOf(layer: LayerInfo, name: string, numbers: Tensor, trainable = false): Value {
  const { shape, dtype } = numbers;
  const attrs = { name, shape: [...shape], dtype, initializer: { kind: "constant", value: 0 }, trainable };
  return owned(leaf(stateOp, attrs, { shape, dtype }, numbers), layer);
}
