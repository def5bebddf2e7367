// Sigmoid, tanh and softmax of int16, by tables and the line between their entries, as TensorFlow Lite's reference kernels have them.
import { number, oneOf } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { sizeOf } from "../../shape.js";
import { constant } from "../leaf.js";
import { type Fixed, family, fixed, log2Of, type Quantization, quantized16, wantInt16 } from "./fixed.js";

const FUNCTIONS = ["sigmoid", "tanh"] as const;
type Name = (typeof FUNCTIONS)[number];

interface FunctionAttrs {
  readonly function: Name;
  readonly input: Quantization;
}

/** e^x in float64 by sums and products alone, so that every engine has the same; x is in [-11, 0]. */
function exponential(x: number): number {
  // e^x = (e^(x / 2^10))^(2^10): six terms leave 10^-16, ten squares multiply it by 2^10.
  const small = x / 1024;
  let [term, sum] = [1, 1];
  for (let i = 1; i < 8; i++) {
    term *= small / i;
    sum += term;
  }
  for (let i = 0; i < 10; i++) sum *= sum;
  return sum;
}

/**
 * sigmoid(i / 24), 16 bits after the point, as bits of int16: each moved by half of what the line to the next one is off in the middle; the
 * last one is the largest there is.
 */
export function sigmoidTable(): Int16Array {
  const at = (i: number) => 65536 / (1 + exponential(-i / 24));
  const entry = (i: number) => Math.round(at(i) - ((at(i) + at(i + 1)) / 2 - at(i + 0.5)) / 2);
  return Int16Array.from({ length: 256 }, (_, i) => (i === 255 ? 65535 : entry(i)));
}

/** Steps of int16, and halves away from zero. */
const STEPS = 65535;
const round = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** 513 numbers of a function, 15 bits after the point, of what int16 stands for at a scale and a zero point; moved likewise. */
export function lineTable(f: (x: number) => number, scale: number, zero: number): Int16Array {
  const [low, high] = [scale * (-32768 - zero), scale * (32767 - zero)];
  const step = (high - low) / 512;
  const inverse = 65536 / ((2 / STEPS) * 32767 - (2 / STEPS) * -32768);
  const at = (x: number) => f(x) * inverse;
  const entry = (i: number) => {
    const sample = round(at(low + i * step));
    const middle = round((at(low + (i + 1) * step) + sample) / 2);
    return sample - round((middle - round(at(low + i * step + step / 2))) / 2);
  };
  return Int16Array.from({ length: 513 }, (_, i) =>
    Math.min(Math.max(i === 512 ? round(at(high)) : entry(i), -32768), 32767),
  );
}

/** The factor from a scale to that of the table, 1 / (3 4096), over 2^shift. */
export function tableFactor(name: Name, scale: number): { multiplier: number; shift: number } {
  const exponent = (log2Of(scale) ?? Number.NaN) + 12;
  if (exponent === 0 || (name === "tanh" && exponent === 1)) return { multiplier: 3 << exponent, shift: 0 };
  let [multiplier, shift] = [scale * 4096 * 3, 0];
  for (; multiplier <= 32767 / 2 && shift <= 30; shift++) multiplier *= 2;
  return { multiplier: Math.trunc(multiplier), shift };
}

const words = (data: Int16Array): Value => constant({ data, shape: [data.length], dtype: "int16" });

/** From differences of logits to steps of the table. @throws {RangeError} when the scale is too large */
const softmaxFactor = ({ input, beta }: { input: Quantization; beta: number }): Fixed =>
  fixed(Math.fround(input.scale * Math.fround(beta)) / (10 / 65535), "int16Softmax");

export const int16FunctionOps = {
  int16Function: defineOp<FunctionAttrs>("int16Function", {
    family,
    attrs: { function: oneOf(...FUNCTIONS), input: quantized16 },
    infer([x]) {
      wantInt16("int16Function", x);
      return { shape: x.shape, dtype: "int16" };
    },
    expand([x], attrs): Value | undefined {
      return apply(int16FunctionOps.int16Interpolate, [x, words(sigmoidTable())], { ...attrs });
    },
  }),

  /** Inputs x and the table of sigmoid. */
  int16Interpolate: defineOp<FunctionAttrs>("int16Interpolate", {
    family,
    internal: true,
    attrs: { function: oneOf(...FUNCTIONS), input: quantized16 },
    infer: ([{ shape }]) => ({ shape, dtype: "int16" }),
    lower(emit, { inputs: [x, table], outputs: [y] }, { function: name, input }) {
      const { multiplier, shift } = tableFactor(name, input.scale);
      emit.call(name === "tanh" ? "i16_tanh" : "i16_sigmoid", sizeOf(x.shape), x, table, y, multiplier, shift);
    },
    inPlace: 0,
  }),

  int16Softmax: defineOp<{ input: Quantization; beta: number }>("int16Softmax", {
    family,
    attrs: { input: quantized16, beta: number(0) },
    infer([x], attrs) {
      wantInt16("int16Softmax", x);
      softmaxFactor(attrs);
      return { shape: x.shape, dtype: "int16" };
    },
    expand([x], attrs): Value | undefined {
      const inverse = (v: number) => 1 / (1 + v);
      const tables = [lineTable(exponential, 10 / STEPS, 32767), lineTable(inverse, 1 / STEPS, -32768)];
      return apply(int16FunctionOps.int16SoftmaxRows, [x, ...tables.map(words)], { ...attrs });
    },
  }),

  /** Inputs x and the tables of exponentials and inverses. */
  int16SoftmaxRows: defineOp<{ input: Quantization; beta: number }>("int16SoftmaxRows", {
    family,
    internal: true,
    attrs: { input: quantized16, beta: number(0) },
    infer: ([{ shape }]) => ({ shape, dtype: "int16" }),
    lower(emit, { inputs: [x, exponentials, inverses], outputs: [y] }, attrs) {
      const n = x.shape.at(-1) ?? 1;
      const { multiplier, left, right } = softmaxFactor(attrs);
      const rows = n === 0 ? 0 : sizeOf(x.shape) / n;
      emit.call("i16_softmax", rows, n, x, exponentials, inverses, y, multiplier, left, right);
    },
  }),
};

/**
 * Sigmoid or tanh of int16; the result has the scale 2^-15.
 * @param name `sigmoid` or `tanh`
 * @param input what the integers of x stand for; its zero point is 0
 * @throws {TypeError} for another name
 * @example
 * const x = input([8], { dtype: "int16" });
 * int16Function(x, "tanh", { scale: 0.0009765625, zeroPoint: 0 }).shape; // [1, 8]
 */
export const int16Function = (x: Value, name: "sigmoid" | "tanh", input: Quantization): Value =>
  apply(int16FunctionOps.int16Function, [x], { function: name, input: { ...input } });

/**
 * Softmax of int16 along the last axis; the result has the scale 2^-15.
 * @param options.input what the integers of x stand for; its zero point is 0
 * @param options.beta what the logits go times; default 1
 * @example
 * const x = input([10], { dtype: "int16" });
 * int16Softmax(x, { input: { scale: 0.0009765625, zeroPoint: 0 } }).shape; // [1, 10]
 */
export const int16Softmax = (x: Value, { input, beta = 1 }: { input: Quantization; beta?: number }): Value =>
  apply(int16FunctionOps.int16Softmax, [x], { input: { ...input }, beta });
