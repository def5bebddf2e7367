// Zeros around and between the pixels of an NHWC image: what convolutions are given instead of padding.
import { integers } from "../graph/attrs.js";
import { defineOp } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import type { Pair } from "./window.js";

export const pad2dOps = {
  /** Zeros of [batch, ...size, channels], with x from `offset` on, its elements `step` apart; what falls outside is left out. */
  pad2d: defineOp<{ offset: Pair; size: Pair; step: Pair }>("pad2d", {
    internal: true,
    attrs: { offset: integers(-(2 ** 31), 2), size: integers(1, 2), step: integers(1, 2) },
    infer: ([x], { size }) => ({ shape: [x.shape[0], ...size, x.shape[3]], dtype: "float32" }),
    lower(emit, { inputs: [x], outputs: [y] }, { offset, size, step }) {
      const [batch, h, w, c] = x.shape;
      emit.call("f32_pad2d", batch, h, w, c, ...size, ...offset, ...step, x, y);
    },
  }),
};

/** `x` itself where there is nothing to pad. */
export function pad2d(x: Value, offset: Pair, size: Pair, step: Pair): Value {
  const [, h, w] = x.shape;
  const same = offset[0] === 0 && offset[1] === 0 && size[0] === h && size[1] === w && step[0] === 1 && step[1] === 1;
  return same ? x : apply(pad2dOps.pad2d, [x], { offset, size, step });
}
