// Several arrays as one, and one as several.
import { rangeError, ShapeError } from "../errors.js";
import { type Check, integer, optional } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { type Attrs, apply, checkValue, make, type Spec, type Value } from "../graph/value.js";
import { normalizeAxes, type Shape, show, sizeOf } from "../shape.js";
import { broadcastTo } from "./broadcast.js";
import { sameDType } from "./check.js";
import { scalar } from "./leaf.js";
import { expandDims, squeeze } from "./shape.js";

interface SplitAttrs {
  readonly axis: number;
  /** Equal parts, or the size of each. */
  readonly count?: number;
  readonly sizes?: readonly number[];
}

/** Parts that one array may be split into; a file cannot ask for more. */
const PARTS = 4096;

const sizesCheck: Check = (value) =>
  Array.isArray(value) && value.length <= PARTS && !value.some(integer(0)) ? undefined : `at most ${PARTS} sizes`;

/** Sizes of the parts of an axis of n. @throws {ShapeError} when they do not make up n */
function partSizes(n: number, { axis, count, sizes }: SplitAttrs): readonly number[] {
  if (sizes === undefined && count !== undefined && n % count === 0) return Array<number>(count).fill(n / count);
  if (sizes?.reduce((total, size) => total + size, 0) === n && count === undefined) return sizes;
  const expected = sizes ? `sizes of ${n} together, as of axis ${axis}` : `a divisor of ${n}, the size of axis ${axis}`;
  throw new ShapeError({ op: "split", expected, actual: sizes ? show(sizes) : String(count) });
}

/** An axis of every array: what lies outside it, and the block of one index outside. */
const outer = (shape: Shape, axis: number): number => sizeOf(shape.slice(0, axis));
const block = (shape: Shape, axis: number): number => sizeOf(shape.slice(axis));

export const concatOps = {
  concat: defineOp<{ axis: number }>("concat", {
    attrs: { axis: integer(0, 7) },
    infer(inputs, { axis }): Spec {
      if (inputs.length === 0) throw rangeError({ op: "concat", expected: "at least one array", actual: "none" });
      const [first] = inputs;
      normalizeAxes(axis, first.shape.length, "concat");
      const size = (spec: Spec) => spec.shape[axis] ?? 0;
      for (const other of inputs) {
        sameDType("concat", first, other);
        const fits =
          other.shape.length === first.shape.length && other.shape.every((d, i) => i === axis || d === first.shape[i]);
        if (!fits) {
          const expected = `shapes that differ from ${show(first.shape)} along axis ${axis} only`;
          throw new ShapeError({ op: "concat", expected, actual: show(other.shape) });
        }
      }
      const total = inputs.reduce((sum, spec) => sum + size(spec), 0);
      return { shape: first.shape.map((d, i) => (i === axis ? total : d)), dtype: first.dtype };
    },
    grad: ({ inputs }, [dy], { axis }): Gradients =>
      make(concatOps.split, [dy as Value], { axis, sizes: inputs.map(({ shape }) => shape[axis]) }).outputs,
    copies({ inputs, outputs: [y] }, { axis }) {
      let end = 0;
      return inputs.map((x) => {
        const size = block(x.shape, axis);
        const loops = [
          { size: outer(x.shape, axis), x: size, y: block(y.shape, axis) },
          { size, x: 1, y: 1 },
        ];
        end += size;
        return { x, y, from: 0, to: end - size, loops };
      });
    },
  }),
  split: defineOp<SplitAttrs>("split", {
    attrs: { axis: integer(0, 7), count: optional(integer(1, PARTS)), sizes: optional(sizesCheck) },
    infer([x], attrs): Spec[] {
      normalizeAxes(attrs.axis, x.shape.length, "split");
      return partSizes(x.shape[attrs.axis], attrs).map((size) => ({
        shape: x.shape.map((d, i) => (i === attrs.axis ? size : d)),
        dtype: x.dtype,
      }));
    },
    // Parts that nothing was made of have a gradient of zeros.
    grad: ({ outputs }, upstream, { axis }): Gradients => [
      concat(
        outputs.map(({ shape }, i) => upstream[i] ?? broadcastTo(scalar(0), shape)),
        axis,
      ),
    ],
    copies({ inputs: [x], outputs }, { axis }) {
      let end = 0;
      return outputs.map((y) => {
        const size = block(y.shape, axis);
        const loops = [
          { size: outer(y.shape, axis), x: block(x.shape, axis), y: size },
          { size, x: 1, y: 1 },
        ];
        end += size;
        return { x, y, from: end - size, to: 0, loops };
      });
    },
  }),
};

const axisOf = (x: Value, axis: number, op: string): number => normalizeAxes(axis, x.shape.length, op)[0];

/** @throws {TypeError} unless all are Values; {RangeError} when there are none */
function checkValues(values: readonly Value[], op: string): void {
  if (!Array.isArray(values) || values.length === 0)
    throw rangeError({ op, expected: "a list of at least one Value", actual: "none" });
  for (const value of values) checkValue(value, op);
}

/**
 * Arrays one after the other along an axis.
 * @param values of one dtype, and of shapes that differ along that axis only
 * @param axis default -1, the last
 * @throws {ShapeError} when other axes differ; {RangeError} for an axis that there is not
 * @example
 * concat([input([3, 4]), input([3, 2])]).shape; // [1, 3, 6]
 */
export function concat(values: readonly Value[], axis = -1): Value {
  checkValues(values, "concat");
  if (values.length === 1) return values[0];
  return apply(concatOps.concat, values, { axis: axisOf(values[0], axis, "concat") });
}

/**
 * Parts of an array along an axis.
 * @param parts how many equal parts, or the size of each
 * @param axis default -1, the last
 * @returns one value for each part
 * @throws {ShapeError} when the parts do not make up the axis
 * @example
 * split(input([6]), 3).map((part) => part.shape); // [[1, 2], [1, 2], [1, 2]]
 * split(input([6]), [1, 5])[1].shape; // [1, 5]
 */
export function split(x: Value, parts: number | readonly number[], axis = -1): readonly Value[] {
  checkValue(x, "split");
  const at = axisOf(x, axis, "split");
  const attrs: Attrs = typeof parts === "number" ? { axis: at, count: parts } : { axis: at, sizes: [...parts] };
  return make(concatOps.split, [x], attrs).outputs;
}

/**
 * Arrays of one shape side by side along a new axis.
 * @param axis where the new axis will be; default 0, as in Keras. It counts the batch: give 1 to keep the batch first.
 * @throws {ShapeError} when the shapes differ
 * @example
 * stack([input([4]), input([4])], 1).shape; // [1, 2, 4]
 */
export function stack(values: readonly Value[], axis = 0): Value {
  checkValues(values, "stack");
  const at = normalizeAxes(axis, values[0].shape.length + 1, "stack")[0];
  return concat(
    values.map((value) => expandDims(value, at)),
    at,
  );
}

/**
 * The arrays that lie side by side along an axis, without it.
 * @param axis default 0, as in Keras; its size must not change with the batch
 * @returns as many values as the axis is long
 * @example
 * unstack(input([2, 4]), 1).map((part) => part.shape); // [[1, 4], [1, 4]]
 */
export function unstack(x: Value, axis = 0): readonly Value[] {
  checkValue(x, "unstack");
  const at = axisOf(x, axis, "unstack");
  if (x.shape[at] === 0) return [];
  return split(x, x.shape[at], at).map((part) => squeeze(part, at));
}
