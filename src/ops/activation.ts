// Activations, elementwise but for softmax, which works along the last axis.
import { typeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { add, div, mul } from "./arithmetic.js";
import { likeInput } from "./check.js";
import { clip } from "./comparison.js";
import { abs, elu, exp, gelu, leakyRelu, mish, sigmoid, silu, softplus, tanh } from "./unary.js";

const rows = (value: Value): [number, number] => {
  const last = value.shape.at(-1) ?? 1;
  return [last === 0 ? 0 : sizeOf(value.shape) / last, last];
};

export const activationOps = {
  relu: defineOp("relu", {
    infer: likeInput("relu"),
    grad: ({ outputs: [y] }, [dy]): Gradients => [apply(activationOps.reluGrad, [y, dy as Value])],
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call("f32_relu", sizeOf(x.shape), x, y),
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
    inPlace: 0,
  }),
  // dx = dy where y > 0
  reluGrad: defineOp("reluGrad", {
    internal: true,
    infer: likeInput("reluGrad"),
    lower: (emit, { inputs: [y, dy], outputs: [dx] }) => emit.call("f32_relu_grad", sizeOf(y.shape), y, dy, dx),
    flops: ({ outputs: [dx] }) => sizeOf(dx.shape),
    inPlace: 1,
  }),
  logSoftmax: defineOp("logSoftmax", {
    infer: likeInput("logSoftmax"),
    grad: ({ outputs: [y] }, [dy]): Gradients => [apply(activationOps.logSoftmaxGrad, [y, dy as Value])],
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call("f32_log_softmax", ...rows(x), x, y),
    flops: ({ outputs: [y] }) => 5 * sizeOf(y.shape),
    inPlace: 0,
  }),
  // dx = dy - exp(y) * sum(dy)
  logSoftmaxGrad: defineOp("logSoftmaxGrad", {
    internal: true,
    infer: likeInput("logSoftmaxGrad"),
    lower: (emit, { inputs: [y, dy], outputs: [dx] }) => emit.call("f32_log_softmax_grad", ...rows(y), y, dy, dx),
    inPlace: 1,
  }),
  softmax: defineOp("softmax", {
    infer: likeInput("softmax"),
    grad: ({ outputs: [y] }, [dy]): Gradients => [apply(activationOps.softmaxGrad, [y, dy as Value])],
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call("f32_softmax", ...rows(x), x, y),
    flops: ({ outputs: [y] }) => 5 * sizeOf(y.shape),
  }),
  // dx = y * (dy - sum(dy * y))
  softmaxGrad: defineOp("softmaxGrad", {
    internal: true,
    infer: likeInput("softmaxGrad"),
    lower: (emit, { inputs: [y, dy], outputs: [dx] }) => emit.call("f32_softmax_grad", ...rows(y), y, dy, dx),
    flops: ({ outputs: [dx] }) => 4 * sizeOf(dx.shape),
  }),
};

/**
 * max(x, 0); NaN stays NaN. Its gradient at 0 is 0.
 * @param x float32 of any shape
 * @example
 * relu(input([8])).shape; // [1, 8]
 */
export const relu = (x: Value): Value => apply(activationOps.relu, [x]);

/**
 * exp(x) / sum(exp(x)) along the last axis, the maximum taken off first.
 * @param x float32 [..., classes]
 * @example
 * softmax(input([10])).shape; // [1, 10]
 */
export const softmax = (x: Value): Value => apply(activationOps.softmax, [x]);

/** What a softmax was applied to, if `y` is the result of one. */
export function softmaxLogits(y: Value): Value | undefined {
  if (y.node.op === activationOps.softmax) return y.node.inputs[0];
  return undefined;
}

/**
 * min(max(x, 0), 6).
 * @example
 * relu6(input([8])).shape; // [1, 8]
 */
export const relu6 = (x: Value): Value => clip(x, 0, 6);

/**
 * scale elu(x, alpha) with the constants that keep mean and variance. Klambauer et al., "Self-normalizing neural networks", 2017.
 * @example
 * selu(input([8])).shape; // [1, 8]
 */
export const selu = (x: Value): Value => mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805);

/**
 * min(max(x / 6 + 1/2, 0), 1), as in Keras 3.
 * @example
 * hardSigmoid(input([8])).shape; // [1, 8]
 */
export const hardSigmoid = (x: Value): Value => clip(add(mul(x, 1 / 6), 0.5), 0, 1);

/**
 * x hardSigmoid(x), also known as hard swish.
 * @example
 * hardSilu(input([8])).shape; // [1, 8]
 */
export const hardSilu = (x: Value): Value => mul(x, hardSigmoid(x));

/**
 * x / (1 + |x|).
 * @example
 * softsign(input([8])).shape; // [1, 8]
 */
export const softsign = (x: Value): Value => div(x, add(abs(x), 1));

/**
 * x - log(sum(exp(x))) along the last axis, the maximum taken off first.
 * @example
 * logSoftmax(input([10])).shape; // [1, 10]
 */
export const logSoftmax = (x: Value): Value => apply(activationOps.logSoftmax, [x]);

const activations = {
  linear: (x: Value) => x,
  elu: (x: Value) => elu(x),
  exponential: exp,
  gelu: (x: Value) => gelu(x),
  hardSigmoid,
  hardSilu,
  hardSwish: hardSilu,
  leakyRelu: (x: Value) => leakyRelu(x),
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  swish: silu,
  tanh,
} as const;

/** Names of activations that layers take. */
export type ActivationName = keyof typeof activations;

/** The function behind a name. @throws {TypeError} for a name there is not */
export function activation(given: ActivationName | ((x: Value) => Value) | undefined, op: string): (x: Value) => Value {
  if (typeof given === "function") return given;
  const name = given ?? "linear";
  if (Object.hasOwn(activations, name)) return activations[name];
  throw typeError({ op, expected: `an activation of ${Object.keys(activations).join(", ")}`, actual: `"${name}"` });
}
