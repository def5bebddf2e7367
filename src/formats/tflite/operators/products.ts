// Products with weights: convolutions, dense layers, and products of two arrays. Layouts: filters [n, h, w, c] become HWIO, matrices [n, k]
// become [k, n].
import type { LayerInfo, Value } from "../../../graph/value.js";
import { add, mul } from "../../../ops/arithmetic.js";
import { cast } from "../../../ops/cast.js";
import { convolution2d } from "../../../ops/conv2d.js";
import { depthwiseConv2d } from "../../../ops/depthwise.js";
import { constant } from "../../../ops/leaf.js";
import { matmul } from "../../../ops/matmul.js";
import { quantizedConv2d, quantizedDense } from "../../../ops/quantized/conv2d.js";
import { quantizedDepthwiseConv2d } from "../../../ops/quantized/depthwise.js";
import { weightOnlyDense } from "../../../ops/quantized/hybrid.js";
import type { Clamped, Quantization } from "../../../ops/quantized/quantization.js";
import { reshape } from "../../../ops/shape.js";
import { transpose } from "../../../ops/transpose.js";
import { sizeOf } from "../../../shape.js";
import type { TypedArray } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import * as bytes from "./bytes.js";
import { activated, fail, limits, padding, type Rules, rule } from "./rule.js";

/** y [.., h, w, c, n] of x [n, h, w, c]. */
export function lastFirst<T extends TypedArray>(x: T, n: number): T {
  const rest = n === 0 ? 0 : x.length / n;
  const y = x.slice() as T;
  for (let j = 0; j < n; j++) for (let i = 0; i < rest; i++) y[i * n + j] = x[j * rest + i];
  return y;
}

/** Scales of a weight for each of n outputs. @throws {FormatError} unless they are along that axis */
export function scalesOf(o: Operator, n: number, axis: number): Float32Array {
  const { scales, axis: along, type } = o.tensor(1);
  if ((type !== "int8" && type !== "uint8") || scales.length === 0)
    return fail(o, "int8 or uint8 weights with scales", `${type} with ${scales.length} scales`);
  if (scales.length > 1 && along !== axis) return fail(o, `scales along axis ${axis}`, `axis ${along}`);
  return Float32Array.from({ length: n }, (_, k) => scales[scales.length > 1 ? k : 0]);
}

/** The zero point of a weight; uint8 is taken 128 less. @throws {FormatError} where channels have others */
export function kernelZeroOf(o: Operator): number {
  const { zeroPoints, type } = o.tensor(1);
  const [zero] = zeroPoints;
  if (zeroPoints.some((other) => other !== zero))
    fail(o, "weights with one zero point", `zero points ${zeroPoints.slice(0, 4)}`);
  return type === "uint8" ? zero - 128 : zero;
}

interface Weights {
  readonly kernel: Value;
  readonly scale?: Value;
  readonly bias?: Value | undefined;
  /** Zero point of the kernel. */
  readonly kernelZero?: number;
  /** Of an int8 kernel under float activations. */
  readonly floatScale?: Value;
}

/**
 * Kernel, scale and bias of a layer as weights of its own. Weights of int8 under float activations ("hybrid" files) stay int8.
 * @param axis of the filter's outputs in the file
 * @param third which input is the bias
 */
export function weights(
  o: Operator,
  layer: LayerInfo,
  n: number,
  shape: readonly number[],
  axis: number,
  third = 2,
): Weights {
  if (!o.importer.isConstant(o.at(1))) return computed(o, n, shape, axis, third);
  const [{ type }, given] = [o.tensor(1), o.importer.numbers(o.at(1))];
  const made = (name: string, data: TypedArray, of: readonly number[]) => o.importer.weight(layer, name, data, of);
  const placed = axis === 0 ? lastFirst(given, n) : given;
  const bias = o.has(third) ? made("bias", o.importer.numbers(o.at(third)), [n]) : undefined;
  if (o.has(third) && sizeOf(o.tensor(third).shape) !== n) fail(o, `a bias of ${n}`, `[${o.tensor(third).shape}]`);
  if (type === "float32" || type === "float16") return { kernel: made("kernel", placed, shape), bias };
  const [scale, kernelZero] = [scalesOf(o, n, axis), kernelZeroOf(o)];
  const signed = type === "uint8" ? Int8Array.from(placed, (v) => v - 128) : placed;
  if (o.isQuantized)
    return { kernel: made("kernel", signed, shape), scale: made("scale", scale, [n]), bias, kernelZero };
  if (kernelZero === 0) return { kernel: made("kernel", signed, shape), floatScale: made("scale", scale, [n]), bias };
  const real = Float32Array.from(signed, (v, i) => (v - kernelZero) * scale[i % n]);
  return { kernel: made("kernel", real, shape), bias };
}

/** Floats that int8 weights of a hybrid file stand for, made once; itself where the kernel is floats. */
function floats({ kernel, floatScale }: Weights, channels: readonly number[]): Value {
  return floatScale ? mul(cast(kernel, "float32"), reshape(floatScale, channels)) : kernel;
}

/** Weights that other operators make. */
function computed(o: Operator, n: number, shape: readonly number[], axis: number, third: number): Weights {
  const given = o.input(1);
  const order = [...given.shape.keys()];
  const last = axis === 0 ? transpose(given, [...order.slice(1), 0]) : given;
  const kernel = reshape(last, shape);
  const bias = o.has(third) ? o.input(third) : undefined;
  if (!o.isQuantized) return { kernel, bias };
  o.importer.afford(n);
  const scale = constant({ data: scalesOf(o, n, axis), shape: [n], dtype: "float32" });
  return { kernel, scale, bias, kernelZero: kernelZeroOf(o) };
}

export function filterShape(o: Operator): readonly number[] {
  const { shape } = o.tensor(1);
  return shape.length === 4 ? shape : fail(o, "weights of rank 4", `[${shape}]`);
}

function conv2d(o: Operator): Value {
  const [n, kh, kw, c] = filterShape(o);
  const x = o.input(0);
  const layer: LayerInfo = { kind: "conv2d" };
  const made = weights(o, layer, n, [kh, kw, c, n], 0);
  const { kernel, scale, bias, kernelZero } = made;
  const groups = c > 0 ? x.shape[3] / c : 1;
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(5, 1), o.int(4, 1)] as const,
    groups,
  };
  return product(o, layer, o.byte(3), { scale, bias, kernelZero }, (options) =>
    scale
      ? quantizedConv2d(x, kernel, scale, { ...windows, ...(options as Quantized) })
      : convolution2d(x, floats(made, [n]), windows),
  );
}

function depthwise(o: Operator): Value {
  const [one, kh, kw, cm] = filterShape(o);
  const x = o.input(0);
  const c = x.shape[3];
  if (one !== 1 || !(c > 0) || cm % c !== 0) fail(o, `a filter [1, height, width, m ${c}]`, `[${o.tensor(1).shape}]`);
  const layer: LayerInfo = { kind: "depthwiseConv2d" };
  const made = weights(o, layer, cm, [kh, kw, c, cm / c], 3);
  const { kernel, scale, bias, kernelZero } = made;
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(6, 1), o.int(5, 1)] as const,
  };
  return product(o, layer, o.byte(4), { scale, bias, kernelZero }, (options) =>
    scale
      ? quantizedDepthwiseConv2d(x, kernel, scale, { ...windows, ...(options as Quantized) })
      : depthwiseConv2d(x, floats(made, [c, cm / c]), windows),
  );
}

function fullyConnected(o: Operator): Value {
  const { shape } = o.tensor(1);
  if (shape.length !== 2) fail(o, "weights of rank 2", `[${shape}]`);
  if (o.byte(1) !== 0) fail(o, "weights in the default format", String(o.byte(1)));
  const [n, k] = shape;
  const x = o.input(0);
  const rows = o.byte(2) !== 0 && x.shape.at(-1) === k ? x : reshape(x, [-1, k]);
  const layer: LayerInfo = { kind: "dense" };
  const { kernel, scale, bias, kernelZero, floatScale } = weights(o, layer, n, [k, n], 0);
  if (floatScale) return product(o, layer, o.byte(0), {}, () => weightOnlyDense(rows, kernel, floatScale, { bias }));
  return product(o, layer, o.byte(0), { scale, bias, kernelZero }, (options) =>
    scale ? quantizedDense(rows, kernel, scale, options as Quantized) : matmul(rows, kernel),
  );
}

type Quantized = Clamped & {
  input: Quantization;
  quantization: Quantization;
  bias: Value | undefined;
  kernelZero?: number;
};

/** A product with its bias and its activation: fused into integers, or as ops of floats. */
function product(
  o: Operator,
  layer: LayerInfo,
  activation: number,
  { scale, bias, kernelZero }: Pick<Weights, "scale" | "bias" | "kernelZero">,
  make: (options: Quantized | undefined) => Value,
): Value {
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  if (scale) {
    const { quantization } = o;
    const options = { input: o.of(0), quantization, bias, ...limits(o, activation, quantization) };
    return own(make(kernelZero === undefined ? options : { ...options, kernelZero }));
  }
  const y = own(make(undefined));
  const sum = bias ? own(add(y, bias)) : y;
  const result = activated(o, sum, activation);
  return result === sum ? sum : own(result);
}

export const productRules: Rules = {
  BATCH_MATMUL: rule((o) => {
    const [transposeA, transposeB] = [o.byte(0) !== 0, o.byte(1) !== 0];
    if (o.isQuantized) return bytes.matmul(o, transposeA, transposeB);
    return matmul(o.input(0), o.input(1), { transposeA, transposeB });
  }),
  CONV_2D: rule(conv2d),
  DEPTHWISE_CONV_2D: rule(depthwise),
  FULLY_CONNECTED: rule(fullyConnected),
};
