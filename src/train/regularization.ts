// Penalties that a model's layers ask for, as values of its graph.
import type { Graph, Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { mul } from "../ops/arithmetic.js";
import { stateAttrs } from "../ops/leaf.js";
import { sum } from "../ops/reduce.js";
import { type Regularizer, regularizerOps } from "../ops/regularizer.js";
import { abs } from "../ops/unary.js";

/** l1 sum(|x|) + l2 sum(x^2). */
function penalty(x: Value, { l1, l2 }: Regularizer): Value[] {
  return [
    ...(l1 === 0 ? [] : [mul(sum(abs(x)), l1)]), // the gradient at 0 is 0
    ...(l2 === 0 ? [] : [mul(sum(mul(x, x)), l2)]),
  ];
}

/**
 * A graph as `mode` (a pass: training or inference) makes it, and the penalties of its activations (each divided by the batch size, as Keras
 * documents it) and of those of its weights that are trained.
 */
export function penalized(
  graph: Graph,
  weights: readonly Value[],
  mode: (graph: Graph) => Graph,
): { readonly graph: Graph; readonly penalties: readonly Value[] } {
  const marks = topological(roots(graph)).filter(({ op }) => op === regularizerOps.activityRegularizer);
  const made = mode({ ...graph, outputs: [...graph.outputs, ...marks.map(({ outputs: [y] }) => y)] });
  const count = graph.outputs.length;
  const ofActivations = marks.flatMap(({ attrs }, i) => {
    const x = made.outputs[count + i];
    return penalty(x, attrs as unknown as Regularizer).map((value) => mul(value, 1 / x.shape[0]));
  });
  const ofWeights = weights.flatMap((weight) => {
    const { regularizer } = stateAttrs(weight);
    return regularizer ? penalty(weight, regularizer) : [];
  });
  return { graph: { ...made, outputs: made.outputs.slice(0, count) }, penalties: [...ofActivations, ...ofWeights] };
}
