// Convolution and dense layers of int8: one implicit-GEMM kernel on panels packed once, which hold weights, biases and factors.
import { ShapeError } from "../../errors.js";
import { boolean, integer, integers, optional } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Spec, type Value } from "../../graph/value.js";
import { conv2dScratch, pairsOf } from "../../runtime/scratch.js";
import { show, sizeOf } from "../../shape.js";
import { div, mul } from "../arithmetic.js";
import { wantDType } from "../check.js";
import { reshape } from "../shape.js";
import { type Padding, type Pair, pair, windowAttrs } from "../window.js";
import {
  type Clamped,
  family,
  type Limits,
  limitsCheck,
  limitsOf,
  type Quantization,
  quantized,
} from "./quantization.js";
import { convShape, denseShape, geometry, runsOf, type Windows, weights } from "./windows.js";
import { isWinograd, winograd } from "./winograd.js";

export interface QuantizedConvAttrs extends Limits, Windows {
  readonly input: Quantization;
  readonly quantization: Quantization;
  /** Zero point of the kernel, default 0. */
  readonly kernelZero?: number;
}

export const convAttrs = {
  ...limitsCheck,
  input: quantized,
  quantization: quantized,
  ...windowAttrs,
  kernelZero: optional(integer(-128, 127)),
};

interface DenseAttrs extends Limits {
  readonly input: Quantization;
  readonly quantization: Quantization;
  readonly kernelZero?: number;
}

interface GemmAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly before: Pair;
  readonly out: Pair;
  readonly n: number;
  readonly groups: number;
  readonly inputZero: number;
  readonly zero: number;
  /** Weights less their zero point, which take more than 8 bits. */
  readonly any: boolean;
}

interface PackAttrs {
  readonly runs: number;
  readonly run: number;
  readonly groups: number;
  readonly inputZero: number;
  readonly kernelZero: number;
}

/** Columns of a panel, and the 32-bit words before its pairs: biases and factors. The layout is said in assembly/qgemm.ts. */
const COLUMNS = 8;
const HEAD = 2 * COLUMNS;

/** Bytes of interleaved rows done at a time, or 16 rows: with a panel they fit the first-level cache. */
const BLOCK = 16384;

/** @throws {ShapeError} unless weights, scale and bias fit n outputs */
export function checkWeights(op: string, n: number, [x, kernel, scale, bias]: readonly Spec[]): void {
  wantDType(op, "int8", x, kernel);
  wantDType(op, "float32", scale);
  if (bias) wantDType(op, "int32", bias);
  for (const spec of bias ? [scale, bias] : [scale]) {
    if (spec.shape.length === 1 && spec.shape[0] === n) continue;
    throw new ShapeError({
      op,
      expected: `a scale and a bias of ${n} for kernel ${show(kernel.shape)}`,
      actual: show(spec.shape),
    });
  }
}

/** Sums of so many products stay far from what 32 bits hold. */
export const MAX_TERMS = 2 ** 16;

export const quantizedConvOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c / groups, n], scale [n] and, where there is one, bias [n]. */
  quantizedConv2d: defineOp<QuantizedConvAttrs>("quantizedConv2d", {
    family,
    attrs: { ...convAttrs, groups: optional(integer(1)) },
    infer([x, kernel, scale, bias], attrs) {
      const shape = convShape("quantizedConv2d", x, kernel, attrs, MAX_TERMS);
      checkWeights("quantizedConv2d", shape[3], weights(x, kernel, scale, bias));
      return { shape, dtype: "int8" };
    },
    expand([x, kernel, scale, bias], { groups = 1, ...attrs }): Value | undefined {
      const [kh, kw, c, n] = kernel.shape;
      const [rows, cols] = geometry("quantizedConv2d", x, [kh, kw], attrs);
      const windows = { size: [kh, kw] as const, strides: attrs.strides, dilations: attrs.dilations, groups };
      const plain = kh * kw * sizeOf(attrs.strides) === 1 && rows.out === x.shape[1] && cols.out === x.shape[2];
      const out: Pair = [rows.out, cols.out];
      const direct = groups * sizeOf(attrs.strides) * sizeOf(attrs.dilations) > 1 || attrs.kernelZero;
      if (!direct && isWinograd([kh, kw], c, out)) {
        const { input, quantization, low, high } = attrs;
        const zeros = { inputZero: input.zeroPoint, zero: quantization.zeroPoint };
        const limits = { before: [rows.before, cols.before] as const, out, low, high };
        return winograd(x, kernel, factorsOf(scale, attrs), bias, { ...limits, ...zeros });
      }
      const packed = pack(kernel, scale, bias, attrs, runsOf(kernel, { ...attrs, groups }));
      if (!plain) return gemm(x, packed, { ...windows, before: [rows.before, cols.before], out, n }, attrs);
      return pixels(x, packed, n, groups, attrs);
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(0, 3)),
  }),

  /** Inputs x [..., k], kernel [k, n], scale [n] and, where there is one, bias [n]. */
  quantizedDense: defineOp<DenseAttrs>("quantizedDense", {
    family,
    attrs: {
      ...limitsCheck,
      input: quantized,
      quantization: quantized,
      kernelZero: optional(integer(-128, 127)),
    },
    infer([x, kernel, scale, bias]) {
      const shape = denseShape("quantizedDense", x, kernel, MAX_TERMS);
      checkWeights("quantizedDense", kernel.shape[1], weights(x, kernel, scale, bias));
      return { shape, dtype: "int8" };
    },
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [k, n] = kernel.shape;
      return pixels(x, pack(kernel, scale, bias, attrs, { runs: 1, run: k, groups: 1 }), n, 1, attrs);
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * kernel.shape[0],
  }),

  /** Panels for i8_conv2d: inputs kernel [..., n], factors [n] and, where there is one, bias [n]. */
  quantizedPack: defineOp<PackAttrs>("quantizedPack", {
    family,
    internal: true,
    attrs: {
      runs: integer(0),
      run: integer(0),
      groups: integer(1),
      inputZero: integer(-128, 127),
      kernelZero: integer(-128, 127),
    },
    infer([kernel], { runs, run, groups }) {
      const width = Math.ceil((kernel.shape.at(-1) as number) / groups / COLUMNS);
      return { shape: [groups, width, HEAD + runs * Math.ceil(run / 2) * COLUMNS], dtype: "int32" };
    },
    lower(emit, { inputs: [kernel, factors, bias], outputs: [y] }, { runs, run, groups, inputZero, kernelZero }) {
      const n = kernel.shape.at(-1) as number;
      const name = kernelZero ? "i8_gemm_pack_any" : "i8_gemm_pack";
      emit.call(name, runs, run, n, groups, inputZero, kernelZero, kernel, bias ?? 0, factors, y);
    },
  }),

  /** Inputs x and panels; the second result is workspace. */
  quantizedGemm: defineOp<GemmAttrs>("quantizedGemm", {
    family,
    internal: true,
    attrs: {
      ...limitsCheck,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      before: integers(0, 2),
      out: integers(0, 2),
      n: integer(0),
      groups: integer(1),
      inputZero: integer(-128, 127),
      zero: integer(-128, 127),
      any: boolean,
    },
    infer: ([x], attrs) => [
      { shape: [x.shape[0], ...attrs.out, attrs.n], dtype: "int8" },
      { shape: [conv2dScratch(sizesOf(x, attrs))], dtype: "int8" },
    ],
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, attrs) {
      const { inputZero, zero, low, high } = attrs;
      const name = attrs.any ? "i8_conv2d_any" : "i8_conv2d";
      emit.call(name, ...sizesOf(x, attrs), inputZero, zero, low, high, x, packed, scratch as Value, y);
    },
    flops: ({ inputs: [x], outputs: [y] }, { size, groups }) =>
      (2 * sizeOf(y.shape) * size[0] * size[1] * x.shape[3]) / groups,
  }),
};

/** The sizes that i8_conv2d takes, the last of them how many pixels it interleaves at a time. */
function sizesOf({ shape }: Spec, { size, strides, dilations, before, out, n, groups }: GemmAttrs) {
  const [batch, h, w, c] = shape;
  const pairs = pairsOf(...size, c, dilations[1], groups);
  const block = Math.max(16, Math.floor(BLOCK / (4 * Math.max(1, pairs))) & ~3);
  return [batch, h, w, c, ...out, ...size, ...strides, ...dilations, ...before, n, groups, block] as const;
}

/** What sums go times: s_in s_w / s_out, in float32. */
export const factorsOf = (scale: Value, { input, quantization }: DenseAttrs): Value =>
  div(mul(scale, input.scale), quantization.scale);

/** Panels of weights, biases and factors. */
function pack(
  kernel: Value,
  scale: Value,
  bias: Value | undefined,
  given: DenseAttrs,
  runs: { runs: number; run: number; groups: number },
): Value {
  const factors = factorsOf(scale, given);
  const attrs = { ...runs, inputZero: given.input.zeroPoint, kernelZero: given.kernelZero ?? 0 };
  return apply(quantizedConvOps.quantizedPack, bias ? [kernel, factors, bias] : [kernel, factors], attrs);
}

type Sizes = Pick<GemmAttrs, "size" | "strides" | "dilations" | "before" | "out" | "n" | "groups">;

const gemm = (
  x: Value,
  packed: Value,
  windows: Sizes,
  { input, quantization, low, high, kernelZero = 0 }: DenseAttrs,
): Value =>
  apply(quantizedConvOps.quantizedGemm, [x, packed], {
    ...windows,
    inputZero: input.zeroPoint,
    zero: quantization.zeroPoint,
    low,
    high,
    any: kernelZero !== 0,
  });

/** Every pixel by itself: all of them as one row of an image. */
function pixels(x: Value, packed: Value, n: number, groups: number, attrs: DenseAttrs): Value {
  const one: Pair = [1, 1];
  const c = x.shape.at(-1) as number;
  const m = sizeOf(x.shape.slice(0, -1));
  const row = reshape(x, [1, 1, m, c]);
  const windows = { size: one, strides: one, dilations: one, before: [0, 0] as const, out: [1, m] as const, n, groups };
  return reshape(gemm(row, packed, windows, attrs), [...x.shape.slice(0, -1), n]);
}

/** Options of quantized products beside what the integers stand for. */
export interface QuantizedOptions extends Clamped {
  /** What the integers of x stand for. */
  input: Quantization;
  /** What the integers of the result stand for. */
  quantization: Quantization;
  /** int32 [n] at scale `input.scale * scale`; default none. */
  bias?: Value | undefined;
  /** Zero point of the kernel, which models of 8 bits without sign have; default 0. */
  kernelZero?: number;
}

export interface QuantizedConv2dOptions extends QuantizedOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** `valid` (default), `same`, or pixels as [[top, bottom], [left, right]]. */
  padding?: Padding;
  /** Distance of the filter's elements, default 1. */
  dilations?: number | Pair;
  /** Groups of channels that do not see each other, default 1. */
  groups?: number;
}

export const zeroOf = ({ kernelZero = 0 }: QuantizedOptions): { kernelZero?: number } =>
  kernelZero === 0 ? {} : { kernelZero };

/**
 * 2-D convolution of int8 with int32 sums: (sum + bias) times input.scale scale / quantization.scale in float32, to the nearest integer
 * (ties to even), plus the zero point, clamped.
 * @param x int8 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels / groups, filters]
 * @param scale float32 [filters], of the kernel
 * @returns int8 [batch, outHeight, outWidth, filters]
 * @throws {ShapeError} when the channels differ or a window does not fit
 * @example
 * const image = input([8, 8, 3], { dtype: "int8" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 3 * 4), [3, 3, 3, 4]));
 * const scale = constant(tensor([0.01, 0.02, 0.01, 0.03]));
 * const options = { input: { scale: 0.5, zeroPoint: -128 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * quantizedConv2d(image, kernel, scale, { ...options, padding: "same" }).shape; // [1, 8, 8, 4]
 */
export function quantizedConv2d(x: Value, kernel: Value, scale: Value, options: QuantizedConv2dOptions): Value {
  const { input, quantization, bias, strides = 1, padding = "valid", dilations = 1, groups = 1 } = options;
  const windows = { strides: pair(strides), padding, dilations: pair(dilations), ...(groups > 1 && { groups }) };
  const attrs = {
    input: { ...input },
    quantization: { ...quantization },
    ...windows,
    ...limitsOf(options),
    ...zeroOf(options),
  };
  return apply(quantizedConvOps.quantizedConv2d, weights(x, kernel, scale, bias), attrs);
}

/**
 * x kernel + bias of int8, the sums requantized as by {@link quantizedConv2d}.
 * @param x int8 [batch, ..., k]
 * @param kernel int8 [k, units]
 * @param scale float32 [units], of the kernel
 * @returns int8 [batch, ..., units]
 * @throws {ShapeError} when the inner sizes differ
 * @example
 * const x = input([64], { dtype: "int8" });
 * const kernel = constant(tensor(new Int8Array(64 * 2), [64, 2]));
 * const options = { input: { scale: 0.5, zeroPoint: -128 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * quantizedDense(x, kernel, constant(tensor([0.5, 0.25])), options).shape; // [1, 2]
 */
export function quantizedDense(x: Value, kernel: Value, scale: Value, options: QuantizedOptions): Value {
  const { input, quantization, bias } = options;
  const attrs = { input: { ...input }, quantization: { ...quantization }, ...limitsOf(options), ...zeroOf(options) };
  return apply(quantizedConvOps.quantizedDense, weights(x, kernel, scale, bias), attrs);
}
