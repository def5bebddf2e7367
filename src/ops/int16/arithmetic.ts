// Sums, products and extremes of two int16 arrays, and leaky relu. Factors between scales are TensorFlow Lite's fixed point.

import { rangeError, ShapeError } from "../../errors.js";
import { boolean, number } from "../../graph/attrs.js";
import { defineOp, type Op } from "../../graph/op.js";
import { apply, type Spec, type Value } from "../../graph/value.js";
import { powerOfTwo } from "../../numbers.js";
import { broadcast, sizeOf } from "../../shape.js";
import { alike } from "../quantized/arithmetic.js";
import {
  type Clamped,
  type Fixed,
  family,
  fixed,
  type Limits,
  limits16,
  limitsOf16,
  log2Of,
  type Quantization,
  quantized16,
  wantInt16,
} from "./fixed.js";

interface PairAttrs extends Limits {
  readonly a: Quantization;
  readonly b: Quantization;
  readonly quantization: Quantization;
}

interface SumAttrs extends PairAttrs {
  /** a - b. */
  readonly minus: boolean;
  /** Scales are powers of two, and terms are shifted; see `powerOfTwo` of {@link int16Add}. */
  readonly powerOfTwo: boolean;
}

interface LeakyAttrs extends Limits {
  readonly input: Quantization;
  readonly quantization: Quantization;
  readonly negativeSlope: number;
}

const pairAttrs = { ...limits16, a: quantized16, b: quantized16, quantization: quantized16 };

const infer =
  (op: string) =>
  ([a, b]: readonly Spec[]): Spec => {
    wantInt16(op, a, b);
    return { shape: broadcast(a.shape, b.shape, op), dtype: "int16" };
  };

/** Bits that terms are shifted to the left, as the kernel has it. */
const LEFT = 15;

/**
 * Factors of both terms, over twice the larger scale, and of their sum.
 * @throws {RangeError} when that of the sum is not below 1: it would not fit 32 bits
 */
function sumFactors({ a, b, quantization }: PairAttrs) {
  const op = "int16Add";
  const twice = 2 * Math.max(a.scale, b.scale);
  const total = fixed(twice / (powerOfTwo(LEFT) * quantization.scale), op);
  if (total.left > 0)
    throw rangeError({ op, expected: "operands' scales below 2^14 times the result's", actual: String(twice / 2) });
  return [fixed(a.scale / twice, op), fixed(b.scale / twice, op), total];
}

/** What each operand is shifted by to the right. @throws {ShapeError} unless one of them is not shifted, and scales are powers of two */
function shifts({ a, b, quantization }: PairAttrs): readonly [number, number] {
  const [la, lb, to] = [a, b, quantization].map(({ scale }) => log2Of(scale) ?? Number.NaN);
  const by = [to - la, to - lb] as const;
  if (Math.min(...by) === 0 && Math.max(...by) < 16) return by;
  const expected = "an operand of the result's scale, the other's a power of two below it";
  throw new ShapeError({ op: "int16Add", expected, actual: [a.scale, b.scale, quantization.scale].join(", ") });
}

const extremum = (name: string, kernel: "i16_maximum" | "i16_minimum"): Op =>
  defineOp(name, {
    family,
    infer: infer(name),
    expand([a, b]): Value | undefined {
      const full = alike(a, b);
      return full && apply(int16ArithmeticOps[name as "int16Maximum"], full);
    },
    lower: (emit, { inputs: [a, b], outputs: [y] }) => emit.call(kernel, sizeOf(y.shape), a, b, y),
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
    inPlace: 0,
  });

type Scales = Pick<PairAttrs, "a" | "b" | "quantization">;

/** @throws {RangeError} when the scales are too far apart */
const productFactor = ({ a, b, quantization }: Scales): Fixed =>
  fixed(Math.fround(Math.fround(a.scale * b.scale) / quantization.scale), "int16Mul");

/** The factors of numbers above and below 0. @throws {RangeError} when the scales are too far apart */
function leakyFactors(attrs: Pick<LeakyAttrs, "input" | "quantization" | "negativeSlope">): readonly [Fixed, Fixed] {
  const { input, quantization, negativeSlope } = attrs;
  const below = Math.fround(Math.fround(input.scale * Math.fround(negativeSlope)) / quantization.scale);
  return [fixed(Math.fround(input.scale / quantization.scale), "int16LeakyRelu"), fixed(below, "int16LeakyRelu")];
}

export const int16ArithmeticOps = {
  int16Add: defineOp<SumAttrs>("int16Add", {
    family,
    attrs: { ...pairAttrs, minus: boolean, powerOfTwo: boolean },
    infer(specs, attrs) {
      if (attrs.powerOfTwo) shifts(attrs);
      else sumFactors(attrs);
      return infer("int16Add")(specs);
    },
    expand([a, b], attrs): Value | undefined {
      const full = alike(a, b);
      return full && apply(int16ArithmeticOps.int16Add, full, { ...attrs });
    },
    lower(emit, { inputs: [a, b], outputs: [y] }, attrs) {
      const { low, high } = attrs;
      const [n, sign] = [sizeOf(y.shape), attrs.minus ? -1 : 0];
      if (attrs.powerOfTwo) {
        const [left, right] = shifts(attrs);
        emit.call("i16_add_pot", n, a, b, y, left, right, sign, low, high);
        return;
      }
      const [fa, fb, f] = sumFactors(attrs);
      const factors = [fa.multiplier, fa.right, fb.multiplier, fb.right, f.multiplier, f.right] as const;
      emit.call("i16_add", n, a, b, y, ...factors, sign, low, high);
    },
    flops: ({ outputs: [y] }) => 4 * sizeOf(y.shape),
    inPlace: 0,
  }),

  int16Mul: defineOp<PairAttrs>("int16Mul", {
    family,
    attrs: pairAttrs,
    infer(specs, attrs) {
      productFactor(attrs);
      return infer("int16Mul")(specs);
    },
    expand([a, b], attrs): Value | undefined {
      const full = alike(a, b);
      return full && apply(int16ArithmeticOps.int16Mul, full, { ...attrs });
    },
    lower(emit, { inputs: [x, y], outputs: [z] }, { low, high, ...scales }) {
      const { multiplier, left, right } = productFactor(scales);
      emit.call("i16_mul", sizeOf(z.shape), x, y, z, multiplier, left, right, low, high);
    },
    flops: ({ outputs: [y] }) => 2 * sizeOf(y.shape),
    inPlace: 0,
  }),

  int16Maximum: /* @__PURE__ */ extremum("int16Maximum", "i16_maximum"),
  int16Minimum: /* @__PURE__ */ extremum("int16Minimum", "i16_minimum"),

  int16LeakyRelu: defineOp<LeakyAttrs>("int16LeakyRelu", {
    family,
    attrs: { ...limits16, input: quantized16, quantization: quantized16, negativeSlope: number(0) },
    infer([x], attrs) {
      wantInt16("int16LeakyRelu", x);
      leakyFactors(attrs);
      return { shape: x.shape, dtype: "int16" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { low, high, ...attrs }) {
      const [f, below] = leakyFactors(attrs);
      const factors = [f.multiplier, f.left, f.right, below.multiplier, below.left, below.right] as const;
      emit.call("i16_leaky_relu", sizeOf(x.shape), x, y, ...factors, low, high);
    },
    flops: ({ outputs: [y] }) => 2 * sizeOf(y.shape),
    inPlace: 0,
  }),
};

export interface Int16PairOptions {
  /** What the integers of the first operand stand for; its zero point is 0. */
  a: Quantization;
  /** What the integers of the second operand stand for; its zero point is 0. */
  b: Quantization;
  /** What the integers of the result stand for; its zero point is 0. */
  quantization: Quantization;
  /** The smallest integer of the result, default -32768. */
  low?: number;
  /** The largest integer of the result, default 32767. */
  high?: number;
}

export interface Int16AddOptions extends Int16PairOptions {
  /** One operand has the scale of the result, the other's is a power of two below it: it is shifted, and sums saturate. Default false. */
  powerOfTwo?: boolean;
}

const pairOf = (options: Int16PairOptions): PairAttrs => ({
  a: { ...options.a },
  b: { ...options.b },
  quantization: { ...options.quantization },
  ...limitsOf16(options),
});

/**
 * a + b of int16, broadcast as in NumPy. Each goes 2^15 times, by its scale over twice the larger one, and the sum by what is left, each in fixed
 * point of 31 bits, as in TensorFlow Lite.
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} when an operand's scale is 2^14 times the result's
 * @example
 * const x = input([8], { dtype: "int16" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * int16Add(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const int16Add = (a: Value, b: Value, options: Int16AddOptions): Value => sum(a, b, options, false);

/**
 * a - b of int16, as {@link int16Add}.
 * @throws {ShapeError} likewise
 * @example
 * const x = input([8], { dtype: "int16" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * int16Sub(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const int16Sub = (a: Value, b: Value, options: Int16AddOptions): Value => sum(a, b, options, true);

const sum = (a: Value, b: Value, options: Int16AddOptions, minus: boolean): Value =>
  apply(int16ArithmeticOps.int16Add, [a, b], { ...pairOf(options), minus, powerOfTwo: options.powerOfTwo ?? false });

/**
 * a b of int16, broadcast as in NumPy, times a.scale b.scale / quantization.scale in fixed point of 31 bits.
 * @throws {ShapeError} when the shapes do not broadcast
 * @example
 * const x = input([8], { dtype: "int16" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * int16Mul(x, x, { a: q, b: q, quantization: { scale: 1, zeroPoint: 0 } }).shape; // [1, 8]
 */
export const int16Mul = (a: Value, b: Value, options: Int16PairOptions): Value =>
  apply(int16ArithmeticOps.int16Mul, [a, b], { ...pairOf(options) });

/**
 * The larger of a and b, int16 of one scale, broadcast as in NumPy.
 * @throws {ShapeError} when the shapes do not broadcast
 * @example
 * const x = input([8], { dtype: "int16" });
 * int16Maximum(x, x).shape; // [1, 8]
 */
export const int16Maximum = (a: Value, b: Value): Value => apply(int16ArithmeticOps.int16Maximum, [a, b]);

/**
 * The smaller of a and b, int16 of one scale, broadcast as in NumPy.
 * @throws {ShapeError} when the shapes do not broadcast
 * @example
 * const x = input([8], { dtype: "int16" });
 * int16Minimum(x, x).shape; // [1, 8]
 */
export const int16Minimum = (a: Value, b: Value): Value => apply(int16ArithmeticOps.int16Minimum, [a, b]);

export interface Int16LeakyReluOptions extends Clamped {
  /** What the integers of x stand for; its zero point is 0. */
  input: Quantization;
  /** What the integers of the result stand for; its zero point is 0. */
  quantization: Quantization;
  /** What numbers below 0 go times, at least 0; default 1. */
  negativeSlope?: number;
}

/**
 * int16 of one scale as int16 of another, what is below 0 times a slope; factors are float32, taken in fixed point of 31 bits, and results
 * are clamped: with `low` 0 it is relu.
 * @throws {RangeError} when a scale is 2^30 times the other
 * @example
 * const x = input([8], { dtype: "int16" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * int16LeakyRelu(x, { input: q, quantization: q, negativeSlope: 0.25 }).shape; // [1, 8]
 */
export function int16LeakyRelu(x: Value, options: Int16LeakyReluOptions): Value {
  const { input, quantization, negativeSlope = 1 } = options;
  const scales = { input: { ...input }, quantization: { ...quantization } };
  return apply(int16ArithmeticOps.int16LeakyRelu, [x], { ...scales, negativeSlope, ...limitsOf16(options) });
}
