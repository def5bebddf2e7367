// Comparisons, choosing by them, and what is made of the two: maximum, minimum, clip, pow.
import { rangeError } from "../errors.js";
import { number } from "../graph/attrs.js";
import { defineOp, type Gradients, type KernelName, type Op } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { broadcast, sameShape, sizeOf } from "../shape.js";
import { binary, mul, operand, sub } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { likeInput, wantDType } from "./check.js";
import { sumTo } from "./reduce.js";
import { log } from "./unary.js";

type CompareKernel = Extract<KernelName, "f32_equal" | "f32_less" | "f32_less_equal">;

// Repeating operands is left to `expand`: while a graph is defined its batch is not final, and a repeated shape would hold it.
const comparison = (name: string, kernel: CompareKernel): Op => {
  const op: Op = defineOp(name, {
    infer([a, b]) {
      wantDType(name, "float32", a, b);
      return { shape: broadcast(a.shape, b.shape, name), dtype: "bool" };
    },
    grad: (): Gradients => [undefined, undefined],
    expand([a, b]) {
      if (sameShape(a.shape, b.shape)) return undefined;
      const shape = broadcast(a.shape, b.shape, name);
      return apply(op, [broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower: (emit, { inputs: [a, b], outputs: [y] }) => emit.call(kernel, sizeOf(y.shape), a, b, y),
  });
  return op;
};

interface Limits {
  readonly low: number;
  readonly high: number;
}

const limits = { low: number(), high: number() };

const clipGrad = defineOp<Limits>("clipGrad", {
  internal: true,
  attrs: limits,
  infer: likeInput("clipGrad"),
  lower: (emit, { inputs: [x, dy], outputs: [dx] }, { low, high }) =>
    emit.call("f32_clamp_grad", sizeOf(x.shape), x, dy, dx, low, high),
  inPlace: 1,
});

export const comparisonOps = {
  equal: comparison("equal", "f32_equal"),
  less: comparison("less", "f32_less"),
  lessEqual: comparison("lessEqual", "f32_less_equal"),
  logicalNot: defineOp("logicalNot", {
    infer([x]) {
      wantDType("logicalNot", "bool", x);
      return { shape: x.shape, dtype: "bool" };
    },
    grad: (): Gradients => [undefined],
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call("u8_not", sizeOf(x.shape), x, y),
  }),
  where: defineOp("where", {
    infer([c, a, b]) {
      wantDType("where", "bool", c);
      wantDType("where", "float32", a, b);
      return { shape: broadcast(broadcast(a.shape, b.shape, "where"), c.shape, "where"), dtype: "float32" };
    },
    grad({ inputs: [c, a, b] }, [dy]): Gradients {
      return [undefined, sumTo(where(c, dy as Value, 0), a.shape), sumTo(where(c, 0, dy as Value), b.shape)];
    },
    expand([c, a, b]): Value | undefined {
      const shape = broadcast(broadcast(a.shape, b.shape, "where"), c.shape, "where");
      if ([c, a, b].every((value) => sameShape(value.shape, shape))) return undefined;
      return apply(comparisonOps.where, [broadcastTo(c, shape), broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower: (emit, { inputs: [c, a, b], outputs: [y] }) => emit.call("f32_where", sizeOf(y.shape), c, a, b, y),
    inPlace: 1,
  }),
  clip: defineOp<Limits>("clip", {
    attrs: limits,
    infer: likeInput("clip"),
    grad: ({ inputs: [x] }, [dy], attrs): Gradients => [apply(clipGrad, [x, dy as Value], { ...attrs })],
    lower: (emit, { inputs: [x], outputs: [y] }, { low, high }) =>
      emit.call("f32_clamp", sizeOf(x.shape), x, y, low, high),
    flops: ({ outputs: [y] }) => 2 * sizeOf(y.shape),
    inPlace: 0,
  }),
  // The gradient goes to the larger (smaller) one, to the first where both are equal.
  maximum: binary("maximum", "f32_maximum", (a, b, dy) => chosen(greaterEqual(a, b), dy)),
  minimum: binary("minimum", "f32_minimum", (a, b, dy) => chosen(lessEqual(a, b), dy)),
  // d(a^b) = b a^(b-1) da + a^b log(a) db; the logarithm counts as 0 where a <= 0, as in TensorFlow.
  pow: binary("pow", "f32_pow", (a, b, dy, y) => {
    const safeLog = where(greater(a, 0), log(where(greater(a, 0), a, 1)), 0);
    return [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(y, safeLog))];
  }),
};

const chosen = (first: Value, dy: Value): readonly [Value, Value] => [where(first, dy, 0), where(first, 0, dy)];

const compare = (op: Op, a: Value | number, b: Value | number): Value => apply(op, [operand(a), operand(b)]);

/**
 * a == b with NumPy broadcasting, as booleans; NaN equals nothing. No gradient flows.
 * @example
 * equal(input([3]), 1).dtype; // "bool"
 */
export const equal = (a: Value | number, b: Value | number): Value => compare(comparisonOps.equal, a, b);

/**
 * a != b with NumPy broadcasting, as booleans.
 * @example
 * notEqual(input([3]), 1).dtype; // "bool"
 */
export const notEqual = (a: Value | number, b: Value | number): Value => logicalNot(equal(a, b));

/**
 * a < b with NumPy broadcasting, as booleans.
 * @example
 * less(input([3]), 1).dtype; // "bool"
 */
export const less = (a: Value | number, b: Value | number): Value => compare(comparisonOps.less, a, b);

/**
 * a <= b with NumPy broadcasting, as booleans.
 * @example
 * lessEqual(input([3]), 1).dtype; // "bool"
 */
export const lessEqual = (a: Value | number, b: Value | number): Value => compare(comparisonOps.lessEqual, a, b);

/**
 * a > b with NumPy broadcasting, as booleans.
 * @example
 * greater(input([3]), 1).dtype; // "bool"
 */
export const greater = (a: Value | number, b: Value | number): Value => less(b, a);

/**
 * a >= b with NumPy broadcasting, as booleans.
 * @example
 * greaterEqual(input([3]), 1).dtype; // "bool"
 */
export const greaterEqual = (a: Value | number, b: Value | number): Value => lessEqual(b, a);

/**
 * not x, for booleans.
 * @example
 * logicalNot(equal(input([3]), 1)).dtype; // "bool"
 */
export const logicalNot = (x: Value): Value => apply(comparisonOps.logicalNot, [x]);

/**
 * a where the condition holds, else b; all three with NumPy broadcasting.
 * @param condition booleans, from a comparison
 * @example
 * const x = input([3]);
 * where(greater(x, 0), x, 0).shape; // [1, 3]
 */
export const where = (condition: Value, a: Value | number, b: Value | number): Value =>
  apply(comparisonOps.where, [condition, operand(a), operand(b)]);

/**
 * min(max(x, low), high); NaN stays. The gradient flows where x is within the limits.
 * @example
 * clip(input([3]), 0, 1).shape; // [1, 3]
 */
export function clip(x: Value, low: number, high: number): Value {
  if (low > high) throw rangeError({ op: "clip", expected: `low to be at most high, ${high}`, actual: String(low) });
  return apply(comparisonOps.clip, [x], { low, high });
}

/**
 * The larger of a and b with NumPy broadcasting; NaN where either is.
 * @example
 * maximum(input([3]), 0).shape; // [1, 3]
 */
export const maximum = (a: Value | number, b: Value | number): Value =>
  apply(comparisonOps.maximum, [operand(a), operand(b)]);

/**
 * The smaller of a and b with NumPy broadcasting; NaN where either is.
 * @example
 * minimum(input([3]), 0).shape; // [1, 3]
 */
export const minimum = (a: Value | number, b: Value | number): Value =>
  apply(comparisonOps.minimum, [operand(a), operand(b)]);

/**
 * a^b with NumPy broadcasting, within 0.51 ulp.
 * @example
 * pow(input([3]), 3).shape; // [1, 3]
 */
export const pow = (a: Value | number, b: Value | number): Value => apply(comparisonOps.pow, [operand(a), operand(b)]);
