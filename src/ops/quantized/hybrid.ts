// Dense layers of floats whose weights are int8, with a scale for each output: weight-only, where sums are of floats, and dynamic range,
// where each row of the input is made int8 as it comes.
import { ShapeError } from "../../errors.js";
import { integer, number } from "../../graph/attrs.js";
import { defineOp, type Gradients, type Op } from "../../graph/op.js";
import { apply, type Node, type Spec, type Value } from "../../graph/value.js";
import { show, sizeOf } from "../../shape.js";
import { mul } from "../arithmetic.js";
import { cast } from "../cast.js";
import { wantDType } from "../check.js";
import { less, where } from "../comparison.js";
import { matmul } from "../matmul.js";
import { reshape } from "../shape.js";
import { family } from "./quantization.js";

interface Clamp {
  readonly low: number;
  readonly high: number;
}

const clamp = { low: number(), high: number() };

/** Sums of so many products of int8 fit 32 bits by far. */
const MAX_TERMS = 2 ** 16;

const infer =
  (op: string, most: number) =>
  ([x, kernel, scale, bias]: readonly Spec[]): Spec => {
    wantDType(op, "float32", x, scale, ...(bias ? [bias] : []));
    wantDType(op, "int8", kernel);
    const [k, n] = kernel.shape;
    if (kernel.shape.length !== 2 || x.shape.length < 2 || x.shape.at(-1) !== k || k > most) {
      const expected = `an input [..., k] for a kernel ${show(kernel.shape)}, k at most ${most}`;
      throw new ShapeError({ op, expected, actual: show(x.shape) });
    }
    for (const { shape } of bias ? [scale, bias] : [scale])
      if (shape.length !== 1 || shape[0] !== n)
        throw new ShapeError({ op, expected: `a scale and a bias of ${n}`, actual: show(shape) });
    return { shape: [...x.shape.slice(0, -1), n], dtype: "float32" };
  };

/** To x only, and past the rounding of its rows as if there were none: dx = (dy where y is not clamped) scale kernel^T. */
function grad({ inputs: [, kernel, scale], outputs: [y] }: Node, [dy]: Gradients, { low, high }: Clamp): Gradients {
  const above = low === Number.NEGATIVE_INFINITY ? (dy as Value) : where(less(low, y), dy as Value, 0);
  const inside = high === Number.POSITIVE_INFINITY ? above : where(less(y, high), above, 0);
  return [matmul(mul(inside, scale), cast(kernel, "float32"), { transposeB: true })];
}

const flops = ({ inputs: [, kernel], outputs: [y] }: { inputs: readonly Spec[]; outputs: readonly Spec[] }): number =>
  2 * sizeOf(y.shape) * kernel.shape[0];

const rowsOf = (x: Spec): number => sizeOf(x.shape.slice(0, -1));

export const hybridOps = {
  /** Inputs x [..., k] of floats, kernel [k, n] of int8, scale [n] and, where there is one, bias [n]. */
  weightOnlyDense: defineOp<Clamp>("weightOnlyDense", {
    family,
    attrs: clamp,
    infer: infer("weightOnlyDense", 2 ** 31 - 1),
    grad,
    lower(emit, { inputs: [x, kernel, scale, bias], outputs: [y] }, { low, high }) {
      const [k, n] = kernel.shape;
      emit.call("f32_i8_gemm", rowsOf(x), n, k, x, kernel, scale, bias ?? 0, y, low, high);
    },
    flops,
  }),

  /** The same inputs; rows of x as int8. */
  dynamicDense: defineOp<Clamp>("dynamicDense", {
    family,
    attrs: clamp,
    infer: infer("dynamicDense", MAX_TERMS),
    grad,
    expand([x, kernel, scale, bias], attrs): Value | undefined {
      const [k, n] = kernel.shape;
      const packed = apply(hybridOps.dynamicPack, [kernel, scale]);
      const rows = reshape(x, [rowsOf(x), k]);
      const y = apply(hybridOps.dynamicGemm, bias ? [rows, packed, bias] : [rows, packed], { ...attrs, n });
      return reshape(y, [...x.shape.slice(0, -1), n]);
    },
    flops,
  }),

  /** Panels of 8 columns, 16 words and a pair of int16 for each two rows: inputs kernel and scale. */
  dynamicPack: defineOp("dynamicPack", {
    family,
    internal: true,
    infer: ([
      {
        shape: [k, n],
      },
    ]) => ({ shape: [Math.ceil(n / 8), 16 + Math.ceil(k / 2) * 8], dtype: "int32" }),
    lower(emit, { inputs: [kernel, scale], outputs: [y] }) {
      const [k, n] = kernel.shape;
      // Of the two layouts that there are, the one that every engine has.
      emit.call("i8_gemm_pack_any", 1, k, n, 1, 0, 0, kernel, 0, scale, y);
    },
  }),

  /** Inputs x [m, k], panels and bias; the other results, rows as integers and their scales, are workspace. */
  dynamicGemm: defineOp<Clamp & { n: number }>("dynamicGemm", {
    family,
    internal: true,
    attrs: { ...clamp, n: integer(0) },
    infer: ([{ shape }], { n }) => [
      { shape: [shape[0], n], dtype: "float32" },
      { shape: [shape[0], Math.ceil(shape[1] / 2)], dtype: "int32" },
      { shape: [shape[0]], dtype: "float32" },
    ],
    lower(emit, { inputs: [x, packed, bias], outputs: [y, rows, scales] }, { n, low, high }) {
      const [m, k] = x.shape;
      emit.call("f32_to_i16_rows", m, k, x, rows as Value, scales as Value);
      emit.call("i8_gemm_dynamic", m, n, k, rows as Value, scales as Value, packed, bias ?? 0, y, low, high);
    },
    flops: ({ inputs: [x], outputs: [y] }) => 2 * sizeOf(y.shape) * x.shape[1],
  }),
};

export interface HybridDenseOptions {
  /** float32 [units]; default none. */
  bias?: Value | undefined;
  /** The smallest number of the result, default -Infinity: 0 for relu. */
  low?: number;
  /** The largest number of the result, default Infinity. */
  high?: number;
}

const hybrid =
  (op: Op) =>
  (x: Value, kernel: Value, scale: Value, options: HybridDenseOptions = {}): Value => {
    const { bias, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = options;
    return apply(op, bias ? [x, kernel, scale, bias] : [x, kernel, scale], { low, high });
  };

/**
 * (x kernel) scale + bias of floats with int8 weights, which stay int8 in memory: each is made a float when it is read. Sums run over k in
 * order. Gradients flow to x.
 * @param x float32 [batch, ..., k]
 * @param kernel int8 [k, units], zero point 0
 * @param scale float32 [units], of the kernel
 * @returns float32 [batch, ..., units]
 * @throws {ShapeError} when the inner sizes differ
 * @example
 * const kernel = constant(tensor(new Int8Array(64 * 2), [64, 2]));
 * weightOnlyDense(input([64]), kernel, constant(tensor([0.5, 0.25]))).shape; // [1, 2]
 */
export const weightOnlyDense: (x: Value, kernel: Value, scale: Value, options?: HybridDenseOptions) => Value =
  /* @__PURE__ */ hybrid(hybridOps.weightOnlyDense);

/**
 * The same with integer arithmetic ("dynamic range"): each row of x becomes int8 first, symmetric about 0, its largest number 127, and sums
 * are exact. A row's own scale makes results independent of the rest of the batch. Gradients
 * flow to x as if nothing were rounded.
 * @param x float32 [batch, ..., k], k at most 65,536
 * @param kernel int8 [k, units], zero point 0
 * @param scale float32 [units], of the kernel
 * @returns float32 [batch, ..., units]
 * @throws {ShapeError} when the inner sizes differ
 * @example
 * const kernel = constant(tensor(new Int8Array(64 * 2), [64, 2]));
 * dynamicDense(input([64]), kernel, constant(tensor([0.5, 0.25]))).shape; // [1, 2]
 */
export const dynamicDense: (x: Value, kernel: Value, scale: Value, options?: HybridDenseOptions) => Value =
  /* @__PURE__ */ hybrid(hybridOps.dynamicDense);
