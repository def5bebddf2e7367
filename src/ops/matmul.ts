// Matrix products. `matmul` is what graphs say; it becomes `gemm` on a packed right-hand side, which kernels do.
import { ShapeError } from "../errors.js";
import { boolean, type Check, integer, integers, number, usually } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { broadcast, type Shape, show, sizeOf } from "../shape.js";
import { broadcastLoops, type Loop, mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType } from "./check.js";
import { sumTo } from "./reduce.js";
import { reshape } from "./shape.js";
import { transpose } from "./transpose.js";

/** Columns of one panel of a packed matrix; f32_gemm_pack in assembly/pack.ts says the layout. */
export const PANEL = 8;

/**
 * Up to so many rows a matrix on the right that changes from run to run is not packed: reading it once a row costs less
 * (`npm run bench:methods`).
 */
const UNPACKED_ROWS = 3;

/**
 * Whether a transposed left side is written out before it is multiplied. Read down its columns, each number is in a cache line of
 * its own, and lines an even distance apart drive each other out: 37 GFLOP/s at 512 x 512 x 512, 47 written out. With few columns
 * on the right the copy costs more than it saves (`npm run bench:methods`).
 */
const isTransposedFirst = (m: number, n: number, k: number): boolean => n >= 64 && (k >= 128 || m % 128 === 0);

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
  readonly packed: boolean;
  readonly low: number;
  readonly high: number;
}

interface PackBatchedAttrs {
  readonly batch: number;
  readonly k: number;
  readonly n: number;
  /** Elements from one matrix, row and column to the next. */
  readonly steps: readonly [number, number, number];
}

interface GemmBatchedAttrs {
  /** The batch, as at most two loops: size, and how many matrices a and b move in one step (0 where repeated). */
  readonly loops: readonly Loop[];
  readonly batch: Shape;
  readonly k: number;
  readonly n: number;
  readonly transpose: boolean;
}

/** Rows, columns and inner sizes of op(a) op(b), and the batch, broadcast. */
function sizes(a: Spec, b: Spec, { transposeA, transposeB }: MatmulAttrs) {
  const [[ma, ka], [kb, n]] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [m, k] = transposeA ? [ka, ma] : [ma, ka];
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul");
  return { m, k, kb: transposeB ? n : kb, n: transposeB ? kb : n, batch };
}

/** One matrix on the right for all rows of the left: the leading axes of `a` are rows. */
const isPlain = (a: Spec, b: Spec, { transposeA }: MatmulAttrs): boolean =>
  b.shape.length === 2 && (a.shape.length === 2 || !transposeA);

const lastTwoExchanged = (x: Value): Value => {
  const axes = x.shape.map((_, i) => i);
  return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
};

const rowsOf = (x: Value): Value => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape[x.shape.length - 1]]);

const loop = integers(0, 3);
const loopsCheck: Check = (value) =>
  Array.isArray(value) && value.length <= 2 && !value.some(loop) ? undefined : "at most two loops of three integers";

export const matmulOps = {
  matmul: defineOp<MatmulAttrs>("matmul", {
    attrs: { transposeA: usually(boolean, false), transposeB: usually(boolean, false) },
    infer([a, b], attrs) {
      wantDType("matmul", "float32", a, b);
      const actual = `${show(a.shape)}${attrs.transposeA ? " transposed" : ""} and ${show(b.shape)}${attrs.transposeB ? " transposed" : ""}`;
      if (a.shape.length < 2 || b.shape.length < 2)
        throw new ShapeError({ op: "matmul", expected: "matrices [..., m, k] and [..., k, n]", actual });
      const { n, k, kb, m, batch } = sizes(a, b, attrs);
      if (k !== kb)
        throw new ShapeError({
          op: "matmul",
          expected: "inner sizes that agree",
          actual: `${k} and ${kb} (${actual})`,
        });
      return { shape: [...batch, m, n], dtype: "float32" };
    },
    grad({ inputs: [a, b] }, [dy], attrs): Gradients {
      const { transposeA, transposeB } = attrs;
      const [g, x] = isPlain(a, b, attrs) ? [rowsOf(dy as Value), rowsOf(a)] : [dy as Value, a];
      // Y = A B: dA = dY B', dB = A' dY; with A or B transposed, the same equation transposed.
      const da = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB });
      const db = transposeB
        ? matmul(g, x, { transposeA: true, transposeB: transposeA })
        : matmul(x, g, { transposeA: !transposeA });
      return [reshape(sumTo(da, x.shape), a.shape), sumTo(db, b.shape)];
    },
    expand([a, b], attrs, fixed): Value | undefined {
      const { m, n, k } = sizes(a, b, attrs);
      const { transposeA, transposeB } = attrs;
      if (!isPlain(a, b, attrs)) {
        const written = transposeA && isTransposedFirst(m, n, k);
        return batched(written ? lastTwoExchanged(a) : a, b, { transposeA: transposeA && !written, transposeB });
      }
      if (transposeA && !isTransposedFirst(m, n, k))
        return apply(matmulOps.gemmTn, [a, pack(b, k, n, transposeB)], { n });
      const left = transposeA ? transpose(a) : rowsOf(a);
      const packed = transposeB || fixed?.[1] || left.shape[0] > UNPACKED_ROWS;
      const right = packed ? pack(b, k, n, transposeB) : b;
      const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
      const product = apply(matmulOps.gemm, [left, right], { n, packed, ...limits });
      return reshape(product, [...(transposeA ? [m] : a.shape.slice(0, -1)), n]);
    },
    // A scale of the columns, where one matrix serves all rows.
    scaled([a, b], scale, { transposeB }) {
      if (b.shape.length !== 2) return undefined;
      return [a, mul(b, transposeB ? reshape(scale, [b.shape[0], 1]) : scale)];
    },
    flops: ({ inputs: [a, b] }, attrs) => {
      const { m, n, k, batch } = sizes(a, b, attrs);
      return 2 * sizeOf(batch) * m * n * k;
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

  /** Matrices packed one after the other. */
  packBatched: defineOp<PackBatchedAttrs>("packBatched", {
    internal: true,
    attrs: { batch: integer(0), k: integer(0), n: integer(0), steps: integers(0, 3) },
    infer: (_, { batch, k, n }) => ({ shape: [batch, Math.ceil(n / PANEL), k, PANEL], dtype: "float32" }),
    lower(emit, { inputs: [b], outputs: [y] }, { batch, k, n, steps }) {
      const [matrix, row, column] = steps;
      emit.call("f32_gemm_pack_batched", batch, matrix, k, n, row, column, b, y);
    },
  }),

  /** A product for each matrix of a batch: inputs a [..., m, k] (or [..., k, m]) and packed b. */
  gemmBatched: defineOp<GemmBatchedAttrs>("gemmBatched", {
    internal: true,
    attrs: { loops: loopsCheck, batch: integers(0), k: integer(0), n: integer(0), transpose: boolean },
    infer: ([a], { batch, n, transpose }) => ({
      shape: [...batch, a.shape[a.shape.length - (transpose ? 1 : 2)], n],
      dtype: "float32",
    }),
    lower(emit, { inputs: [a, b], outputs: [c] }, { loops, k, n, transpose }) {
      const m = c.shape[c.shape.length - 2];
      const [[d0, a0, b0], [d1, a1, b1]] = [...Array(2 - loops.length).fill([1, 0, 0]), ...loops] as [Loop, Loop];
      const size = k * Math.ceil(n / PANEL) * PANEL;
      const [row, term] = transpose ? [1, m] : [k, 1];
      emit.call("f32_gemm_batched", d0, d1, m, n, k, a0 * m * k, a1 * m * k, b0 * size, b1 * size, row, term, a, b, c);
    },
    flops: ({ outputs: [c] }, { k }) => 2 * sizeOf(c.shape) * k,
  }),

  /** clamp(a b + bias): inputs a [m, k], b [k, n], packed or as it is, and bias [n] where fused. */
  gemm: defineOp<GemmAttrs>("gemm", {
    internal: true,
    attrs: { n: integer(0), packed: boolean, low: number(), high: number() },
    infer: ([a], { n }) => ({ shape: [a.shape[0], n], dtype: "float32" }),
    lower(emit, { inputs: [a, b, bias], outputs: [c] }, { n, packed, low, high }) {
      const kernel = packed ? "f32_gemm" : "f32_gemm_unpacked";
      emit.call(kernel, a.shape[0], n, a.shape[1], a, b, bias ?? 0, c, low, high);
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

/** `b` packed in groups: ranges of the columns of a matrix [k, n], or with `apart` matrices [groups, k, n / groups]. */
export function packGroups(b: Value, groups: number, k: number, n: number, apart?: "apart"): Value {
  if (groups === 1) return pack(b, k, n, false);
  const width = n / groups;
  const steps = apart ? [k * width, width, 1] : [width, n, 1];
  return apply(matmulOps.packBatched, [b], { batch: groups, k, n: width, steps });
}

function batched(a: Value, b: Value, attrs: MatmulAttrs): Value {
  const { batch, k, n } = sizes(a, b, attrs);
  const [ofA, ofB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const loops = broadcastLoops(ofA, ofB, batch);
  // Rarer ways to broadcast than two loops can walk are written out, axis by axis.
  const full = (x: Value) => {
    const ones = Array(batch.length + 2 - x.shape.length).fill(1);
    return batch.reduce(
      (value: Value, d, axis) => broadcastTo(value, value.shape.with(axis, d)),
      reshape(x, [...ones, ...x.shape]),
    );
  };
  if (loops.length > 2) return batched(full(a), full(b), attrs);
  const steps = [k * n, ...(attrs.transposeB ? [1, k] : [n, 1])];
  const packed = apply(matmulOps.packBatched, [b], { batch: sizeOf(ofB), k, n, steps });
  return apply(matmulOps.gemmBatched, [a, packed], { loops, batch, k, n, transpose: attrs.transposeA });
}

interface MatmulOptions {
  /** Use the transpose of `a`, given as [..., k, m]; default false. */
  transposeA?: boolean;
  /** Use the transpose of `b`, given as [..., n, k]; default false. */
  transposeB?: boolean;
}

/**
 * Matrix product, of batches where there are more than two axes; those before the last two broadcast as in NumPy. Every output is
 * one sum over k in order, multiply then add.
 * @param a float32 [..., m, k]
 * @param b float32 [..., k, n]
 * @returns float32 [..., m, n]
 * @throws {ShapeError} when the inner sizes differ or the batches do not broadcast
 * @example
 * const x = input([7, 5]);
 * matmul(x, x, { transposeB: true }).shape; // [1, 7, 7]
 */
export function matmul(a: Value, b: Value, { transposeA = false, transposeB = false }: MatmulOptions = {}): Value {
  return apply(matmulOps.matmul, [a, b], { transposeA, transposeB });
}
