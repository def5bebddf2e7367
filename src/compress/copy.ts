// A model's graph made anew as part of another model, some of it replaced.
import { type Graph, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { constant, constantOp, input, isState, stateAttrs, stateOp } from "../ops/leaf.js";
import { onlyWeights } from "../passes/weights.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { rootOf } from "./runs.js";
import { numbersOf } from "./weights.js";

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
  const order = topological([...graph.inputs, ...roots(graph)]);
  const frozen = frozenOf(model, graph, order, onlyWeights(order), infoOf);
  for (const node of order) {
    const other = replace(node, now) ?? frozen.get(node.outputs[0]);
    (other ? [other] : copied(node, now, model)).forEach((value, i) => {
      made.set(node.outputs[i], owned(value, infoOf(node)));
    });
  }
  return build(graph.inputs.map(now), graph.outputs.map(now), { name: model.name, math: model.math });
}

/**
 * What is made of weights alone and read by other nodes, as weights with the numbers of now: files then need no op that makes them (of a
 * normalization that was folded, or that nothing could be folded into). Each has the name of the weight it is made of, a second one of the
 * same weight is a constant.
 */
export function frozenOf(
  model: Model,
  graph: Graph,
  order: readonly Node[],
  fixed: ReadonlySet<Node>,
  infoOf: (node: Node) => LayerInfo | undefined,
): ReadonlyMap<Value, Value> {
  const read = [...order.flatMap((node) => (fixed.has(node) ? [] : node.inputs)), ...graph.outputs].filter(({ node }) =>
    fixed.has(node),
  );
  const named = new Set(read.filter(isState));
  const derived = read.filter(({ node }) => node.inputs.length > 0 && node.outputs.length === 1);
  return new Map(
    [...numbersOf(model, derived)].map(([value, data]) => {
      const numbers: Tensor = { data, shape: value.shape, dtype: value.dtype };
      const root = rootOf(value);
      const layer = infoOf(root.node);
      if (!isState(root) || layer === undefined || named.has(root)) return [value, constant(numbers)];
      named.add(root);
      return [value, stateOf(layer, stateAttrs(root).name, numbers, stateAttrs(root).trainable)];
    }),
  );
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
