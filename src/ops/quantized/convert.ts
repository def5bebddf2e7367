// From floats to int8 and back, from one scale to another, and functions of one number by a table of all 256.
import { ShapeError, typeError } from "../../errors.js";
import { number, oneOf, quantizationCheck } from "../../graph/attrs.js";
import { defineOp, type Gradients } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { sameShape, show, sizeOf } from "../../shape.js";
import { hardSilu } from "../activation.js";
import { wantDType } from "../check.js";
import { constant } from "../leaf.js";
import { elu, exp, gelu, sigmoid, silu, tanh } from "../unary.js";
import {
  type Clamped,
  family,
  type Limits,
  limitsCheck,
  limitsOf,
  type Quantization,
  quantized,
  ratio,
} from "./quantization.js";

interface Result extends Limits {
  readonly quantization: Quantization;
}

interface FromTo extends Result {
  readonly input: Quantization;
}

const functions = { elu, exp, gelu, hardSilu, sigmoid, silu, tanh } as const;
export type QuantizedFunction = keyof typeof functions;

export const quantizedConvertOps = {
  quantizeLinear: defineOp<Result>("quantizeLinear", {
    family,
    attrs: { ...limitsCheck, quantization: quantized },
    infer([x]) {
      wantDType("quantizeLinear", "float32", x);
      return { shape: x.shape, dtype: "int8" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { quantization: { scale, zeroPoint }, low, high }) {
      emit.call("f32_to_i8_quantized", sizeOf(x.shape), x, y, ratio(1, scale), zeroPoint, low, high);
    },
  }),

  dequantizeLinear: defineOp<{ input: Quantization }>("dequantizeLinear", {
    family,
    attrs: { input: quantized },
    infer([x]) {
      wantDType("dequantizeLinear", "int8", x);
      return { shape: x.shape, dtype: "float32" };
    },
    // To integers no gradient flows.
    grad: (): Gradients => [undefined],
    lower(emit, { inputs: [x], outputs: [y] }, { input: { scale, zeroPoint } }) {
      emit.call("i8_to_f32_dequantized", sizeOf(x.shape), x, y, scale, zeroPoint);
    },
  }),

  requantize: defineOp<FromTo>("requantize", {
    family,
    attrs: { ...limitsCheck, input: quantized, quantization: quantized },
    infer([x]) {
      wantDType("requantize", "int8", x);
      return { shape: x.shape, dtype: "int8" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { input, quantization: { scale, zeroPoint }, low, high }) {
      emit.call(
        "i8_requantize",
        sizeOf(x.shape),
        x,
        y,
        input.zeroPoint,
        ratio(input.scale, scale),
        zeroPoint,
        low,
        high,
      );
    },
    inPlace: 0,
  }),

  /** Says what integers stand for, where no op does that. */
  asQuantized: defineOp<{ quantization: Quantization }>("asQuantized", {
    attrs: { quantization: quantizationCheck },
    infer: ([{ shape, dtype }]) => ({ shape, dtype }),
    view: true,
  }),

  quantizedFunction: defineOp<FromTo & { function: QuantizedFunction }>("quantizedFunction", {
    family,
    attrs: {
      ...limitsCheck,
      function: oneOf(...Object.keys(functions)),
      input: quantized,
      quantization: quantized,
    },
    infer([x]) {
      wantDType("quantizedFunction", "int8", x);
      return { shape: x.shape, dtype: "int8" };
    },
    expand([x], { function: name, input, quantization, low, high }): Value | undefined {
      const all = constant({ data: Int8Array.from({ length: 256 }, (_, i) => i - 128), shape: [256], dtype: "int8" });
      const table = quantizeLinear(functions[name](dequantizeLinear(all, input)), quantization, { low, high });
      return quantizedLookup(x, table);
    },
  }),

  /** y = table[x + 128], inputs x and table [256]. */
  quantizedLookup: defineOp("quantizedLookup", {
    family,
    infer([x, table]) {
      wantDType("quantizedLookup", "int8", x, table);
      if (!sameShape(table.shape, [256]))
        throw new ShapeError({ op: "quantizedLookup", expected: "a table [256]", actual: show(table.shape) });
      return { shape: x.shape, dtype: "int8" };
    },
    lower: (emit, { inputs: [x, table], outputs: [y] }) => emit.call("i8_lookup", sizeOf(x.shape), x, table, y),
    inPlace: 0,
  }),

  quantizedSoftmax: defineOp<{ input: Quantization; quantization: Quantization; beta: number }>("quantizedSoftmax", {
    family,
    attrs: { input: quantized, quantization: quantized, beta: number() },
    infer([x]) {
      wantDType("quantizedSoftmax", "int8", x);
      return { shape: x.shape, dtype: "int8" };
    },
    expand([x], { input, quantization, beta }): Value | undefined {
      const step = Math.fround(-Math.fround(input.scale) * Math.fround(beta));
      const below = Float32Array.from({ length: 256 }, (_, i) => step * i);
      const table = exp(constant({ data: below, shape: [256], dtype: "float32" }));
      return apply(quantizedConvertOps.quantizedSoftmaxRows, [x, table], { quantization });
    },
  }),

  /** Inputs x and the table of exponentials of what is below the largest of a row. */
  quantizedSoftmaxRows: defineOp<{ quantization: Quantization }>("quantizedSoftmaxRows", {
    family,
    internal: true,
    attrs: { quantization: quantized },
    infer: ([{ shape }]) => ({ shape, dtype: "int8" }),
    lower(emit, { inputs: [x, table], outputs: [y] }, { quantization: { scale, zeroPoint } }) {
      const n = x.shape.at(-1) ?? 1;
      emit.call("i8_softmax", n === 0 ? 0 : sizeOf(x.shape) / n, n, x, table, y, scale, zeroPoint);
    },
  }),
};

/**
 * Floats as int8: x / scale to the nearest integer (ties to even), plus the zero point, clamped; NaN counts as 0. x goes times 1 / scale,
 * divided in float32.
 * @param x float32 of any shape
 * @example
 * quantizeLinear(input([8]), { scale: 0.5, zeroPoint: -3 }).dtype; // "int8"
 */
export const quantizeLinear = (x: Value, quantization: Quantization, options: Clamped = {}): Value =>
  apply(quantizedConvertOps.quantizeLinear, [x], { quantization: { ...quantization }, ...limitsOf(options) });

/**
 * What int8 stands for: (x - zeroPoint) scale.
 * @param x int8 of any shape
 * @example
 * dequantizeLinear(input([8], { dtype: "int8" }), { scale: 0.5, zeroPoint: -3 }).dtype; // "float32"
 */
export const dequantizeLinear = (x: Value, input: Quantization): Value =>
  apply(quantizedConvertOps.dequantizeLinear, [x], { input: { ...input } });

/**
 * int8 of one scale as int8 of another: (x - input.zeroPoint) times input.scale / quantization.scale in float32, to the nearest integer
 * (ties to even), plus the zero point, clamped.
 * @example
 * const x = input([8], { dtype: "int8" });
 * requantize(x, { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 1, zeroPoint: -8 } }).shape; // [1, 8]
 */
export const requantize = (x: Value, options: Clamped & { input: Quantization; quantization: Quantization }): Value =>
  apply(quantizedConvertOps.requantize, [x], {
    input: { ...options.input },
    quantization: { ...options.quantization },
    ...limitsOf(options),
  });

/**
 * The same integers, with what they stand for; costs nothing when it runs. `model.outputs` shows it.
 * @example
 * asQuantized(input([8], { dtype: "int8" }), { scale: 0.5, zeroPoint: 0 }).shape; // [1, 8]
 */
export const asQuantized = (x: Value, quantization: Quantization): Value =>
  apply(quantizedConvertOps.asQuantized, [x], { quantization: { ...quantization } });

/**
 * A function of each number, computed once for all 256 of them.
 * @param name `sigmoid`, `tanh`, `elu`, `exp`, `gelu`, `silu` or `hardSilu`
 * @throws {TypeError} for another name
 * @example
 * const x = input([8], { dtype: "int8" });
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 1 / 256, zeroPoint: -128 } };
 * quantizedFunction(x, "sigmoid", options).shape; // [1, 8]
 */
export function quantizedFunction(
  x: Value,
  name: QuantizedFunction,
  options: Clamped & { input: Quantization; quantization: Quantization },
): Value {
  if (!Object.hasOwn(functions, name))
    throw typeError({ op: "quantizedFunction", expected: Object.keys(functions).join(", "), actual: String(name) });
  const { input, quantization } = options;
  const attrs = { function: name, input: { ...input }, quantization: { ...quantization }, ...limitsOf(options) };
  return apply(quantizedConvertOps.quantizedFunction, [x], attrs);
}

/**
 * Any function of each number, by a table of its results for -128 to 127.
 * @param x int8 of any shape
 * @param table int8 [256]
 * @throws {ShapeError} for a table of another shape
 * @example
 * const halves = constant(tensor(Int8Array.from({ length: 256 }, (_, i) => (i - 128) >> 1), [256]));
 * quantizedLookup(input([8], { dtype: "int8" }), halves).shape; // [1, 8]
 */
export const quantizedLookup = (x: Value, table: Value): Value =>
  apply(quantizedConvertOps.quantizedLookup, [x, table]);

/**
 * Softmax of int8 along the last axis: exponentials by a table, added in order, then times 1 / (sum scale) to the nearest integer (ties
 * up), plus the zero point.
 * @param options.beta what the logits go times; default 1
 * @example
 * const x = input([10], { dtype: "int8" });
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 1 / 256, zeroPoint: -128 } };
 * quantizedSoftmax(x, options).shape; // [1, 10]
 */
export const quantizedSoftmax = (
  x: Value,
  { input, quantization, beta = 1 }: { input: Quantization; quantization: Quantization; beta?: number },
): Value =>
  apply(quantizedConvertOps.quantizedSoftmax, [x], { input: { ...input }, quantization: { ...quantization }, beta });
