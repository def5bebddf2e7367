// Windows of int8 images: means, largest elements, and means over axes.
import { rangeError, ShapeError } from "../../errors.js";
import { boolean, integer, integers, optional } from "../../graph/attrs.js";
import { defineOp, type Op } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { normalizeAxes, show, sizeOf } from "../../shape.js";
import { wantDType, wantElements, wantRank } from "../check.js";
import { reshape } from "../shape.js";
import { transpose } from "../transpose.js";
import { type Axis, axes, type Padding, type Pair, paddingCheck } from "../window.js";
import {
  type Clamped,
  family,
  type Limits,
  limitsCheck,
  limitsOf,
  type Quantization,
  quantized,
  ratio,
} from "./quantization.js";

interface PoolAttrs extends Limits {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly quantization: Quantization;
  /** Ties of means go up, as those of uint8 do, not away from 0. */
  readonly tiesUp?: boolean;
}

interface MeanAttrs extends Limits {
  readonly axes: readonly number[];
  readonly keepDims: number;
  readonly input: Quantization;
  readonly quantization: Quantization;
  /** The sum, not divided by the count. */
  readonly sum?: boolean;
}

/** Pixels of a window: the kernel's quotient is exact up to these. */
const MAX_WINDOW = 65535;

const one: Pair = [1, 1];

const pool = (name: string, kernel: "i8_avg_pool2d" | "i8_max_pool2d"): Op =>
  defineOp<PoolAttrs>(name, {
    family,
    attrs: {
      ...limitsCheck,
      size: integers(1, 2),
      strides: integers(1, 2),
      padding: paddingCheck,
      quantization: quantized,
      tiesUp: optional(boolean),
    },
    infer([x], { size, strides, padding }) {
      wantDType(name, "int8", x);
      wantRank(name, 4, "an image [height, width, channels]", x);
      const [rows, cols] = axes(name, x, size, strides, one, padding);
      const outside = (axis: Axis, n: number, k: number, stride: number) =>
        axis.before >= k || (axis.out - 1) * stride >= n + axis.before;
      if (outside(rows, x.shape[1], size[0], strides[0]) || outside(cols, x.shape[2], size[1], strides[1]))
        throw new ShapeError({
          op: name,
          expected: "pixels of the image in every window",
          actual: JSON.stringify(padding),
        });
      if (sizeOf(size) > MAX_WINDOW)
        throw rangeError({ op: name, expected: `windows of at most ${MAX_WINDOW} pixels`, actual: show(size) });
      return { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "int8" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { size, strides, padding, low, high, tiesUp = false }) {
      const [batch, h, w, c] = x.shape;
      const [rows, cols] = axes(name, x, size, strides, one, padding);
      const sizes = [batch, h, w, c, rows.out, cols.out, ...size, ...strides, rows.before, cols.before] as const;
      if (kernel === "i8_max_pool2d") emit.call(kernel, ...sizes, low, high, x, y);
      else emit.call(kernel, ...sizes, tiesUp ? -128 : 0, low, high, x, y);
    },
    flops: ({ outputs: [y] }, { size }) => sizeOf(y.shape) * sizeOf(size),
  });

export const quantizedPoolOps = {
  quantizedAvgPool2d: /* @__PURE__ */ pool("quantizedAvgPool2d", "i8_avg_pool2d"),
  quantizedMaxPool2d: /* @__PURE__ */ pool("quantizedMaxPool2d", "i8_max_pool2d"),

  /** The mean over axes: (sum - count zeroPoint) times input.scale / (quantization.scale count), requantized. */
  quantizedMean: defineOp<MeanAttrs>("quantizedMean", {
    family,
    attrs: {
      ...limitsCheck,
      axes: integers(0, undefined, 7),
      keepDims: integer(0, 1),
      input: quantized,
      quantization: quantized,
      sum: optional(boolean),
    },
    infer([x], { axes, keepDims }) {
      wantDType("quantizedMean", "int8", x);
      for (const axis of normalizeAxes(axes, x.shape.length, "quantizedMean")) wantElements("quantizedMean", x, axis);
      const count = sizeOf(axes.map((axis) => x.shape[axis]));
      if (count > 2 ** 22)
        throw rangeError({ op: "quantizedMean", expected: "at most 2^22 elements in a mean", actual: String(count) });
      const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
      return { shape, dtype: "int8" };
    },
    expand([x], { axes, keepDims: _, ...attrs }): Value | undefined {
      // One run of axes stays where it is; others go last.
      const place = [...axes].sort((a, b) => a - b);
      const rest = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
      const apart = place.some((axis, i) => i > 0 && axis !== place[i - 1] + 1);
      const y = apart ? transpose(x, [...rest, ...place]) : x;
      const first = apart ? rest.length : (place[0] ?? x.shape.length);
      const inner = apart ? [] : y.shape.slice(first + place.length);
      const shape = [sizeOf(y.shape.slice(0, first)), sizeOf(place.map((axis) => x.shape[axis])), sizeOf(inner)];
      const made = apply(quantizedPoolOps.quantizedMeanOfRows, [reshape(y, shape)], attrs);
      return reshape(
        made,
        quantizedPoolOps.quantizedMean.infer([x], { axes, keepDims: _, ...attrs } as never)[0].shape,
      );
    },
  }),

  /** The same of x [outer, n, inner] over n. */
  quantizedMeanOfRows: defineOp<Omit<MeanAttrs, "axes" | "keepDims">>("quantizedMeanOfRows", {
    family,
    internal: true,
    attrs: { ...limitsCheck, input: quantized, quantization: quantized, sum: optional(boolean) },
    infer: ([{ shape }]) => ({ shape: [shape[0], shape[2]], dtype: "int8" }),
    lower(emit, { inputs: [x], outputs: [y] }, { input, quantization, low, high, sum = false }) {
      const [outer, n, inner] = x.shape;
      const factor = ratio(input.scale, sum ? quantization.scale : Math.fround(quantization.scale * n));
      emit.call("i8_mean", outer, n, inner, -n * input.zeroPoint, factor, quantization.zeroPoint, low, high, x, y);
    },
  }),
};

export interface QuantizedPoolOptions extends Clamped {
  /** Ties of means go up, as in models of uint8 (whose integers are 128 more); default false. */
  tiesUp?: boolean;
  /** What the integers of x and of the result stand for. */
  quantization: Quantization;
  /** Default `size`. */
  strides?: Pair;
  /** `valid` (default), `same`, or pixels as [[top, bottom], [left, right]]. */
  padding?: Padding;
}

const poolOf =
  (op: Op) =>
  (x: Value, size: Pair, options: QuantizedPoolOptions): Value => {
    const { quantization, strides = size, padding = "valid", tiesUp } = options;
    const attrs = { size, strides, padding, quantization: { ...quantization }, ...limitsOf(options) };
    return apply(op, [x], tiesUp ? { ...attrs, tiesUp } : attrs);
  };

/**
 * The mean of the pixels in each window of an int8 image, to the nearest integer (ties away from zero, unless `tiesUp`).
 * @param x int8 [batch, height, width, channels]
 * @throws {ShapeError} when a window does not fit, or would lie outside the image
 * @example
 * const x = input([8, 8, 4], { dtype: "int8" });
 * quantizedAvgPool2d(x, [2, 2], { quantization: { scale: 0.5, zeroPoint: 0 } }).shape; // [1, 4, 4, 4]
 */
export const quantizedAvgPool2d: (x: Value, size: Pair, options: QuantizedPoolOptions) => Value =
  /* @__PURE__ */ poolOf(quantizedPoolOps.quantizedAvgPool2d);

/**
 * The largest element of each window of an int8 image.
 * @param x int8 [batch, height, width, channels]
 * @throws {ShapeError} when a window does not fit, or would lie outside the image
 * @example
 * const x = input([8, 8, 4], { dtype: "int8" });
 * quantizedMaxPool2d(x, [2, 2], { quantization: { scale: 0.5, zeroPoint: 0 } }).shape; // [1, 4, 4, 4]
 */
export const quantizedMaxPool2d: (x: Value, size: Pair, options: QuantizedPoolOptions) => Value =
  /* @__PURE__ */ poolOf(quantizedPoolOps.quantizedMaxPool2d);

export interface QuantizedMeanOptions extends Clamped {
  axes: readonly number[];
  /** Axes stay, of size 1; default false. */
  keepDims?: boolean;
  /** What the integers of x stand for. */
  input: Quantization;
  /** What the integers of the result stand for. */
  quantization: Quantization;
}

/**
 * The mean of int8 over axes: (sum - count zeroPoint) times input.scale / (quantization.scale count) in float32, requantized.
 * @param options.axes which to take the mean over
 * @param options.keepDims they stay, of size 1; default false
 * @example
 * const x = input([8, 8, 4], { dtype: "int8" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * quantizedMean(x, { axes: [1, 2], input: q, quantization: q }).shape; // [1, 4]
 */
export const quantizedMean = (x: Value, options: QuantizedMeanOptions): Value => overAxes(x, options, {});

/**
 * The sum of int8 over axes: (sum - count zeroPoint) times input.scale / quantization.scale in float32, requantized; options as of
 * {@link quantizedMean}.
 * @example
 * const x = input([8, 8, 4], { dtype: "int8" });
 * const q = { scale: 0.5, zeroPoint: 0 };
 * quantizedSum(x, { axes: [1, 2], input: q, quantization: q }).shape; // [1, 4]
 */
export const quantizedSum = (x: Value, options: QuantizedMeanOptions): Value => overAxes(x, options, { sum: true });

function overAxes(x: Value, options: QuantizedMeanOptions, rest: { sum?: true }): Value {
  const { axes, keepDims = false, input, quantization } = options;
  return apply(quantizedPoolOps.quantizedMean, [x], {
    axes: normalizeAxes(axes, x.shape.length, "quantizedMean"),
    keepDims: Number(keepDims),
    input: { ...input },
    quantization: { ...quantization },
    ...limitsOf(options),
    ...rest,
  });
}
