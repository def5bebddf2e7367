// Parts of arrays: ranges of each axis, every so many elements, forwards or backwards.
import { rangeError, ShapeError, told, typeError } from "../errors.js";
import type { Check } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, type Shape, show } from "../shape.js";
import { padding } from "./pad.js";
import { stepsOf } from "./strided.js";

/** A bound along an axis: counted from the end when negative, open when null. */
type Bound = number | null;

interface SliceAttrs {
  readonly begin: readonly Bound[];
  readonly end: readonly Bound[];
  readonly strides: readonly number[];
}

const list =
  (what: string, fits: (v: unknown) => boolean): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 8 && value.every(fits) ? undefined : `a list of at most 8 ${what}`;
const isStep = (v: unknown): boolean => Number.isInteger(v) && Math.abs(v as number) < 2 ** 31;
const bounds = list("integers or null", (v) => v === null || isStep(v));
const steps = list("integers other than 0", (v) => isStep(v) && v !== 0);

/** What a range takes of one axis: `count` elements from `start` on, `step` apart. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Python's rule for `begin:end:step` over n elements: bounds outside are moved to the nearest end. */
function range(n: number, begin: Bound, end: Bound, step: number): Range {
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const bound = (at: Bound, open: number) => (at === null ? open : Math.min(Math.max(at < 0 ? at + n : at, low), high));
  const start = bound(begin, step > 0 ? low : high);
  const stop = bound(end, step > 0 ? high : low);
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)) };
}

const ranges = (shape: Shape, { begin, end, strides }: SliceAttrs): Range[] =>
  shape.map((n, i) => range(n, begin[i] ?? null, end[i] ?? null, strides[i] ?? 1));

export const sliceOps = {
  stridedSlice: defineOp<SliceAttrs>("stridedSlice", {
    attrs: { begin: bounds, end: bounds, strides: steps },
    infer([x], attrs) {
      const rank = Math.max(attrs.begin.length, attrs.end.length, attrs.strides.length);
      if (rank > x.shape.length) {
        const expected = `ranges for at most ${x.shape.length} axes (input ${show(x.shape)})`;
        throw new ShapeError({ op: "stridedSlice", expected, actual: String(rank) });
      }
      return { shape: ranges(x.shape, attrs).map(({ count }) => count), dtype: x.dtype };
    },
    // The gradient goes back to where its elements came from, with zeros around and between them.
    grad({ inputs: [x] }, [dy], attrs): Gradients {
      const taken = ranges(x.shape, attrs);
      const backwards = taken.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
      const low = taken.map(({ start, step, count }) =>
        count === 0 ? 0 : step < 0 ? start + (count - 1) * step : start,
      );
      const reach = taken.map(({ step, count }) => (count === 0 ? 0 : (count - 1) * Math.abs(step) + 1));
      return [
        padding(flip(dy as Value, backwards), {
          low,
          high: x.shape.map((n, i) => n - low[i] - reach[i]),
          interior: taken.map(({ step }) => Math.abs(step) - 1),
        }),
      ];
    },
    copies({ inputs: [x], outputs: [y] }, attrs) {
      const taken = ranges(x.shape, attrs);
      const steps = stepsOf(x.shape);
      const apart = stepsOf(y.shape);
      const loops = taken.map(({ step, count }, i) => ({ size: count, x: step * steps[i], y: apart[i] }));
      const from = taken.reduce((at, { start }, i) => at + start * steps[i], 0);
      return [{ x, y, from, to: 0, loops }];
    },
  }),
};

/**
 * Part of an array, as Python's `x[begin:end:stride, ...]`. Axes without an entry stay whole.
 * @param begin first element of each axis, negative from the end; null for the first there is
 * @param end element behind the last of each axis, negative from the end; null to take all
 * @param strides default 1; negative ones go backwards
 * @throws {ShapeError} for more entries than axes; {TypeError} for a stride of 0
 * @example
 * stridedSlice(input([10]), [null, 1], [null, -1], [1, 3]).shape; // [1, 3]
 */
export function stridedSlice(
  x: Value,
  begin: readonly (number | null)[],
  end: readonly (number | null)[],
  strides: readonly number[] = [],
): Value {
  return apply(sliceOps.stridedSlice, [x], { begin: [...begin], end: [...end], strides: [...strides] });
}

/**
 * A block of an array, as `tf.slice`.
 * @param begin its first index along each axis
 * @param size its size along each axis; -1 takes all from `begin` on. Write -1 for the batch, so that the model runs at any size.
 * @throws {ShapeError} unless there is one entry for each axis; {RangeError} when the block reaches beyond `x`
 * @example
 * slice(input([28, 28]), [0, 4, 4], [-1, 20, 20]).shape; // [1, 20, 20]
 */
export function slice(x: Value, begin: readonly number[], size: readonly number[]): Value {
  checkValue(x, "slice");
  const { shape } = x;
  if (!Array.isArray(begin) || !Array.isArray(size))
    throw typeError({ op: "slice", expected: "lists of begins and sizes", actual: `${told(begin)}, ${told(size)}` });
  if (begin.length !== shape.length || size.length !== shape.length) {
    const expected = `one begin and one size for each axis of ${show(shape)}`;
    throw new ShapeError({ op: "slice", expected, actual: `${show(begin)} and ${show(size)}` });
  }
  const outside = shape.findIndex((n, i) => !(begin[i] >= 0 && size[i] >= -1 && begin[i] + Math.max(size[i], 0) <= n));
  if (outside >= 0) {
    const actual = `${size[outside]} from ${begin[outside]} on`;
    throw rangeError({ op: "slice", expected: `a part of the ${shape[outside]} of axis ${outside}`, actual });
  }
  return stridedSlice(
    x,
    begin,
    size.map((n, i) => (n === -1 ? null : begin[i] + n)),
  );
}

/**
 * The elements of some axes in reverse order.
 * @param axes default all; negative ones count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * flip(input([28, 28]), -1).shape; // [1, 28, 28]
 */
export function flip(x: Value, axes?: number | readonly number[]): Value {
  checkValue(x, "flip");
  const turned = normalizeAxes(axes, x.shape.length, "flip");
  if (turned.length === 0) return x;
  return stridedSlice(
    x,
    [],
    [],
    x.shape.map((_, axis) => (turned.includes(axis) ? -1 : 1)),
  );
}
