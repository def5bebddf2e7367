// Puts a bias and an activation that clamps into the product before it, and the gradient of relu into that of the max pooling after it:
// one pass over the result less for each.

import { apply, type Graph, type Node, type Value } from "../graph/value.js";
import { remake, rewrite, useCounts } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { comparisonOps } from "../ops/comparison.js";
import { poolOps } from "../ops/pool.js";

/** Activations that are a clamp to [low, high]. */
const clamps = new Map([[activationOps.relu, { low: 0, high: Number.POSITIVE_INFINITY }]]);

const open = ({ attrs }: Node): boolean =>
  attrs.low === Number.NEGATIVE_INFINITY && attrs.high === Number.POSITIVE_INFINITY;

export function fuse(graph: Graph): Graph {
  const uses = useCounts(graph);
  return rewrite(graph, (node, inputs) => {
    // The product before it, if nobody else wants its plain result.
    const product = (i: number): Node | undefined => {
      const value = inputs[i];
      const alone = node.inputs[i] !== undefined && uses.get(node.inputs[i]) === 1;
      return alone && value.node.op.epilogue && open(value.node) ? value.node : undefined;
    };
    if (node.op === arithmeticOps.add) {
      const [i, j] = product(0) ? [0, 1] : [1, 0];
      const made = product(i);
      const bias = inputs[j];
      if (made && made.inputs.length === 2 && isBias(bias, made))
        return [apply(made.op, [...made.inputs, bias], made.attrs)];
    }
    // The pooling's gradient goes to largest elements of relu's result; where those are 0, relu lets nothing through.
    if (node.op === activationOps.reluGrad && inputs[1].node.op === poolOps.maxPool2dGrad) {
      const [y, { node: pool }] = inputs;
      if (uses.get(node.inputs[1]) === 1 && pool.inputs[0] === y)
        return [apply(pool.op, pool.inputs, { ...pool.attrs, low: 0 })];
    }
    const limits = node.op === comparisonOps.clip ? node.attrs : clamps.get(node.op);
    const made = limits && product(0);
    if (made) return [apply(made.op, made.inputs, { ...made.attrs, ...limits })];
    return remake(node, inputs);
  });
}

const isBias = (bias: Value, { outputs: [y] }: Node): boolean =>
  bias.shape.length === 1 && bias.shape[0] === y.shape[y.shape.length - 1];
