// Elementwise arithmetic on two arrays with NumPy broadcasting.
import { defineOp, type Gradients, type KernelName, type Op } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { broadcast, type Shape, sizeOf } from "../shape.js";
import { broadcastTo } from "./broadcast.js";
import { sameDType, wantDType } from "./check.js";
import { scalar } from "./leaf.js";
import { sumTo } from "./reduce.js";

/** One loop of a broadcast: how many steps, and how far each operand moves in one (0 where it is repeated). */
export type Loop = readonly [size: number, a: number, b: number];

/** The loops of `a op b`, outermost first; axes that both operands walk alike become one. */
export function broadcastLoops(a: Shape, b: Shape, out: Shape): Loop[] {
  const step = (shape: Shape, axis: number) => {
    const own = axis - out.length + shape.length;
    return (shape[own] ?? 1) === 1 ? 0 : sizeOf(shape.slice(own + 1));
  };
  const loops: Loop[] = [];
  for (let axis = out.length - 1; axis >= 0; axis--) {
    const next: Loop = [out[axis], step(a, axis), step(b, axis)];
    if (next[0] === 1) continue;
    const inner = loops[0];
    const alike = inner && next[1] === inner[0] * inner[1] && next[2] === inner[0] * inner[2];
    if (alike) loops[0] = [inner[0] * next[0], inner[1], inner[2]];
    else loops.unshift(next);
  }
  return loops;
}

type BinaryKernel = Extract<
  KernelName,
  "f32_add" | "f32_sub" | "f32_mul" | "f32_div" | "f32_maximum" | "f32_minimum" | "f32_pow"
>;
type BinaryGrad = (a: Value, b: Value, dy: Value, y: Value) => readonly [Value, Value];

/** Loops that a kernel runs. */
const LOOPS = 4;

/** A binary elementwise op: its kernel, and its gradients for both operands before they are summed back to their shapes. */
export function binary(name: string, kernel: BinaryKernel, grad: BinaryGrad): Op {
  const op: Op = defineOp(name, {
    infer([a, b]) {
      wantDType(name, "float32", a, b);
      return { shape: broadcast(a.shape, b.shape, name), dtype: sameDType(name, a, b) };
    },
    grad({ inputs: [a, b], outputs: [y] }, [dy]): Gradients {
      const [da, db] = grad(a, b, dy as Value, y);
      return [sumTo(da, a.shape), sumTo(db, b.shape)];
    },
    /** Operands that need more loops than a kernel has are repeated before. */
    expand([a, b]): Value | undefined {
      const shape = broadcast(a.shape, b.shape, name);
      if (broadcastLoops(a.shape, b.shape, shape).length <= LOOPS) return undefined;
      return apply(op, [broadcastTo(a, shape), broadcastTo(b, shape)]);
    },
    lower(emit, { inputs: [a, b], outputs: [y] }) {
      const loops = broadcastLoops(a.shape, b.shape, y.shape);
      while (loops.length < LOOPS) loops.unshift([1, 0, 0]);
      const [[d0, a0, b0], [d1, a1, b1], [d2, a2, b2], [d3, a3, b3]] = loops;
      emit.call(kernel, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, a, b, y);
    },
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
    inPlace: 0,
  });
  return op;
}

export const arithmeticOps = {
  add: binary("add", "f32_add", (_a, _b, dy) => [dy, dy]),
  sub: binary("sub", "f32_sub", (_a, _b, dy) => [dy, mul(dy, -1)]),
  mul: binary("mul", "f32_mul", (a, b, dy) => [mul(dy, b), mul(dy, a)]),
  // d(a/b) = da/b - (a/b)/b db
  div: binary("div", "f32_div", (_a, b, dy, y) => [div(dy, b), mul(div(mul(dy, y), b), -1)]),
};

/** A number as a scalar constant. */
export const operand = (x: Value | number): Value => (typeof x === "number" ? scalar(x) : x);

/**
 * a + b with NumPy broadcasting.
 * @param a float32 of any shape, or a number
 * @param b float32 of any shape that broadcasts with `a`, or a number
 * @returns float32 of the broadcast shape
 * @throws {ShapeError} when the shapes do not broadcast
 * @example
 * const x = input([4]);
 * add(x, 1).shape; // [1, 4]
 */
export const add = (a: Value | number, b: Value | number): Value => apply(arithmeticOps.add, [operand(a), operand(b)]);

/**
 * a - b with NumPy broadcasting; see {@link add}.
 * @example
 * sub(input([3, 4]), input([4])).shape; // [1, 3, 4]
 */
export const sub = (a: Value | number, b: Value | number): Value => apply(arithmeticOps.sub, [operand(a), operand(b)]);

/**
 * a * b with NumPy broadcasting; see {@link add}.
 * @example
 * mul(input([3, 4]), input([4])).shape; // [1, 3, 4]
 */
export const mul = (a: Value | number, b: Value | number): Value => apply(arithmeticOps.mul, [operand(a), operand(b)]);

/**
 * a / b with NumPy broadcasting, IEEE division; see {@link add}.
 * @example
 * div(input([3, 4]), 2).shape; // [1, 3, 4]
 */
export const div = (a: Value | number, b: Value | number): Value => apply(arithmeticOps.div, [operand(a), operand(b)]);
