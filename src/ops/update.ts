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

interface RmspropAttrs {
  readonly rho: number;
  readonly epsilon: number;
}
const rmspropAttrs = { rho: unit, epsilon: number(0) };

export const updateOps = {
  /** average = momentum * average + (1 - momentum) * w. Inputs: the average and w. */
  average: defineOp<{ momentum: number }>("average", {
    ...states(0),
    attrs: { momentum: unit },
    lower: (emit, { inputs: [average, w] }, { momentum }) =>
      emit.call("f32_moving_average", sizeOf(w.shape), average, w, average, momentum, 1 - momentum),
    flops: ({ inputs: [w] }) => 3 * sizeOf(w.shape),
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
  /** w -= lr decay w, then Adam. Inputs: w, g, m, v, alpha, lr. */
  adamW: defineOp<{ decay: number; beta1: number; beta2: number; epsilon: number }>("adamW", {
    ...states(0, 2, 3),
    attrs: { decay: number(0), beta1: unit, beta2: unit, epsilon: number(0) },
    lower: (emit, { inputs: [w, g, m, v, alpha, lr] }, { decay, beta1, beta2, epsilon }) =>
      emit.call("f32_adamw", sizeOf(w.shape), w, g, m, v, alpha, lr, decay, beta1, beta2, epsilon),
    flops: ({ inputs: [w] }) => 14 * sizeOf(w.shape),
  }),
  /** RMSprop as in Keras 3. Inputs: w, g, lr, v. */
  rmsprop: defineOp<RmspropAttrs>("rmsprop", {
    ...states(0, 3),
    attrs: rmspropAttrs,
    lower: (emit, { inputs: [w, g, lr, v] }, { rho, epsilon }) =>
      emit.call("f32_rmsprop", sizeOf(w.shape), w, g, v, 0, 0, lr, rho, 0, epsilon),
    flops: ({ inputs: [w] }) => 8 * sizeOf(w.shape),
  }),
  /** RMSprop with momentum. Inputs: w, g, lr, v, m. */
  rmspropMomentum: defineOp<RmspropAttrs & { momentum: number }>("rmspropMomentum", {
    ...states(0, 3, 4),
    attrs: { ...rmspropAttrs, momentum: unit },
    lower: (emit, { inputs: [w, g, lr, v, m] }, { rho, epsilon, momentum }) =>
      emit.call("f32_rmsprop", sizeOf(w.shape), w, g, v, 0, m, lr, rho, momentum, epsilon),
    flops: ({ inputs: [w] }) => 10 * sizeOf(w.shape),
  }),
  /** RMSprop by the estimated variance. Inputs: w, g, lr, v, a. */
  rmspropCentered: defineOp<RmspropAttrs>("rmspropCentered", {
    ...states(0, 3, 4),
    attrs: rmspropAttrs,
    lower: (emit, { inputs: [w, g, lr, v, a] }, { rho, epsilon }) =>
      emit.call("f32_rmsprop", sizeOf(w.shape), w, g, v, a, 0, lr, rho, 0, epsilon),
    flops: ({ inputs: [w] }) => 13 * sizeOf(w.shape),
  }),
  /** Both. Inputs: w, g, lr, v, a, m. */
  rmspropCenteredMomentum: defineOp<RmspropAttrs & { momentum: number }>("rmspropCenteredMomentum", {
    ...states(0, 3, 4, 5),
    attrs: { ...rmspropAttrs, momentum: unit },
    lower: (emit, { inputs: [w, g, lr, v, a, m] }, { rho, epsilon, momentum }) =>
      emit.call("f32_rmsprop", sizeOf(w.shape), w, g, v, a, m, lr, rho, momentum, epsilon),
    flops: ({ inputs: [w] }) => 15 * sizeOf(w.shape),
  }),
};
