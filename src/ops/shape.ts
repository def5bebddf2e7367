// Ops that change only the shape.
import { ShapeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { type Shape, sameShape, show, sizeOf } from "../shape.js";

/** Fills in the one -1. @throws {ShapeError} when the element counts cannot agree */
function resolve(from: Shape, to: Shape): number[] {
  const known = sizeOf(to.filter((d) => d >= 0));
  const open = to.filter((d) => d < 0).length;
  const free = known === 0 ? 0 : sizeOf(from) / known;
  const fits = open === 0 ? known === sizeOf(from) : open === 1 && Number.isInteger(free);
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
};

/**
 * The same numbers under another shape; costs nothing when it runs.
 * @param shape with the batch first; one entry may be -1 and is worked out. Write -1 for the batch, so that the model runs at any size.
 * @throws {ShapeError} when the element counts differ
 * @example
 * reshape(input([28, 28]), [-1, 784]).shape; // [1, 784]
 */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(shapeOps.reshape, [x], { shape: [...shape] });
