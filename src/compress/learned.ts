// What a model in quantization-aware training has learnt, read back: its graph without the rounding, which is the one that was prepared,
// and what integers stand for, by values of that graph.
import { typeError } from "../errors.js";
import type { Quantization } from "../graph/attrs.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { remake, rewrite, roots, topological } from "../graph/walk.js";
import { fakeQuantizeOps } from "../ops/quantized/fake.js";
import type { Model } from "../program/model.js";
import type { Integers } from "./convert.js";
import { type Plan, type PlanOptions, planOf } from "./plan.js";
import { commutes } from "./prepare.js";
import type { Product } from "./runs.js";
import { numbersOf } from "./weights.js";

const { fakeQuantize, pastTies } = fakeQuantizeOps;

/** Whether a graph is that of a model in quantization-aware training. */
export const isPrepared = (graph: Graph): boolean => topological(roots(graph)).some(({ op }) => op === fakeQuantize);

/** What a value was rounded by: scale and zero point, or scales alone. */
type Rounding = readonly [scale: Value, zero?: Value];

/** A graph without fake quantization, and by what its values were rounded. */
function withoutRounding(graph: Graph): { graph: Graph; roundings: Map<Value, Rounding> } {
  const roundings = new Map<Value, Rounding>();
  const plain = rewrite(graph, (node, inputs) => {
    if (node.op === pastTies) return inputs.slice(0, 1);
    if (node.op !== fakeQuantize) return remake(node, inputs);
    const [scale, zero] = node.inputs.slice(1);
    if (!roundings.has(inputs[0])) roundings.set(inputs[0], zero ? [scale, zero] : [scale]);
    return [inputs[0]];
  });
  return { graph: plain, roundings };
}

/** The plan for a model in quantization-aware training, and its integers. @param graph the model's, folded */
export function learnedOf(
  model: Model,
  folded: Graph,
  op: string,
  options: PlanOptions,
): { plan: Plan; integers: Integers } {
  const { graph, roundings } = withoutRounding(folded);
  const all = planOf(model, op, options, graph);
  const floats = all.products.flatMap(({ product }) =>
    product && !roundings.has(product.kernel) ? [product.layer] : [],
  );
  const { skip = [] } = options;
  const plan = planOf(model, op, { ...options, skip: [...skip, ...floats] }, graph);
  // Rounding may have been put off behind ops that move numbers only.
  for (const node of [...plan.order].reverse()) {
    const way = plan.ints.get(node);
    const known = node.outputs.map((value) => roundings.get(value)).find((rounding) => rounding);
    const [x] = node.inputs;
    if (known && way?.kind === "rule" && commutes(node, way.rule) && !roundings.has(x)) roundings.set(x, known);
  }
  const missing = plan.points.find((value) => !roundings.has(value));
  if (missing !== undefined) {
    const expected = "ranges learnt for all that is to be int8";
    throw typeError({ op, layer: layerOf(model, missing.node), expected, actual: "none for this layer" });
  }
  const wanted = [...plan.points, ...plan.products.flatMap(({ product }) => product?.kernel ?? [])];
  const numbers = numbersOf(
    model,
    wanted.flatMap((value) => roundings.get(value) as readonly Value[]),
  );
  const numbersFor = (value: Value) => (roundings.get(value) as readonly Value[]).map((each) => numbers.get(each));
  const of = (value: Value): Quantization => {
    const [scale, zeroPoint] = numbersFor(value).map((each) => (each as Float32Array)[0]);
    return { scale, zeroPoint };
  };
  return { plan, integers: { of, scales: ({ kernel }: Product) => numbersFor(kernel)[0] } };
}

const layerOf = (model: Model, { layer }: Node): string | undefined => layer && model.names.layers.get(layer);
