// Rewrites ops into the ones that kernels do (each op's `expand` rule) until none is left to rewrite.
import type { Graph } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

export function expand(graph: Graph): Graph {
  let changed = false;
  const next = rewrite(graph, (node, inputs) => {
    const value = node.op.expand?.(inputs, node.attrs);
    if (value === undefined) return remake(node, inputs);
    changed = true;
    return [value];
  });
  return changed ? expand(next) : next;
}
