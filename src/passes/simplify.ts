// Computes nothing twice: nodes with the same op, inputs and attributes become one. What no result needs was never reached.
import type { Graph, Node, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";

export function simplify(graph: Graph): Graph {
  const ids = new Map<Node, number>();
  const seen = new Map<string, readonly Value[]>();
  return rewrite(graph, (node, inputs) => {
    const values = remake(node, inputs);
    const made = values[0]?.node ?? node;
    const id = ids.size;
    ids.set(made, ids.get(made) ?? id);
    if (inputs.length === 0 || node.op.writes) return values;
    const key = JSON.stringify([node.op.name, inputs.map((value) => [ids.get(value.node), value.index]), node.attrs]);
    const same = seen.get(key);
    if (same === undefined) seen.set(key, values);
    return same ?? values;
  });
}
