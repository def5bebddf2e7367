// Repeating an array along axes of size 1.
import { ShapeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { broadcast, type Shape, sameShape, show } from "../shape.js";
import { emitBroadcast } from "./arithmetic.js";
import { scalar } from "./leaf.js";
import { sumTo } from "./reduce.js";

export const broadcastOps = {
  // Inputs: x, and the scalar -0. Adding -0 keeps every bit, so the broadcasting add is also the broadcasting copy.
  broadcastTo: defineOp<{ shape: readonly number[] }>("broadcastTo", {
    attrs: { shape: integers(0) },
    infer([x], { shape }) {
      if (!sameShape(broadcast(x.shape, shape, "broadcastTo"), shape)) {
        throw new ShapeError({
          op: "broadcastTo",
          expected: `an input that broadcasts to ${show(shape)}`,
          actual: show(x.shape),
        });
      }
      return { shape, dtype: x.dtype };
    },
    grad: ({ inputs: [x] }, [dy]): Gradients => [sumTo(dy as Value, x.shape), undefined],
    lower(emit, { inputs: [x, zero], outputs: [y] }) {
      emitBroadcast(emit, "f32_add", x, zero, y);
    },
  }),
};

/** `x` repeated to a shape it broadcasts to. */
export const broadcastTo = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(broadcastOps.broadcastTo, [x, scalar(-0)], { shape: [...shape] });
