// Convolutions of 3x3 filters with stride 1 by Winograd's F(4x4, 3x3), and the gradient of the filter by F(3x3, 4x4): the kernels
// are in assembly/winograd.ts. Made by the expansions in conv2d.ts where they take less time than the sums as they stand.
import { integer, integers, number } from "../graph/attrs.js";
import { defineOp } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { PANEL } from "./matmul.js";
import type { Pair } from "./window.js";

/** How the filter meets the image. */
interface Windows {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly groups: number;
}

/** `c` channels in and `n` out, results of out[0] x out[1] pixels. */
interface Problem {
  readonly c: number;
  readonly n: number;
  readonly out: Pair;
}

interface WinogradAttrs {
  readonly n: number;
  readonly out: Pair;
  /** Rows and columns of zeros before the image. */
  readonly before: Pair;
  readonly low: number;
  readonly high: number;
}

type FilterGradAttrs = Omit<WinogradAttrs, "n" | "low" | "high">;

const POSITIONS = 36;
/** Tiles done together. Forward, 4 to 64 take the same time within 5 %; the gradient writes all its sums once for each block. */
const [BLOCK, GRAD_BLOCK] = [16, 32];
/**
 * What transforming one channel of a tile costs, in multiplications and additions of the products: a pixel tile 255, a tile of
 * results 325 (Node 24, Zen 4: 43 and 55 ns for four channels at 47 GFLOP/s). `npm run bench:methods` measures the choice.
 */
const [TRANSFORM, BACK] = [255, 325];
/**
 * What a sum that all blocks of the filter's gradient add to costs, written, read and transformed back: more where all of them exceed
 * a second-level cache of 1 MB.
 */
const sumCost = (c: number, n: number): number => (POSITIONS * c * n > 2 ** 18 ? 16 : 4);

const whole = (channels: number): number => Math.ceil(channels / 4) * 4;
const packed = (k: number, n: number): number => k * Math.ceil(n / PANEL) * PANEL + 16;
const tiles = ([height, width]: Pair): number => Math.ceil(height / 4) * Math.ceil(width / 4);
/** Tiles are multiplied two at a time. */
const even = (count: number): number => 2 * Math.ceil(count / 2);
/** Elements of workspace between the rows and the columns of one tile. */
const TEMP = 4 * POSITIONS;

/** Whether the method applies to a convolution at all. */
const isPlain = ({ size, strides, dilations, groups }: Windows): boolean =>
  size.every((x) => x === 3) && [...strides, ...dilations, groups].every((x) => x === 1);

/** What a convolution costs in multiplications and additions of the products; without end where the method does not apply. */
export const winogradWork = (windows: Windows, { c, n, out }: Problem): number =>
  isPlain(windows) ? even(tiles(out)) * POSITIONS * c * n + tiles(out) * (TRANSFORM * c + BACK * n) : Infinity;

/** Whether a convolution takes less time so than as implicit GEMM. */
export const isWinograd = (windows: Windows, problem: Problem): boolean =>
  winogradWork(windows, problem) < 9 * problem.c * problem.n * sizeOf(problem.out);

/** The same for the gradient of the filter, of a batch. */
export function isWinogradFilterGrad(windows: Windows, batch: number, { c, n, out }: Problem): boolean {
  const work = batch * tiles(out) * (POSITIONS * c * n + TRANSFORM * (c + n)) + POSITIONS * c * n * sumCost(c, n);
  return isPlain(windows) && work < 9 * c * n * batch * sizeOf(out);
}

const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
const windowAttrs = { out: integers(1, 2), before: integers(-(2 ** 31), 2) };

export const winogradOps = {
  /** A transformed filter, packed; its second result is workspace. */
  winogradFilter: defineOp("winogradFilter", {
    internal: true,
    infer: ([{ shape }]) => [floats([POSITIONS, packed(shape[2], shape[3])]), floats([TEMP])],
    lower(emit, { inputs: [f], outputs: [u, temp] }) {
      emit.call("f32_conv2d_3x3_winograd_filter", f.shape[2], f.shape[3], f, u, temp as Value);
    },
  }),

  /** clamp(x * f + bias): inputs x, the transformed filter, and bias [n] where fused; the second result is workspace. */
  winograd: defineOp<WinogradAttrs>("winograd", {
    internal: true,
    attrs: { ...windowAttrs, n: integer(0), low: number(), high: number() },
    infer([{ shape }], { n, out }) {
      const [inputs, sums] = [whole(shape[3]), whole(n)];
      const scratch = TEMP + POSITIONS * (inputs + BLOCK * (inputs + sums) + 32);
      return [floats([shape[0], ...out, n]), floats([scratch])];
    },
    lower(emit, { inputs: [x, u, bias = 0], outputs: [y, scratch] }, { out, before, n, low, high }) {
      const [batch, h, w, c] = x.shape;
      const sizes = [h, w, c, ...out, ...before, n, 0, batch * tiles(out), BLOCK] as const;
      emit.call("f32_conv2d_3x3_winograd", ...sizes, x, u, bias, y, scratch as Value, low, high);
    },
    flops: ({ inputs: [x], outputs: [y] }) => 18 * x.shape[3] * sizeOf(y.shape),
    epilogue: true,
  }),

  /** The gradient of the filter: inputs x and dy; the second result is workspace. */
  winogradFilterGrad: defineOp<FilterGradAttrs>("winogradFilterGrad", {
    internal: true,
    attrs: windowAttrs,
    infer([x, dy]) {
      const [c, n] = [x.shape[3], dy.shape[3]];
      const patch = Math.max(POSITIONS * whole(c), 16 * whole(n));
      const positions = GRAD_BLOCK * whole(c) + packed(GRAD_BLOCK, n) + whole(c) * whole(n) + 32;
      return [floats([3, 3, c, n]), floats([TEMP + patch + POSITIONS * positions])];
    },
    lower(emit, { inputs: [x, dy], outputs: [df, scratch] }, { out, before }) {
      const [batch, h, w, c] = x.shape;
      const n = dy.shape[3];
      const sizes = [batch, h, w, c, ...out, ...before, n, 0, n, GRAD_BLOCK] as const;
      emit.call("f32_conv2d_3x3_winograd_filter_grad", ...sizes, x, dy, df, scratch as Value);
    },
    flops: ({ inputs: [x, dy] }) => 18 * x.shape[3] * sizeOf(dy.shape),
  }),
};

const floats = (shape: readonly number[]): Spec => ({ shape, dtype: "float32" });

/** x convolved with a filter [3, 3, c, n], `before` rows and columns of zeros around it. */
export function winograd(x: Value, f: Value, n: number, out: Pair, before: Pair): Value {
  return apply(winogradOps.winograd, [x, apply(winogradOps.winogradFilter, [f])], { n, out, before, ...limits });
}
