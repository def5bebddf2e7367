// Functions of floats that few models call for: sine and cosine, roundings, what a division leaves.
import { defineOp, type Gradients, type KernelName, type Op } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { tflite } from "../runtime/families/tflite.js";
import { broadcast, sameShape, sizeOf } from "../shape.js";
import { div, mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { likeInput, wantDType } from "./check.js";
import { sumTo } from "./reduce.js";
import { floor, neg } from "./unary.js";

type Kernel = Extract<KernelName, `f32_${"sin" | "cos" | "ceil" | "round"}`>;

/* @__NO_SIDE_EFFECTS__ */
const unary = (name: string, kernel: Kernel, slope: (x: Value) => Value | undefined): Op =>
  defineOp(name, {
    family: tflite,
    infer: likeInput(name),
    grad({ inputs: [x] }, [dy]): Gradients {
      const by = slope(x);
      return [by && mul(dy as Value, by)];
    },
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call(kernel, sizeOf(x.shape), x, y),
    flops: ({ outputs: [y] }) => 10 * sizeOf(y.shape),
  });

export const elementaryOps = {
  sin: /* @__PURE__ */ unary("sin", "f32_sin", (x) => cos(x)),
  cos: /* @__PURE__ */ unary("cos", "f32_cos", (x) => neg(sin(x))),
  ceil: /* @__PURE__ */ unary("ceil", "f32_ceil", () => undefined),
  round: /* @__PURE__ */ unary("round", "f32_round", () => undefined),
  floorMod: /* @__PURE__ */ defineOp("floorMod", {
    family: tflite,
    infer([a, b]) {
      wantDType("floorMod", "float32", a, b);
      return { shape: broadcast(a.shape, b.shape, "floorMod"), dtype: "float32" };
    },
    // a - b floor(a / b), whose floor is constant but for its steps.
    grad({ inputs: [a, b] }, [dy]): Gradients {
      const db = neg(mul(dy as Value, floor(div(a, b))));
      return [sumTo(dy as Value, a.shape), sumTo(db, b.shape)];
    },
    expand([a, b]): Value | undefined {
      if (sameShape(a.shape, b.shape)) return undefined;
      const shape = broadcast(a.shape, b.shape, "floorMod");
      return apply(elementaryOps.floorMod, [broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower: (emit, { inputs: [a, b], outputs: [y] }) => emit.call("f32_floor_mod", sizeOf(y.shape), a, b, y),
    flops: ({ outputs: [y] }) => 20 * sizeOf(y.shape),
  }),
};

/** Sine, within 1 ulp for |x| up to 2^20. */
export const sin = (x: Value): Value => apply(elementaryOps.sin, [x]);
/** Cosine, within 1 ulp for |x| up to 2^20. */
export const cos = (x: Value): Value => apply(elementaryOps.cos, [x]);
/** The smallest integer that is not below x. */
export const ceil = (x: Value): Value => apply(elementaryOps.ceil, [x]);
/** The nearest integer, even in ties. */
export const round = (x: Value): Value => apply(elementaryOps.round, [x]);
/** What a / b, rounded down, leaves of a: exact, with the sign of b. */
export const floorMod = (a: Value, b: Value): Value => apply(elementaryOps.floorMod, [a, b]);
