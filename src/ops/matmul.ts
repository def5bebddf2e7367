// Matrix products. `matmul` is what graphs say; it becomes `gemm` on a packed right-hand side, which kernels do.
import { ShapeError } from "../errors.js";
import { boolean, integer, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { wantDType } from "./check.js";
import { reshape } from "./shape.js";

/** Columns of one panel of a packed matrix; f32_gemm_pack in assembly/pack.ts says the layout. */
export const PANEL = 8;

interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

interface PackAttrs {
  readonly k: number;
  readonly n: number;
  readonly transpose: boolean;
}

interface GemmAttrs {
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

/** Rows, columns and inner size of op(a) op(b), leading axes of `a` counted as rows. */
function sizes(
  a: Spec,
  b: Spec,
  { transposeA, transposeB }: MatmulAttrs,
): { m: number; n: number; k: number; kb: number } {
  const [last, before] = [a.shape[a.shape.length - 1], sizeOf(a.shape.slice(0, -1))];
  const [m, k] = transposeA ? [last, before] : [before, last];
  const [n, kb] = transposeB ? [b.shape[0], b.shape[1]] : [b.shape[1], b.shape[0]];
  return { m, n, k, kb };
}

export const matmulOps = {
  matmul: defineOp<MatmulAttrs>("matmul", {
    attrs: { transposeA: boolean, transposeB: boolean },
    infer([a, b], attrs) {
      wantDType("matmul", "float32", a, b);
      const actual = `${show(a.shape)}${attrs.transposeA ? " transposed" : ""} and ${show(b.shape)}${attrs.transposeB ? " transposed" : ""}`;
      if (a.shape.length < 2 || b.shape.length !== 2 || (attrs.transposeA && a.shape.length !== 2)) {
        throw new ShapeError({
          op: "matmul",
          expected: "matrices [..., m, k] and [k, n] (a transposed one of rank 2)",
          actual,
        });
      }
      const { n, k, kb, m } = sizes(a, b, attrs);
      if (k !== kb)
        throw new ShapeError({
          op: "matmul",
          expected: "inner sizes that agree",
          actual: `${k} and ${kb} (${actual})`,
        });
      return { shape: attrs.transposeA ? [m, n] : [...a.shape.slice(0, -1), n], dtype: "float32" };
    },
    grad({ inputs: [a, b] }, [dy], { transposeA, transposeB }): Gradients {
      const rows = (x: Value) => reshape(x, [-1, x.shape[x.shape.length - 1]]);
      const g = rows(dy as Value);
      // Y = A B: dA = dY B', dB = A' dY; with A or B transposed, the same equation transposed.
      const da = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB });
      const db = transposeB
        ? matmul(g, rows(a), { transposeA: true, transposeB: transposeA })
        : matmul(rows(a), g, { transposeA: !transposeA });
      return [reshape(da, a.shape), db];
    },
    expand([a, b], attrs): Value | undefined {
      const { m, n, k } = sizes(a, b, attrs);
      const packed = pack(b, k, n, attrs.transposeB);
      const limits = { n, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
      if (attrs.transposeA) return apply(matmulOps.gemmTn, [a, packed], { n });
      return reshape(apply(matmulOps.gemm, [reshape(a, [m, k]), packed], limits), [...a.shape.slice(0, -1), n]);
    },
    flops: ({ inputs: [a, b] }, attrs) => {
      const { m, n, k } = sizes(a, b, attrs);
      return 2 * m * n * k;
    },
  }),

  /** A [k, n] matrix (or [n, k], transposed) as panels of PANEL columns. */
  pack: defineOp<PackAttrs>("pack", {
    internal: true,
    attrs: { k: integer(0), n: integer(0), transpose: boolean },
    infer: (_, { k, n }) => ({ shape: [Math.ceil(n / PANEL), k, PANEL], dtype: "float32" }),
    lower(emit, { inputs: [b], outputs: [y] }, { k, n, transpose }) {
      emit.call("f32_gemm_pack", k, n, transpose ? 1 : n, transpose ? k : 1, b, y);
    },
  }),

  /** clamp(a b + bias): inputs a [m, k], packed b, and bias [n] where fused. */
  gemm: defineOp<GemmAttrs>("gemm", {
    internal: true,
    attrs: { n: integer(0), low: number(), high: number() },
    infer: ([a], { n }) => ({ shape: [a.shape[0], n], dtype: "float32" }),
    lower(emit, { inputs: [a, b, bias], outputs: [c] }, { n, low, high }) {
      emit.call("f32_gemm", a.shape[0], n, a.shape[1], a, b, bias ?? 0, c, low, high);
    },
    flops: ({ inputs: [a], outputs: [c] }) => 2 * sizeOf(c.shape) * a.shape[1],
    epilogue: true,
  }),

  /** a' b: inputs a [k, m] and packed b; the gradient of a dense kernel. */
  gemmTn: defineOp<{ n: number }>("gemmTn", {
    internal: true,
    attrs: { n: integer(0) },
    infer: ([a], { n }) => ({ shape: [a.shape[1], n], dtype: "float32" }),
    lower(emit, { inputs: [a, b], outputs: [c] }, { n }) {
      emit.call("f32_gemm_tn", a.shape[1], n, a.shape[0], a, b, c);
    },
    flops: ({ inputs: [a], outputs: [c] }) => 2 * sizeOf(c.shape) * a.shape[0],
  }),
};

/** `b` packed for f32_gemm. */
export const pack = (b: Value, k: number, n: number, transpose: boolean): Value =>
  apply(matmulOps.pack, [b], { k, n, transpose });

interface MatmulOptions {
  /** Use the transpose of `a`, given as [k, m]; default false. */
  transposeA?: boolean;
  /** Use the transpose of `b`, given as [n, k]; default false. */
  transposeB?: boolean;
}

/**
 * Matrix product. Every output is one sum over k in order, multiply then add.
 * @param a float32 [..., m, k]
 * @param b float32 [k, n]
 * @returns float32 [..., m, n]
 * @throws {ShapeError} when the inner sizes differ
 * @example
 * const x = input([5]);
 * matmul(x, x, { transposeA: true }).shape; // [5, 5]
 */
export function matmul(a: Value, b: Value, { transposeA = false, transposeB = false }: MatmulOptions = {}): Value {
  return apply(matmulOps.matmul, [a, b], { transposeA, transposeB });
}
