// Numbers around an array: a constant, or the array's own, mirrored.
import { rangeError, ShapeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { arrayOf } from "../tensor.js";
import { concat } from "./concat.js";
import { constant } from "./leaf.js";
import { stridedSlice } from "./slice.js";
import { emitCopy, stepsOf } from "./strided.js";

/** Along each axis: how many numbers before the first element, behind the last one, and between neighbours. */
interface PadAttrs {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
}

const extent = (n: number, step: number): number => (n === 0 ? 0 : (n - 1) * step + 1);

export const padOps = {
  // Inputs: x, and the number around it, a scalar.
  pad: defineOp<PadAttrs>("pad", {
    attrs: { low: integers(0), high: integers(0), interior: integers(0) },
    infer([x, value], { low, high, interior }) {
      const rank = x.shape.length;
      if ([low, high, interior].some(({ length }) => length !== rank) || sizeOf(value.shape) !== 1) {
        const expected = `one padding for each axis of ${show(x.shape)}, and one number`;
        throw new ShapeError({ op: "pad", expected, actual: `${low.length} of them, and ${show(value.shape)}` });
      }
      if (value.dtype !== x.dtype)
        throw new ShapeError({ op: "pad", expected: `a number of ${x.dtype}`, actual: value.dtype });
      return { shape: x.shape.map((n, i) => low[i] + extent(n, interior[i] + 1) + high[i]), dtype: x.dtype };
    },
    grad: (_node, [dy], { low, high, interior }): Gradients => [
      stridedSlice(
        dy as Value,
        low,
        high.map((n) => (n === 0 ? null : -n)),
        interior.map((n) => n + 1),
      ),
      undefined,
    ],
    lower(emit, { inputs: [x, value], outputs: [y] }, { low, high, interior }) {
      const to = stepsOf(y.shape);
      const from = stepsOf(x.shape);
      const fill = (start: readonly number[], size: readonly number[]) =>
        emitCopy(
          emit,
          size.map((n, i) => ({ size: n, x: 0, y: to[i] })),
          0,
          start.reduce((at, n, i) => at + n * to[i], 0),
          value,
          y,
        );
      if (interior.some((n) => n > 0) || sizeOf(x.shape) === 0) {
        fill(
          y.shape.map(() => 0),
          y.shape,
        );
      } else {
        // The border: what lies before and behind x along an axis, within x along the axes before it.
        x.shape.forEach((n, axis) => {
          for (const [start, size] of [
            [0, low[axis]],
            [low[axis] + n, high[axis]],
          ]) {
            const place = <T>(inner: T, at: T, outer: (i: number) => T) =>
              y.shape.map((_, i) => (i === axis ? at : i > axis ? inner : outer(i)));
            fill(
              place(0, start, (i) => low[i]),
              y.shape.map((d, i) => (i === axis ? size : i > axis ? d : x.shape[i])),
            );
          }
        });
      }
      emitCopy(
        emit,
        x.shape.map((size, i) => ({ size, x: from[i], y: to[i] * (interior[i] + 1) })),
        0,
        low.reduce((at, n, i) => at + n * to[i], 0),
        x,
        y,
      );
    },
  }),
};

/** `x` with `value` around it and between its elements. */
export const padding = (x: Value, { low, high, interior }: PadAttrs, value = 0): Value => {
  const zeros = [low, high, interior].every((list) => list.every((n) => n === 0));
  const number = constant({ data: arrayOf(x.dtype).of(value), shape: [], dtype: x.dtype });
  return zeros ? x : apply(padOps.pad, [x, number], { low: [...low], high: [...high], interior: [...interior] });
};

interface PadOptions {
  /** `constant` puts `value` around the array; `reflect` mirrors it at its outermost elements, `symmetric` at its edges. Default `constant`. */
  mode?: "constant" | "reflect" | "symmetric";
  /** The number of `constant`; default 0. */
  value?: number;
}

/**
 * An array with more around it, as `tf.pad`.
 * @param paddings [before, after] for each axis, or one number for both; give 0 for the batch
 * @throws {ShapeError} unless there is a padding for each axis; {RangeError} for negative ones, and for mirrored ones larger than the axis
 * @example
 * pad(input([28, 28]), [0, 2, [1, 3]]).shape; // [1, 32, 32]
 */
export function pad(
  x: Value,
  paddings: readonly (number | readonly [number, number])[],
  { mode = "constant", value = 0 }: PadOptions = {},
): Value {
  checkValue(x, "pad");
  if (mode !== "constant" && mode !== "reflect" && mode !== "symmetric")
    throw rangeError({ op: "pad", expected: 'mode "constant", "reflect" or "symmetric"', actual: String(mode) });
  const pairs = paddings.map((n) => (typeof n === "number" ? ([n, n] as const) : n));
  if (pairs.length !== x.shape.length) {
    const expected = `one padding for each axis of ${show(x.shape)}`;
    throw new ShapeError({ op: "pad", expected, actual: String(pairs.length) });
  }
  const wrong = pairs.find((pair) => pair.length !== 2 || !pair.every((n) => Number.isSafeInteger(n) && n >= 0));
  if (wrong) throw rangeError({ op: "pad", expected: "paddings of at least 0", actual: JSON.stringify(wrong) });
  if (mode !== "constant") return pairs.reduce((y, pair, axis) => mirror(y, axis, pair, mode), x);
  const [low, high] = [pairs.map(([before]) => before), pairs.map(([, after]) => after)];
  return padding(x, { low, high, interior: low.map(() => 0) }, value);
}

/** `x` continued along an axis by its own elements in reverse order. */
function mirror(
  x: Value,
  axis: number,
  [before, after]: readonly [number, number],
  mode: "reflect" | "symmetric",
): Value {
  const skip = mode === "reflect" ? 1 : 0; // reflect does not repeat the outermost element
  const n = x.shape[axis];
  if (Math.max(before, after) > n - skip) {
    const actual = `${Math.max(before, after)} for the ${n} of axis ${axis}`;
    throw rangeError({
      op: "pad",
      expected: `a padding of at most ${Math.max(n - skip, 0)} with mode "${mode}"`,
      actual,
    });
  }
  // Bounds count from the end where they can, so that they hold at any size of the batch.
  const part = (begin: number, end: number | null): Value =>
    stridedSlice(
      x,
      whole(axis, begin),
      whole(axis, end),
      [...whole(axis, -1)].map((step) => step ?? 1),
    );
  const left = before === 0 ? [] : [part(before - 1 + skip, skip === 1 ? 0 : null)];
  const right = after === 0 ? [] : [part(-1 - skip, -1 - skip - after)];
  return concat([...left, x, ...right], axis);
}

/** An entry for one axis, and nothing for those before it. */
const whole = (axis: number, entry: number | null): (number | null)[] => [...Array<null>(axis).fill(null), entry];
