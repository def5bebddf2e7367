// What a graph is while it is trained: each op's `training` rule, which may update state beside computing its result.
import type { Graph, LayerInfo, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";
import { assign } from "../ops/assign.js";
import { inferred } from "./inference.js";

/**
 * A state that several nodes update (a layer used twice) goes through all of them, in the order in which they run.
 * @param frozen layers of which nothing is trained: their ops are what they are for inference, but for random ones (dropout)
 */
export function training(graph: Graph, frozen: (layer: LayerInfo) => boolean = () => false): Graph {
  const latest = new Map<Value, Value>();
  const effects: Value[] = [];
  const made = rewrite(graph, (node, inputs) => {
    if (node.layer && !node.op.random && frozen(node.layer))
      return inferred(node, inputs, effects) ?? remake(node, inputs);
    const rule = node.op.training?.(
      inputs.map((value) => latest.get(value) ?? value),
      node.attrs,
    );
    if (rule === undefined) return remake(node, inputs);
    for (const [i, next] of rule.updates ?? []) latest.set(inputs[i], next);
    effects.push(...(rule.effects ?? []));
    return [rule.value];
  });
  const updates = [...latest].map(([state, next]) => assign(state, next));
  return { ...made, effects: [...made.effects, ...updates, ...effects] };
}
