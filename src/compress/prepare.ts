// From a plan for int8 and the ranges of its values to the model of floats that rounds what the int8 model will: one walk over the plan.
import { apply, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { relu } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { clip } from "../ops/comparison.js";
import { concatOps } from "../ops/concat.js";
import { isState, scalar, stateOp } from "../ops/leaf.js";
import { poolOps } from "../ops/pool.js";
import { pastTies } from "../ops/quantized/fake.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import { sizeOf } from "../shape.js";
import { copied, infos, owned } from "./copy.js";
import { chainOf, integersOf } from "./functions.js";
import type { Range } from "./integers.js";
import type { Plan, Way } from "./plan.js";
import {
  channelQuantizer,
  fixedQuantizer,
  type Quantizer,
  rangeQuantizer,
  rounded,
  roundedBias,
} from "./quantizers.js";
import type { Rule } from "./rules.js";
import type { Product, Run } from "./runs.js";
import { layered, numbersOf, productsOf, summed, weightsOf } from "./weights.js";

/** A value before it is rounded. */
interface Pending {
  readonly value: Value;
  readonly quantizer: Quantizer;
}

/**
 * Whether rounding may as well come after the op as before, as it only moves numbers or picks some: after pooling there are fewer, and of
 * those that round alike the largest one gets the gradient.
 */
export const commutes = (node: Node, { integers }: Rule): boolean => integers === "input" && !averages(node);

const averages = ({ op }: Node): boolean => op === poolOps.avgPool2d;

export function prepare(model: Model, plan: Plan, ranges: ReadonlyMap<Value, Range>): Promise<Model> {
  const { graph, order, ints: ways, floats: asFloats, fixed, like } = plan;
  const infoOf = infos(model);
  const floats = new Map<Value, Value>();
  const pending = new Map<Value, Pending>();
  const ints = new Map<Value, Value>();
  const quantizers = new Map<Value, Quantizer>();
  const counts = new Map<LayerInfo, number>();

  /** What the integers of a value stand for: it learns that, or takes those of another. */
  const quantizerOf = (value: Value): Quantizer => {
    const other = like.get(value);
    if (other) return quantizerOf(other);
    const known = quantizers.get(value);
    if (known) return known;
    const own = infoOf(value.node);
    const layer = own ?? { kind: "fakeQuantize" };
    const count = counts.get(layer) ?? 0;
    counts.set(layer, count + 1);
    const name = count > 0 ? `output_range_${count}` : "output_range";
    const made = rangeQuantizer(layer, name, ranges.get(value) as Range, value);
    if (own === undefined) owned(made.scale, layer);
    quantizers.set(value, made);
    return made;
  };
  const unrounded = (value: Value): Pending =>
    pending.get(value) ?? { value: floats.get(value) as Value, quantizer: quantizerOf(value) };
  const intOf = (value: Value): Value => {
    if (!ints.has(value)) {
      const { value: x, quantizer } = unrounded(value);
      ints.set(value, owned(rounded(x, quantizer), infoOf(value.node) ?? quantizer.scale.node.layer));
    }
    return ints.get(value) as Value;
  };
  const floatOf = (value: Value): Value => floats.get(value) ?? intOf(value);

  const products = productsOf(plan.products);
  const numbers = numbersOf(
    model,
    products.flatMap(({ kernel, biases }) => [kernel, ...biases]),
  );
  const names = layered(products, infoOf);
  const kernels = new Map<Value, Pending>();
  /** A product's weights, rounded; another use of the same weights shares them. */
  const kernelOf = (product: Product, n: number): Pending => {
    const known = kernels.get(product.kernel);
    if (known) return known;
    const { layer, kernel, scale } = names(product);
    const data = numbers.get(product.kernel) as Float32Array;
    const quantizer = channelQuantizer(layer, scale, weightsOf(data, n).scale, data.length / n);
    const state = trained(layer, kernel, data, [product.kernel]);
    const made = { value: owned(rounded(state, quantizer), layer), quantizer };
    kernels.set(product.kernel, made);
    return made;
  };
  const multiply = (product: Product, { first }: Run): Value => {
    const [from] = first.inputs;
    const n = first.outputs[0].shape[first.outputs[0].shape.length - 1];
    const kernel = kernelOf(product, n);
    const y = owned(apply(first.op, [intOf(from), kernel.value], first.attrs), infoOf(first));
    if (product.biases.length === 0) return y;
    const { layer, bias } = names(product);
    const terms = product.biases.map((value) => numbers.get(value) as Float32Array);
    const state = trained(layer, bias, Float32Array.from(summed(terms, n)), product.biases);
    return add(y, owned(roundedBias(state, unrounded(from).quantizer, kernel.quantizer), layer));
  };
  const run = (given: Run): Value => {
    const { first, product, low, high } = given;
    const y = product ? multiply(product, given) : apply(first.op, first.inputs.map(intOf), first.attrs);
    return clamped(owned(y, infoOf(first)), low, high);
  };
  const functionOf = (node: Node, of: Value): Value => {
    const known = new Map([[of, intOf(of)]]);
    for (const { op, inputs, attrs, outputs } of chainOf(node, of, fixed)) {
      const operands = inputs.map((value) => known.get(value) ?? floatOf(value));
      known.set(outputs[0], owned(apply(op, operands, attrs), infoOf(outputs[0].node)));
    }
    return known.get(node.outputs[0]) as Value;
  };
  const follow = (node: Node, rule: Rule): readonly Pending[] => {
    const [x, y] = [node.inputs[0], node.outputs[0]];
    const count = rule.ints?.(node) ?? 1;
    const { integers } = rule;
    const quantizer =
      integers === "input" ? unrounded(x).quantizer : integers ? fixedQuantizer(integers) : quantizerOf(y);
    // Parts of a concatenation that have its integers are rounded once, together.
    const late = (value: Value) => commutes(node, rule) || (node.op === concatOps.concat && like.get(value) === y);
    const inputs = node.inputs.map((value, i) =>
      i >= count ? floatOf(value) : late(value) ? unrounded(value).value : intOf(value),
    );
    const { outputs } = make(node.op, inputs, node.attrs);
    return outputs.map((value) => ({ value: averages(node) ? meanOf(value, quantizer, node) : value, quantizer }));
  };
  const int = (node: Node, way: Exclude<Way, { kind: "input" }>): readonly Pending[] => {
    const [y] = node.outputs;
    if (way.kind === "run") return [{ value: run(way.run), quantizer: quantizerOf(y) }];
    if (way.kind === "rule") return follow(node, way.rule);
    const known = integersOf(node);
    return [{ value: functionOf(node, way.of), quantizer: known ? fixedQuantizer(known) : quantizerOf(y) }];
  };
  for (const node of order) {
    const way = ways.get(node);
    if (way && way.kind !== "input")
      int(node, way).forEach((each, i) => {
        owned(each.value, infoOf(node));
        pending.set(node.outputs[i], each);
      });
    else if (asFloats.has(node))
      copied(node, floatOf, model).forEach((value, i) => {
        floats.set(node.outputs[i], owned(value, infoOf(node)));
      });
  }
  return build(graph.inputs.map(floatOf), graph.outputs.map(floatOf), { name: model.name, math: model.math });
}

const meanOf = (mean: Value, { scale, zero = scalar(0) }: Quantizer, { attrs }: Node): Value =>
  pastTies(mean, scale, zero, sizeOf(attrs.size as readonly number[]));

/** A weight in the place of others, that begins with its numbers. A regularizer stays where it is about just these. */
function trained(layer: LayerInfo, name: string, data: Float32Array, from: readonly Value[]): Value {
  const [{ shape, dtype, node }] = from;
  const { regularizer } = from.length === 1 && isState(from[0]) ? node.attrs : {};
  const initializer = { kind: "constant", value: 0 };
  const plain = { name, shape: [...shape], dtype, initializer, trainable: true };
  const attrs = regularizer === undefined ? plain : { ...plain, regularizer };
  return owned(leaf(stateOp, attrs, { shape, dtype }, { data, shape, dtype }), layer);
}

function clamped(x: Value, low: number, high: number): Value {
  if (high !== Number.POSITIVE_INFINITY) return clip(x, low, high);
  return low === 0 ? relu(x) : low === Number.NEGATIVE_INFINITY ? x : clip(x, low, high);
}
