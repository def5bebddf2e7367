// Takes a scale and a shift of channels that depend on weights only (batch normalization at inference) into the product before them:
// (x * f + b) s + t = x * (f s) + (b s + t). What is in brackets is then computed once for given weights.
import type { Op } from "../graph/op.js";
import { apply, type Graph, type Value } from "../graph/value.js";
import { remake, rewrite, roots, topological, useCounts } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { add, arithmeticOps, mul } from "../ops/arithmetic.js";
import { onlyWeights } from "./weights.js";

export function fold(graph: Graph): Graph {
  const order = topological(roots(graph));
  const fixed = onlyWeights(order);
  const scales = order.some(
    ({ op, inputs }) => op === arithmeticOps.mul && inputs.some((value) => fixed.has(value.node)),
  );
  if (!scales) return graph;
  const uses = useCounts(graph);
  const alone = new Set<Value>(); // results, old and new, that only one node reads
  const isChannels = (value: Value, y: Value): boolean =>
    fixed.has(value.node) && value.shape.length === 1 && value.shape[0] === y.shape[y.shape.length - 1];
  /** A value made of weights. */
  const known = (value: Value): Value => {
    fixed.add(value.node);
    return value;
  };
  /** x + weights, as [x, weights], if nobody else reads the sum. */
  const shifted = (y: Value): readonly [Value, Value] | undefined => {
    if (y.node.op !== arithmeticOps.add || !alone.has(y)) return undefined;
    const [a, b] = y.node.inputs;
    if (isChannels(b, y) && !fixed.has(a.node)) return [a, b];
    return isChannels(a, y) && !fixed.has(b.node) ? [b, a] : undefined;
  };
  /** y times a scale of its channels, without touching y's own elements. */
  const scaled = (y: Value, scale: Value): Value | undefined => {
    const parts = shifted(y);
    if (parts) {
      const product = scaled(parts[0], scale);
      return product && sum(product, known(mul(parts[1], scale)));
    }
    const { op, inputs, attrs } = y.node;
    if (!op.scaled || !alone.has(y) || !inputs.slice(1).every((value) => fixed.has(value.node))) return undefined;
    const made = op.scaled(inputs, scale, attrs);
    if (made === undefined) return undefined;
    made.forEach((value, i) => {
      if (value !== inputs[i]) known(value);
    });
    return single(apply(op, made, attrs), y);
  };
  const single = (value: Value, like: Value): Value => {
    value.node.layer ??= like.node.layer;
    alone.add(value);
    return value;
  };
  const sum = (y: Value, shift: Value): Value => single(add(y, shift), y);
  /** What an alone view with the same channels is of: of a sequence, the row that its convolution made. */
  const viewed = (y: Value): Value | undefined => {
    const x = y.node.op.view && alone.has(y) ? y.node.inputs[0] : undefined;
    return x && alone.has(x) && x.shape[x.shape.length - 1] === y.shape[y.shape.length - 1] ? x : undefined;
  };
  const again = (x: Value, { node: { op, inputs, attrs } }: Value): Value => apply(op, [x, ...inputs.slice(1)], attrs);
  /** y times or plus weights of its channels, taken into what it is made of. */
  const joined = (op: Op, y: Value, weights: Value): Value | undefined => {
    const x = viewed(y);
    if (x) {
      const made =
        joined(op, x, weights) ?? (op === arithmeticOps.add && x.node.op.scaled ? sum(x, weights) : undefined);
      return made && again(made, y);
    }
    if (op === arithmeticOps.mul) return scaled(y, weights);
    const parts = shifted(y);
    return parts && sum(parts[0], known(add(parts[1], weights)));
  };
  return rewrite(graph, (node, inputs) => {
    const made = rule();
    node.outputs.forEach((value, i) => {
      if (uses.get(value) === 1) alone.add(made[i]);
      if (fixed.has(node)) fixed.add(made[i].node);
    });
    return made;

    function rule(): readonly Value[] {
      for (const [i, j] of [
        [0, 1],
        [1, 0],
      ]) {
        const [y, weights] = [inputs[i], inputs[j]];
        const folds = inputs.length === 2 && isChannels(weights, y) && !fixed.has(y.node);
        const value =
          folds && (node.op === arithmeticOps.mul || node.op === arithmeticOps.add) && joined(node.op, y, weights);
        if (value) return [value];
      }
      const x = node.op === activationOps.relu ? viewed(inputs[0]) : undefined;
      if (x) return [again(single(apply(node.op, [x], node.attrs), x), inputs[0])];
      return remake(node, inputs);
    }
  });
}
