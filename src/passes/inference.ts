// What a graph is when nothing is trained: each op's `inference` rule.
import type { Effective } from "../graph/op.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

/** What a node is, by its op's `inference` rule. @param effects where those of the rule go */
export function inferred(
  { op, attrs }: Node,
  inputs: readonly Value[],
  effects: Value[],
): readonly Value[] | undefined {
  const made = op.inference?.(inputs, attrs);
  if (made === undefined || !("value" in made)) return made && [made].flat();
  effects.push(...((made as Effective).effects ?? []));
  return [made.value];
}

export function inference(graph: Graph): Graph {
  const effects: Value[] = [];
  const made = rewrite(graph, (node, inputs) => inferred(node, inputs, effects) ?? remake(node, inputs));
  return { ...made, effects: [...made.effects, ...effects] };
}
