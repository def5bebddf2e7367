// Walks over graphs: topological order and rewriting. Passes are rewrites; the planner uses the order.
import { type Graph, make, type Node, type Value } from "./value.js";

/**
 * Nodes that `roots` need, each after the nodes it needs, first root first. Iterative, so depth is no limit.
 * @param before further nodes that must come first (the readers of a state before its writer)
 */
export function topological(roots: readonly Value[], before?: (node: Node) => readonly Node[]): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [];
  for (const root of roots) {
    stack.push(root.node);
    while (stack.length > 0) {
      const node = stack[stack.length - 1] as Node;
      const seen = state.get(node);
      if (seen !== undefined) {
        stack.pop();
        if (seen === "open") order.push(node);
        state.set(node, "done");
        continue;
      }
      state.set(node, "open");
      const needs = [...node.inputs.map((value) => value.node), ...(before?.(node) ?? [])];
      for (let i = needs.length - 1; i >= 0; i--) if (!state.has(needs[i] as Node)) stack.push(needs[i] as Node);
    }
  }
  return order;
}

/** All roots of a graph. */
export const roots = (graph: Graph): Value[] => [...graph.outputs, ...graph.effects];

/** How often each value is used, by nodes and as a result. */
export function useCounts(graph: Graph): Map<Value, number> {
  const counts = new Map<Value, number>();
  const use = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of topological(roots(graph))) node.inputs.forEach(use);
  roots(graph).forEach(use);
  return counts;
}

/** The same node over other inputs: itself when they did not change. */
export function remake(node: Node, inputs: readonly Value[]): readonly Value[] {
  if (inputs.every((value, i) => value === node.inputs[i])) return node.outputs;
  const made = make(node.op, inputs, node.attrs);
  made.layer = node.layer;
  return made.outputs;
}

/** What becomes of a node once its inputs are rewritten: its new results, as many as before. */
export type Rule = (node: Node, inputs: readonly Value[]) => readonly Value[];

/** Rewrites a graph from its leaves to its roots, each node once. */
export function rewrite(graph: Graph, rule: Rule): Graph {
  const results = new Map<Node, readonly Value[]>();
  const now = (value: Value) => (results.get(value.node) as readonly Value[])[value.index] as Value;
  for (const node of topological([...graph.inputs, ...roots(graph)])) {
    const made = rule(node, node.inputs.map(now));
    for (const value of made) value.node.layer ??= node.layer;
    results.set(node, made);
  }
  const { inputs, outputs, effects, order } = graph;
  const made = { inputs: inputs.map(now), outputs: outputs.map(now), effects: effects.map(now) };
  return order ? { ...made, order: order.map(now) } : made;
}
