// 3x3 convolutions of int8 by Winograd's F(2x2, 3x3), with the integers of the direct method: assembly/qwinograd.ts says why.
import { integer, integers } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { conv3x3Scratch } from "../../runtime/scratch.js";
import { sizeOf } from "../../shape.js";
import type { Pair } from "../window.js";
import { family, type Limits, limitsCheck } from "./quantization.js";

interface WinogradAttrs extends Limits {
  readonly out: Pair;
  readonly before: Pair;
  readonly n: number;
  readonly inputZero: number;
  readonly zero: number;
}

/** 32-bit words of a panel: biases and factors, and 8 pairs for each two channels at each position. */
const HEAD = 16;
const POSITIONS = 16;

/** Tiles done at a time: 8 to 64 measure alike, 16 least by 2 % and more. */
const BLOCK = 16;

/** Channels of which four times the sums fit 32 bits by far. */
const MAX_CHANNELS = 1024;

const tiles = ([oh, ow]: Pair): number => Math.ceil(oh / 2) * Math.ceil(ow / 2);

/**
 * Whether a convolution with strides and dilations of 1 takes less time so. Measured on Node 20 and 24, against the direct kernel: 0.67 for
 * 16 channels (32x32), 0.58 for 32, 0.54 for 64, 0.52 for 128; tiles that reach beyond the image count whole.
 */
export const isWinograd = (size: Pair, c: number, out: Pair): boolean =>
  size[0] === 3 && size[1] === 3 && c > 0 && c % 8 === 0 && c <= MAX_CHANNELS && 20 * tiles(out) < 9 * sizeOf(out);

export const quantizedWinogradOps = {
  /** Panels: inputs kernel [3, 3, c, n], factors [n] and, where there is one, bias [n]. */
  quantizedWinogradPack: defineOp<{ inputZero: number }>("quantizedWinogradPack", {
    family,
    internal: true,
    attrs: { inputZero: integer(-128, 127) },
    infer: ([{ shape }]) => ({ shape: [Math.ceil(shape[3] / 8), HEAD + POSITIONS * 4 * shape[2]], dtype: "int32" }),
    lower(emit, { inputs: [kernel, factors, bias], outputs: [y] }, { inputZero }) {
      const [, , c, n] = kernel.shape;
      emit.call("i8_conv2d_3x3_pack", c, n, inputZero, kernel, bias ?? 0, factors, y);
    },
  }),

  /** Inputs x and panels; the second result is workspace. */
  quantizedWinograd: defineOp<WinogradAttrs>("quantizedWinograd", {
    family,
    internal: true,
    attrs: {
      ...limitsCheck,
      out: integers(1, 2),
      before: integers(0, 2),
      n: integer(0),
      inputZero: integer(-128, 127),
      zero: integer(-128, 127),
    },
    infer: ([{ shape }], { out, before, n }) => [
      { shape: [shape[0], ...out, n], dtype: "int8" },
      { shape: [conv3x3Scratch([...shape, ...out, ...before, n, BLOCK])], dtype: "int8" },
    ],
    lower(emit, { inputs: [x, packed], outputs: [y, scratch] }, { out, before, n, inputZero, zero, low, high }) {
      const [batch, h, w, c] = x.shape;
      const sizes = [batch, h, w, c, ...out, ...before, n, BLOCK] as const;
      emit.call("i8_conv2d_3x3", ...sizes, inputZero, zero, low, high, x, packed, scratch as Value, y);
    },
    flops: ({ inputs: [x], outputs: [y] }) => 18 * sizeOf(y.shape) * x.shape[3],
  }),
};

/** x convolved with a kernel [3, 3, c, n] of those factors. */
export function winograd(
  x: Value,
  kernel: Value,
  factors: Value,
  bias: Value | undefined,
  attrs: Omit<WinogradAttrs, "n">,
): Value {
  const { inputZero } = attrs;
  const weights = bias ? [kernel, factors, bias] : [kernel, factors];
  const packed = apply(quantizedWinogradOps.quantizedWinogradPack, weights, { inputZero });
  return apply(quantizedWinogradOps.quantizedWinograd, [x, packed], { ...attrs, n: kernel.shape[3] });
}
