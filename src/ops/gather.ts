// Elements by index: rows of a table, their gradient, and one-hot rows.
import { rangeError, ShapeError } from "../errors.js";
import { integer } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, sameShape, show, sizeOf } from "../shape.js";
import { bytesOf } from "../tensor.js";
import { wantDType } from "./check.js";
import { blocks } from "./reduce.js";

export const gatherOps = {
  // Inputs: x, and the indices, whose axes take the place of `axis`.
  gather: defineOp<{ axis: number }>("gather", {
    attrs: { axis: integer(0, 7) },
    infer([x, indices], { axis }) {
      normalizeAxes(axis, x.shape.length, "gather");
      wantDType("gather", "int32", indices);
      return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
    },
    grad: ({ inputs: [x, indices] }, [dy], { axis }): Gradients => [
      scatterAdd(dy as Value, indices, x.shape[axis], axis),
      undefined,
    ],
    fed: {
      input: 1,
      check: ({ data, shape }, facts, [x], { axis }) => {
        const count = x.shape[axis];
        const wrong = data.findIndex((index) => !(index >= 0 && index < count));
        if (wrong < 0) return;
        const each = sizeOf(shape.slice(1));
        const sample = Math.floor(wrong / each);
        const place = each > 1 ? ` at position ${wrong - sample * each}` : "";
        const actual = `${data[wrong]}${place} (sample ${sample})`;
        throw rangeError({ ...facts, expected: `indices in [0, ${count - 1}]`, actual });
      },
    },
    lower(emit, { inputs: [x, indices], outputs: [y] }, { axis }) {
      const width = bytesOf(x.dtype);
      const [outer, size, inner] = blocks(x.shape, axis, axis);
      // Elements of two bytes are rows of two elements of one.
      const row = width === 2 ? 2 * inner : inner;
      emit.call(width === 4 ? "x32_gather" : "x8_gather", outer, size, row, sizeOf(indices.shape), x, indices, y);
    },
  }),
  // Inputs: the updates, and the indices; the axes that they share begin at `axis` and become one of `size`.
  scatterAdd: defineOp<{ axis: number; size: number }>("scatterAdd", {
    attrs: { axis: integer(0, 7), size: integer(0) },
    infer([updates, indices], { axis, size }) {
      wantDType("scatterAdd", "float32", updates);
      wantDType("scatterAdd", "int32", indices);
      const end = axis + indices.shape.length;
      if (end > updates.shape.length || !sameShape(updates.shape.slice(axis, end), indices.shape)) {
        const expected = `updates [${"..., ".repeat(Number(axis > 0))}${indices.shape.join(", ")}, ...] from axis ${axis} on`;
        throw new ShapeError({ op: "scatterAdd", expected, actual: show(updates.shape) });
      }
      return { shape: [...updates.shape.slice(0, axis), size, ...updates.shape.slice(end)], dtype: "float32" };
    },
    grad: ({ inputs: [, indices] }, [dy], { axis }): Gradients => [gather(dy as Value, indices, axis), undefined],
    lower(emit, { inputs: [updates, indices], outputs: [y] }, { axis }) {
      emit.call("f32_scatter_add", ...blocks(y.shape, axis, axis), sizeOf(indices.shape), updates, indices, y);
    },
    flops: ({ inputs: [updates] }) => sizeOf(updates.shape),
  }),
  oneHot: defineOp<{ depth: number }>("oneHot", {
    attrs: { depth: integer(0) },
    infer([indices], { depth }) {
      wantDType("oneHot", "int32", indices);
      return { shape: [...indices.shape, depth], dtype: "float32" };
    },
    grad: (): Gradients => [undefined],
    lower: (emit, { inputs: [indices], outputs: [y] }, { depth }) =>
      emit.call("i32_one_hot", sizeOf(indices.shape), depth, indices, y),
  }),
};

/**
 * Parts of an array by their index along an axis, as `tf.gather`. An index outside the axis gives zeros, and its gradient is dropped
 * (the layer `embedding` checks those that come from an input).
 * @param x any dtype
 * @param indices int32 of any shape
 * @param axis default 0; counted with the batch
 * @returns the shape of `x` with that of `indices` in place of the axis
 * @throws {TypeError} unless the indices are int32; {RangeError} for an axis that `x` does not have
 * @example
 * const table = constant(tensor(new Float32Array(1000 * 16), [1000, 16]));
 * gather(table, input([5], { dtype: "int32" })).shape; // [1, 5, 16]
 */
export function gather(x: Value, indices: Value, axis = 0): Value {
  checkValue(x, "gather");
  return apply(gatherOps.gather, [x, indices], { axis: normalizeAxes(axis, x.shape.length, "gather")[0] });
}

/**
 * Zeros, plus updates by their index along an axis: what is gathered goes back. Sums run in the order of the indices; an index outside
 * the axis is dropped.
 * @param updates float32 [..., ...indices.shape, ...]
 * @param indices int32 of any shape
 * @param size of the axis of the result
 * @param axis of the result, where the axes of `indices` begin in `updates`; default 0
 * @returns float32 with one axis of `size` in place of those of `indices`
 * @throws {ShapeError} when the updates do not have the shape of the indices there
 * @example
 * scatterAdd(input([16]), input([], { dtype: "int32" }), 1000).shape; // [1000, 16]
 */
export function scatterAdd(updates: Value, indices: Value, size: number, axis = 0): Value {
  checkValue(updates, "scatterAdd");
  return apply(gatherOps.scatterAdd, [updates, indices], { axis, size });
}

/**
 * Rows that are 1 at an index and 0 elsewhere; an index outside [0, depth) gives a row of zeros.
 * @param indices int32 of any shape
 * @returns float32 [...indices.shape, depth]
 * @throws {TypeError} unless the indices are int32
 * @example
 * oneHot(input([5], { dtype: "int32" }), 10).shape; // [1, 5, 10]
 */
export const oneHot = (indices: Value, depth: number): Value => apply(gatherOps.oneHot, [indices], { depth });
