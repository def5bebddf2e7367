// Reductions over axes. The kernels reduce one run of neighbouring axes; several runs are several reductions.
import { boolean, integer, integers } from "../graph/attrs.js";
import { defineOp, type Gradients, type KernelName, type Op } from "../graph/op.js";
import { apply, checkValue, type Spec, type Value } from "../graph/value.js";
import { normalizeAxes, type Shape, sameShape, sizeOf } from "../shape.js";
import type { DType } from "../tensor.js";
import { mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType, wantElements } from "./check.js";
import { reshape } from "./shape.js";

export interface ReduceAttrs {
  /** Ascending, without repeats. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** A shape without its axes, or with 1 in their places. */
export const reducedShape = (shape: Shape, { axes, keepDims }: ReduceAttrs): number[] =>
  keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));

/** `axes` of a shape as one block: what lies outside, the block, what lies inside. */
export function blocks(shape: Shape, first: number, last: number): [outer: number, reduce: number, inner: number] {
  return [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, last + 1)), sizeOf(shape.slice(last + 1))];
}

type ReduceKernel = Extract<
  KernelName,
  "f32_sum" | "f32_mean" | "f32_max" | "f32_min" | "f32_prod" | "u8_any" | "u8_all"
>;

/** What flows back into a reduction: `y` and `dy` with the reduced axes kept, and how many elements became one. */
export interface Flow {
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly axes: readonly number[];
  readonly count: number;
}

/** An op that a reducing kernel does. Its gradient is repeated to the shape of x. */
export function reduction(
  name: string,
  kernel: ReduceKernel,
  grad: (flow: Flow) => Value,
  dtype: DType = "float32",
): Op {
  const op = defineOp<ReduceAttrs>(name, {
    attrs: { axes: integers(0, undefined, 7), keepDims: boolean },
    infer([x], attrs): Spec {
      wantDType(name, dtype, x);
      normalizeAxes(attrs.axes, x.shape.length, name);
      return { shape: reducedShape(x.shape, attrs), dtype };
    },
    grad({ inputs: [x], outputs: [y] }, [dy], { axes }): Gradients {
      const kept = reducedShape(x.shape, { axes, keepDims: true });
      const count = sizeOf(axes.map((axis) => x.shape[axis]));
      const flow = { x, y: reshape(y, kept), dy: reshape(dy as Value, kept), axes, count };
      return [broadcastTo(grad(flow), x.shape)];
    },
    expand([x], { axes, keepDims }): Value | undefined {
      const gap = axes.findLastIndex((axis, i) => i > 0 && axes[i - 1] !== axis - 1);
      if (gap < 0) return undefined;
      const inner = apply(op, [x], { axes: axes.slice(gap), keepDims: true });
      const outer = apply(op, [inner], { axes: axes.slice(0, gap), keepDims: true });
      return keepDims ? outer : reshape(outer, reducedShape(x.shape, { axes, keepDims }));
    },
    lower(emit, { inputs: [x], outputs: [y] }, { axes }) {
      const [outer, reduce, inner] =
        axes.length === 0 ? [sizeOf(x.shape), 1, 1] : blocks(x.shape, axes[0], axes[axes.length - 1]);
      emit.call(kernel, outer, reduce, inner, x, y);
    },
    flops: ({ inputs: [x] }) => sizeOf(x.shape),
  });
  return op;
}

export const reduceOps = {
  sum: reduction("sum", "f32_sum", ({ dy }) => dy),
  mean: reduction("mean", "f32_mean", ({ dy, count }) => mul(dy, 1 / count)),
  argMax: defineOp<{ axis: number }>("argMax", {
    attrs: { axis: integer(0, 7) },
    infer([x], { axis }) {
      wantDType("argMax", "float32", x);
      normalizeAxes(axis, x.shape.length, "argMax");
      wantElements("argMax", x, axis);
      return { shape: x.shape.filter((_, i) => i !== axis), dtype: "int32" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { axis }) {
      emit.call("f32_argmax", ...blocks(x.shape, axis, axis), x, y);
    },
  }),
};

export interface ReduceOptions {
  /** Keep the reduced axes with size 1; default false. */
  keepDims?: boolean;
}

/**
 * Sum over axes. Order: sequential where later axes remain; else 16 interleaved partial sums (see ARCHITECTURE.md).
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * sum(input([3, 4]), [1, 2]).shape; // [1]
 */
export function sum(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "sum");
  return apply(reduceOps.sum, [x], { axes: normalizeAxes(axes, x.shape.length, "sum"), keepDims });
}

/**
 * Mean over axes: the sum, divided by the count once; see {@link sum}.
 * @example
 * mean(input([3, 4]), -1, { keepDims: true }).shape; // [1, 3, 1]
 */
export function mean(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "mean");
  return apply(reduceOps.mean, [x], { axes: normalizeAxes(axes, x.shape.length, "mean"), keepDims });
}

/**
 * Index of the largest element along an axis; the first one where several are equal, a NaN counts as largest (as in NumPy).
 * @param axis default -1, the last
 * @returns int32, without that axis
 * @throws {ShapeError} when there is no element along it
 * @example
 * argMax(input([10])).shape; // [1]
 */
export function argMax(x: Value, axis = -1): Value {
  checkValue(x, "argMax");
  return apply(reduceOps.argMax, [x], { axis: normalizeAxes(axis, x.shape.length, "argMax")[0] });
}

/** Sums a gradient back to the shape its operand had before broadcasting. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape);
}
