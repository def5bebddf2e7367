// What gives a state its next value, where it is no optimizer's update.
import { defineOp } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";

export const assignOps = {
  /** state = value. Inputs: the state and a value of its shape, or its first rows. */
  assign: defineOp("assign", {
    writes: [0],
    infer: ([to]) => to,
    lower: (emit, { inputs: [to, from] }) => emit.call("f32_copy", sizeOf(from.shape), from, to),
  }),
};

/** An effect: the state becomes the value. */
export const assign = (state: Value, value: Value): Value => apply(assignOps.assign, [state, value]);
