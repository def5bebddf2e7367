// Rewrites ops into the ones that kernels do (each op's `expand` rule) until none is left to rewrite.
import type { Graph, Value } from "../graph/value.js";
import { remake, rewrite, roots, topological } from "../graph/walk.js";
import { onlyWeights } from "./weights.js";

export function expand(graph: Graph): Graph {
  const fixed = onlyWeights(topological(roots(graph)));
  return rewrite(graph, (node, inputs) => {
    const value = node.op.expand?.(
      inputs,
      node.attrs,
      node.inputs.map((input) => fixed.has(input.node)),
    );
    return value === undefined ? remake(node, inputs) : [settle(value, new Set(inputs))];
  });
}

/** Expands what an expansion made, down to the values it was given. */
function settle(value: Value, given: ReadonlySet<Value>): Value {
  if (given.has(value)) return value;
  const { node, index } = value;
  const inputs = node.inputs.map((input) => settle(input, given));
  const expanded = node.op.expand?.(inputs, node.attrs);
  return expanded === undefined ? remake(node, inputs)[index] : settle(expanded, new Set(inputs));
}
