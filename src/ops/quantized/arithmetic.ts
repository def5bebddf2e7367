// Sums and products of two int8 arrays of other scales.
import { ShapeError } from "../../errors.js";
import { boolean } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Spec, type Value } from "../../graph/value.js";
import { broadcast, sameShape, sizeOf } from "../../shape.js";
import { broadcastTo } from "../broadcast.js";
import { wantDType } from "../check.js";
import { reshape } from "../shape.js";
import {
  type Clamped,
  family,
  type Limits,
  limitsCheck,
  limitsOf,
  product,
  type Quantization,
  quantized,
  ratio,
} from "./quantization.js";
import { toEven } from "./rounding.js";

interface PairAttrs extends Limits {
  readonly a: Quantization;
  readonly b: Quantization;
  readonly quantization: Quantization;
}

interface SumAttrs extends PairAttrs {
  /** a - b. */
  readonly minus: boolean;
}

const attrs = { ...limitsCheck, a: quantized, b: quantized, quantization: quantized };

const infer =
  (op: string) =>
  ([a, b]: readonly Spec[]): Spec => {
    wantDType(op, "int8", a, b);
    return { shape: broadcast(a.shape, b.shape, op), dtype: "int8" };
  };

/** Both of the shape of the result, written out where they repeat; undefined where they have it. */
export function alike(a: Value, b: Value): [Value, Value] | undefined {
  if (sameShape(a.shape, b.shape)) return undefined;
  const shape = broadcast(a.shape, b.shape, "broadcast");
  const full = (x: Value): Value => {
    const ones = Array(shape.length - x.shape.length).fill(1);
    return shape.reduce(
      (value: Value, d, axis) => (value.shape[axis] === d ? value : broadcastTo(value, value.shape.with(axis, d))),
      reshape(x, [...ones, ...x.shape]),
    );
  };
  return [full(a), full(b)];
}

/** The larger factor of a sum is at least this, and less than twice it: two products with differences of int8 then fit 32 bits. */
const LEAST = 2 ** 20;

/**
 * The factors as integers of at most 21 bits over 2^shift: the larger one, from its leading bit on, fills them. What is below them rounds to
 * even.
 * @throws {ShapeError} when the scales are too far apart
 */
export function fixedFactors({ a, b, quantization }: PairAttrs): { fa: number; fb: number; shift: number } {
  const [ra, rb] = [ratio(a.scale, quantization.scale), ratio(b.scale, quantization.scale)];
  const larger = Math.max(ra, rb);
  // The power of two for which the larger factor has its leading bit in place.
  let shift = 0;
  let power = 1;
  while (shift < 40 && larger * power < LEAST) {
    shift++;
    power *= 2;
  }
  if (!(shift >= 12 && shift <= 30 && larger > 0)) {
    const expected = "scales of operands between 2^-10 and 2^8 times the result's";
    throw new ShapeError({ op: "quantizedAdd", expected, actual: String(larger) });
  }
  return { fa: toEven(ra * power), fb: toEven(rb * power), shift };
}

export const quantizedArithmeticOps = {
  quantizedAdd: defineOp<SumAttrs>("quantizedAdd", {
    family,
    attrs: { ...attrs, minus: boolean },
    infer(specs, attrs) {
      fixedFactors(attrs);
      return infer("quantizedAdd")(specs);
    },
    expand([a, b], attrs): Value | undefined {
      const full = alike(a, b);
      return full && apply(quantizedArithmeticOps.quantizedAdd, full, { ...attrs });
    },
    lower(emit, { inputs: [a, b], outputs: [y] }, attrs) {
      const { fa, fb, shift } = fixedFactors(attrs);
      const gb = attrs.minus ? -fb : fb;
      const bias = ((1 << (shift - 1)) - fa * attrs.a.zeroPoint - gb * attrs.b.zeroPoint) | 0;
      emit.call(
        "i8_add",
        sizeOf(y.shape),
        a,
        b,
        y,
        fa,
        gb,
        bias,
        shift,
        attrs.quantization.zeroPoint,
        attrs.low,
        attrs.high,
      );
    },
    flops: ({ outputs: [y] }) => 4 * sizeOf(y.shape),
    inPlace: 0,
  }),

  quantizedMul: defineOp<PairAttrs>("quantizedMul", {
    family,
    attrs,
    infer: infer("quantizedMul"),
    expand([a, b], attrs): Value | undefined {
      const full = alike(a, b);
      return full && apply(quantizedArithmeticOps.quantizedMul, full, { ...attrs });
    },
    lower(emit, { inputs: [a, b], outputs: [y] }, { a: { scale, zeroPoint }, b: other, quantization, low, high }) {
      const factor = ratio(product(scale, other.scale), quantization.scale);
      const zeros = [zeroPoint, other.zeroPoint] as const;
      emit.call("i8_mul", sizeOf(y.shape), a, b, y, ...zeros, factor, quantization.zeroPoint, low, high);
    },
    flops: ({ outputs: [y] }) => 2 * sizeOf(y.shape),
    inPlace: 0,
  }),
};

export interface QuantizedPairOptions extends Clamped {
  /** What the integers of the first operand stand for. */
  a: Quantization;
  /** What the integers of the second operand stand for. */
  b: Quantization;
  /** What the integers of the result stand for. */
  quantization: Quantization;
}

const pairAttrs = (options: QuantizedPairOptions): PairAttrs => ({
  a: { ...options.a },
  b: { ...options.b },
  quantization: { ...options.quantization },
  ...limitsOf(options),
});

/**
 * a + b of int8, broadcast as in NumPy. Each operand goes times its scale over the result's, as an integer over a common power of two of
 * which the larger has 21 bits; the sum is rounded to the nearest integer (ties up).
 * @throws {ShapeError} when the shapes do not broadcast, or an operand's scale is not between 2^-10 and 2^8 times the result's
 * @example
 * const x = input([8], { dtype: "int8" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * quantizedAdd(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const quantizedAdd = (a: Value, b: Value, options: QuantizedPairOptions): Value =>
  apply(quantizedArithmeticOps.quantizedAdd, [a, b], { ...pairAttrs(options), minus: false });

/**
 * a - b of int8, as {@link quantizedAdd}.
 * @throws {ShapeError} likewise
 * @example
 * const x = input([8], { dtype: "int8" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * quantizedSub(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const quantizedSub = (a: Value, b: Value, options: QuantizedPairOptions): Value =>
  apply(quantizedArithmeticOps.quantizedAdd, [a, b], { ...pairAttrs(options), minus: true });

/**
 * a b of int8, broadcast as in NumPy: the product of the integers without their zero points times a.scale b.scale / quantization.scale in
 * float32, requantized.
 * @throws {ShapeError} when the shapes do not broadcast
 * @example
 * const x = input([8], { dtype: "int8" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * quantizedMul(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const quantizedMul = (a: Value, b: Value, options: QuantizedPairOptions): Value =>
  apply(quantizedArithmeticOps.quantizedMul, [a, b], { ...pairAttrs(options) });
