// What a graph is when nothing is trained: each op's `inference` rule.
import type { Graph } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

export const inference = (graph: Graph): Graph =>
  rewrite(graph, (node, inputs) => {
    const value = node.op.inference?.(inputs, node.attrs);
    return value === undefined ? remake(node, inputs) : [value];
  });
