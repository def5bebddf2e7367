// Sums that keep every step.
import { boolean, integer } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, sizeOf } from "../shape.js";
import { wantDType } from "./check.js";
import { blocks } from "./reduce.js";

interface ScanAttrs {
  readonly axis: number;
  readonly reverse: boolean;
  readonly exclusive: boolean;
}

export const scanOps = {
  cumsum: defineOp<ScanAttrs>("cumsum", {
    attrs: { axis: integer(0, 7), reverse: boolean, exclusive: boolean },
    infer([x], { axis }) {
      wantDType("cumsum", "float32", x);
      normalizeAxes(axis, x.shape.length, "cumsum");
      return { shape: x.shape, dtype: "float32" };
    },
    // An element is in all sums behind it: the sum of their gradients, the other way round.
    grad: (_node, [dy], attrs): Gradients => [
      apply(scanOps.cumsum, [dy as Value], { ...attrs, reverse: !attrs.reverse }),
    ],
    lower: (emit, { inputs: [x], outputs: [y] }, { axis, reverse, exclusive }) =>
      emit.call("f32_cumsum", ...blocks(x.shape, axis, axis), x, y, Number(reverse), Number(exclusive)),
    flops: ({ inputs: [x] }) => sizeOf(x.shape),
  }),
};

/**
 * Sums of all elements up to each one along an axis, in sequence.
 * @param x float32
 * @param axis default -1, the last
 * @param options.reverse begin with the last element; default false
 * @param options.exclusive leave the element itself out; default false
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * cumsum(input([3, 4]), 1).shape; // [1, 3, 4]
 */
export function cumsum(
  x: Value,
  axis = -1,
  { reverse = false, exclusive = false }: { reverse?: boolean; exclusive?: boolean } = {},
): Value {
  checkValue(x, "cumsum");
  return apply(scanOps.cumsum, [x], { axis: normalizeAxes(axis, x.shape.length, "cumsum")[0], reverse, exclusive });
}
