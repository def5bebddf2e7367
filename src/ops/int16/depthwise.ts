// Depthwise convolution of int16 with int8 weights: every channel has a filter of its own. The image is padded first.
import { integers } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { sizeOf } from "../../shape.js";
import { depthwiseShape, geometry, weights } from "../quantized/windows.js";
import { reshape } from "../shape.js";
import { axes, type Pair, pair } from "../window.js";
import {
  type ConvAttrs,
  checkWeights,
  convAttrs,
  type Int16Conv2dOptions,
  int16ConvOps,
  MAX_TERMS,
  pack,
  type Rounding,
  roundingOf,
  scaleAttrs,
  scales,
  surrounded,
} from "./conv2d.js";
import { family, type Limits, limits16 } from "./fixed.js";

interface TapsAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly rounding: Rounding;
}

export const int16DepthwiseOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c, m], scale [c m] and, where there is one, bias [c m] or [2, c m]. */
  int16DepthwiseConv2d: defineOp<Omit<ConvAttrs, "groups">>("int16DepthwiseConv2d", {
    family,
    attrs: convAttrs,
    infer([x, kernel, scale, bias], attrs) {
      const shape = depthwiseShape("int16DepthwiseConv2d", x, kernel, attrs, MAX_TERMS);
      checkWeights("int16DepthwiseConv2d", shape[3], weights(x, kernel, scale, bias));
      return { shape, dtype: "int16" };
    },
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [kh, kw, c, m] = kernel.shape;
      const { strides, dilations, rounding, low, high } = attrs;
      if (m > 1) {
        const grouped = reshape(kernel, [kh, kw, 1, c * m]);
        return apply(int16ConvOps.int16Conv2d, weights(x, grouped, scale, bias), { ...attrs, groups: c });
      }
      const sides = geometry("int16DepthwiseConv2d", x, [kh, kw], attrs);
      const panels = pack(reshape(kernel, [kh * kw, c]), scale, bias, attrs, { runs: 1, run: kh * kw, groups: 1 });
      const windows = { size: [kh, kw], strides, dilations, rounding, low, high };
      return apply(int16DepthwiseOps.int16Taps, [surrounded(x, sides), panels], windows);
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(0, 2)),
  }),

  /** Inputs x, its padding around it, and panels; the second result is workspace. */
  int16Taps: defineOp<TapsAttrs>("int16Taps", {
    family,
    internal: true,
    attrs: {
      ...limits16,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      rounding: scaleAttrs.rounding,
    },
    infer([x], { size, strides, dilations }) {
      const [rows, cols] = axes("int16Taps", x, size, strides, dilations, "valid");
      return [
        { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "int16" },
        { shape: [4 * sizeOf(size) + 148], dtype: "int8" },
      ];
    },
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, attrs) {
      const { size, strides, dilations, rounding, low, high } = attrs;
      const [batch, h, w, c] = x.shape;
      const sizes = [batch, h, w, c, y.shape[1], y.shape[2], ...size, ...strides, ...dilations] as const;
      emit.call("i16_depthwise_conv2d", ...sizes, roundingOf(rounding), low, high, x, packed, scratch as Value, y);
    },
    flops: ({ outputs: [y] }, { size }) => 2 * sizeOf(y.shape) * sizeOf(size),
  }),
};

/**
 * Depthwise convolution of int16 with int8 weights, as {@link int16Conv2d}.
 * @param x int16 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels, multiplier], zero point 0
 * @param scale float32 [channels multiplier], of the kernel
 * @returns int16 [batch, outHeight, outWidth, channels multiplier]
 * @throws {ShapeError} when the channels differ or a window does not fit
 * @example
 * const image = input([8, 8, 2], { dtype: "int16" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 2), [3, 3, 2, 1]));
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * int16DepthwiseConv2d(image, kernel, constant(tensor([0.5, 0.25])), options).shape; // [1, 6, 6, 2]
 */
export function int16DepthwiseConv2d(
  x: Value,
  kernel: Value,
  scale: Value,
  options: Omit<Int16Conv2dOptions, "groups">,
): Value {
  const { bias, strides = 1, padding = "valid", dilations = 1 } = options;
  const attrs = { ...scales(options, "up"), strides: pair(strides), padding, dilations: pair(dilations) };
  return apply(int16DepthwiseOps.int16DepthwiseConv2d, weights(x, kernel, scale, bias), attrs);
}
