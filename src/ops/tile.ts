// Arrays repeated: as a whole, or element by element.
import { ShapeError, told, typeError } from "../errors.js";
import { integer, integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, show, sizeOf } from "../shape.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { emitCopy, stepsOf } from "./strided.js";

export const tileOps = {
  tile: defineOp<{ multiples: readonly number[] }>("tile", {
    attrs: { multiples: integers(0) },
    infer([x], { multiples }) {
      if (multiples.length !== x.shape.length) {
        const expected = `one multiple for each axis of ${show(x.shape)}`;
        throw new ShapeError({ op: "tile", expected, actual: show(multiples) });
      }
      return { shape: x.shape.map((d, i) => d * multiples[i]), dtype: x.dtype };
    },
    // Axis by axis the repetitions are summed.
    grad: ({ inputs: [x] }, [dy], { multiples }): Gradients => [
      multiples.reduce((sofar, times, axis) => {
        if (times === 1) return sofar;
        const { shape } = sofar;
        const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
        const apart = reshape(sofar, [sizeOf(before), times, x.shape[axis], sizeOf(after)]);
        return reshape(sum(apart, 1), [...before, x.shape[axis], ...after]);
      }, dy as Value),
    ],
    lower(emit, { inputs: [x], outputs: [y] }, { multiples }) {
      const from = stepsOf(x.shape);
      const to = stepsOf(y.shape);
      const loops = x.shape.flatMap((size, i) => [
        { size: multiples[i], x: 0, y: to[i] * size },
        { size, x: from[i], y: to[i] },
      ]);
      emitCopy(emit, loops, 0, 0, x, y);
    },
  }),
  repeat: defineOp<{ repeats: number; axis: number }>("repeat", {
    attrs: { repeats: integer(0), axis: integer(0, 7) },
    infer([x], { repeats, axis }) {
      normalizeAxes(axis, x.shape.length, "repeat");
      return { shape: x.shape.map((d, i) => (i === axis ? d * repeats : d)), dtype: x.dtype };
    },
    grad({ inputs: [x] }, [dy], { repeats, axis }): Gradients {
      const upTo = sizeOf(x.shape.slice(0, axis + 1));
      const apart = reshape(dy as Value, [upTo, repeats, sizeOf(x.shape.slice(axis + 1))]);
      return [reshape(sum(apart, 1), x.shape)];
    },
    lower(emit, { inputs: [x], outputs: [y] }, { repeats, axis }) {
      const inner = sizeOf(x.shape.slice(axis + 1));
      const loops = [
        { size: sizeOf(x.shape.slice(0, axis + 1)), x: inner, y: inner * repeats },
        { size: repeats, x: 0, y: inner },
        { size: inner, x: 1, y: 1 },
      ];
      emitCopy(emit, loops, 0, 0, x, y);
    },
  }),
};

/**
 * An array repeated as a whole, as `numpy.tile`.
 * @param multiples how often along each axis; 1 for the batch
 * @throws {ShapeError} unless there is one for each axis
 * @example
 * tile(input([3, 2]), [1, 1, 4]).shape; // [1, 3, 8]
 */
export function tile(x: Value, multiples: readonly number[]): Value {
  checkValue(x, "tile");
  if (!Array.isArray(multiples))
    throw typeError({ op: "tile", expected: "a multiple for each axis", actual: told(multiples) });
  return apply(tileOps.tile, [x], { multiples: [...multiples] });
}

/**
 * Every element of an axis several times in a row, as `numpy.repeat`.
 * @param repeats how often
 * @param axis default -1, the last
 * @throws {RangeError} for an axis that `x` does not have; {TypeError} unless `repeats` is a whole number
 * @example
 * repeat(input([3, 2]), 2, 1).shape; // [1, 6, 2]
 */
export function repeat(x: Value, repeats: number, axis = -1): Value {
  checkValue(x, "repeat");
  return apply(tileOps.repeat, [x], { repeats, axis: normalizeAxes(axis, x.shape.length, "repeat")[0] });
}
