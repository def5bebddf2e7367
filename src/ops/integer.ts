// Arithmetic on int32 with NumPy broadcasting, truth values together, and choosing between arrays of any dtype: what graphs do with shapes
// and indices. No gradient flows.
import { typeError } from "../errors.js";
import { defineOp, type KernelName, type Op } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { tflite } from "../runtime/families/tflite.js";
import { broadcast, sameShape, sizeOf } from "../shape.js";
import { bytesOf, type DType } from "../tensor.js";
import { broadcastTo } from "./broadcast.js";
import { cast } from "./cast.js";
import { sameDType, wantDType } from "./check.js";
import { logicalNot } from "./comparison.js";

type IntegerKernel = Extract<
  KernelName,
  `i32_${"add" | "sub" | "mul" | "div" | "floor_div" | "floor_mod" | "maximum" | "minimum" | "less"}` | "u8_and"
>;

/** An op of two arrays, which its kernel takes repeated to one shape. */
/* @__NO_SIDE_EFFECTS__ */
function pairwise(name: string, kernel: IntegerKernel, from: DType, to: DType): Op {
  const op: Op = defineOp(name, {
    family: tflite,
    infer([a, b]) {
      wantDType(name, from, a, b);
      return { shape: broadcast(a.shape, b.shape, name), dtype: to };
    },
    expand([a, b]): Value | undefined {
      if (sameShape(a.shape, b.shape)) return undefined;
      const shape = broadcast(a.shape, b.shape, name);
      return apply(op, [broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower: (emit, { inputs: [a, b], outputs: [y] }) => emit.call(kernel, sizeOf(y.shape), a, b, y),
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
  });
  return op;
}

const whole = (name: string, kernel: IntegerKernel): Op => pairwise(name, kernel, "int32", "int32");

export const integerOps = {
  integerAdd: /* @__PURE__ */ whole("integerAdd", "i32_add"),
  integerSub: /* @__PURE__ */ whole("integerSub", "i32_sub"),
  integerMul: /* @__PURE__ */ whole("integerMul", "i32_mul"),
  integerDiv: /* @__PURE__ */ whole("integerDiv", "i32_div"),
  integerFloorDiv: /* @__PURE__ */ whole("integerFloorDiv", "i32_floor_div"),
  integerFloorMod: /* @__PURE__ */ whole("integerFloorMod", "i32_floor_mod"),
  integerMaximum: /* @__PURE__ */ whole("integerMaximum", "i32_maximum"),
  integerMinimum: /* @__PURE__ */ whole("integerMinimum", "i32_minimum"),
  integerLess: /* @__PURE__ */ pairwise("integerLess", "i32_less", "int32", "bool"),
  logicalAnd: /* @__PURE__ */ pairwise("logicalAnd", "u8_and", "bool", "bool"),
  /** Inputs: truth values, and what is taken where they hold and where not. */
  select: /* @__PURE__ */ defineOp("select", {
    family: tflite,
    infer([c, a, b]) {
      wantDType("select", "bool", c);
      const dtype = sameDType("select", a, b);
      if (dtype === "int16")
        throw typeError({ op: "select", expected: "elements of one or four bytes", actual: dtype });
      return { shape: broadcast(broadcast(a.shape, b.shape, "select"), c.shape, "select"), dtype };
    },
    expand([c, a, b]): Value | undefined {
      const shape = broadcast(broadcast(a.shape, b.shape, "select"), c.shape, "select");
      if ([c, a, b].every((value) => sameShape(value.shape, shape))) return undefined;
      return apply(integerOps.select, [broadcastTo(c, shape), broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower: (emit, { inputs: [c, a, b], outputs: [y] }) =>
      emit.call(bytesOf(y.dtype) === 4 ? "x32_select" : "x8_select", sizeOf(y.shape), c, a, b, y),
  }),
};

const of =
  (name: Exclude<keyof typeof integerOps, "select">) =>
  (a: Value, b: Value): Value =>
    apply(integerOps[name], [a, b]);

/** a + b of int32, modulo 2^32, with NumPy broadcasting, as all of these. */
export const integerAdd: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerAdd");
export const integerSub: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerSub");
export const integerMul: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerMul");
/** a / b of int32, towards zero; 0 where b is 0. */
export const integerDiv: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerDiv");
/** a / b of int32, rounded down; 0 where b is 0. */
export const integerFloorDiv: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerFloorDiv");
/** What that leaves, with the sign of b; 0 where b is 0. */
export const integerFloorMod: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerFloorMod");
export const integerMaximum: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerMaximum");
export const integerMinimum: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerMinimum");
/** a < b of int32, as booleans. */
export const integerLess: (a: Value, b: Value) => Value = /* @__PURE__ */ of("integerLess");
/** a == b of int32, as booleans. */
export const integerEqual = (a: Value, b: Value): Value => logicalNot(cast(integerSub(a, b), "bool"));
export const logicalAnd: (a: Value, b: Value) => Value = /* @__PURE__ */ of("logicalAnd");
export const logicalOr = (a: Value, b: Value): Value => logicalNot(logicalAnd(logicalNot(a), logicalNot(b)));

/** a where the condition holds, else b: of one dtype, any but int16. */
export const select = (condition: Value, a: Value, b: Value): Value => apply(integerOps.select, [condition, a, b]);
