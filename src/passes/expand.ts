// Rewrites ops into the ones that kernels do (each op's `expand` rule) until none is left to rewrite.
import type { Graph, Node, Value } from "../graph/value.js";
import { remake, rewrite, roots, topological } from "../graph/walk.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { onlyWeights } from "./weights.js";

export function expand(graph: Graph): Graph {
  const fixed = onlyWeights(topological(roots(graph)));
  return rewrite(graph, (node, inputs) => {
    const weights = node.inputs[1];
    const maker = weights && fixed.has(weights.node) ? makerOf(weights) : undefined;
    const product = maker?.op.multiplied?.(node, inputs, maker);
    if (product) return settle(product, inputs);
    const made = node.op.expand?.(
      inputs,
      node.attrs,
      node.inputs.map((input) => fixed.has(input.node)),
    );
    return made === undefined ? remake(node, inputs) : settle(made, inputs);
  });
}

/** The node that has made weights, before they were scaled or seen in another shape, if its op has a rule for their products. */
function makerOf({ node }: Value): Node | undefined {
  if (node.op.multiplied) return node;
  const sources = node.op === arithmeticOps.mul || node.op.view ? node.inputs : [];
  return sources.map(makerOf).find(Boolean);
}

/** Expands what an expansion made, down to the values it was given. */
function settle(made: Value | readonly Value[], given: readonly Value[]): Value[] {
  const done = new Map<Node, readonly Value[]>();
  const settled = (value: Value): Value => {
    if (given.includes(value)) return value;
    const { node, index } = value;
    const known = done.get(node);
    if (known !== undefined) return known[index];
    const inputs = node.inputs.map(settled);
    const expanded = node.op.expand?.(inputs, node.attrs);
    const values = expanded === undefined ? remake(node, inputs) : settle(expanded, inputs);
    done.set(node, values);
    return values[index];
  };
  return [made].flat().map(settled);
}
