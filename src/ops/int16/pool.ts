// Windows of int16 images: means and largest elements; and means over axes.
import { rangeError } from "../../errors.js";
import { integer, integers, oneOf } from "../../graph/attrs.js";
import { defineOp, type Op } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { normalizeAxes, show, sizeOf } from "../../shape.js";
import { wantElements, wantRank } from "../check.js";
import { reshape } from "../shape.js";
import { transpose } from "../transpose.js";
import { axes, type Pair } from "../window.js";
import {
  type Clamped,
  type Fixed,
  family,
  fixed,
  type Limits,
  limits16,
  limitsOf16,
  type Quantization,
  quantized16,
  wantInt16,
} from "./fixed.js";

interface PoolAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: "valid" | "same";
  readonly quantization: Quantization;
}

interface MeanAttrs extends Limits {
  readonly axes: readonly number[];
  readonly keepDims: number;
  readonly input: Quantization;
  readonly quantization: Quantization;
}

/** Elements of a mean whose sum fits 32 bits. */
const MAX_COUNT = 65535;

const one: Pair = [1, 1];

const pool = (name: string, kernel: "i16_avg_pool2d" | "i16_max_pool2d"): Op =>
  defineOp<PoolAttrs>(name, {
    family,
    attrs: {
      ...limits16,
      size: integers(1, 2),
      strides: integers(1, 2),
      padding: oneOf("valid", "same"),
      quantization: quantized16,
    },
    infer([x], { size, strides, padding }) {
      wantInt16(name, x);
      wantRank(name, 4, "an image [height, width, channels]", x);
      const [rows, cols] = axes(name, x, size, strides, one, padding);
      if (sizeOf(size) > MAX_COUNT)
        throw rangeError({ op: name, expected: `windows of at most ${MAX_COUNT} pixels`, actual: show(size) });
      return { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "int16" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { size, strides, padding, low, high }) {
      const [batch, h, w, c] = x.shape;
      const [rows, cols] = axes(name, x, size, strides, one, padding);
      const sizes = [batch, h, w, c, rows.out, cols.out, ...size, ...strides, rows.before, cols.before] as const;
      emit.call(kernel, ...sizes, low, high, x, y);
    },
    flops: ({ outputs: [y] }, { size }) => sizeOf(y.shape) * sizeOf(size),
  });

/** The factor between scales, divided by a count as TensorFlow Lite does it: as far as bits last, then rounded down. */
function meanFactor(input: Quantization, quantization: Quantization, count: number): Fixed {
  const { multiplier, left, right } = fixed(input.scale / quantization.scale, "int16Mean");
  const by = Math.min(31 - Math.clz32(count), 31 + left - right);
  const shift = left - right - by;
  const divided = Number((BigInt(multiplier) << BigInt(by)) / BigInt(count));
  return { multiplier: divided, left: Math.max(shift, 0), right: Math.max(-shift, 0) };
}

export const int16PoolOps = {
  int16AvgPool2d: /* @__PURE__ */ pool("int16AvgPool2d", "i16_avg_pool2d"),
  int16MaxPool2d: /* @__PURE__ */ pool("int16MaxPool2d", "i16_max_pool2d"),

  int16Mean: defineOp<MeanAttrs>("int16Mean", {
    family,
    attrs: {
      ...limits16,
      axes: integers(0, undefined, 7),
      keepDims: integer(0, 1),
      input: quantized16,
      quantization: quantized16,
    },
    infer([x], { axes, keepDims, input, quantization }) {
      const op = "int16Mean";
      wantInt16(op, x);
      for (const axis of normalizeAxes(axes, x.shape.length, op)) wantElements(op, x, axis);
      const count = sizeOf(axes.map((axis) => x.shape[axis]));
      if (count > MAX_COUNT)
        throw rangeError({ op, expected: `at most ${MAX_COUNT} elements in a mean`, actual: String(count) });
      meanFactor(input, quantization, count);
      const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
      return { shape, dtype: "int16" };
    },
    expand([x], { axes, keepDims, ...attrs }): Value | undefined {
      // The axes go behind the others, unless they are all before the last one.
      const rest = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
      const last = x.shape.length - 1;
      const before = rest.length === 2 && rest[0] === 0 && rest[1] === last;
      const y = before ? x : transpose(x, [...rest, ...axes]);
      const count = sizeOf(axes.map((axis) => x.shape[axis]));
      const outer = before ? x.shape[0] : sizeOf(rest.map((axis) => x.shape[axis]));
      const made = apply(int16PoolOps.int16MeanOfRows, [reshape(y, [outer, count, before ? x.shape[last] : 1])], attrs);
      return reshape(
        made,
        x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d])),
      );
    },
  }),

  /** The same of x [outer, n, inner] over n. */
  int16MeanOfRows: defineOp<Omit<MeanAttrs, "axes" | "keepDims">>("int16MeanOfRows", {
    family,
    internal: true,
    attrs: { ...limits16, input: quantized16, quantization: quantized16 },
    infer: ([{ shape }]) => ({ shape: [shape[0], shape[2]], dtype: "int16" }),
    lower(emit, { inputs: [x], outputs: [y] }, { input, quantization, low, high }) {
      const [outer, n, inner] = x.shape;
      const { multiplier, left, right } = meanFactor(input, quantization, n);
      emit.call("i16_mean", outer, n, inner, multiplier, left, right, low, high, x, y);
    },
  }),
};

export interface Int16PoolOptions extends Clamped {
  /** What the integers of x and of the result stand for. */
  quantization: Quantization;
  /** Default `size`. */
  strides?: Pair;
  /** `valid` (default) or `same`. */
  padding?: "valid" | "same";
}

const poolOf =
  (op: Op) =>
  (x: Value, size: Pair, options: Int16PoolOptions): Value => {
    const { quantization, strides = size, padding = "valid" } = options;
    return apply(op, [x], { size, strides, padding, quantization: { ...quantization }, ...limitsOf16(options) });
  };

/**
 * The mean of the pixels in each window of an int16 image, to the nearest integer (ties away from zero).
 * @param x int16 [batch, height, width, channels]
 * @throws {ShapeError} when a window does not fit
 * @example
 * const x = input([8, 8, 4], { dtype: "int16" });
 * int16AvgPool2d(x, [2, 2], { quantization: { scale: 0.5, zeroPoint: 0 } }).shape; // [1, 4, 4, 4]
 */
export const int16AvgPool2d: (x: Value, size: Pair, options: Int16PoolOptions) => Value = /* @__PURE__ */ poolOf(
  int16PoolOps.int16AvgPool2d,
);

/**
 * The largest element of each window of an int16 image.
 * @param x int16 [batch, height, width, channels]
 * @throws {ShapeError} when a window does not fit
 * @example
 * const x = input([8, 8, 4], { dtype: "int16" });
 * int16MaxPool2d(x, [2, 2], { quantization: { scale: 0.5, zeroPoint: 0 } }).shape; // [1, 4, 4, 4]
 */
export const int16MaxPool2d: (x: Value, size: Pair, options: Int16PoolOptions) => Value = /* @__PURE__ */ poolOf(
  int16PoolOps.int16MaxPool2d,
);

/**
 * The mean of int16 over axes, at most 65535 elements: their sum times input.scale / quantization.scale in fixed point of 31 bits, which is
 * divided by their number.
 * @param options.axes which to take the mean over
 * @param options.keepDims they stay, of size 1; default false
 * @example
 * const x = input([8, 8, 4], { dtype: "int16" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * int16Mean(x, { axes: [1, 2], input: q, quantization: q }).shape; // [1, 4]
 */
export function int16Mean(
  x: Value,
  options: Clamped & { axes: readonly number[]; keepDims?: boolean; input: Quantization; quantization: Quantization },
): Value {
  const { axes, keepDims = false, input, quantization } = options;
  return apply(int16PoolOps.int16Mean, [x], {
    axes: normalizeAxes(axes, x.shape.length, "int16Mean"),
    keepDims: Number(keepDims),
    input: { ...input },
    quantization: { ...quantization },
    ...limitsOf16(options),
  });
}
