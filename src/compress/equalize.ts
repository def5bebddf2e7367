// Cross-layer equalisation (Nagel and others, Data-Free Quantization Through Weight Equalization and Bias Correction, 2019): where only
// ops that let a positive factor through lie between two products, the channels between them can be scaled as one likes. They are scaled so
// that both sides use their ranges alike. Factors are powers of two, so the model of floats computes what it did, bit for bit.
import type { Graph, Node, Value } from "../graph/value.js";
import { useCounts } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { convOps } from "../ops/conv2d.js";
import { constantOp } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { padOps } from "../ops/pad.js";
import { poolOps } from "../ops/pool.js";
import { reduceOps } from "../ops/reduce.js";
import { resizeOps } from "../ops/resize.js";
import type { Model } from "../program/model.js";
import { infos, rebuilt, stateOf } from "./copy.js";
import { type Plan, planOf } from "./plan.js";
import type { Product, Run } from "./runs.js";
import { extremesOf, layered, numbersOf, productsOf } from "./weights.js";

interface Pair {
  readonly before: Product;
  readonly after: Product;
}

/** Passes over all pairs; factors are 1 after some few. */
const PASSES = 20;

/** Factors stay between 2^-10 and 2^10 in each pass. */
const LARGEST = 2 ** 10;

/** A model with the outputs of another whose channels between products are equalised; normalizations are folded. */
export async function equalized(model: Model, graph: Graph, op: string): Promise<Model> {
  const plan = planOf(model, op, {}, graph);
  const products = productsOf(plan.products);
  const numbers = numbersOf(
    model,
    products.flatMap(({ kernel, biases }) => [kernel, ...biases]),
  );
  const pairs = pairsOf(plan);
  for (let pass = 0; pass < PASSES; pass++) {
    if (!pairs.map((pair) => equalize(pair, numbers)).some((changed) => changed)) break;
  }
  const infoOf = infos(model);
  const names = layered(products, infoOf);
  const states = new Map<Value, Value>();
  for (const product of new Set(pairs.flatMap(({ before, after }) => [before, after]))) {
    const { layer, kernel, bias } = names(product);
    [product.kernel, ...product.biases].forEach((value, i) => {
      const name = i === 0 ? kernel : i === 1 ? bias : `${bias}_${i - 1}`;
      const data = numbers.get(value) as Float32Array;
      states.set(value, stateOf(layer, name, { data, shape: value.shape, dtype: "float32" }, true));
    });
  }
  return rebuilt(model, graph, infoOf, ({ outputs: [value] }) => states.get(value));
}

/** Scales what lies between two products. @returns whether anything changed */
function equalize({ before, after }: Pair, numbers: ReadonlyMap<Value, Float32Array>): boolean {
  const of = (value: Value) => numbers.get(value) as Float32Array;
  const [w1, w2] = [of(before.kernel), of(after.kernel)];
  const n = before.node.outputs[0].shape.at(-1) as number;
  const channelOf = channelsOf(after, n);
  const into = new Float32Array(n);
  for (let i = 0; i < w2.length; i++) into[channelOf(i)] = Math.max(into[channelOf(i)], Math.abs(w2[i]));
  const factors = extremesOf(w1, n).map((out, c) => factorOf(out, into[c]));
  for (const scaled of [w1, ...before.biases.map(of)])
    for (let i = 0; i < scaled.length; i++) scaled[i] /= factors[i % n];
  for (let i = 0; i < w2.length; i++) w2[i] *= factors[channelOf(i)];
  return factors.some((factor) => factor !== 1);
}

/** The power of two nearest to sqrt(a / b), after which both ranges are alike. */
function factorOf(a: number, b: number): number {
  let factor = 1;
  if (!(a > 0 && b > 0)) return factor;
  // Nearest as a factor: between 1/sqrt(2) and sqrt(2) nothing is to be done.
  while (factor < LARGEST && a > 2 * factor * factor * b) factor *= 2;
  while (factor > 1 / LARGEST && 2 * a < factor * factor * b) factor /= 2;
  return factor;
}

/** The input channel of n, by the position of a weight. */
function channelsOf({ node, kernel: { shape } }: Product, n: number): (i: number) => number {
  if (node.op === matmulOps.matmul) return (i) => Math.floor(i / shape[1]) % n;
  return (i) => Math.floor(i / shape[3]) % n;
}

/** Products with nothing between them that would not let a positive factor of a channel through, and that nobody else reads. */
function pairsOf({ graph, order, products }: Plan): Pair[] {
  const uses = useCounts(graph);
  const readers = new Map(order.flatMap((node) => node.inputs.map((value): [Value, Node] => [value, node])));
  const once = products.filter(
    ({ product }) =>
      product?.biases.every((value) => uses.get(value) === 1) &&
      products.filter((other) => other.product?.kernel === product.kernel).length === 1,
  );
  const starts = new Map(once.map((run): [Node, Run] => [run.first, run]));
  return once.flatMap(({ last, low, high, product: before }): Pair[] => {
    const isScaled = (low === 0 || low === Number.NEGATIVE_INFINITY) && high === Number.POSITIVE_INFINITY;
    const channels = last.outputs[0].shape.at(-1) ?? 0;
    let [value] = last.outputs;
    while (isScaled && before && uses.get(value) === 1) {
      const next = readers.get(value) as Node | undefined;
      if (next === undefined) break;
      const after = starts.get(next);
      if (after?.product && next.inputs[0] === value) {
        const grouped = next.op === convOps.conv2d && ((next.attrs.groups as number | undefined) ?? 1) > 1;
        return grouped ? [] : [{ before, after: after.product }];
      }
      if (!letsThrough(next, channels)) break;
      [value] = next.outputs;
    }
    return [];
  });
}

/** Whether a node's result goes times what its input's channel goes times, channels staying the fastest. */
function letsThrough({ op, inputs: [x, filling], attrs, outputs: [y] }: Node, channels: number): boolean {
  if (op === activationOps.relu || op === poolOps.maxPool2d || op === poolOps.avgPool2d || op === resizeOps.resize)
    return true;
  if (op === reduceOps.mean || op === reduceOps.sum)
    return !(attrs.axes as readonly number[]).includes(x.shape.length - 1);
  if (op === padOps.pad)
    return filling.node.op === constantOp && filling.node.data?.data[0] === 0 && y.shape.at(-1) === x.shape.at(-1);
  return Boolean(op.view) && (y.shape.at(-1) as number) % channels === 0;
}
