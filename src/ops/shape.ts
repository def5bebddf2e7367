// Ops that change only the shape.
import { ShapeError, told, typeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, type Shape, sameShape, show, sizeOf } from "../shape.js";

/** Fills in the one -1. @throws {ShapeError} when the element counts cannot agree */
function resolve(from: Shape, to: Shape): number[] {
  const known = sizeOf(to.filter((d) => d >= 0));
  const open = to.filter((d) => d < 0).length;
  const free = known === 0 ? sizeOf(from) : sizeOf(from) / known; // of nothing, 0 makes nothing
  const fits =
    open === 0 ? known === sizeOf(from) : open === 1 && Number.isInteger(free) && free * known === sizeOf(from);
  if (!fits) {
    throw new ShapeError({
      op: "reshape",
      expected: `${sizeOf(from)} elements, as in ${show(from)}`,
      actual: show(to),
    });
  }
  return to.map((d) => (d < 0 ? free : d));
}

export const shapeOps = {
  reshape: defineOp<{ shape: readonly number[] }>("reshape", {
    attrs: { shape: integers(-1) },
    infer: ([x], { shape }) => ({ shape: resolve(x.shape, shape), dtype: x.dtype }),
    grad: ({ inputs: [x] }, [dy]): Gradients => [reshape(dy as Value, x.shape)],
    view: true,
  }),
  /** Axes of size 1, by their place in the result; unlike a reshape it holds no sizes, so that any axis may be the batch. */
  expandDims: defineOp<{ axes: readonly number[] }>("expandDims", {
    attrs: { axes: integers(0, undefined, 7) },
    infer([x], { axes }) {
      const rank = x.shape.length + axes.length;
      const place = normalizeAxes(axes, rank, "expandDims");
      const rest = [...x.shape];
      return {
        shape: Array.from({ length: rank }, (_, i) => (place.includes(i) ? 1 : (rest.shift() ?? 1))),
        dtype: x.dtype,
      };
    },
    grad: (_node, [dy], { axes }): Gradients => [squeeze(dy as Value, axes)],
    view: true,
  }),
  /** Without those axes, all of size 1. */
  squeeze: defineOp<{ axes: readonly number[] }>("squeeze", {
    attrs: { axes: integers(0, undefined, 7) },
    infer([x], { axes }) {
      const wrong = normalizeAxes(axes, x.shape.length, "squeeze").find((axis) => x.shape[axis] !== 1);
      if (wrong !== undefined) {
        const expected = `size 1 along axis ${wrong}`;
        throw new ShapeError({ op: "squeeze", expected, actual: `${x.shape[wrong]} (input ${show(x.shape)})` });
      }
      return { shape: x.shape.filter((_, i) => !axes.includes(i)), dtype: x.dtype };
    },
    grad: (_node, [dy], { axes }): Gradients => [expandDims(dy as Value, axes)],
    view: true,
  }),
};

/**
 * The same numbers under another shape; costs nothing when it runs.
 * @param shape with the batch first; one entry may be -1 and is worked out. Write -1 for the batch, so that the model runs at any size.
 * @throws {ShapeError} when the element counts differ
 * @example
 * reshape(input([28, 28]), [-1, 784]).shape; // [1, 784]
 */
export function reshape(x: Value, shape: Shape): Value {
  checkValue(x, "reshape");
  if (!Array.isArray(shape)) throw typeError({ op: "reshape", expected: "a shape", actual: told(shape) });
  return sameShape(x.shape, shape) ? x : apply(shapeOps.reshape, [x], { shape: [...shape] });
}

/**
 * The same numbers with a new axis of size 1; costs nothing when it runs.
 * @param axes where the new axes will be in the result, negative ones from the end
 * @throws {RangeError} for an axis that the result does not have
 * @example
 * expandDims(input([28, 28]), -1).shape; // [1, 28, 28, 1]
 */
export function expandDims(x: Value, axes: number | readonly number[]): Value {
  checkValue(x, "expandDims");
  const count = typeof axes === "number" ? 1 : axes.length;
  const place = normalizeAxes(axes, x.shape.length + count, "expandDims");
  return place.length === 0 ? x : apply(shapeOps.expandDims, [x], { axes: place });
}

/**
 * The same numbers without axes of size 1; costs nothing when it runs.
 * @param axes default: all of size 1 but the first, which is the batch
 * @throws {ShapeError} when one of them has another size; {RangeError} for an axis that `x` does not have
 * @example
 * squeeze(input([28, 1, 28, 1])).shape; // [1, 28, 28]
 */
export function squeeze(x: Value, axes?: number | readonly number[]): Value {
  checkValue(x, "squeeze");
  const ones = x.shape.flatMap((d, i) => (d === 1 && i > 0 ? [i] : []));
  const gone = normalizeAxes(axes ?? ones, x.shape.length, "squeeze");
  return gone.length === 0 ? x : apply(shapeOps.squeeze, [x], { axes: gone });
}
