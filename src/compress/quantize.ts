// Post-training quantization: products with weights, and what lies between them, in int8; the rest stays float.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import type { Quantization } from "../graph/attrs.js";
import type { Op } from "../graph/op.js";
import { apply, type Graph, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological, useCounts } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { comparisonOps } from "../ops/comparison.js";
import { convOps } from "../ops/conv2d.js";
import { depthwiseOps } from "../ops/depthwise.js";
import { constantOp, input, stateOp } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { poolOps } from "../ops/pool.js";
import { quantizedAdd, toEven } from "../ops/quantized/arithmetic.js";
import { quantizedConvOps } from "../ops/quantized/conv2d.js";
import { dequantizeLinear, quantizeLinear } from "../ops/quantized/convert.js";
import { quantizedDepthwiseOps } from "../ops/quantized/depthwise.js";
import { quantizedAvgPool2d, quantizedMaxPool2d, quantizedMean } from "../ops/quantized/pool.js";
import { type Limits, ratio } from "../ops/quantized/quantization.js";
import { reduceOps } from "../ops/reduce.js";
import type { Padding, Pair } from "../ops/window.js";
import { fold } from "../passes/fold.js";
import { inference } from "../passes/inference.js";
import { onlyWeights } from "../passes/weights.js";
import { build } from "../program/build.js";
import { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import { sameShape } from "../shape.js";
import type { Tensor, TypedArray } from "../tensor.js";
import { type Calibration, observe, quantizationOf, type Range, type RangeMethod, rangeMethods } from "./ranges.js";

export interface QuantizeOptions {
  /** Batches of inputs such as the model will see; some hundred samples do. */
  calibration: Calibration;
  /** Names of layers that stay float; default none. */
  skip?: readonly string[];
  /** How ranges are made of what is observed, default `minMax`. */
  method?: RangeMethod;
}

/** Ops in int8 of those with weights. */
const products = new Map<Op, Op>([
  [convOps.conv2d, quantizedConvOps.quantizedConv2d],
  [depthwiseOps.depthwiseConv2d, quantizedDepthwiseOps.quantizedDepthwiseConv2d],
  [matmulOps.matmul, quantizedConvOps.quantizedDense],
]);

/** Nodes that one int8 op does: a product or a sum, biases after it, and a clamp. */
interface Run {
  readonly first: Node;
  readonly biases: readonly Value[];
  readonly low: number;
  readonly high: number;
}

interface Plan {
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

function planOf(model: Model, op: string): Plan {
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
const observed = ({ order, fixed, inside, graph }: Plan): Value[] =>
  order.flatMap((node) =>
    fixed.has(node) || inside.has(node) || graph.inputs.includes(node.outputs[0])
      ? []
      : node.outputs.filter(({ dtype }) => dtype === "float32"),
  );

/**
 * A model of floats as one of int8. Normalizations are folded into the products before them; products with weights have a scale for each
 * output channel and int32 sums; sums of two branches, pooling and views between them stay int8; every other op stays float, between
 * conversions, as do inputs and outputs. The result is a model of its own, with `kernel`, `scale` and `bias` for each layer. It is saved as
 * any, and loads with `{ layers: int8Ops }` of `lanewise/int8`.
 * @throws {RangeError} when calibration is empty, constant or not finite, or a layer in `skip` is none that could be quantized;
 *   {ShapeError} when calibration does not fit the inputs; {TypeError} for a model that is quantized already or keeps state
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const small = await quantize(model, { calibration: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]) });
 * small.weights()["dense/kernel"].dtype; // "int8"
 */
export async function quantize(model: Model, options: QuantizeOptions): Promise<Model> {
  const op = "quantize";
  const plan = planOf(model, op);
  checkKeys(op, options, ["calibration", "skip", "method"]);
  const { calibration, skip = [], method = "minMax" } = options;
  if (!rangeMethods.includes(method))
    throw typeError({ op, expected: `method to be ${rangeMethods.join(" or ")}`, actual: told(method) });
  const missing = skip.find((name) => !plan.layers.includes(name));
  if (missing !== undefined)
    throw rangeError({ op, expected: `layers of ${plan.layers.join(", ")}`, actual: JSON.stringify(missing) });
  const ranges = await observe(model, plan.graph, observed(plan), calibration, method, op);
  return convert(model, plan, ranges, new Set(skip));
}

export interface Sensitivity {
  readonly layer: string;
  /** Squared error of the outputs over their squares, when this layer alone is int8. */
  readonly error: number;
}

/**
 * What each layer alone loses by int8, the worst first: names for `skip`.
 * @param data batches of inputs, for the ranges and for the errors
 * @throws as {@link quantize}
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const [worst] = await sensitivity(model, tensor([[1, 2, 3, 4], [4, 3, 2, 1]]));
 * worst.layer; // "dense" or "dense_1"
 */
export async function sensitivity(model: Model, data: Tensor | readonly Tensor[]): Promise<Sensitivity[]> {
  const op = "sensitivity";
  const plan = planOf(model, op);
  const ranges = await observe(model, plan.graph, observed(plan), data, "minMax", op);
  const expected = [model.predict(data)].flat();
  const found: Sensitivity[] = [];
  for (const layer of plan.layers) {
    const alone = await convert(model, plan, ranges, new Set(plan.layers.filter((other) => other !== layer)));
    let [error, all] = [0, 0];
    [alone.predict(data)].flat().forEach((y, i) => {
      y.data.forEach((v, j) => {
        const [was, off] = [expected[i].data[j], v - expected[i].data[j]];
        error += off * off;
        all += was * was;
      });
    });
    found.push({ layer, error: all > 0 ? error / all : error });
  }
  return found.sort((a, b) => b.error - a.error);
}

function convert(
  model: Model,
  plan: Plan,
  ranges: ReadonlyMap<Value, Range>,
  skip: ReadonlySet<string>,
): Promise<Model> {
  const { graph, order, fixed, runs, inside } = plan;
  const infos = new Map<LayerInfo, LayerInfo>();
  const infoOf = ({ layer }: Node): LayerInfo | undefined => {
    if (layer && !infos.has(layer)) infos.set(layer, { kind: layer.kind, name: model.names.layers.get(layer) });
    return layer && infos.get(layer);
  };
  const floats = new Map<Value, Value>();
  const ints = new Map<Value, { value: Value; q: Quantization }>();
  const of = (value: Value): Quantization => quantizationOf(ranges.get(value) as Range);
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
  const run = ({ first, biases, low, high }: Run, last: Node): boolean => {
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
    if (skip.has(layer.name as string)) return false;
    const x = intOf(first.inputs[0]);
    const [, kernel] = first.inputs;
    const n = first.outputs[0].shape[first.outputs[0].shape.length - 1];
    const bias = new Float64Array(n);
    for (const each of biases)
      (numbers.get(each) as TypedArray).forEach((v, i) => {
        bias[i] += v;
      });
    const weights = weightsOf(numbers.get(kernel) as TypedArray, bias, x.q.scale);
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

/** int8 of the last n of each row, symmetric, with a scale for each, and biases at the scale of sums. */
function weightsOf(kernel: TypedArray, bias: Float64Array, input: number) {
  const n = bias.length;
  const scale = new Float32Array(n);
  for (let i = 0; i < kernel.length; i++) scale[i % n] = Math.max(scale[i % n], Math.abs(kernel[i]) / 127);
  // Biases fit 30 bits.
  for (let j = 0; j < n; j++) scale[j] = Math.max(scale[j], Math.abs(bias[j]) / input / 2 ** 30) || 1;
  const clamped = (x: number) => Math.min(Math.max(toEven(x), -127), 127);
  return {
    kernel: Int8Array.from({ length: kernel.length }, (_, i) => clamped(kernel[i] / scale[i % n])),
    scale,
    bias: Int32Array.from(bias, (b, j) => toEven(b / (input * scale[j]))),
  };
}

/** The numbers of values that are made of weights. */
function numbersOf(model: Model, values: readonly Value[], fixed: ReadonlySet<Node>): Map<Value, TypedArray> {
  const wanted = [...new Set(values)].filter((value) => fixed.has(value.node));
  const program = new Program(model.store, { inputs: [], outputs: wanted, effects: [] });
  program.run();
  const { outputs } = program.layout.graph;
  const numbers = new Map(wanted.map((value, i) => [value, program.view(outputs[i]).slice()]));
  program.free();
  return numbers;
}
