// Transposed convolution of int8.
import { ShapeError } from "../../errors.js";
import { integers } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { show, sizeOf } from "../../shape.js";
import { wantRank } from "../check.js";
import { type Padding, type Pair, paddingCheck, pair } from "../window.js";
import { checkWeights, convAttrs, MAX_TERMS, type QuantizedOptions, quantizedConvOps, zeroOf } from "./conv2d.js";
import { byPhases, type Transposed, transposedShape } from "./phases.js";
import { family, type Limits, limitsCheck, limitsOf, type Quantization, quantized } from "./quantization.js";
import { weights } from "./windows.js";

interface TransposedAttrs extends Limits, Transposed {
  readonly input: Quantization;
  readonly quantization: Quantization;
  readonly kernelZero?: number;
}

export const transposedCheck = { strides: integers(1, 2), padding: paddingCheck, size: integers(1, 2) };

export const quantizedTransposedOps = {
  /** Inputs x [batch, h, w, c], kernel [kh, kw, c, n], scale [n] and, where there is one, bias [n]. */
  quantizedConv2dTranspose: defineOp<TransposedAttrs>("quantizedConv2dTranspose", {
    family,
    attrs: {
      ...limitsCheck,
      ...transposedCheck,
      input: quantized,
      quantization: quantized,
      kernelZero: convAttrs.kernelZero,
    },
    infer([x, kernel, scale, bias], attrs) {
      const op = "quantizedConv2dTranspose";
      wantRank(op, 4, "an image [height, width, channels]", x);
      wantKernel(op, kernel.shape, x.shape[3], MAX_TERMS);
      checkWeights(op, kernel.shape[3], weights(x, kernel, scale, bias));
      return { shape: transposedShape(op, x, kernel, attrs), dtype: "int8" };
    },
    expand([x, kernel, scale, bias], { strides, padding, size, ...attrs }): Value | undefined {
      return byPhases(x, kernel, { strides, padding, size, ...zeroOf(attrs) }, (seen, part, sides) => {
        const windows = { ...attrs, strides: [1, 1], dilations: [1, 1], padding: sides };
        return apply(quantizedConvOps.quantizedConv2d, weights(seen, part, scale, bias), windows);
      });
    },
    flops: ({ inputs: [x, kernel] }) => 2 * sizeOf(x.shape) * kernel.shape[0] * kernel.shape[1] * kernel.shape[3],
  }),
};

/** @throws {ShapeError} unless it is the kernel of a transposed convolution of so many channels */
export function wantKernel(op: string, shape: readonly number[], c: number, terms: number): void {
  if (shape.length === 4 && shape[2] === c && shape[0] * shape[1] * c <= terms) return;
  throw new ShapeError({
    op,
    expected: `a kernel [height, width, ${c}, n] of at most ${terms} terms`,
    actual: show(shape),
  });
}

export interface QuantizedConv2dTransposeOptions extends QuantizedOptions {
  /** Height and width of the result: a convolution of that with the same strides and padding gives the size of x, or more. */
  size: Pair;
  /** Default 1. */
  strides?: number | Pair;
  /** Of that convolution: `valid` (default), `same`, or pixels as [[top, bottom], [left, right]]. */
  padding?: Padding;
}

export const transposedOf = ({
  size,
  strides = 1,
  padding = "valid",
}: QuantizedConv2dTransposeOptions): Transposed => ({
  size: [...size],
  strides: pair(strides),
  padding,
});

/**
 * Transposed 2-D convolution of int8: every pixel of `x` adds the kernel times its channels to the result, `strides` apart; the sums are
 * requantized as by {@link quantizedConv2d}.
 * @param x int8 [batch, height, width, channels]
 * @param kernel int8 [height, width, channels, filters]
 * @param scale float32 [filters], of the kernel
 * @returns int8 [batch, ...size, filters]
 * @throws {ShapeError} when the channels differ, or a result of that size does not take all of x
 * @example
 * const codes = input([7, 7, 8], { dtype: "int8" });
 * const kernel = constant(tensor(new Int8Array(3 * 3 * 8 * 4), [3, 3, 8, 4]));
 * const options = { input: { scale: 0.5, zeroPoint: -128 }, quantization: { scale: 0.25, zeroPoint: 0 } };
 * const windows = { strides: 2, padding: "same", size: [14, 14] };
 * quantizedConv2dTranspose(codes, kernel, constant(tensor([1, 1, 1, 1])), { ...options, ...windows }).shape; // [1, 14, 14, 4]
 */
export function quantizedConv2dTranspose(
  x: Value,
  kernel: Value,
  scale: Value,
  options: QuantizedConv2dTransposeOptions,
): Value {
  const { input, quantization, bias } = options;
  const attrs = {
    input: { ...input },
    quantization: { ...quantization },
    ...transposedOf(options),
    ...limitsOf(options),
    ...zeroOf(options),
  };
  return apply(quantizedTransposedOps.quantizedConv2dTranspose, weights(x, kernel, scale, bias), attrs);
}
