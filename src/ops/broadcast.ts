// Repeating an array along axes of size 1.
import { ShapeError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { broadcast, type Shape, sameShape, show } from "../shape.js";
import { broadcastLoops } from "./arithmetic.js";
import { sumTo } from "./reduce.js";
import { emitCopy } from "./strided.js";

export const broadcastOps = {
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
    grad: ({ inputs: [x] }, [dy]): Gradients => [x.dtype === "float32" ? sumTo(dy as Value, x.shape) : undefined],
    lower(emit, { inputs: [x], outputs: [y] }) {
      const loops = broadcastLoops(x.shape, y.shape, y.shape);
      emitCopy(
        emit,
        loops.map(([size, from, to]) => ({ size, x: from, y: to })),
        0,
        0,
        x,
        y,
      );
    },
  }),
};

/** `x` repeated to a shape it broadcasts to. */
export const broadcastTo = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(broadcastOps.broadcastTo, [x], { shape: [...shape] });
