// TensorFlow Lite's own integer arithmetic, for the operators that XNNPACK does not take: assembly/fixedpoint.ts says how it rounds. And
// products of two arrays of int8 that both change.
import { ShapeError } from "../../errors.js";
import { integer } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { power } from "../../numbers.js";
import { tflite } from "../../runtime/families/tflite.js";
import { show, sizeOf } from "../../shape.js";
import { wantDType, wantElements } from "../check.js";
import { fixed as fixed16 } from "../int16/fixed.js";
import { type Clamped, type Limits, limitsCheck, limitsOf } from "./quantization.js";

/** A factor: an integer of 31 bits times 2^(shift - 31). */
export type Fixed = { readonly multiplier: number; readonly shift: number };

/** A factor to 31 bits; 0 where it is below 2^-32. @throws {RangeError} for one of 2^30 or more */
export function fixed(factor: number): Fixed {
  const { multiplier, left, right } = fixed16(factor, "fixed");
  return { multiplier, shift: left - right };
}

/** x (int32) times a factor as the kernels have it: the product to the nearest integer, ties up, then the shift, ties away from zero. */
export function scaledInteger(x: number, { multiplier, shift }: Fixed): number {
  const product = BigInt((x << Math.max(shift, 0)) | 0) * BigInt(multiplier);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return roundedShift(Number((product + nudge) / (1n << 31n)), Math.max(-shift, 0));
}

/** x / 2^by to the nearest integer, ties away from zero. */
export function roundedShift(x: number, by: number): number {
  const whole = power(2, by);
  const rounded = Math.floor((Math.abs(x) + whole / 2) / whole);
  return by === 0 ? x : x < 0 ? 0 - rounded : rounded;
}

interface FixedAttrs extends Limits, Fixed {
  readonly zero: number;
}

export const fixedPointOps = {
  /** int32 times a factor, plus a zero point, as int8. */
  fixedPoint: /* @__PURE__ */ defineOp<FixedAttrs>("fixedPoint", {
    family: tflite,
    attrs: {
      ...limitsCheck,
      multiplier: /* @__PURE__ */ integer(0),
      shift: /* @__PURE__ */ integer(-31, 30),
      zero: /* @__PURE__ */ integer(-128, 127),
    },
    infer([x]) {
      wantDType("fixedPoint", "int32", x);
      return { shape: x.shape, dtype: "int8" };
    },
    lower: (emit, { inputs: [x], outputs: [y] }, { multiplier, shift, zero, low, high }) =>
      emit.call("i32_to_i8_fixed", sizeOf(x.shape), x, y, multiplier, shift, zero, low, high),
    flops: ({ outputs: [y] }) => 10 * sizeOf(y.shape),
  }),

  /** Inputs a [..., m, k] and b [..., n, k], of one batch: int32 [..., m, n], zero points taken off. */
  integerMatmul: /* @__PURE__ */ defineOp<{ aZero: number; bZero: number }>("integerMatmul", {
    family: tflite,
    attrs: { aZero: /* @__PURE__ */ integer(-128, 127), bZero: /* @__PURE__ */ integer(-128, 127) },
    infer([a, b]) {
      wantDType("integerMatmul", "int8", a, b);
      const fits =
        a.shape.length >= 2 &&
        a.shape.at(-1) === b.shape.at(-1) &&
        show(a.shape.slice(0, -2)) === show(b.shape.slice(0, -2)) &&
        (a.shape.at(-1) as number) <= 2 ** 15;
      if (!fits)
        throw new ShapeError({
          op: "integerMatmul",
          expected: "matrices [..., m, k] and [..., n, k] of one batch, k at most 2^15",
          actual: `${show(a.shape)} and ${show(b.shape)}`,
        });
      return { shape: [...a.shape.slice(0, -1), b.shape.at(-2) as number], dtype: "int32" };
    },
    lower(emit, { inputs: [a, b], outputs: [y] }, { aZero, bZero }) {
      const [m, k] = a.shape.slice(-2);
      const n = b.shape.at(-2) as number;
      emit.call("i8_matmul", sizeOf(a.shape.slice(0, -2)), m, n, k, aZero, bZero, a, b, y);
    },
    flops: ({ inputs: [a], outputs: [y] }) => 2 * sizeOf(y.shape) * (a.shape.at(-1) as number),
  }),

  /** Rows along the last axis, each over the root of the sum of its squares, in steps of 1/128. */
  quantizedL2Normalize: /* @__PURE__ */ defineOp<{ zero: number }>("quantizedL2Normalize", {
    family: tflite,
    attrs: { zero: /* @__PURE__ */ integer(-128, 127) },
    infer([x]) {
      wantDType("quantizedL2Normalize", "int8", x);
      wantElements("quantizedL2Normalize", x, x.shape.length - 1);
      if ((x.shape.at(-1) ?? 0) > 2 ** 15)
        throw new ShapeError({ op: "quantizedL2Normalize", expected: "rows of at most 2^15", actual: show(x.shape) });
      return { shape: x.shape, dtype: "int8" };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { zero }) {
      const n = x.shape.at(-1) ?? 1;
      emit.call("i8_l2_normalize", sizeOf(x.shape) / n, n, x, y, zero);
    },
    flops: ({ outputs: [y] }) => 12 * sizeOf(y.shape),
  }),

  /** Inputs x [batch, h, w, c], rows [2, oh], their parts [oh], columns [2, ow] and theirs [ow], of 2^11. */
  quantizedInterpolate: /* @__PURE__ */ defineOp("quantizedInterpolate", {
    family: tflite,
    infer([x, rows, rowParts, columns, columnParts]) {
      wantDType("quantizedInterpolate", "int8", x);
      wantDType("quantizedInterpolate", "int32", rows, rowParts, columns, columnParts);
      const [[oh], [ow]] = [rowParts.shape, columnParts.shape];
      const fits =
        x.shape.length === 4 &&
        rowParts.shape.length === 1 &&
        columnParts.shape.length === 1 &&
        show(rows.shape) === show([2, oh]) &&
        show(columns.shape) === show([2, ow]);
      if (!fits)
        throw new ShapeError({
          op: "quantizedInterpolate",
          expected: "an image, and places [2, n] with parts [n] for rows and columns",
          actual: [x, rows, rowParts, columns, columnParts].map(({ shape }) => show(shape)).join(", "),
        });
      return { shape: [x.shape[0], oh, ow, x.shape[3]], dtype: "int8" };
    },
    lower(emit, { inputs: [x, rows, rowParts, columns, columnParts], outputs: [y] }) {
      const [batch, h, w, c] = x.shape;
      const [, oh, ow] = y.shape;
      emit.call("i8_interpolate_2d", batch, h, w, c, oh, ow, rows, rowParts, columns, columnParts, x, y);
    },
    flops: ({ outputs: [y] }) => 8 * sizeOf(y.shape),
  }),
};

/** x (int32) times a factor, plus `zero`, as int8 within the limits. */
export const fixedPoint = (x: Value, factor: number, zero: number, limits: Clamped = {}): Value =>
  apply(fixedPointOps.fixedPoint, [x], { ...fixed(factor), zero, ...limitsOf(limits) });
