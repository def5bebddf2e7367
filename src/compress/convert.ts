// From a plan and what its integers stand for to an int8 model.
import type { Quantization } from "../graph/attrs.js";
import { apply, type Node, type Value } from "../graph/value.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { constant, input } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { quantizedAdd, quantizedMul, quantizedSub } from "../ops/quantized/arithmetic.js";
import { asQuantized, dequantizeLinear, quantizedLookup, quantizeLinear } from "../ops/quantized/convert.js";
import type { Limits } from "../ops/quantized/quantization.js";
import { reshape } from "../ops/shape.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import { copied, frozenOf, infos, owned, stateOf } from "./copy.js";
import { chainOf, integersOf } from "./functions.js";
import { integerOf } from "./integers.js";
import type { Plan, Way } from "./plan.js";
import type { Int } from "./rules.js";
import type { Product, Run } from "./runs.js";
import { biasOf, layered, numbersOf, productsOf, summed, weightsOf } from "./weights.js";

/** What a plan does not say. */
export interface Integers {
  /** What the integers of a value of `plan.points` stand for. */
  of(point: Value): Quantization;
  /** Scales of the weights [channels] of a product; without them the largest weight of each channel is 127. */
  scales?(product: Product): Float32Array | undefined;
  /** What is added to the bias [channels] of a product. */
  shift?(product: Product): Float32Array | undefined;
}

/** The int8 model of a plan; weights have their numbers of now. */
export function convert(model: Model, plan: Plan, integers: Integers): Promise<Model> {
  const { graph, order, fixed, ints: ways, floats: asFloats, like } = plan;
  const infoOf = infos(model);
  const [floats, ints] = [new Map<Value, Value>(), new Map<Value, Int>()];
  const of = (value: Value): Quantization => (like.has(value) ? of(like.get(value) as Value) : integers.of(value));
  const floatOf = (value: Value): Value => {
    if (!floats.has(value)) {
      const { value: int, q } = ints.get(value) as Int;
      floats.set(value, owned(dequantizeLinear(int, q), infoOf(value.node)));
    }
    return floats.get(value) as Value;
  };
  const intOf = (value: Value): Int => {
    if (!ints.has(value)) {
      const q = of(value);
      ints.set(value, { value: quantizeLinear(floatOf(value), q), q });
    }
    return ints.get(value) as Int;
  };

  const products = productsOf(plan.products);
  const numbers = numbersOf(
    model,
    products.flatMap(({ kernel, biases }) => [kernel, ...biases]),
  );
  const names = layered(products, infoOf);
  const kernels = new Map<Value, { states: readonly Value[]; scale: Float32Array }>();
  /** The states of a product's weights, which another use of the same weights shares. */
  const weights = (product: Product, biases: Float64Array, inputScale: number) => {
    const name = names(product);
    const known = kernels.get(product.kernel);
    if (known) return { ...known, name };
    const { shape } = product.kernel;
    const { data, scale } = weightsOf(
      numbers.get(product.kernel) as Float32Array,
      biases.length,
      integers.scales?.(product),
      biases.map((b) => Math.abs(b) / inputScale),
    );
    const states = [
      stateOf(name.layer, name.kernel, { data, shape, dtype: "int8" }),
      stateOf(name.layer, name.scale, { data: scale, shape: [biases.length], dtype: "float32" }),
    ];
    kernels.set(product.kernel, { states, scale });
    return { states, scale, name };
  };
  const multiply = (product: Product, { first, low, high }: Run, quantization: Quantization): Value => {
    const x = intOf(first.inputs[0]);
    const n = first.outputs[0].shape[first.outputs[0].shape.length - 1];
    const shift = integers.shift?.(product);
    const terms = [...product.biases.map((value) => numbers.get(value) as Float32Array), ...(shift ? [shift] : [])];
    const biases = summed(terms, n);
    const { states, scale, name } = weights(product, biases, x.q.scale);
    const bias = () =>
      stateOf(name.layer, name.bias, { data: biasOf(biases, x.q.scale, scale), shape: [n], dtype: "int32" });
    const windows = first.op === matmulOps.matmul ? {} : first.attrs;
    const attrs = {
      ...windows,
      input: { ...x.q },
      quantization: { ...quantization },
      ...limits(low, high, quantization),
    };
    return apply(product.op, [x.value, ...states, ...(terms.length > 0 ? [bias()] : [])], attrs);
  };
  const pair = ({ first, low, high }: Run, wanted: Quantization): Int => {
    const [a, b] = first.inputs.map(intOf);
    // Sums want an operand's scale between 2^-10 and 2^8 times the result's.
    const larger = Math.max(a.q.scale, b.q.scale);
    const isMul = first.op === arithmeticOps.mul;
    const scale = isMul ? wanted.scale : Math.fround(Math.min(Math.max(wanted.scale, larger / 128), larger * 512));
    const q = { scale, zeroPoint: wanted.zeroPoint };
    const f = isMul ? quantizedMul : first.op === arithmeticOps.sub ? quantizedSub : quantizedAdd;
    return { value: f(a.value, b.value, { a: a.q, b: b.q, quantization: q, ...limits(low, high, q) }), q };
  };

  const all = constant({ data: Int8Array.from({ length: 256 }, (_, i) => i - 128), shape: [256], dtype: "int8" });
  const images = new Map<Value, Value>();
  /** A function of one number: the float ops, done for all 256 integers. */
  const table = (node: Node, from: Value, q: Quantization): Value => {
    const x = intOf(from);
    const known = new Map([[from, images.get(from) ?? dequantizeLinear(all, x.q)]]);
    images.set(from, known.get(from) as Value);
    for (const { op, inputs, attrs, outputs } of chainOf(node, from, fixed)) {
      const operands = inputs.map((value) => known.get(value) ?? reshape(floatOf(value), [1]));
      known.set(outputs[0], apply(op, operands, attrs));
    }
    return quantizedLookup(x.value, quantizeLinear(known.get(node.outputs[0]) as Value, q));
  };

  const int = (node: Node, way: Way): readonly Int[] => {
    const [y] = node.outputs;
    if (way.kind === "input") {
      const q = of(y);
      const name = model.names.inputs[graph.inputs.indexOf(y)];
      return [{ value: input(y.shape.slice(1), { dtype: "int8", name, quantization: q }), q }];
    }
    if (way.kind === "run") {
      const q = of(y);
      return [way.run.product ? { value: multiply(way.run.product, way.run, q), q } : pair(way.run, q)];
    }
    if (way.kind === "function") {
      const q = integersOf(node) ?? of(y);
      return [{ value: table(node, way.of, q), q }];
    }
    const { rule } = way;
    const count = rule.ints?.(node) ?? 1;
    const xs = node.inputs.slice(0, count).map(intOf);
    const q = rule.integers === "input" ? xs[0].q : (rule.integers ?? of(y));
    return [rule.make(node, xs, q, node.inputs.slice(count).map(floatOf))].flat().map((value) => ({ value, q }));
  };
  const frozen = frozenOf(model, graph, order, fixed, infoOf);
  for (const node of order) {
    const way = ways.get(node);
    if (!way && !asFloats.has(node)) continue;
    const constant = frozen.get(node.outputs[0]);
    const made = way ? int(node, way) : constant ? [constant] : copied(node, floatOf, model);
    made.forEach((each, i) => {
      const value = "q" in each ? each.value : each;
      owned(value, infoOf(way?.kind === "run" ? way.run.first : node));
      if ("q" in each) ints.set(node.outputs[i], each);
      else floats.set(node.outputs[i], each);
    });
  }
  const ins = graph.inputs.map((value) => (ways.has(value.node) ? intOf(value).value : floatOf(value)));
  const outs = graph.outputs.map((value) => {
    if (plan.outputs === "float32" || value.dtype !== "float32" || fixed.has(value.node)) return floatOf(value);
    const { value: made, q } = intOf(value);
    return made.node.attrs.quantization ? made : owned(asQuantized(made, q), infoOf(value.node));
  });
  return build(ins, outs, { name: model.name, math: model.math });
}

/** A clamp as integers. */
const limits = (low: number, high: number, q: Quantization): Limits => ({
  low: low === Number.NEGATIVE_INFINITY ? -128 : integerOf(low, q),
  high: high === Number.POSITIVE_INFINITY ? 127 : integerOf(high, q),
});
