// Convolution and dense layers of int16 with int8 weights: one kernel on panels packed once, which hold weights, biases and factors. The
// image is padded first.
import { ShapeError } from "../../errors.js";
import { integer, integers, number, oneOf, optional } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Spec, type Value } from "../../graph/value.js";
import { show, sizeOf } from "../../shape.js";
import { wantDType } from "../check.js";
import { padding as padded } from "../pad.js";
import type { QuantizedConv2dOptions, QuantizedOptions } from "../quantized/conv2d.js";
import { convShape, denseShape, geometry, runsOf, type Windows, weights } from "../quantized/windows.js";
import { reshape } from "../shape.js";
import { type Axis, axes, type Pair, paddingCheck, pair } from "../window.js";
import { family, type Limits, limits16, limitsOf16, type Quantization, quantized16, wantInt16 } from "./fixed.js";

/**
 * How a sum becomes an integer of 16 bits: `up` takes the factor to 15 bits, ties go up (TensorFlow Lite's convolutions with biases of 64 bits);
 * `away` has it in float64, ties away from zero (its dense layers); `fixed` has sums of 32 bits, which wrap, and factors of 31 bits,
 * rounded twice (its convolutions with biases of 32 bits).
 */
export type Rounding = "up" | "away" | "fixed";
const ROUNDINGS = ["up", "away", "fixed"] as const;

export interface ScaleAttrs extends Limits {
  readonly input: Quantization;
  readonly quantization: Quantization;
  readonly rounding: Rounding;
}

export interface ConvAttrs extends ScaleAttrs, Windows {}

export const scaleAttrs = {
  ...limits16,
  input: quantized16,
  quantization: quantized16,
  rounding: oneOf(...ROUNDINGS),
};

export const convAttrs = {
  ...scaleAttrs,
  strides: integers(1, 2),
  padding: paddingCheck,
  dilations: integers(1, 2),
};

interface PackAttrs {
  readonly runs: number;
  readonly run: number;
  readonly groups: number;
  readonly inScale: number;
  readonly outScale: number;
  readonly rounding: Rounding;
}

interface GemmAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly n: number;
  readonly groups: number;
  readonly rounding: Rounding;
}

/** Columns of a panel, and the 32-bit words before its pairs: biases and factors of 64 bits. */
const COLUMNS = 8;
const HEAD = 4 * COLUMNS;

/** Bytes of an image that windows done together begin in: with a panel they fit the first-level cache. */
const BLOCK = 16384;

/** Sums of so many products of 22 bits, and a bias of 36, stay below 2^38. */
export const MAX_TERMS = 2 ** 15;

/** A rounding as kernels have it. */
export const roundingOf = (rounding: Rounding): number => ROUNDINGS.indexOf(rounding);

/** @throws {ShapeError} unless weights, scale and bias fit n outputs */
export function checkWeights(op: string, n: number, [x, kernel, scale, bias]: readonly Spec[]): void {
  wantInt16(op, x);
  wantDType(op, "int8", kernel);
  wantDType(op, "float32", scale);
  if (bias) wantDType(op, "int32", bias);
  const one = ({ shape }: Spec) => shape.length === 1 && shape[0] === n;
  const two = ({ shape }: Spec) => shape.length === 2 && shape[0] === 2 && shape[1] === n;
  if (one(scale) && (!bias || one(bias) || two(bias))) return;
  const expected = `a scale of ${n} and a bias of ${n}, or [2, ${n}], for kernel ${show(kernel.shape)}`;
  throw new ShapeError({ op, expected, actual: bias && one(scale) ? show(bias.shape) : show(scale.shape) });
}

export const int16ConvOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c / groups, n], scale [n] and, where there is one, bias [n] or [2, n]. */
  int16Conv2d: defineOp<ConvAttrs>("int16Conv2d", {
    family,
    attrs: { ...convAttrs, groups: optional(integer(1)) },
    infer([x, kernel, scale, bias], attrs) {
      const shape = convShape("int16Conv2d", x, kernel, attrs, MAX_TERMS);
      checkWeights("int16Conv2d", shape[3], weights(x, kernel, scale, bias));
      return { shape, dtype: "int16" };
    },
    expand([x, kernel, scale, bias], { groups = 1, ...attrs }): Value | undefined {
      const [kh, kw, , n] = kernel.shape;
      const packed = pack(kernel, scale, bias, attrs, runsOf(kernel, { ...attrs, groups }));
      const { strides, dilations } = attrs;
      const sides = geometry("int16Conv2d", x, [kh, kw], attrs);
      return gemm(surrounded(x, sides), packed, { size: [kh, kw], strides, dilations, n, groups }, attrs);
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(0, 3)),
  }),

  /** Inputs x [..., k], kernel [k, n], scale [n] and, where there is one, bias [n] or [2, n]. */
  int16Dense: defineOp<ScaleAttrs>("int16Dense", {
    family,
    attrs: scaleAttrs,
    infer([x, kernel, scale, bias]) {
      const shape = denseShape("int16Dense", x, kernel, MAX_TERMS);
      checkWeights("int16Dense", kernel.shape[1], weights(x, kernel, scale, bias));
      return { shape, dtype: "int16" };
    },
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [k, n] = kernel.shape;
      const packed = pack(kernel, scale, bias, attrs, { runs: 1, run: k, groups: 1 });
      const row = reshape(x, [1, 1, sizeOf(x.shape.slice(0, -1)), k]);
      const one: Pair = [1, 1];
      const y = gemm(row, packed, { size: one, strides: one, dilations: one, n, groups: 1 }, attrs);
      return reshape(y, [...x.shape.slice(0, -1), n]);
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * kernel.shape[0],
  }),

  /** Panels for i16_conv2d and i16_depthwise_conv2d: inputs kernel [..., n], scale [n] and, where there is one, bias [n] or [2, n]. */
  int16Pack: defineOp<PackAttrs>("int16Pack", {
    family,
    internal: true,
    attrs: {
      runs: integer(0),
      run: integer(0),
      groups: integer(1),
      inScale: number(0),
      outScale: number(0),
      rounding: scaleAttrs.rounding,
    },
    infer([kernel], { runs, run, groups }) {
      const width = Math.ceil((kernel.shape.at(-1) as number) / groups / COLUMNS);
      return { shape: [groups, width, HEAD + runs * Math.ceil(run / 2) * COLUMNS], dtype: "int32" };
    },
    lower(emit, { inputs: [kernel, scale, bias], outputs: [y] }, { runs, run, groups, inScale, outScale, rounding }) {
      const n = kernel.shape.at(-1) as number;
      const scales = [roundingOf(rounding), inScale, outScale] as const;
      const words = bias?.shape.length === 2 ? 2 : 1;
      emit.call("i16_gemm_pack", runs, run, n, groups, ...scales, kernel, words, bias ?? 0, scale, y);
    },
  }),

  /** Inputs x, its padding around it, and panels; the second result is workspace. */
  int16Gemm: defineOp<GemmAttrs>("int16Gemm", {
    family,
    internal: true,
    attrs: {
      ...limits16,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      n: integer(0),
      groups: integer(1),
      rounding: scaleAttrs.rounding,
    },
    infer([x], { size, strides, dilations, n }) {
      const [rows, cols] = axes("int16Gemm", x, size, strides, dilations, "valid");
      return [
        { shape: [x.shape[0], rows.out, cols.out, n], dtype: "int16" },
        { shape: [4 * (blockOf(x, strides) + sizeOf(size)) + 336], dtype: "int8" },
      ];
    },
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, attrs) {
      const { size, strides, dilations, n, groups, rounding, low, high } = attrs;
      const [batch, h, w, c] = x.shape;
      const sizes = [batch, h, w, c, y.shape[1], y.shape[2], ...size, ...strides, ...dilations, n, groups] as const;
      const block = blockOf(x, strides);
      emit.call("i16_conv2d", ...sizes, block, roundingOf(rounding), low, high, x, packed, scratch as Value, y);
    },
    flops: ({ inputs: [x], outputs: [y] }, { size, groups }) =>
      (2 * sizeOf(y.shape) * sizeOf(size) * x.shape[3]) / groups,
  }),
};

/** Pixels done with all panels before the next ones. */
const blockOf = ({ shape }: Spec, [, sw]: Pair): number =>
  Math.max(16, Math.floor(BLOCK / (2 * Math.max(1, shape[3] * sw))) & ~3);

/** x with zeros around it, as far as its windows reach beyond it. */
export function surrounded(x: Value, [rows, cols]: readonly [Axis, Axis]): Value {
  const after = (axis: Axis, n: number) => Math.max(0, axis.padded - axis.before - n);
  const high = [0, after(rows, x.shape[1]), after(cols, x.shape[2]), 0];
  return padded(x, { low: [0, rows.before, cols.before, 0], high, interior: [0, 0, 0, 0] });
}

/** Panels of weights, biases and factors. */
export function pack(
  kernel: Value,
  scale: Value,
  bias: Value | undefined,
  { input, quantization, rounding }: ScaleAttrs,
  runs: { runs: number; run: number; groups: number },
): Value {
  const attrs = { ...runs, inScale: input.scale, outScale: quantization.scale, rounding };
  return apply(int16ConvOps.int16Pack, bias ? [kernel, scale, bias] : [kernel, scale], attrs);
}

type Sizes = Omit<GemmAttrs, keyof Limits | "rounding">;

const gemm = (x: Value, packed: Value, windows: Sizes, { rounding, low, high }: ScaleAttrs): Value =>
  apply(int16ConvOps.int16Gemm, [x, packed], { ...windows, rounding, low, high });

export interface Int16Options extends QuantizedOptions {
  /** int32 [n] at scale `input.scale * scale`, or [2, n]: the low and the high words of 64 bits, less than 2^36; default none. */
  bias?: Value | undefined;
  /**
   * How sums become integers of 16 bits. `up`: factors of 15 bits, ties up, as TensorFlow Lite's convolutions with biases of 64 bits. `away`:
   * factors in float64, ties away from zero, as its dense layers. `fixed`: sums of 32 bits, which wrap, factors of 31 bits, rounded twice,
   * as its convolutions with biases of 32 bits. Default `up`, for dense layers `away`.
   */
  rounding?: Rounding;
}

export type Int16Conv2dOptions = Int16Options & QuantizedConv2dOptions;

export const scales = (options: Int16Options, rounding: Rounding): ScaleAttrs => ({
  input: { ...options.input },
  quantization: { ...options.quantization },
  rounding: options.rounding ?? rounding,
  ...limitsOf16(options),
});

/**
 * 2-D convolution of int16 with int8 weights, zero points 0: exact sums, with the bias, times input.scale scale / quantization.scale,
 * rounded, clamped.
 * @param x int16 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels / groups, filters], zero point 0; sums of at most 2^15 terms
 * @param scale float32 [filters], of the kernel
 * @returns int16 [batch, outHeight, outWidth, filters]
 * @throws {ShapeError} when the channels differ or a window does not fit
 * @example
 * const image = input([8, 8, 3], { dtype: "int16" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 3 * 4), [3, 3, 3, 4]));
 * const scale = constant(tensor([0.01, 0.02, 0.01, 0.03]));
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * int16Conv2d(image, kernel, scale, { ...options, padding: "same" }).shape; // [1, 8, 8, 4]
 */
export function int16Conv2d(x: Value, kernel: Value, scale: Value, options: Int16Conv2dOptions): Value {
  const { bias, strides = 1, padding = "valid", dilations = 1, groups = 1 } = options;
  const windows = { strides: pair(strides), padding, dilations: pair(dilations), ...(groups > 1 && { groups }) };
  return apply(int16ConvOps.int16Conv2d, weights(x, kernel, scale, bias), { ...scales(options, "up"), ...windows });
}

/**
 * x kernel + bias of int16 with int8 weights, as {@link int16Conv2d}.
 * @param x int16 [batch, ..., k]
 * @param kernel int8 [k, units], zero point 0
 * @param scale float32 [units], of the kernel
 * @returns int16 [batch, ..., units]
 * @throws {ShapeError} when the inner sizes differ
 * @example
 * const x = input([64], { dtype: "int16" });
 * const kernel = constant(tensor(new Int8Array(64 * 2), [64, 2]));
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * int16Dense(x, kernel, constant(tensor([0.5, 0.25])), options).shape; // [1, 2]
 */
export const int16Dense = (x: Value, kernel: Value, scale: Value, options: Int16Options): Value =>
  apply(int16ConvOps.int16Dense, weights(x, kernel, scale, options.bias), { ...scales(options, "away") });
