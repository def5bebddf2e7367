// From a plan and what its integers stand for to an int8 model.
import type { Quantization } from "../graph/attrs.js";
import { apply, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { constantOp, input, stateOp } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { poolOps } from "../ops/pool.js";
import { quantizedAdd, toEven } from "../ops/quantized/arithmetic.js";
import { dequantizeLinear, quantizeLinear } from "../ops/quantized/convert.js";
import { quantizedAvgPool2d, quantizedMaxPool2d, quantizedMean } from "../ops/quantized/pool.js";
import { type Limits, ratio } from "../ops/quantized/quantization.js";
import { reduceOps } from "../ops/reduce.js";
import type { Padding, Pair } from "../ops/window.js";
import { build } from "../program/build.js";
import type { Model } from "../program/model.js";
import type { TypedArray } from "../tensor.js";
import { type Plan, products, type Run } from "./plan.js";
import { numbersOf, weightsOf } from "./weights.js";

/** What a plan does not say. */
export interface Integers {
  /** What the integers of a value of `observed(plan)`, or of an input, stand for. */
  of(value: Value): Quantization;
  /** Scales of the weights [channels] of a run that is a product; without them the largest weight of each channel is 127. */
  scales?(run: Run): Float32Array | undefined;
  /** Names of layers that stay float. */
  readonly skip?: ReadonlySet<string>;
}

/** The int8 model of a plan: weights have their numbers of now, and what has no int8 op stays float. */
export function convert(model: Model, plan: Plan, integers: Integers): Promise<Model> {
  const { of, scales, skip } = integers;
  const { graph, order, fixed, runs, inside } = plan;
  const infos = new Map<LayerInfo, LayerInfo>();
  const infoOf = ({ layer }: Node): LayerInfo | undefined => {
    if (layer && !infos.has(layer)) infos.set(layer, { kind: layer.kind, name: model.names.layers.get(layer) });
    return layer && infos.get(layer);
  };
  const floats = new Map<Value, Value>();
  const ints = new Map<Value, { value: Value; q: Quantization }>();
  const floatOf = (value: Value): Value => {
    const known = floats.get(value);
    if (known) return known;
    const { value: int, q } = ints.get(value) as { value: Value; q: Quantization };
    const made = dequantizeLinear(int, q);
    made.node.layer = infoOf(value.node);
    floats.set(value, made);
    return made;
  };
  const intOf = (value: Value): { value: Value; q: Quantization } => {
    const known = ints.get(value);
    if (known) return known;
    const q = of(value);
    const made = { value: quantizeLinear(floatOf(value), q), q };
    ints.set(value, made);
    return made;
  };
  const keep = (old: Value, value: Value, q: Quantization) => {
    value.node.layer = infoOf(old.node);
    ints.set(old, { value, q });
  };
  const numbers = numbersOf(
    model,
    [...runs.values()].flatMap(({ first, biases }) => [...first.inputs.slice(1), ...biases]),
    fixed,
  );

  /** A run in int8, if it can be. */
  const run = (given: Run, last: Node): boolean => {
    const { first, biases, low, high } = given;
    const [y] = last.outputs;
    const q = of(y);
    const limits = limitsOf(low, high, q);
    const made = products.get(first.op);
    if (made === undefined) {
      if (!first.inputs.every((value) => ints.has(value))) return false;
      const [a, b] = first.inputs.map(intOf);
      const larger = Math.max(ratio(a.q.scale, q.scale), ratio(b.q.scale, q.scale));
      if (!(larger > 1 / 1024 && larger < 256)) return false;
      keep(y, quantizedAdd(a.value, b.value, { a: a.q, b: b.q, quantization: q, ...limits }), q);
      return true;
    }
    const layer = infoOf(first) as LayerInfo;
    if (skip?.has(layer.name as string)) return false;
    const x = intOf(first.inputs[0]);
    const [, kernel] = first.inputs;
    const n = first.outputs[0].shape[first.outputs[0].shape.length - 1];
    const bias = new Float64Array(n);
    for (const each of biases)
      (numbers.get(each) as TypedArray).forEach((v, i) => {
        bias[i] += v;
      });
    const weights = weightsOf(numbers.get(kernel) as TypedArray, bias, x.q.scale, scales?.(given));
    const state = (
      name: string,
      data: TypedArray,
      shape: readonly number[],
      dtype: "int8" | "float32" | "int32",
    ): Value => {
      const attrs = { name, shape: [...shape], dtype, initializer: { kind: "constant", value: 0 }, trainable: false };
      const value = leaf(stateOp, attrs, { shape, dtype }, { data, shape, dtype });
      value.node.layer = layer;
      return value;
    };
    const states = [
      state("kernel", weights.kernel, kernel.shape, "int8"),
      state("scale", weights.scale, [n], "float32"),
      ...(biases.length > 0 ? [state("bias", weights.bias, [n], "int32")] : []),
    ];
    const windows = first.op === matmulOps.matmul ? {} : first.attrs;
    keep(y, apply(made, [x.value, ...states], { ...windows, input: { ...x.q }, quantization: { ...q }, ...limits }), q);
    return true;
  };

  /** An op that works on what is int8 already. */
  const follow = ({ op, inputs, attrs, outputs: [y] }: Node): boolean => {
    const x = inputs.length === 1 ? ints.get(inputs[0]) : undefined;
    if (x === undefined) return false;
    const { size, strides, padding } = attrs as unknown as { size: Pair; strides: Pair; padding: Padding };
    const windows = { strides, padding, quantization: x.q };
    const plain = Object.keys(attrs).every((key) => ["size", "strides", "padding"].includes(key));
    if (op.view) keep(y, apply(op, [x.value], attrs), x.q);
    else if (op === poolOps.maxPool2d && plain) keep(y, quantizedMaxPool2d(x.value, size, windows), x.q);
    else if (op === poolOps.avgPool2d && plain) keep(y, quantizedAvgPool2d(x.value, size, windows), x.q);
    else if (op === reduceOps.mean && !(attrs.axes as readonly number[]).includes(0)) {
      const axes = attrs.axes as readonly number[];
      const q = of(y);
      keep(y, quantizedMean(x.value, { axes, keepDims: Boolean(attrs.keepDims), input: x.q, quantization: q }), q);
    } else return false;
    return true;
  };

  const copy = (node: Node): readonly Value[] => {
    const [first] = node.outputs;
    const at = graph.inputs.indexOf(first);
    if (at >= 0) return [input(first.shape.slice(1), { dtype: first.dtype, name: model.names.inputs[at] })];
    if (node.op === stateOp) return [leaf(node.op, node.attrs, first, model.store.read(first))];
    if (node.op === constantOp) return [leaf(node.op, node.attrs, first, node.data)];
    return make(node.op, node.inputs.map(floatOf), node.attrs).outputs;
  };
  // A run that stays float is made node by node.
  const float = (node: Node): void => {
    for (const { node: before } of node.inputs) if (inside.has(before) && !floats.has(before.outputs[0])) float(before);
    copy(node).forEach((value, i) => {
      value.node.layer = infoOf(node);
      floats.set(node.outputs[i], value);
    });
  };
  for (const node of order) {
    if (inside.has(node)) continue;
    const found = runs.get(node);
    if (!(found ? run(found, node) : follow(node))) float(node);
  }
  const ins = graph.inputs.map((value) => floats.get(value) as Value);
  return build(ins, graph.outputs.map(floatOf), { name: model.name, math: model.math });
}

/** A clamp as integers. */
function limitsOf(low: number, high: number, { scale, zeroPoint }: Quantization): Limits {
  const at = (x: number) => Math.min(Math.max(toEven(x / scale) + zeroPoint, -128), 127);
  return {
    low: low === Number.NEGATIVE_INFINITY ? -128 : at(low),
    high: high === Number.POSITIVE_INFINITY ? 127 : at(high),
  };
}
