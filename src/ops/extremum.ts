// The largest, smallest and product over axes, and where the smallest is.
import { integer } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, sizeOf } from "../shape.js";
import { div } from "./arithmetic.js";
import { wantDType, wantElements } from "./check.js";
import { equal, where } from "./comparison.js";
import { blocks, type Flow, type ReduceOptions, reducedShape, reduction, sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { transpose } from "./transpose.js";

/** The gradient of an extremum, in equal parts to all that are it, as in TensorFlow. */
function shared({ x, y, dy, axes }: Flow): Value {
  const reached = equal(x, y);
  const ties = sum(where(reached, 1, 0), axes, { keepDims: true });
  return where(reached, div(dy, ties), 0);
}

/** Each element gets the product of the others. The reduced axes go last first, where they are not neighbours. */
function others({ x, dy, axes }: Flow): Value {
  const rank = x.shape.length;
  if (axes.length === 0) return dy;
  const run = axes[axes.length - 1] - axes[0] === axes.length - 1;
  if (run) return apply(extremumOps.prodGrad, [x, dy], { first: axes[0], last: axes[axes.length - 1] });
  const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const turned = transpose(x, order);
  const flat = reshape(
    dy,
    reducedShape(turned.shape, { axes: order.map((_, i) => i).slice(kept.length), keepDims: true }),
  );
  const dx = apply(extremumOps.prodGrad, [turned, flat], { first: kept.length, last: rank - 1 });
  return transpose(
    dx,
    order.map((_, i) => order.indexOf(i)),
  );
}

export const extremumOps = {
  max: reduction("max", "f32_max", shared),
  min: reduction("min", "f32_min", shared),
  prod: reduction("prod", "f32_prod", others),
  /** dx of prod over the axes first to last: inputs x and dy. */
  prodGrad: defineOp<{ first: number; last: number }>("prodGrad", {
    internal: true,
    attrs: { first: integer(0, 7), last: integer(0, 7) },
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (emit, { inputs: [x, dy], outputs: [dx] }, { first, last }) =>
      emit.call("f32_prod_grad", ...blocks(x.shape, first, last), x, dy, dx),
    flops: ({ inputs: [x] }) => 4 * sizeOf(x.shape),
  }),
  argMin: defineOp<{ axis: number }>("argMin", {
    attrs: { axis: integer(0, 7) },
    infer([x], { axis }) {
      wantDType("argMin", "float32", x);
      normalizeAxes(axis, x.shape.length, "argMin");
      wantElements("argMin", x, axis);
      return { shape: x.shape.filter((_, i) => i !== axis), dtype: "int32" };
    },
    grad: (): Gradients => [undefined],
    lower(emit, { inputs: [x], outputs: [y] }, { axis }) {
      emit.call("f32_argmin", ...blocks(x.shape, axis, axis), x, y);
    },
  }),
};

/**
 * The largest element over axes, NaN where one is NaN, -Infinity of none. Its gradient goes in equal parts to all that are the largest.
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * max(input([3, 4]), -1).shape; // [1, 3]
 */
export function max(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "max");
  return apply(extremumOps.max, [x], { axes: normalizeAxes(axes, x.shape.length, "max"), keepDims });
}

/**
 * The smallest element over axes, NaN where one is NaN, Infinity of none; see {@link max}.
 * @example
 * min(input([3, 4]), -1, { keepDims: true }).shape; // [1, 3, 1]
 */
export function min(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "min");
  return apply(extremumOps.min, [x], { axes: normalizeAxes(axes, x.shape.length, "min"), keepDims });
}

/**
 * The product over axes, in the order of `sum`; 1 of none. Its gradient is right where elements are 0.
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * prod(input([3, 4]), [1, 2]).shape; // [1]
 */
export function prod(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "prod");
  return apply(extremumOps.prod, [x], { axes: normalizeAxes(axes, x.shape.length, "prod"), keepDims });
}

/**
 * Index of the smallest element along an axis; the first one where several are equal, a NaN counts as smallest (as in NumPy).
 * @param axis default -1, the last
 * @returns int32, without that axis
 * @throws {ShapeError} when there is no element along it
 * @example
 * argMin(input([10])).shape; // [1]
 */
export function argMin(x: Value, axis = -1): Value {
  checkValue(x, "argMin");
  return apply(extremumOps.argMin, [x], { axis: normalizeAxes(axis, x.shape.length, "argMin")[0] });
}
