// Rewrites ops into the ones that kernels do (each op's `expand` rule) until none is left to rewrite.
import type { Graph, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

export const expand = (graph: Graph): Graph =>
  rewrite(graph, (node, inputs) => {
    const value = node.op.expand?.(inputs, node.attrs);
    return value === undefined ? remake(node, inputs) : [settle(value, new Set(inputs))];
  });

/** Expands what an expansion made, down to the values it was given. */
function settle(value: Value, given: ReadonlySet<Value>): Value {
  if (given.has(value)) return value;
  const { node, index } = value;
  const inputs = node.inputs.map((input) => settle(input, given));
  const expanded = node.op.expand?.(inputs, node.attrs);
  return expanded === undefined ? remake(node, inputs)[index] : settle(expanded, new Set(inputs));
}
