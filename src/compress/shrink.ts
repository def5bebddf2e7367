// A model without some of its channels: its graph made anew, weights and all that is made of them smaller.
import { type Attrs, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { constantOp, inputOf, inputOp, stateOp } from "../ops/leaf.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import { arrayOf, type Tensor } from "../tensor.js";
import type { Channels, Labels } from "./labels.js";

/** @param stays whether a channel stays, by its label */
export function shrink(model: Model, channels: Channels, stays: (label: number) => boolean): Promise<Model> {
  const { graph, names } = model;
  const infos = new Map(
    [...names.layers].map(([info, name]): [LayerInfo, LayerInfo] => [info, { kind: info.kind, name }]),
  );
  const kept = (labels: Labels): number[] => labels.flatMap((label, i) => (stays(label) ? [i] : []));
  const made = new Map<Value, Value>();
  const part = (value: Value, tensor: Tensor): Tensor =>
    [...channels.of(value)].reduce((all, [axis, labels]) => taken(all, axis, kept(labels)), tensor);
  const leafOf = (node: Node): Value => {
    const [value] = node.outputs;
    if (node.op === inputOp) return inputOf({ ...node.attrs, name: names.inputs[graph.inputs.indexOf(value)] });
    if (node.op !== stateOp && node.op !== constantOp) return value;
    const tensor = part(value, node.op === stateOp ? model.store.read(value) : (node.data as Tensor));
    const attrs = node.op === stateOp ? { ...node.attrs, shape: [...tensor.shape] } : node.attrs;
    return leaf(node.op, attrs, tensor, tensor);
  };
  for (const node of topological([...graph.inputs, ...roots(graph)])) {
    const outputs =
      node.inputs.length === 0
        ? [leafOf(node)]
        : make(
            node.op,
            node.inputs.map((value) => made.get(value) as Value),
            attrsOf(node),
          ).outputs;
    node.outputs.forEach((value, i) => {
      if (outputs[i] !== value) outputs[i].node.layer = node.layer && (infos.get(node.layer) ?? node.layer);
      made.set(value, outputs[i]);
    });
  }
  /** Those of a view name the width. */
  function attrsOf({ op, attrs, outputs: [y] }: Node): Attrs {
    const labels = channels.of(y).get(y.shape.length - 1);
    const shape = attrs.shape as readonly number[] | undefined;
    const width = shape?.at(-1);
    if (!op.view || !labels || shape === undefined || width === undefined || width < 0) return attrs;
    return { ...attrs, shape: shape.with(-1, kept(labels).length) };
  }
  const now = (values: readonly Value[]): Value[] => values.map((value) => made.get(value) as Value);
  return build(now(graph.inputs), now(graph.outputs), { name: model.name, math: model.math });
}

/** Some indices of one axis. */
function taken({ data, shape, dtype }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const inner = shape.slice(axis + 1).reduce((product, d) => product * d, 1);
  const outer = shape.slice(0, axis).reduce((product, d) => product * d, 1);
  const made = new (arrayOf(dtype))(outer * indices.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const i of indices) {
      const from = (o * shape[axis] + i) * inner;
      made.set(data.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return { data: made, shape: shape.with(axis, indices.length), dtype };
}
