// What must hold of every graph, checked before one is planned: a pass that breaks a graph is found here and not in its numbers.
import { ShapeError } from "../errors.js";
import { sameShape, show } from "../shape.js";
import { type Graph, isValue, type Node, type Value } from "./value.js";
import { roots, topological } from "./walk.js";

/** @throws {ShapeError} when a node's results are not what its op makes of its inputs, or a value belongs to no node */
export function verify(graph: Graph): void {
  const nodes = topological([...graph.inputs, ...roots(graph)]);
  const place = new Map(nodes.map((node, i) => [node, i]));
  nodes.forEach((node, i) => {
    node.op.check(node.attrs);
    node.inputs.forEach((value) => {
      if ((place.get(value.node) ?? i) >= i) throw broken(node, "inputs made before it", "a cycle");
    });
    node.outputs.forEach((value, k) => {
      if (value.node !== node || value.index !== k)
        throw broken(node, `result ${k} to know where it comes from`, `result ${value.index}`);
    });
    if (node.inputs.length > 0) checkSpecs(node);
    for (const k of node.op.writes ?? []) {
      if (!isLeaf(node.inputs[k]))
        throw broken(node, `input ${k} to be a state that it may write`, `a result of ${node.inputs[k].node.op.name}`);
    }
  });
  for (const value of [...graph.inputs, ...roots(graph)]) {
    if (!isValue(value) || value.node.outputs[value.index] !== value)
      throw broken(value.node, "results that belong to a node", "another value");
  }
}

const isLeaf = (value: Value): boolean => value.node.op.name === "state";

function checkSpecs(node: Node): void {
  const specs = node.op.infer(node.inputs, node.attrs);
  const told = (list: readonly { shape: readonly number[]; dtype: string }[]) =>
    list.map(({ shape, dtype }) => `${dtype} ${show(shape)}`).join(", ");
  const same =
    specs.length === node.outputs.length &&
    specs.every(({ shape, dtype }, k) => dtype === node.outputs[k].dtype && sameShape(shape, node.outputs[k].shape));
  if (!same) throw broken(node, told(specs), told(node.outputs));
}

const broken = (node: Node, expected: string, actual: string): ShapeError =>
  new ShapeError({ op: `verify ${node.op.name}`, expected, actual });
