// Updates of parameters in place: effects, whose results are the states after the step. Rates are scalars in memory, written before
// each step, so that a schedule needs no new program.
import { boolean, number } from "../graph/attrs.js";
import { defineOp, type OpFacts } from "../graph/op.js";
import type { Spec } from "../graph/value.js";
import { sizeOf } from "../shape.js";

const unit = number(0, 1);

const states = (...writes: number[]): Pick<OpFacts<never>, "writes" | "infer"> => ({
  writes,
  infer: (inputs: readonly Spec[]) => writes.map((i) => inputs[i]),
});

export const updateOps = {
  /** state = value. Inputs: the state and a value of its shape. */
  assign: defineOp("assign", {
    ...states(0),
    lower: (emit, { inputs: [to, from] }) => emit.call("f32_copy", sizeOf(to.shape), from, to),
  }),
  /** w -= rate * g. Inputs: w, g, rate. */
  sgd: defineOp("sgd", {
    ...states(0),
    lower: (emit, { inputs: [w, g, rate] }) => emit.call("f32_sgd", sizeOf(w.shape), w, g, rate),
    flops: ({ inputs: [w] }) => 2 * sizeOf(w.shape),
  }),
  /** m = momentum * m - rate * g; w += m, or with Nesterov w += momentum * m - rate * g. Inputs: w, g, m, rate. */
  sgdMomentum: defineOp<{ momentum: number; nesterov: boolean }>("sgdMomentum", {
    ...states(0, 2),
    attrs: { momentum: unit, nesterov: boolean },
    lower: (emit, { inputs: [w, g, m, rate] }, { momentum, nesterov }) =>
      emit.call("f32_sgd_momentum", sizeOf(w.shape), w, g, m, rate, momentum, Number(nesterov)),
    flops: ({ inputs: [w] }) => 4 * sizeOf(w.shape),
  }),
  /** Adam as in Keras 3; `alpha` is the rate with both bias corrections. Inputs: w, g, m, v, alpha. */
  adam: defineOp<{ beta1: number; beta2: number; epsilon: number }>("adam", {
    ...states(0, 2, 3),
    attrs: { beta1: unit, beta2: unit, epsilon: number(0) },
    lower: (emit, { inputs: [w, g, m, v, alpha] }, { beta1, beta2, epsilon }) =>
      emit.call("f32_adam", sizeOf(w.shape), w, g, m, v, alpha, beta1, beta2, epsilon),
    flops: ({ inputs: [w] }) => 12 * sizeOf(w.shape),
  }),
};
