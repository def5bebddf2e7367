// Activations, elementwise but for softmax, which works along the last axis.
import { typeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { wantDType } from "./check.js";

const likeInput =
  (op: string) =>
  ([x]: readonly Spec[]): Spec => {
    wantDType(op, "float32", x);
    return { shape: x.shape, dtype: "float32" };
  };

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

const activations = { linear: (x: Value) => x, relu, softmax } as const;

/** Names of activations that layers take. */
export type ActivationName = keyof typeof activations;

/** The function behind a name. @throws {TypeError} for a name there is not */
export function activation(given: ActivationName | ((x: Value) => Value) | undefined, op: string): (x: Value) => Value {
  if (typeof given === "function") return given;
  const name = given ?? "linear";
  if (Object.hasOwn(activations, name)) return activations[name];
  throw typeError({ op, expected: `an activation of ${Object.keys(activations).join(", ")}`, actual: `"${name}"` });
}
