// Runs: nodes that one int8 op does together. A product with weights, or a sum, difference or product of two activations; biases after
// it; and a clamp.
import type { Op } from "../graph/op.js";
import type { Node, Value } from "../graph/value.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { comparisonOps } from "../ops/comparison.js";
import { convOps } from "../ops/conv2d.js";
import { depthwiseOps } from "../ops/depthwise.js";
import { isState } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { quantizedConvOps } from "../ops/quantized/conv2d.js";
import { quantizedDepthwiseOps } from "../ops/quantized/depthwise.js";
import type { Names } from "../program/names.js";
import { sameShape } from "../shape.js";

/** What there is besides of a run that multiplies with weights. */
export interface Product {
  readonly node: Node;
  /** Its int8 op. */
  readonly op: Op;
  readonly kernel: Value;
  /** Added to the product, each [channels]. */
  readonly biases: readonly Value[];
  /** Name of the layer. */
  readonly layer: string;
}

export interface Run {
  readonly first: Node;
  readonly last: Node;
  /** From the first to the last. */
  readonly nodes: readonly Node[];
  readonly product?: Product;
  /** Of the clamp. */
  readonly low: number;
  readonly high: number;
}

/** What a plan knows of a graph. */
export interface Surroundings {
  readonly fixed: ReadonlySet<Node>;
  readonly uses: ReadonlyMap<Value, number>;
  readonly readers: ReadonlyMap<Value, Node>;
  readonly names: Names;
}

/** Ops in int8 of those with weights. */
const products = new Map<Op, Op>([
  [convOps.conv2d, quantizedConvOps.quantizedConv2d],
  [depthwiseOps.depthwiseConv2d, quantizedDepthwiseOps.quantizedDepthwiseConv2d],
  [matmulOps.matmul, quantizedConvOps.quantizedDense],
]);

const pairs = new Set<Op>([arithmeticOps.add, arithmeticOps.sub, arithmeticOps.mul]);

export const isProduct = ({ op, inputs: [x, kernel], attrs }: Node, fixed: ReadonlySet<Node>): boolean =>
  products.has(op) &&
  fixed.has(kernel.node) &&
  !fixed.has(x.node) &&
  (op !== matmulOps.matmul ||
    (x.shape.length >= 2 && kernel.shape.length === 2 && !attrs.transposeA && !attrs.transposeB));

/** The run that begins with a node, if it can be one. */
export function runFrom(first: Node, around: Surroundings): Run | undefined {
  const { fixed, uses, readers, names } = around;
  const op = isProduct(first, fixed) ? products.get(first.op) : undefined;
  const isPair = pairs.has(first.op) && first.inputs.every(({ node }) => !fixed.has(node));
  if (op === undefined && !isPair) return undefined;
  const nodes = [first];
  const biases: Value[] = [];
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let clamped = false; !clamped; ) {
    const [y] = nodes[nodes.length - 1].outputs;
    const next = uses.get(y) === 1 ? readers.get(y) : undefined;
    if (next === undefined) break;
    const bias = op && next.op === arithmeticOps.add && next.inputs.find((value) => value !== y);
    if (bias && fixed.has(bias.node) && sameShape(bias.shape, [y.shape[y.shape.length - 1]])) biases.push(bias);
    else if (next.op === activationOps.relu) [low, clamped] = [0, true];
    else if (next.op === comparisonOps.clip)
      [low, high, clamped] = [next.attrs.low as number, next.attrs.high as number, true];
    else break;
    nodes.push(next);
  }
  const made = { first, last: nodes[nodes.length - 1], nodes, low, high };
  return op
    ? { ...made, product: { node: first, op, kernel: first.inputs[1], biases, layer: nameOf(first, names) } }
    : made;
}

/** The weight that a value is made of: of a folded kernel the kernel itself. */
export function rootOf(value: Value): Value {
  let root = value;
  while (!isState(root) && root.node.inputs.length > 0) root = root.node.inputs[0];
  return root;
}

/** The name by which a product can be skipped: its layer's, or that of its weights. */
export function nameOf({ op, inputs: [, kernel], layer }: Node, { layers, states }: Names): string {
  const root = rootOf(kernel);
  return (layer && layers.get(layer)) ?? [...states].find(([, value]) => value === root)?.[0] ?? op.name;
}
