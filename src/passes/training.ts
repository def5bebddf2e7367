// What a graph is while it is trained: each op's `training` rule, which may update state beside computing its result.
import type { Graph, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

export function training(graph: Graph): Graph {
  const effects: Value[] = [];
  const made = rewrite(graph, (node, inputs) => {
    const rule = node.op.training?.(inputs, node.attrs);
    if (rule === undefined) return remake(node, inputs);
    effects.push(...(rule.effects ?? []));
    return [rule.value];
  });
  return { ...made, effects: [...made.effects, ...effects] };
}
