// Reverse-mode differentiation on the graph: walks from a scalar back to its leaves with each op's gradient rule.
import { ShapeError, UnsupportedError } from "../errors.js";
import type { Node, Value } from "../graph/value.js";
import { topological } from "../graph/walk.js";
import { add } from "../ops/arithmetic.js";
import { scalar } from "../ops/leaf.js";
import { reshape } from "../ops/shape.js";
import { show, sizeOf } from "../shape.js";

/**
 * d(of)/d(wrt) as graph values.
 * @param of one number
 * @returns one value per entry of `wrt`, `undefined` where `of` does not depend on it
 * @throws {ShapeError} when `of` has more than one element; {UnsupportedError} when an op on the way has no gradient
 */
export function gradients(of: Value, wrt: readonly Value[]): (Value | undefined)[] {
  if (sizeOf(of.shape) !== 1)
    throw new ShapeError({ op: "gradients", expected: "one number to differentiate", actual: show(of.shape) });
  const order = topological([of]);
  const wanted = new Set(wrt);
  const needed = new Set<Node>(); // nodes that a wanted value reaches
  for (const node of order) {
    if (node.inputs.some((value) => needed.has(value.node)) || node.outputs.some((value) => wanted.has(value)))
      needed.add(node);
  }
  const sums = new Map<Value, Value>([[of, reshape(scalar(1), of.shape)]]);
  const stuck = new Set<string>();
  for (const node of order.reverse()) {
    const upstream = node.outputs.map((value) => sums.get(value));
    const flows = needed.has(node) && upstream.some(Boolean) && node.inputs.some((value) => needed.has(value.node));
    if (!flows) continue;
    if (!node.op.grad) {
      stuck.add(node.op.name);
      continue;
    }
    const downstream = node.op.grad(node, upstream, node.attrs);
    node.inputs.forEach((value, i) => {
      const d = downstream[i];
      if (d === undefined || !needed.has(value.node)) return;
      const sum = sums.get(value);
      sums.set(value, sum ? add(sum, d) : d);
    });
  }
  if (stuck.size > 0) {
    const names = [...stuck].sort();
    throw new UnsupportedError(`no gradient flows through ${names.join(", ")}, which the loss depends on`, names);
  }
  return wrt.map((value) => sums.get(value));
}
