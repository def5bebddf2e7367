// Which nodes of a graph of floats one int8 op does, and which values get integers of their own. Nothing here knows numbers: quantize.ts
// takes ranges from calibration, quantization-aware training learns them; convert.ts makes the int8 model of either.
import { told, typeError } from "../errors.js";
import type { Op } from "../graph/op.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { roots, topological, useCounts } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { comparisonOps } from "../ops/comparison.js";
import { convOps } from "../ops/conv2d.js";
import { depthwiseOps } from "../ops/depthwise.js";
import { matmulOps } from "../ops/matmul.js";
import { quantizedConvOps } from "../ops/quantized/conv2d.js";
import { quantizedDepthwiseOps } from "../ops/quantized/depthwise.js";
import { fold } from "../passes/fold.js";
import { inference } from "../passes/inference.js";
import { onlyWeights } from "../passes/weights.js";
import { Model } from "../program/model.js";
import { sameShape } from "../shape.js";

/** Ops in int8 of those with weights. */
export const products = new Map<Op, Op>([
  [convOps.conv2d, quantizedConvOps.quantizedConv2d],
  [depthwiseOps.depthwiseConv2d, quantizedDepthwiseOps.quantizedDepthwiseConv2d],
  [matmulOps.matmul, quantizedConvOps.quantizedDense],
]);

/** Nodes that one int8 op does: a product or a sum, biases after it, and a clamp. */
export interface Run {
  readonly first: Node;
  readonly biases: readonly Value[];
  readonly low: number;
  readonly high: number;
}

export interface Plan {
  readonly graph: Graph;
  readonly order: readonly Node[];
  readonly fixed: ReadonlySet<Node>;
  /** By the last of their nodes. */
  readonly runs: ReadonlyMap<Node, Run>;
  /** Nodes of runs but the last. */
  readonly inside: ReadonlySet<Node>;
  /** Names of the layers of products. */
  readonly layers: readonly string[];
}

/**
 * The plan for a model; the same graph gives the same plan, value for value in the same order.
 * @param op the function that asks, for errors
 * @throws {TypeError} for a model that is quantized already or keeps state
 */
export function planOf(model: Model, op: string): Plan {
  if (!(model instanceof Model)) throw typeError({ op, expected: "a model", actual: told(model) });
  const graph = fold(inference(model.atBatch(1)));
  const order = topological([...graph.inputs, ...roots(graph)]);
  if (order.some((node) => node.outputs.some(({ dtype }) => dtype === "int8")))
    throw typeError({ op, expected: "a model of floats", actual: "one that is quantized already" });
  if (graph.effects.length > 0)
    throw typeError({ op, expected: "a model whose predictions change no state", actual: "one that keeps state" });
  const fixed = onlyWeights(order);
  const uses = useCounts(graph);
  const readers = new Map(order.flatMap((node) => node.inputs.map((value): [Value, Node] => [value, node])));
  const runs = new Map<Node, Run>();
  const inside = new Set<Node>();
  const count = new Map<string, number>();
  const starts = order.filter((node) => isProduct(node, fixed) || isSum(node, fixed));
  for (const { layer } of starts.filter(({ op: made }) => products.has(made))) {
    const name = layer && model.names.layers.get(layer);
    if (name !== undefined) count.set(name, (count.get(name) ?? 0) + 1);
  }
  // Layers that are used twice, or hold two products, stay float: their int8 weights would need two names.
  const layers = [...count].flatMap(([name, n]) => (n === 1 ? [name] : []));
  for (const first of starts) {
    const name = first.layer && model.names.layers.get(first.layer);
    if (products.has(first.op) && (name === undefined || !layers.includes(name))) continue;
    let last = first;
    const biases: Value[] = [];
    let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let clamped = false; !clamped; ) {
      const [y] = last.outputs;
      const next = uses.get(y) === 1 ? readers.get(y) : undefined;
      if (next === undefined) break;
      const bias = products.has(first.op) && next.op === arithmeticOps.add && next.inputs.find((value) => value !== y);
      if (bias && fixed.has(bias.node) && sameShape(bias.shape, [y.shape[y.shape.length - 1]])) biases.push(bias);
      else if (next.op === activationOps.relu) [low, clamped] = [0, true];
      else if (next.op === comparisonOps.clip)
        [low, high, clamped] = [next.attrs.low as number, next.attrs.high as number, true];
      else break;
      inside.add(last);
      last = next;
    }
    runs.set(last, { first, biases, low, high });
  }
  return { graph, order, fixed, runs, inside, layers };
}

const isProduct = ({ op, inputs: [x, kernel], attrs }: Node, fixed: ReadonlySet<Node>): boolean =>
  products.has(op) &&
  fixed.has(kernel.node) &&
  !fixed.has(x.node) &&
  (op !== matmulOps.matmul || (kernel.shape.length === 2 && !attrs.transposeA && !attrs.transposeB));

const isSum = ({ op, inputs, outputs }: Node, fixed: ReadonlySet<Node>): boolean =>
  op === arithmeticOps.add &&
  inputs.every(
    ({ node, dtype, shape }) => !fixed.has(node) && dtype === "float32" && sameShape(shape, outputs[0].shape),
  );

/** Values whose range is to be known. */
export const observed = ({ order, fixed, inside, graph }: Plan): Value[] =>
  order.flatMap((node) =>
    fixed.has(node) || inside.has(node) || graph.inputs.includes(node.outputs[0])
      ? []
      : node.outputs.filter(({ dtype }) => dtype === "float32"),
  );
