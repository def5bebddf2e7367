// Exchanging axes.
import { rangeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { show } from "../shape.js";
import { reshape } from "./shape.js";
import { emitCopy, stepsOf } from "./strided.js";

/** @throws {RangeError} unless every axis of the rank is there once */
function checkPermutation(axes: readonly number[], rank: number): void {
  if (axes.length === rank && axes.every((_, i) => axes.includes(i))) return;
  throw rangeError({ op: "transpose", expected: `each axis of [0, ${rank}) once`, actual: show(axes) });
}

export const transposeOps = {
  /** Axis i of the result is axis `axes[i]` of x. */
  transpose: defineOp<{ axes: readonly number[] }>("transpose", {
    attrs: { axes: integers(0, undefined, 7) },
    infer([x], { axes }) {
      checkPermutation(axes, x.shape.length);
      return { shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype };
    },
    grad: (_node, [dy], { axes }): Gradients => [
      transpose(
        dy as Value,
        axes.map((_, i) => axes.indexOf(i)),
      ),
    ],
    /** Where only axes of size 1 change places, no number moves. */
    expand([x], { axes }): Value | undefined {
      const long = axes.filter((axis) => x.shape[axis] !== 1);
      if (long.some((axis, i) => i > 0 && axis < long[i - 1])) return undefined;
      return reshape(
        x,
        axes.map((axis) => x.shape[axis]),
      );
    },
    lower(emit, { inputs: [x], outputs: [y] }, { axes }) {
      const from = stepsOf(x.shape);
      const to = stepsOf(y.shape);
      const loops = axes.map((axis, i) => ({ size: y.shape[i], x: from[axis], y: to[i] }));
      emitCopy(emit, loops, 0, 0, x, y);
    },
  }),
};

/**
 * The axes in another order.
 * @param x any shape and dtype
 * @param axes axis i of the result is axis `axes[i]` of `x`, negative ones from the end; default all reversed
 * @throws {RangeError} when an axis is missing or there twice
 * @example
 * transpose(input([3, 4]), [0, 2, 1]).shape; // [1, 4, 3]
 */
export function transpose(x: Value, axes?: readonly number[]): Value {
  checkValue(x, "transpose");
  const rank = x.shape.length;
  const order = (axes ?? x.shape.map((_, i) => rank - 1 - i)).map((axis) => (axis < 0 ? axis + rank : axis));
  return apply(transposeOps.transpose, [x], { axes: order });
}

/** `f` of `x` with those axes (ascending) moved behind the others, and its result, of the same shape, with them moved back. */
export function withAxesLast(x: Value, axes: readonly number[], f: (x: Value) => Value): Value {
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  if (order.every((axis, i) => axis === i)) return f(x);
  return transpose(
    f(transpose(x, order)),
    order.map((_, i) => order.indexOf(i)),
  );
}
