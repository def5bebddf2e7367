// Elements in another order: the largest of each row, and sequences whose beginning is turned round.
import { ShapeError } from "../errors.js";
import { integer } from "../graph/attrs.js";
import { defineOp } from "../graph/op.js";
import { apply, make, type Value } from "../graph/value.js";
import { tflite } from "../runtime/families/tflite.js";
import { show, sizeOf } from "../shape.js";
import { bytesOf } from "../tensor.js";
import { wantDType } from "./check.js";
import { transpose } from "./transpose.js";

export const orderOps = {
  /** The k largest along the last axis, and where they are. */
  topK: /* @__PURE__ */ defineOp<{ k: number }>("topK", {
    family: tflite,
    attrs: { k: /* @__PURE__ */ integer(0) },
    infer([x], { k }) {
      wantDType("topK", "float32", x);
      const n = x.shape.at(-1) ?? 0;
      if (x.shape.length === 0 || k > n)
        throw new ShapeError({
          op: "topK",
          expected: `at least ${k} elements along the last axis`,
          actual: show(x.shape),
        });
      const shape = [...x.shape.slice(0, -1), k];
      return [
        { shape, dtype: "float32" },
        { shape, dtype: "int32" },
      ];
    },
    lower(emit, { inputs: [x], outputs: [values, indices] }, { k }) {
      const n = x.shape.at(-1) as number;
      emit.call("f32_top_k", sizeOf(x.shape.slice(0, -1)), n, k, x, values, indices);
    },
    // Each element may go past all that are kept.
    flops: ({ inputs: [x] }, { k }) => sizeOf(x.shape) * Math.max(1, k),
  }),

  /** Inputs x [batch, n, ...] and how many of the first n are turned round, int32 [batch]. */
  reverseSequence: /* @__PURE__ */ defineOp("reverseSequence", {
    family: tflite,
    infer([x, lengths]) {
      wantDType("reverseSequence", "int32", lengths);
      if (x.shape.length < 2 || lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[0])
        throw new ShapeError({
          op: "reverseSequence",
          expected: "sequences [batch, n, ...] and lengths [batch]",
          actual: `${show(x.shape)} and ${show(lengths.shape)}`,
        });
      return { shape: x.shape, dtype: x.dtype };
    },
    lower(emit, { inputs: [x, lengths], outputs: [y] }) {
      const [batch, n, ...rest] = x.shape;
      emit.call("x8_reverse_sequence", batch, n, sizeOf(rest) * bytesOf(x.dtype), lengths, x, y);
    },
  }),
};

/** The k largest elements along the last axis, the largest first, of equal ones the first; and their indices, int32. */
export const topK = (x: Value, k: number): readonly Value[] => make(orderOps.topK, [x], { k }).outputs;

/** x with the first `lengths` elements of an axis in reverse order, for each index of the axis `batch`. */
export function reverseSequence(x: Value, lengths: Value, axis: number, batch: number): Value {
  const rest = x.shape.map((_, i) => i).filter((i) => i !== axis && i !== batch);
  const order = [batch, axis, ...rest];
  const turned = apply(orderOps.reverseSequence, [transpose(x, order), lengths]);
  return transpose(
    turned,
    order.map((_, i) => order.indexOf(i)),
  );
}
