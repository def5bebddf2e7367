// Connectionist temporal classification: the probability of a sequence of labels, whatever the steps at which they are said.
import { ShapeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { make, type Value } from "../graph/value.js";
import { train } from "../runtime/families/train.js";
import { sameShape, show } from "../shape.js";
import { mul } from "./arithmetic.js";
import { wantDType } from "./check.js";
import { expandDims } from "./shape.js";
import { neg } from "./unary.js";

export const ctcOps = {
  /**
   * Inputs: logarithms of probabilities [batch, steps, classes], labels [batch, most], and where not all steps count how many do [batch].
   * Results: the loss [batch], the share of each class in each step, scratch.
   */
  ctc: defineOp("ctc", {
    family: train,
    infer([logs, labels, lengths]) {
      const op = "ctc";
      wantDType(op, "float32", logs);
      wantDType(op, "int32", labels, ...(lengths ? [lengths] : []));
      const [batch, steps, classes] = logs.shape;
      const fits = logs.shape.length === 3 && labels.shape.length === 2 && labels.shape[0] === batch;
      if (!fits || classes < 1 || (lengths && !sameShape(lengths.shape, [batch]))) {
        const actual = `${show(logs.shape)} and ${show(labels.shape)}`;
        throw new ShapeError({ op, expected: "scores [batch, steps, classes] and labels [batch, most]", actual });
      }
      const scratch = [batch, (steps + 5) * (2 * labels.shape[1] + 1)];
      return [[batch], logs.shape, scratch].map((shape) => ({ shape, dtype: "float32" as const }));
    },
    grad: ({ outputs: [, occupied] }, [dloss]): Gradients => [
      dloss && neg(mul(occupied, expandDims(dloss, [1, 2]))),
      undefined,
      undefined,
    ],
    lower(emit, { inputs: [logs, labels, lengths], outputs: [loss, occupied, scratch] }) {
      const [batch, steps, classes] = logs.shape;
      const sizes = [batch, steps, classes, labels.shape[1]] as const;
      emit.call("f32_ctc", ...sizes, logs, labels, lengths ?? 0, loss, occupied, scratch);
    },
    flops: ({ inputs: [logs, labels] }) => logs.shape[0] * logs.shape[1] * (2 * labels.shape[1] + 1) * 100,
  }),
};

/**
 * -log of the probability of labels [batch, most], padded with 0, the blank.
 * @param logs logarithms of probabilities [batch, steps, classes]
 * @param lengths int32 [batch]: how many steps count; default all
 * @returns [batch]
 */
export const ctc = (logs: Value, labels: Value, lengths?: Value): Value =>
  make(ctcOps.ctc, [logs, labels, ...(lengths ? [lengths] : [])]).outputs[0];
