// TensorFlow Lite's operators in ours: a rule each, from what the file says to Values. Layouts: filters [n, h, w, c] become HWIO, matrices
// [n, k] become [k, n].
import { FormatError } from "../../errors.js";
import type { LayerInfo, Value } from "../../graph/value.js";
import { apply } from "../../graph/value.js";
import { hardSilu, logSoftmax, relu, softmax } from "../../ops/activation.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { cast } from "../../ops/cast.js";
import { clip, maximum, minimum, pow } from "../../ops/comparison.js";
import { concat, stack } from "../../ops/concat.js";
import { convolution2d } from "../../ops/conv2d.js";
import { depthwiseConv2d } from "../../ops/depthwise.js";
import { max, min, prod } from "../../ops/extremum.js";
import { constant } from "../../ops/leaf.js";
import { matmul } from "../../ops/matmul.js";
import { padOps } from "../../ops/pad.js";
import { avgPool2d, maxPool2d } from "../../ops/pool.js";
import { quantizedAdd, quantizedMul, quantizedSub, toEven } from "../../ops/quantized/arithmetic.js";
import { quantizedConv2d, quantizedDense } from "../../ops/quantized/conv2d.js";
import {
  asQuantized,
  dequantizeLinear,
  type QuantizedFunction,
  quantizedFunction,
  quantizedSoftmax,
  quantizeLinear,
  requantize,
} from "../../ops/quantized/convert.js";
import { quantizedDepthwiseConv2d } from "../../ops/quantized/depthwise.js";
import { quantizedAvgPool2d, quantizedMaxPool2d, quantizedMean } from "../../ops/quantized/pool.js";
import type { Clamped, Quantization } from "../../ops/quantized/quantization.js";
import { argMax, mean, sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/shape.js";
import { stridedSlice } from "../../ops/slice.js";
import { transpose } from "../../ops/transpose.js";
import {
  abs,
  elu,
  exp,
  floor,
  gelu,
  leakyRelu,
  log,
  neg,
  rsqrt,
  sigmoid,
  sqrt,
  square,
  tanh,
} from "../../ops/unary.js";
import { normalizeAxes, sameShape, sizeOf } from "../../shape.js";
import type { TypedArray } from "../../tensor.js";
import type { Operator } from "./importer.js";
import type { TfliteType } from "./schema.js";

/** Types of the first input and of the result that a rule takes. */
export interface Rule {
  readonly types: readonly (readonly [input: TfliteType, output: TfliteType])[];
  build(o: Operator): Value;
}

const FLOAT = ["float32", "float32"] as const;
const INT8 = ["int8", "int8"] as const;
const UINT8 = ["uint8", "uint8"] as const;

const rule = (build: Rule["build"], ...types: Rule["types"]): Rule => ({
  types: types.length > 0 ? types : [FLOAT, INT8],
  build,
});
const PADDING = ["same", "valid"] as const;

const padding = (o: Operator): "same" | "valid" =>
  PADDING[o.byte(0)] ?? fail(o, "SAME or VALID padding", String(o.byte(0)));

function fail(o: Operator, expected: string, actual: string): never {
  throw new FormatError(`tflite: ${o.name}: expected ${expected}, got ${actual}`);
}

/** Fused activations by their number: none, RELU, RELU_N1_TO_1, RELU6, TANH. */
const CLAMPS = [
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [0, Number.POSITIVE_INFINITY],
  [-1, 1],
  [0, 6],
] as const;

function activated(o: Operator, x: Value, code: number): Value {
  if (code === 4) return tanh(x);
  const [low, high] = CLAMPS[code] ?? fail(o, "a fused activation that there is", String(code));
  if (code === 1) return relu(x);
  return code === 0 ? x : clip(x, low, high);
}

/** A fused activation as limits of the integers of the result. */
export function limits(o: Operator, code: number, { scale, zeroPoint }: Quantization): Clamped {
  const [low, high] = CLAMPS[code] ?? fail(o, "a fused activation that clamps", String(code));
  const at = (x: number) => Math.min(Math.max(toEven(Math.fround(x / scale)) + zeroPoint, -128), 127);
  return {
    ...(low > Number.NEGATIVE_INFINITY && { low: at(low) }),
    ...(high < Number.POSITIVE_INFINITY && { high: at(high) }),
  };
}

/** y [.., h, w, c, n] of x [n, h, w, c]. */
function lastFirst<T extends TypedArray>(x: T, n: number): T {
  const rest = n === 0 ? 0 : x.length / n;
  const y = x.slice() as T;
  for (let j = 0; j < n; j++) for (let i = 0; i < rest; i++) y[i * n + j] = x[j * rest + i];
  return y;
}

/** Scales of a weight for each of n outputs. @throws {FormatError} unless they are along that axis, with zero points of 0 */
function scalesOf(o: Operator, i: number, n: number, axis: number): Float32Array {
  const { scales, zeroPoints, axis: along, type } = o.tensor(i);
  if (type !== "int8" || scales.length === 0 || zeroPoints.some((zero) => zero !== 0))
    return fail(
      o,
      "int8 weights with scales and zero points of 0",
      `${type} with zero points ${zeroPoints.slice(0, 4)}`,
    );
  if (scales.length > 1 && along !== axis) return fail(o, `scales along axis ${axis}`, `axis ${along}`);
  return Float32Array.from({ length: n }, (_, k) => scales[scales.length > 1 ? k : 0]);
}

interface Weights {
  readonly kernel: Value;
  readonly scale?: Value;
  readonly bias?: Value | undefined;
}

/**
 * Kernel, scale and bias of a layer as weights of its own. int8 weights under float activations become floats.
 * @param axis of the filter's outputs in the file
 */
function weights(o: Operator, layer: LayerInfo, n: number, shape: readonly number[], axis: number): Weights {
  const [{ type }, given] = [o.tensor(1), o.importer.numbers(o.at(1))];
  const made = (name: string, data: TypedArray, of: readonly number[]) => o.importer.weight(layer, name, data, of);
  const placed = axis === 0 ? lastFirst(given, n) : given;
  const bias = o.has(2) ? made("bias", o.importer.numbers(o.at(2)), [n]) : undefined;
  if (o.has(2) && sizeOf(o.tensor(2).shape) !== n) fail(o, `a bias of ${n}`, `[${o.tensor(2).shape}]`);
  if (o.isQuantized) {
    const scale = made("scale", scalesOf(o, 1, n, axis), [n]);
    return { kernel: made("kernel", placed, shape), scale, bias };
  }
  if (type === "float32" || type === "float16") return { kernel: made("kernel", placed, shape), bias };
  const scale = scalesOf(o, 1, n, axis);
  return {
    kernel: made(
      "kernel",
      Float32Array.from(placed, (v, i) => v * scale[i % n]),
      shape,
    ),
    bias,
  };
}

const CONSTANT = "constant weights";

function filterShape(o: Operator): readonly number[] {
  const { shape } = o.tensor(1);
  if (shape.length !== 4 || !o.importer.isConstant(o.at(1))) return fail(o, `${CONSTANT} of rank 4`, `[${shape}]`);
  return shape;
}

function conv2d(o: Operator): Value {
  const [n, kh, kw, c] = filterShape(o);
  const x = o.input(0);
  const layer: LayerInfo = { kind: "conv2d" };
  const { kernel, scale, bias } = weights(o, layer, n, [kh, kw, c, n], 0);
  const groups = c > 0 ? x.shape[3] / c : 1;
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(5, 1), o.int(4, 1)] as const,
    groups,
  };
  return product(o, layer, o.byte(3), bias, scale, (options) =>
    scale
      ? quantizedConv2d(x, kernel, scale, { ...windows, ...(options as Quantized) })
      : convolution2d(x, kernel, windows),
  );
}

function depthwise(o: Operator): Value {
  const [one, kh, kw, cm] = filterShape(o);
  const x = o.input(0);
  const c = x.shape[3];
  if (one !== 1 || !(c > 0) || cm % c !== 0) fail(o, `a filter [1, height, width, m ${c}]`, `[${o.tensor(1).shape}]`);
  const layer: LayerInfo = { kind: "depthwiseConv2d" };
  const { kernel, scale, bias } = weights(o, layer, cm, [kh, kw, c, cm / c], 3);
  const windows = {
    padding: padding(o),
    strides: [o.int(2, 1), o.int(1, 1)] as const,
    dilations: [o.int(6, 1), o.int(5, 1)] as const,
  };
  return product(o, layer, o.byte(4), bias, scale, (options) =>
    scale
      ? quantizedDepthwiseConv2d(x, kernel, scale, { ...windows, ...(options as Quantized) })
      : depthwiseConv2d(x, kernel, windows),
  );
}

function fullyConnected(o: Operator): Value {
  const { shape } = o.tensor(1);
  if (shape.length !== 2 || !o.importer.isConstant(o.at(1))) fail(o, `${CONSTANT} of rank 2`, `[${shape}]`);
  if (o.byte(1) !== 0) fail(o, "weights in the default format", String(o.byte(1)));
  const [n, k] = shape;
  const x = o.input(0);
  const rows = o.byte(2) !== 0 && x.shape.at(-1) === k ? x : reshape(x, [-1, k]);
  const layer: LayerInfo = { kind: "dense" };
  const { kernel, scale, bias } = weights(o, layer, n, [k, n], 0);
  return product(o, layer, o.byte(0), bias, scale, (options) =>
    scale ? quantizedDense(rows, kernel, scale, options as Quantized) : matmul(rows, kernel),
  );
}

type Quantized = Clamped & { input: Quantization; quantization: Quantization; bias: Value | undefined };

/** A product with its bias and its activation: fused into integers, or as ops of floats. */
function product(
  o: Operator,
  layer: LayerInfo,
  activation: number,
  bias: Value | undefined,
  scale: Value | undefined,
  make: (options: Quantized | undefined) => Value,
): Value {
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  if (scale) {
    const { quantization } = o;
    return own(make({ input: o.of(0), quantization, bias, ...limits(o, activation, quantization) }));
  }
  const y = own(make(undefined));
  const sum = bias ? own(add(y, bias)) : y;
  const result = activated(o, sum, activation);
  return result === sum ? sum : own(result);
}

function binary(
  floats: (a: Value, b: Value) => Value,
  integers: (
    a: Value,
    b: Value,
    options: Clamped & { a: Quantization; b: Quantization; quantization: Quantization },
  ) => Value,
) {
  return (o: Operator): Value => {
    const [a, b, code] = [o.input(0), o.input(1), o.byte(0)];
    if (!o.isQuantized) return activated(o, floats(a, b), code);
    const { quantization } = o;
    return integers(a, b, { a: o.of(0), b: o.of(1), quantization, ...limits(o, code, quantization) });
  };
}

const pool = (kind: "avg" | "max") => (o: Operator) => {
  const x = o.input(0);
  const [size, strides] = [[o.int(4, 1), o.int(3, 1)] as const, [o.int(2, 1), o.int(1, 1)] as const];
  if (!o.isQuantized) {
    const y = kind === "avg" ? avgPool2d(x, size, strides, padding(o)) : maxPool2d(x, size, strides, padding(o));
    return activated(o, y, o.byte(5));
  }
  const { quantization } = o;
  same(o, o.of(0), quantization);
  const options = { quantization, strides, padding: padding(o), ...limits(o, o.byte(5), quantization) };
  return kind === "avg" ? quantizedAvgPool2d(x, size, options) : quantizedMaxPool2d(x, size, options);
};

/** @throws {FormatError} unless input and result stand for the same numbers */
function same(o: Operator, a: Quantization, b: Quantization): void {
  if (a.scale === b.scale && a.zeroPoint === b.zeroPoint) return;
  fail(o, "one scale and zero point for input and result", `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
}

/** x as what the result stands for. */
const moved = (o: Operator, i: number): Value => {
  if (!o.isQuantized) return o.input(i);
  const [input, { quantization }] = [o.of(i), o];
  const equal = input.scale === quantization.scale && input.zeroPoint === quantization.zeroPoint;
  return equal ? o.input(i) : requantize(o.input(i), { input, quantization });
};

/** A new shape; the batch stays open where it is the first axis of both. */
function reshaped(o: Operator): Value {
  const x = o.input(0);
  const [from, to] = [o.tensor(0).shape, o.output().shape];
  const open = from[0] === to[0] || sizeOf(to.slice(1)) === sizeOf(x.shape.slice(1));
  return reshape(moved(o, 0), open && to.length > 0 && sizeOf(to) > 0 ? [-1, ...to.slice(1)] : to);
}

function padded(o: Operator): Value {
  const x = moved(o, 0);
  const pads = o.importer.integers(o.at(1));
  if (pads.length !== 2 * x.shape.length) fail(o, `${2 * x.shape.length} paddings`, String(pads.length));
  const [low, high] = [0, 1].map((side) => x.shape.map((_, i) => pads[2 * i + side]));
  const zero = o.isQuantized ? o.quantization.zeroPoint : 0;
  const data = o.isQuantized ? Int8Array.of(zero) : Float32Array.of(zero);
  const value = constant({ data, shape: [], dtype: o.isQuantized ? "int8" : "float32" });
  return apply(padOps.pad, [x, value], { low, high, interior: x.shape.map(() => 0) });
}

/** The part of x between two places; along the first axis of a whole batch it stays open. */
function sliced(
  o: Operator,
  begin: readonly number[],
  end: readonly (number | null)[],
  strides?: readonly number[],
): Value {
  const { shape } = o.tensor(0);
  const open = begin[0] === 0 && (strides?.[0] ?? 1) === 1 && (end[0] === null || (end[0] as number) >= shape[0]);
  const to = open ? [null, ...end.slice(1)] : end;
  const y = stridedSlice(moved(o, 0), begin, to, strides ?? begin.map(() => 1));
  const out = o.output().shape;
  return sameShape(y.shape, out)
    ? y
    : reshape(y, open && out.length > 0 && out[0] === shape[0] ? [-1, ...out.slice(1)] : out);
}

function stridedSliced(o: Operator): Value {
  const [begin, end, strides] = [1, 2, 3].map((i) => o.importer.integers(o.at(i)));
  if (o.int(2) !== 0 || o.int(3) !== 0) fail(o, "no ellipsis and no new axis", `masks ${o.int(2)} and ${o.int(3)}`);
  if (strides.some((stride) => stride < 1)) fail(o, "strides of at least 1", String(strides));
  const is = (mask: number, axis: number) => ((o.int(mask) >> axis) & 1) === 1;
  const from = begin.map((at, axis) => (is(0, axis) ? 0 : at));
  const to = end.map((at, axis) =>
    is(4, axis) ? (begin[axis] === -1 ? null : begin[axis] + 1) : is(1, axis) ? null : at,
  );
  return sliced(o, from, to, strides);
}

function reduced(of: (x: Value, axes: readonly number[], options: { keepDims: boolean }) => Value): Rule {
  return rule((o) => of(o.input(0), axesOf(o, 1), { keepDims: o.byte(0) !== 0 }), FLOAT);
}

/** Blocks of pixels as channels, and back. */
function blocks(o: Operator, toDepth: boolean): Value {
  const x = moved(o, 0);
  const [, h, w, c] = x.shape;
  const s = o.int(0);
  const depth = toDepth ? c : c / (s * s);
  if (
    !(s > 0) ||
    x.shape.length !== 4 ||
    !Number.isInteger(toDepth ? h / s : depth) ||
    !Number.isInteger(toDepth ? w / s : depth)
  )
    fail(o, "blocks that divide the image", `${s} for [${x.shape}]`);
  const inner = toDepth ? [h / s, s, w / s, s, c] : [h, w, s, s, depth];
  const turned = transpose(reshape(x, [-1, ...inner]), [0, 1, 3, 2, 4, 5]);
  return reshape(turned, toDepth ? [-1, h / s, w / s, s * s * c] : [-1, h * s, w * s, depth]);
}

const axesOf = (o: Operator, i: number): number[] =>
  normalizeAxes(o.importer.integers(o.at(i)), o.tensor(0).shape.length, o.name);

function averaged(o: Operator): Value {
  const [axes, keepDims] = [axesOf(o, 1), o.byte(0) !== 0];
  if (!o.isQuantized) return mean(o.input(0), axes, { keepDims });
  return quantizedMean(o.input(0), { axes, keepDims, input: o.of(0), quantization: o.quantization });
}

const unary = (f: (x: Value) => Value, integers?: QuantizedFunction): Rule =>
  integers
    ? rule((o) =>
        o.isQuantized
          ? quantizedFunction(o.input(0), integers, { input: o.of(0), quantization: o.quantization })
          : f(o.input(0)),
      )
    : rule((o) => f(o.input(0)), FLOAT);

const clamped = (code: number): Rule =>
  rule((o) => {
    if (!o.isQuantized) return activated(o, o.input(0), code);
    const { quantization } = o;
    return requantize(o.input(0), { input: o.of(0), quantization, ...limits(o, code, quantization) });
  });

const products = [FLOAT, INT8] as const;

/** Operators by name. */
export const rules: ReadonlyMap<string, Rule> = /* @__PURE__ */ new Map(
  Object.entries({
    ABS: unary(abs),
    ADD: rule(binary(add, quantizedAdd)),
    ARG_MAX: rule((o) => argMax(o.input(0), o.importer.integers(o.at(1))[0] ?? -1), ["float32", "int32"]),
    AVERAGE_POOL_2D: rule(pool("avg")),
    BATCH_MATMUL: rule(
      (o) => matmul(o.input(0), o.input(1), { transposeA: o.byte(0) !== 0, transposeB: o.byte(1) !== 0 }),
      FLOAT,
    ),
    CAST: rule(
      (o) => cast(o.input(0), o.output().type as "int32"),
      ["float32", "int32"],
      ["int32", "float32"],
      ["uint8", "float32"],
      ["bool", "float32"],
    ),
    CONCATENATION: rule((o) => {
      const values = Array.from({ length: o.count }, (_, i) => moved(o, i));
      const y = concat(values, o.int(0));
      return o.isQuantized ? asQuantized(y, o.quantization) : activated(o, y, o.byte(1));
    }),
    CONV_2D: rule(conv2d, ...products),
    DEPTHWISE_CONV_2D: rule(depthwise, ...products),
    DEPTH_TO_SPACE: rule((o) => blocks(o, false)),
    DEQUANTIZE: rule(
      (o) => (o.tensor(0).type === "float16" ? o.input(0) : dequantizeLinear(o.input(0), o.of(0))),
      ["int8", "float32"],
      ["uint8", "float32"],
      ["float16", "float32"],
    ),
    DIV: rule((o) => activated(o, div(o.input(0), o.input(1)), o.byte(0)), FLOAT),
    ELU: unary(elu, "elu"),
    EXP: unary(exp, "exp"),
    EXPAND_DIMS: rule(reshaped),
    FLOOR: unary(floor),
    FULLY_CONNECTED: rule(fullyConnected, ...products),
    GELU: unary((x) => gelu(x)),
    HARD_SWISH: unary(hardSilu, "hardSilu"),
    LEAKY_RELU: rule((o) => leakyRelu(o.input(0), { negativeSlope: o.float(0) }), FLOAT),
    LOG: unary(log),
    LOGISTIC: unary(sigmoid, "sigmoid"),
    LOG_SOFTMAX: unary(logSoftmax),
    MAXIMUM: rule((o) => maximum(o.input(0), o.input(1)), FLOAT),
    MAX_POOL_2D: rule(pool("max")),
    MEAN: rule(averaged),
    MINIMUM: rule((o) => minimum(o.input(0), o.input(1)), FLOAT),
    MUL: rule(binary(mul, quantizedMul)),
    NEG: unary(neg),
    PACK: rule((o) => {
      const values = Array.from({ length: o.count }, (_, i) => moved(o, i));
      return stack(values, o.int(1));
    }),
    PAD: rule(padded),
    POW: rule((o) => pow(o.input(0), o.input(1)), FLOAT),
    PRELU: rule((o) => add(relu(o.input(0)), mul(minimum(o.input(0), 0), o.input(1))), FLOAT),
    QUANTIZE: rule(
      (o) => (o.tensor(0).type === "float32" ? quantizeLinear(o.input(0), o.quantization) : moved(o, 0)),
      ["float32", "int8"],
      ["float32", "uint8"],
      INT8,
      UINT8,
      ["int8", "uint8"],
      ["uint8", "int8"],
    ),
    REDUCE_MAX: reduced(max),
    REDUCE_MIN: reduced(min),
    REDUCE_PROD: reduced(prod),
    RELU: clamped(1),
    RELU_N1_TO_1: clamped(2),
    RELU6: clamped(3),
    RESHAPE: rule(reshaped),
    RSQRT: unary(rsqrt),
    SLICE: rule((o) => {
      const [begin, size] = [1, 2].map((i) => o.importer.integers(o.at(i)));
      return sliced(
        o,
        begin,
        begin.map((at, axis) => ((size[axis] ?? -1) < 0 ? null : at + size[axis])),
      );
    }),
    SOFTMAX: rule((o) => {
      const [x, beta] = [o.input(0), o.float(0)];
      if (o.isQuantized) return quantizedSoftmax(x, { input: o.of(0), quantization: o.quantization, beta });
      return softmax(beta === 1 ? x : mul(x, beta));
    }),
    SPACE_TO_DEPTH: rule((o) => blocks(o, true)),
    SQRT: unary(sqrt),
    SQUARE: unary(square),
    SQUARED_DIFFERENCE: rule((o) => square(sub(o.input(0), o.input(1))), FLOAT),
    SQUEEZE: rule(reshaped),
    STRIDED_SLICE: rule(stridedSliced),
    SUB: rule(binary(sub, quantizedSub)),
    SUM: reduced(sum),
    TANH: unary(tanh, "tanh"),
    TRANSPOSE: rule((o) => transpose(moved(o, 0), o.importer.integers(o.at(1)))),
  } satisfies Record<string, Rule>),
);

/** uint8 as int8: the same numbers, 128 less. */
export const asInt8 = (x: Value): Value => cast(sub(cast(x, "float32"), 128), "int8");
export const asUint8 = (x: Value): Value => cast(add(cast(x, "float32"), 128), "uint8");
