// Depthwise convolution of int8: every channel has a filter of its own.
import { boolean, integer, integers } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { depthwiseScratch } from "../../runtime/scratch.js";
import { sizeOf } from "../../shape.js";
import { reshape } from "../shape.js";
import { type Pair, pair } from "../window.js";
import {
  checkWeights,
  convAttrs,
  factorsOf,
  MAX_TERMS,
  type QuantizedConv2dOptions,
  type QuantizedConvAttrs,
  quantizedConvOps,
  zeroOf,
} from "./conv2d.js";
import { family, type Limits, limitsCheck, limitsOf } from "./quantization.js";
import { depthwiseShape, geometry, weights } from "./windows.js";

interface DepthwiseAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly before: Pair;
  readonly out: Pair;
  readonly inputZero: number;
  readonly zero: number;
  /** Not for windows of three columns and at most three rows and weights of 8 bits alone. */
  readonly any: boolean;
}

type PackAttrs = Pick<DepthwiseAttrs, "inputZero" | "any"> & { readonly kernelZero: number };

/** Channels of a panel; what is in it is up to the kernels, and these words hold either of their layouts. */
const CHANNELS = 8;

export const quantizedDepthwiseOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c, m], scale [c m] and, where there is one, bias [c m]. */
  quantizedDepthwiseConv2d: defineOp<Omit<QuantizedConvAttrs, "groups">>("quantizedDepthwiseConv2d", {
    family,
    attrs: convAttrs,
    infer([x, kernel, scale, bias], attrs) {
      const shape = depthwiseShape("quantizedDepthwiseConv2d", x, kernel, attrs, MAX_TERMS);
      checkWeights("quantizedDepthwiseConv2d", shape[3], weights(x, kernel, scale, bias));
      return { shape, dtype: "int8" };
    },
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [kh, kw, c, m] = kernel.shape;
      const { strides, dilations, input, quantization, low, high } = attrs;
      if (m > 1) {
        const grouped = reshape(kernel, [kh, kw, 1, c * m]);
        return apply(quantizedConvOps.quantizedConv2d, weights(x, grouped, scale, bias), { ...attrs, groups: c });
      }
      const [rows, cols] = geometry("quantizedDepthwiseConv2d", x, [kh, kw], attrs);
      const { kernelZero = 0 } = attrs;
      const inputZero = input.zeroPoint;
      const factors = factorsOf(scale, attrs);
      const any = kernelZero !== 0 || kw !== 3 || kh > 3;
      const packed = apply(
        quantizedDepthwiseOps.quantizedTapsPack,
        bias ? [kernel, factors, bias] : [kernel, factors],
        { inputZero, kernelZero, any },
      );
      return apply(quantizedDepthwiseOps.quantizedTaps, [x, packed], {
        size: [kh, kw],
        strides,
        dilations,
        before: [rows.before, cols.before],
        out: [rows.out, cols.out],
        inputZero,
        zero: quantization.zeroPoint,
        low,
        high,
        any,
      });
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(0, 2)),
  }),

  /** Panels: inputs kernel [kh, kw, c, 1], factors [c] and, where there is one, bias [c]. */
  quantizedTapsPack: defineOp<PackAttrs>("quantizedTapsPack", {
    family,
    internal: true,
    attrs: { inputZero: integer(-128, 127), kernelZero: integer(-128, 127), any: boolean },
    infer: ([
      {
        shape: [kh, kw, c],
      },
    ]) => ({
      shape: [Math.ceil(c / CHANNELS), 2 * CHANNELS + kw * Math.ceil(kh / 2) * CHANNELS],
      dtype: "int32",
    }),
    lower(emit, { inputs: [kernel, factors, bias], outputs: [y] }, { inputZero, kernelZero, any }) {
      const [kh, kw, c] = kernel.shape;
      const name = any ? "i8_depthwise_pack_any" : "i8_depthwise_pack";
      emit.call(name, kh, kw, c, inputZero, kernelZero, kernel, bias ?? 0, factors, y);
    },
  }),

  /** Inputs x and panels; the second result is workspace. */
  quantizedTaps: defineOp<DepthwiseAttrs>("quantizedTaps", {
    family,
    internal: true,
    attrs: {
      ...limitsCheck,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      before: integers(0, 2),
      out: integers(0, 2),
      inputZero: integer(-128, 127),
      zero: integer(-128, 127),
      any: boolean,
    },
    infer: ([{ shape }], { out, size }) => [
      { shape: [shape[0], ...out, shape[3]], dtype: "int8" },
      { shape: [depthwiseScratch([...shape, ...out, ...size])], dtype: "int8" },
    ],
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, attrs) {
      const { size, strides, dilations, before, out, inputZero, zero, low, high } = attrs;
      const [batch, h, w, c] = x.shape;
      const sizes = [batch, h, w, c, ...out, ...size, ...strides, ...dilations, ...before] as const;
      emit.call(
        attrs.any ? "i8_depthwise_conv2d_any" : "i8_depthwise_conv2d",
        ...sizes,
        inputZero,
        zero,
        low,
        high,
        x,
        packed,
        scratch as Value,
        y,
      );
    },
    flops: ({ outputs: [y] }, { size }) => 2 * sizeOf(y.shape) * sizeOf(size),
  }),
};

/**
 * Depthwise convolution of int8, the sums requantized as by {@link quantizedConv2d}.
 * @param x int8 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels, multiplier]
 * @param scale float32 [channels multiplier], of the kernel
 * @returns int8 [batch, outHeight, outWidth, channels multiplier]
 * @throws {ShapeError} when the channels differ or a window does not fit
 * @example
 * const image = input([8, 8, 2], { dtype: "int8" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 2), [3, 3, 2, 1]));
 * const options = { input: { scale: 0.5, zeroPoint: -128 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * quantizedDepthwiseConv2d(image, kernel, constant(tensor([0.5, 0.25])), options).shape; // [1, 6, 6, 2]
 */
export function quantizedDepthwiseConv2d(
  x: Value,
  kernel: Value,
  scale: Value,
  options: Omit<QuantizedConv2dOptions, "groups">,
): Value {
  const { input, quantization, bias, strides = 1, padding = "valid", dilations = 1 } = options;
  const windows = { strides: pair(strides), padding, dilations: pair(dilations) };
  const attrs = {
    input: { ...input },
    quantization: { ...quantization },
    ...windows,
    ...limitsOf(options),
    ...zeroOf(options),
  };
  return apply(quantizedDepthwiseOps.quantizedDepthwiseConv2d, weights(x, kernel, scale, bias), attrs);
}
