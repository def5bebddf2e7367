// Which nodes depend on nothing but weights.
import type { Node } from "../graph/value.js";
import { constantOp, stateOp } from "../ops/leaf.js";

/** Nodes, of a graph in order, whose results change only when weights do, and not by this graph. */
export function onlyWeights(nodes: readonly Node[]): Set<Node> {
  const changing = new Set(nodes.flatMap((node) => (node.op.writes ?? []).map((i) => node.inputs[i].node)));
  const fixed = new Set<Node>();
  for (const node of nodes) {
    const known = node.op === constantOp || (node.op === stateOp && !changing.has(node));
    const derived =
      node.inputs.length > 0 &&
      node.inputs.every((value) => fixed.has(value.node)) &&
      !node.op.writes &&
      !node.op.random;
    if (known || derived) fixed.add(node);
  }
  return fixed;
}
