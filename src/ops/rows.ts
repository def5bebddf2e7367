// Matrices of int8 by their rows, for kernels that multiply them with one vector at a time: rows filled up with zeros, sums of rows, and the
// product with floats that become int8 on the way.
import { ShapeError } from "../errors.js";
import { boolean, integer } from "../graph/attrs.js";
import { defineOp } from "../graph/op.js";
import { apply, make, type Value } from "../graph/value.js";
import { stateful } from "../runtime/families/stateful.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { wantDType, wantElements } from "./check.js";
import { padding } from "./pad.js";

/** Bytes of a row of n. */
export const paddedRow = (n: number): number => (n + 15) & ~15;

/** w [n, k] int8 with zeros behind each row, up to a multiple of 16. */
export const padRows = (w: Value): Value =>
  padding(w, { low: [0, 0], high: [0, paddedRow(w.shape[1]) - w.shape[1]], interior: [0, 0] });

interface HybridAttrs {
  readonly isAsymmetric: boolean;
}

export const rowOps = {
  /** bias [n] (int32, where there is one) plus `factor` times the sums of the first k elements of padded rows [n, >= k]. */
  rowSums: defineOp<{ k: number; factor: number }>("rowSums", {
    internal: true,
    family: stateful,
    attrs: { k: integer(0), factor: integer(-256, 256) },
    infer: ([w]) => ({ shape: [w.shape[0]], dtype: "int32" }),
    lower: (emit, { inputs: [w, bias], outputs: [y] }, { k, factor }) =>
      emit.call("i8_row_sums", w.shape[0], k, factor, w, bias ?? 0, y),
  }),

  /** Inputs x [rows, k] float32, kernel [n, k] int8, its scale [n] and, where there is one, bias [n], both float32. */
  hybridDense: defineOp<HybridAttrs>("hybridDense", {
    attrs: { isAsymmetric: boolean },
    infer([x, w, scale, ...rest]) {
      wantDType("hybridDense", "float32", x, scale, ...rest);
      wantDType("hybridDense", "int8", w);
      const [n, k] = w.shape;
      const fits = w.shape.length === 2 && [scale, ...rest].every(({ shape }) => sameShape(shape, [n]));
      if (!fits || x.shape.length !== 2 || x.shape[1] !== k) {
        const expected = "inputs [k] and a kernel [n, k] with a scale and a bias of n";
        throw new ShapeError({ op: "hybridDense", expected, actual: `${show(x.shape.slice(1))} and ${show(w.shape)}` });
      }
      wantElements("hybridDense", w, 0, 1);
      return { shape: [x.shape[0], n], dtype: "float32" };
    },
    expand([x, w, ...rest], { isAsymmetric }): Value {
      const rows = padRows(w);
      const inputs = [x, rows, rowSums(rows, w.shape[1], 1), ...rest];
      return make(rowOps.hybridDenseRows, inputs, { isAsymmetric }).outputs[0];
    },
    flops: ({ inputs: [x, w] }) => 2 * sizeOf(w.shape) * x.shape[0],
  }),

  /** The same on padded rows and their sums; the second result is scratch. */
  hybridDenseRows: defineOp<HybridAttrs>("hybridDenseRows", {
    internal: true,
    family: stateful,
    attrs: { isAsymmetric: boolean },
    infer: ([x, w]) => [
      { shape: [x.shape[0], w.shape[0]], dtype: "float32" },
      { shape: [16 + paddedRow(x.shape[1])], dtype: "int8" },
    ],
    lower(emit, { inputs: [x, w, sums, scale, bias], outputs: [y, scratch] }, { isAsymmetric }) {
      const [rows, k] = x.shape;
      const sizes = [rows, w.shape[0], k] as const;
      emit.call("f32_i8_dense", ...sizes, x, w, scale, sums, bias ?? 0, y, scratch, Number(isAsymmetric));
    },
    flops: ({ inputs: [x, w] }) => 2 * sizeOf(w.shape) * x.shape[0],
  }),
};

/** Sums of the first k of each padded row, times a factor, plus a bias. */
export const rowSums = (rows: Value, k: number, factor: number, bias?: Value): Value =>
  apply(rowOps.rowSums, bias ? [rows, bias] : [rows], { k, factor });

/**
 * x times the transpose of an int8 kernel, plus a bias, as TensorFlow Lite's dynamic range quantization computes it: each row of x as int8 by
 * its own range, sums of integers, and these times both scales.
 * @param x float32 [rows, k]
 * @param kernel int8 [n, k]
 * @param scale float32 [n]
 * @param options.isAsymmetric whether the integers of a row use its whole range; default false, the largest |x| is 127
 */
export function hybridDense(
  x: Value,
  kernel: Value,
  scale: Value,
  { bias, isAsymmetric = false }: { bias?: Value | undefined; isAsymmetric?: boolean } = {},
): Value {
  return apply(rowOps.hybridDense, [x, kernel, scale, ...(bias ? [bias] : [])], { isAsymmetric });
}
