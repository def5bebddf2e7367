// Losses that are one kernel, for speed and for numerical safety. Others are composed of ops in ../train/losses.ts.
import { ShapeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { wantDType, wantElements } from "./check.js";

function perRow(op: string, [scores, labels]: readonly Spec[]): Spec {
  wantDType(op, "float32", scores);
  wantDType(op, "int32", labels);
  const rows = scores.shape.slice(0, -1);
  if (scores.shape.length < 1 || !sameShape(rows, labels.shape)) {
    throw new ShapeError({
      op,
      expected: `labels ${show(rows)} for scores ${show(scores.shape)}`,
      actual: show(labels.shape),
    });
  }
  wantElements(op, scores, rows.length);
  return { shape: rows, dtype: "float32" };
}

const rows = ({ shape }: Spec): [number, number] => [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]];

export const lossOps = {
  sparseSoftmaxCrossEntropy: defineOp("sparseSoftmaxCrossEntropy", {
    infer: (specs) => perRow("sparseSoftmaxCrossEntropy", specs),
    grad: ({ inputs: [logits, labels] }, [dloss]): Gradients => [
      apply(lossOps.sparseSoftmaxCrossEntropyGrad, [logits, labels, dloss as Value]),
      undefined,
    ],
    lower: (emit, { inputs: [logits, labels], outputs: [loss] }) =>
      emit.call("f32_sparse_softmax_cross_entropy", ...rows(logits), logits, labels, loss),
    flops: ({ inputs: [logits] }) => 4 * sizeOf(logits.shape),
  }),
  // dlogits = (softmax(logits) - onehot(label)) * dloss
  sparseSoftmaxCrossEntropyGrad: defineOp("sparseSoftmaxCrossEntropyGrad", {
    internal: true,
    infer: ([logits]) => ({ shape: logits.shape, dtype: "float32" }),
    lower: (emit, { inputs: [logits, labels, dloss], outputs: [dlogits] }) =>
      emit.call("f32_sparse_softmax_cross_entropy_grad", ...rows(logits), logits, labels, dloss, dlogits),
    flops: ({ inputs: [logits] }) => 6 * sizeOf(logits.shape),
  }),
  /** 1 where two int32 arrays agree, else 0. */
  matches: defineOp("matches", {
    infer([a, b]) {
      wantDType("matches", "int32", a, b);
      if (!sameShape(a.shape, b.shape)) {
        throw new ShapeError({ op: "matches", expected: `labels ${show(a.shape)}`, actual: show(b.shape) });
      }
      return { shape: a.shape, dtype: "float32" };
    },
    lower: (emit, { inputs: [a, b], outputs: [y] }) => emit.call("i32_equal", sizeOf(a.shape), a, b, y),
  }),
};

/**
 * -log(softmax(logits)[label]) per row, the logarithm of the sum taken with the maximum off, so that no score overflows.
 * @param logits float32 [..., classes]
 * @param labels int32 [...], each in [0, classes); any other gives NaN
 * @returns float32 [...]
 * @throws {ShapeError} when the labels do not have the shape of the rows
 * @example
 * sparseSoftmaxCrossEntropy(input([10]), input([], { dtype: "int32" })).shape; // [1]
 */
export const sparseSoftmaxCrossEntropy = (logits: Value, labels: Value): Value =>
  apply(lossOps.sparseSoftmaxCrossEntropy, [logits, labels]);

/** float32 1 where two int32 arrays of one shape agree, else 0. */
export const matches = (a: Value, b: Value): Value => apply(lossOps.matches, [a, b]);
