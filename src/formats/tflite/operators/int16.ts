// Operators with activations of 16 bits and weights of 8. Zero points are 0, the arithmetic is that of TensorFlow Lite's own kernels.
import { FormatError } from "../../../errors.js";
import type { LayerInfo, Value } from "../../../graph/value.js";
import {
  type Int16PairOptions,
  int16Add,
  int16LeakyRelu,
  int16Maximum,
  int16Minimum,
  int16Mul,
  int16Sub,
} from "../../../ops/int16/arithmetic.js";
import { type Int16Options, int16Conv2d, int16Dense, type Rounding } from "../../../ops/int16/conv2d.js";
import { int16Dequantize, int16Quantize, int16Requantize } from "../../../ops/int16/convert.js";
import { int16DepthwiseConv2d } from "../../../ops/int16/depthwise.js";
import { HIGH, LOW, log2Of } from "../../../ops/int16/fixed.js";
import { int16Function, int16Softmax } from "../../../ops/int16/function.js";
import { int16AvgPool2d, int16MaxPool2d, int16Mean } from "../../../ops/int16/pool.js";
import { int16Conv2dTranspose } from "../../../ops/int16/transposed.js";
import { asQuantized } from "../../../ops/quantized/convert.js";
import type { Clamped } from "../../../ops/quantized/quantization.js";
import { reshape } from "../../../ops/shape.js";
import { sizeOf } from "../../../shape.js";
import type { Operator } from "../importer.js";
import { filterShape, kernelZeroOf, lastFirst, scalesOf } from "./products.js";
import { axesOf, fail, INT16, limits, padding, type Rule, type Rules, rule, same } from "./rule.js";
import { resultSize, transposing } from "./transposed.js";

const int16 = (build: Rule["build"]): Rule => rule(build, INT16);

const limits16 = (o: Operator, code: number): Clamped => limits(o, code, o.quantization, LOW, HIGH);

/** Largest bias: with the largest sum it stays below 2^38. */
const MAX_BIAS = 1n << 36n;

/** A bias of 64 bits as integers of 32: one for each output where all fit, else their low words, then the high ones. */
function biasOf(o: Operator, i: number, layer: LayerInfo, n: number): Value | undefined {
  if (!o.has(i)) return undefined;
  const { shape, type, name } = o.tensor(i);
  if (sizeOf(shape) !== n) fail(o, `a bias of ${n}`, `[${shape}]`);
  if (type !== "int64") return o.importer.weight(layer, "bias", o.importer.numbers(o.at(i)), [n]);
  const longs = o.importer.longs(o.at(i));
  if (longs.every((v) => BigInt.asIntN(32, v) === v))
    return o.importer.weight(layer, "bias", Int32Array.from(longs, Number), [n]);
  const large = longs.find((v) => v > MAX_BIAS || v < -MAX_BIAS);
  if (large !== undefined)
    throw new FormatError(`tflite: tensor "${name}": expected biases of at most ${MAX_BIAS}, got ${large}`);
  const words = [...longs.map((v) => BigInt.asIntN(32, v)), ...longs.map((v) => v >> 32n)];
  return o.importer.weight(layer, "bias", Int32Array.from(words, Number), [2, n]);
}

interface Product {
  readonly kernel: Value;
  readonly scale: Value;
  readonly options: Int16Options;
}

/**
 * Weights of a layer, and what its integers stand for.
 * @param data of which input x is, and bias which
 * @param axis of the filter's outputs in the file
 */
function product(
  o: Operator,
  layer: LayerInfo,
  [data, bias]: readonly [number, number],
  shape: readonly number[],
  axis: number,
  activation: number,
): Product {
  const n = shape.length === 4 && axis === 3 ? shape[2] * shape[3] : (shape.at(-1) as number);
  const given = o.importer.numbers(o.at(1));
  const scale = o.importer.weight(layer, "scale", scalesOf(o, n, axis), [n]);
  if (o.tensor(1).type !== "int8" || kernelZeroOf(o) !== 0)
    fail(o, "int8 weights with zero points of 0", `${o.tensor(1).type} with ${kernelZeroOf(o)}`);
  const kernel = o.importer.weight(layer, "kernel", axis === 0 ? lastFirst(given, n) : given, shape);
  const rounding: Rounding = o.has(bias) && o.tensor(bias).type === "int32" ? "fixed" : "up";
  const options = {
    input: o.of(data),
    quantization: o.quantization,
    bias: biasOf(o, bias, layer, n),
    rounding,
    ...limits16(o, activation),
  };
  return { kernel, scale, options };
}

const own = (layer: LayerInfo, value: Value): Value => {
  value.node.layer ??= layer;
  return value;
};

function conv2d(o: Operator): Value {
  const [n, kh, kw, c] = filterShape(o);
  const layer: LayerInfo = { kind: "conv2d" };
  const { kernel, scale, options } = product(o, layer, [0, 2], [kh, kw, c, n], 0, o.byte(3));
  const x = o.input(0);
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(5, 1), o.int(4, 1)] as const,
    groups: c > 0 ? x.shape[3] / c : 1,
  };
  return own(layer, int16Conv2d(x, kernel, scale, { ...windows, ...options }));
}

function depthwise(o: Operator): Value {
  const [one, kh, kw, cm] = filterShape(o);
  const x = o.input(0);
  const c = x.shape[3];
  if (one !== 1 || !(c > 0) || cm % c !== 0) fail(o, `a filter [1, height, width, m ${c}]`, `[${o.tensor(1).shape}]`);
  const layer: LayerInfo = { kind: "depthwiseConv2d" };
  const { kernel, scale, options } = product(o, layer, [0, 2], [kh, kw, c, cm / c], 3, o.byte(4));
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(6, 1), o.int(5, 1)] as const,
  };
  return own(layer, int16DepthwiseConv2d(x, kernel, scale, { ...windows, ...options }));
}

function fullyConnected(o: Operator): Value {
  const { shape } = o.tensor(1);
  if (shape.length !== 2 || !o.importer.isConstant(o.at(1))) fail(o, "constant weights of rank 2", `[${shape}]`);
  if (o.byte(1) !== 0) fail(o, "weights in the default format", String(o.byte(1)));
  const [n, k] = shape;
  const x = o.input(0);
  const rows = o.byte(2) !== 0 && x.shape.at(-1) === k ? x : reshape(x, [-1, k]);
  const layer: LayerInfo = { kind: "dense" };
  const { kernel, scale, options } = product(o, layer, [0, 2], [k, n], 0, o.byte(0));
  return own(layer, int16Dense(rows, kernel, scale, { ...options, rounding: "away" }));
}

function transposeConv(o: Operator): Value {
  const [n, kh, kw, c] = filterShape(o);
  const layer: LayerInfo = { kind: "conv2dTranspose" };
  const { kernel, scale, options } = product(o, layer, [2, 3], [kh, kw, c, n], 0, o.byte(3));
  const windows = { size: resultSize(o), strides: [o.int(2, 1), o.int(1, 1)] as const, padding: padding(o) };
  return own(layer, int16Conv2dTranspose(o.input(2), kernel, scale, { ...windows, ...options }));
}

const pairOf = (o: Operator): Int16PairOptions => ({
  a: o.of(0),
  b: o.of(1),
  quantization: o.quantization,
  ...limits16(o, o.byte(0)),
});

const sum = (of: typeof int16Add) =>
  int16((o) => {
    const scales = [o.of(0), o.of(1), o.quantization];
    const powerOfTwo = o.byte(1, 1) !== 0 && scales.every(({ scale }) => log2Of(scale) !== undefined);
    return of(o.input(0), o.input(1), { ...pairOf(o), powerOfTwo });
  });

const extremum = (of: (a: Value, b: Value) => Value) =>
  int16((o) => {
    same(o, o.of(0), o.quantization);
    same(o, o.of(1), o.quantization);
    return of(o.input(0), o.input(1));
  });

const clamped = (code: number) =>
  int16((o) => int16LeakyRelu(o.input(0), { input: o.of(0), quantization: o.quantization, ...limits16(o, code) }));

const pool = (of: typeof int16AvgPool2d) =>
  int16((o) => {
    same(o, o.of(0), o.quantization);
    const windows = { strides: [o.int(2, 1), o.int(1, 1)] as const, padding: padding(o) };
    const options = { quantization: o.quantization, ...windows, ...limits16(o, o.byte(5)) };
    return of(o.input(0), [o.int(4, 1), o.int(3, 1)], options);
  });

/** The result of a function whose numbers have 15 bits after the point. */
const fraction = (build: (o: Operator) => Value) =>
  int16((o) => {
    if (log2Of(o.quantization.scale) !== -15) fail(o, "a result of scale 2^-15", String(o.quantization.scale));
    return build(o);
  });

const DTYPES = { int8: "int8", int16: "int16", int32: "int32" } as const;

export const int16Rules: Rules = {
  ADD: sum(int16Add),
  AVERAGE_POOL_2D: pool(int16AvgPool2d),
  CONV_2D: int16(conv2d),
  DEPTHWISE_CONV_2D: int16(depthwise),
  DEQUANTIZE: rule((o) => int16Dequantize(o.input(0), o.of(0)), ["int16", "float32"]),
  FULLY_CONNECTED: int16(fullyConnected),
  LEAKY_RELU: int16((o) =>
    int16LeakyRelu(o.input(0), { input: o.of(0), quantization: o.quantization, negativeSlope: o.float(0) }),
  ),
  LOGISTIC: fraction((o) => int16Function(o.input(0), "sigmoid", o.of(0))),
  MAXIMUM: extremum(int16Maximum),
  MAX_POOL_2D: pool(int16MaxPool2d),
  MEAN: int16((o) =>
    int16Mean(o.input(0), {
      axes: axesOf(o, 1),
      keepDims: o.byte(0) !== 0,
      input: o.of(0),
      quantization: o.quantization,
    }),
  ),
  MINIMUM: extremum(int16Minimum),
  MUL: int16((o) => int16Mul(o.input(0), o.input(1), pairOf(o))),
  QUANTIZE: rule(
    (o) => {
      if (o.tensor(0).type === "float32") return int16Quantize(o.input(0), o.quantization);
      const dtype = DTYPES[o.output().type as "int16"];
      const options = { input: o.of(0), quantization: o.quantization };
      return asQuantized(int16Requantize(o.input(0), { ...options, dtype }), o.quantization);
    },
    ["float32", "int16"],
    INT16,
    ["int16", "int8"],
    ["int8", "int16"],
    ["int16", "int32"],
    ["int32", "int16"],
  ),
  RELU: clamped(1),
  RELU6: clamped(3),
  RELU_N1_TO_1: clamped(2),
  SOFTMAX: fraction((o) => int16Softmax(o.input(0), { input: o.of(0), beta: o.float(0) })),
  SUB: sum(int16Sub),
  TANH: fraction((o) => int16Function(o.input(0), "tanh", o.of(0))),
  TRANSPOSE_CONV: { ...transposing(transposeConv), types: [INT16] },
};
