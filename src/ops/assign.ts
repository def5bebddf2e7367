// What gives a state its next value, where it is no optimizer's update.
import { defineOp } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { bytesOf } from "../tensor.js";
import { emitCopy } from "./strided.js";

export const assignOps = {
  /** state = value. Inputs: the state and a value of its shape, or its first rows. */
  assign: defineOp("assign", {
    writes: [0],
    infer: ([to]) => to,
    lower(emit, { inputs: [to, from] }) {
      const size = sizeOf(from.shape);
      if (bytesOf(to.dtype) === 4) emit.call("f32_copy", size, from, to);
      else emitCopy(emit, [{ size, x: 1, y: 1 }], 0, 0, from, to);
    },
  }),
};

/** An effect: the state becomes the value. */
export const assign = (state: Value, value: Value): Value => apply(assignOps.assign, [state, value]);
