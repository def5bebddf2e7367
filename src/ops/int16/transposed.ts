// Transposed convolution of int16 with int8 weights.
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { sizeOf } from "../../shape.js";
import { wantRank } from "../check.js";
import { byPhases, type Transposed, transposedShape } from "../quantized/phases.js";
import {
  type QuantizedConv2dTransposeOptions,
  transposedCheck,
  transposedOf,
  wantKernel,
} from "../quantized/transposed.js";
import { weights } from "../quantized/windows.js";
import {
  checkWeights,
  type Int16Options,
  int16ConvOps,
  MAX_TERMS,
  type ScaleAttrs,
  scaleAttrs,
  scales,
} from "./conv2d.js";
import { family } from "./fixed.js";

export const int16TransposedOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c, n], scale [n] and, where there is one, bias [n] or [2, n]. */
  int16Conv2dTranspose: defineOp<ScaleAttrs & Transposed>("int16Conv2dTranspose", {
    family,
    attrs: { ...scaleAttrs, ...transposedCheck },
    infer([x, kernel, scale, bias], attrs) {
      const op = "int16Conv2dTranspose";
      wantRank(op, 4, "an image [height, width, channels]", x);
      wantKernel(op, kernel.shape, x.shape[3], MAX_TERMS);
      checkWeights(op, kernel.shape[3], weights(x, kernel, scale, bias));
      return { shape: transposedShape(op, x, kernel, attrs), dtype: "int16" };
    },
    expand([x, kernel, scale, bias], { strides, padding, size, ...attrs }): Value | undefined {
      return byPhases(x, kernel, { strides, padding, size }, (seen, part, sides) => {
        const windows = { ...attrs, strides: [1, 1], dilations: [1, 1], padding: sides };
        return apply(int16ConvOps.int16Conv2d, weights(seen, part, scale, bias), windows);
      });
    },
    flops: ({ inputs: [x, kernel] }) => 2 * sizeOf(x.shape) * kernel.shape[0] * kernel.shape[1] * kernel.shape[3],
  }),
};

/**
 * Transposed 2-D convolution of int16 with int8 weights: every pixel of `x` adds the kernel times its channels to the result, `strides`
 * apart; sums become integers as by {@link int16Conv2d}.
 * @param x int16 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels, filters], zero point 0
 * @param scale float32 [filters], of the kernel
 * @returns int16 [batch, ...size, filters]
 * @throws {ShapeError} when the channels differ, or a result of that size does not take all of x
 * @example
 * const codes = input([7, 7, 8], { dtype: "int16" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 8 * 4), [3, 3, 8, 4]));
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * const windows = { strides: 2, padding: "same", size: [14, 14] };
 * int16Conv2dTranspose(codes, kernel, constant(tensor([1, 1, 1, 1])), { ...options, ...windows }).shape; // [1, 14, 14, 4]
 */
export const int16Conv2dTranspose = (
  x: Value,
  kernel: Value,
  scale: Value,
  options: Int16Options & QuantizedConv2dTransposeOptions,
): Value =>
  apply(int16TransposedOps.int16Conv2dTranspose, weights(x, kernel, scale, options.bias), {
    ...scales(options, "up"),
    ...transposedOf(options),
  });
