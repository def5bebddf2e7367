// Depthwise convolution of int8: every channel has a filter of its own. The image is padded first.
import { ShapeError } from "../../errors.js";
import { integer, integers } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { show, sizeOf } from "../../shape.js";
import { wantRank } from "../check.js";
import { reshape } from "../shape.js";
import { type Pair, pair } from "../window.js";
import {
  checkWeights,
  convAttrs,
  geometry,
  pack,
  type QuantizedConv2dOptions,
  type QuantizedConvAttrs,
  quantizedConvOps,
  weights,
  zeroOf,
} from "./conv2d.js";
import { padded } from "./pool.js";
import { family, type Limits, limitsCheck, limitsOf } from "./quantization.js";

interface DepthwiseAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly out: Pair;
  readonly zero: number;
}

export const quantizedDepthwiseOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c, m], scale [c m] and, where there is one, bias [c m]. */
  quantizedDepthwiseConv2d: defineOp<Omit<QuantizedConvAttrs, "groups">>("quantizedDepthwiseConv2d", {
    family,
    attrs: convAttrs,
    infer([x, kernel, scale, bias], attrs) {
      const op = "quantizedDepthwiseConv2d";
      wantRank(op, 4, "an image [height, width, channels]", x);
      const [kh, kw, c, m] = kernel.shape;
      if (kernel.shape.length !== 4 || c !== x.shape[3] || kh * kw > 2 ** 16)
        throw new ShapeError({
          op,
          expected: `a kernel [height, width, ${x.shape[3]}, m]`,
          actual: show(kernel.shape),
        });
      checkWeights(op, c * m, bias ? [x, kernel, scale, bias] : [x, kernel, scale]);
      const [rows, cols] = geometry(op, x, [kh, kw], attrs);
      return { shape: [x.shape[0], rows.out, cols.out, c * m], dtype: "int8" };
    },
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [kh, kw, c, m] = kernel.shape;
      const { strides, dilations, input, quantization, low, high } = attrs;
      if (m > 1) {
        const grouped = reshape(kernel, [kh, kw, 1, c * m]);
        return apply(quantizedConvOps.quantizedConv2d, weights(x, grouped, scale, bias), { ...attrs, groups: c });
      }
      const [rows, cols] = geometry("quantizedDepthwiseConv2d", x, [kh, kw], attrs);
      const wide = padded(x, [rows, cols], input.zeroPoint);
      const panels = pack(reshape(kernel, [kh * kw, c]), scale, bias, attrs, { runs: 1, run: kh * kw, groups: 1 });
      const out: Pair = [rows.out, cols.out];
      const windows = { size: [kh, kw], strides, dilations, out };
      return apply(quantizedDepthwiseOps.quantizedTaps, [wide, panels], {
        ...windows,
        zero: quantization.zeroPoint,
        low,
        high,
      });
    },
    flops: ({ inputs: [, kernel], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(0, 2)),
  }),

  /** Inputs a padded x and panels; the second result is workspace. */
  quantizedTaps: defineOp<DepthwiseAttrs>("quantizedTaps", {
    family,
    internal: true,
    attrs: {
      ...limitsCheck,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      out: integers(0, 2),
      zero: integer(-128, 127),
    },
    infer: ([{ shape }], { out, size }) => [
      { shape: [shape[0], ...out, shape[3]], dtype: "int8" },
      { shape: [sizeOf(size) + 1], dtype: "int32" },
    ],
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, { size, strides, dilations, out, zero, low, high }) {
      const [batch, h, w, c] = x.shape;
      const sizes = [batch, h, w, c, ...out, ...size, ...strides, ...dilations] as const;
      emit.call("i8_depthwise_conv2d", ...sizes, zero, low, high, x, packed, scratch as Value, y);
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
