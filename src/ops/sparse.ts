// Weights of which some are left out for good (pruned), and their products. `sparse` is what graphs say: while a model is trained it keeps
// what is left out at 0, gradients too; where it predicts, products leave it out where that takes less time. Not among the common ops:
// lanewise/compress brings it, and its kernels.
import { ShapeError } from "../errors.js";
import { type Check, integer, integers, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sparse as family } from "../runtime/families/sparse.js";
import { sameShape, show, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { wantDType } from "./check.js";
import { where } from "./comparison.js";
import { convOps } from "./conv2d.js";
import { constantOp, isState } from "./leaf.js";
import { matmulOps } from "./matmul.js";
import { pad2d } from "./pad2d.js";
import { reshape } from "./shape.js";
import { cheapest, type Method } from "./sparsity.js";
import { transpose } from "./transpose.js";
import { axes, type Padding, type Pair } from "./window.js";

interface PackAttrs {
  /** Rows and columns of the weights, width and channels of the filter. */
  readonly sizes: readonly [k: number, n: number, width: number, channels: number];
  /** Elements of x from one row, column and channel of the filter to the next. */
  readonly steps: readonly [number, number, number];
  /** Lanes across outputs: four columns that share their places, or one; 0: across pixels. */
  readonly block: number;
  /** 32-bit words of the result. */
  readonly words: number;
}

interface ProductAttrs {
  readonly out: Pair;
  readonly strides: Pair;
  readonly n: number;
  readonly block: number;
  /** Multiplications and additions for each pixel. */
  readonly terms: number;
  readonly low: number;
  readonly high: number;
}

const blockCheck: Check = (value) => (value === 0 || value === 1 || value === 4 ? undefined : "0, 1 or 4");
const productAttrs = {
  out: integers(1, 2),
  strides: integers(1, 2),
  n: integer(1),
  block: blockCheck,
  terms: integer(0),
  low: number(),
  high: number(),
};
/** Elements that f32_sparse_conv2d_pixels needs beside its results. */
const SCRATCH = 128;

export const sparseOps = {
  /** Inputs weights and mask (bool), of one shape. */
  sparse: defineOp("sparse", {
    infer([x, mask]) {
      wantDType("sparse", "float32", x);
      wantDType("sparse", "bool", mask);
      if (!sameShape(x.shape, mask.shape))
        throw new ShapeError({ op: "sparse", expected: `a mask ${show(x.shape)}`, actual: show(mask.shape) });
      return x;
    },
    grad: ({ inputs: [, mask] }, [dy]): Gradients => [where(mask, dy as Value, 0), undefined],
    expand: ([x, mask]): Value => where(mask, x, 0),
    multiplied({ op, attrs, inputs: [, made] }, [x, given], maker): Value | undefined {
      const [bare, mask] = maker.inputs;
      if (mask.node.op !== constantOp || sizeOf(given.shape) !== sizeOf(mask.shape)) return undefined;
      // What the mask leaves out is not packed, so the weights may be those from before it.
      const weights = made.node === maker && isState(bare) ? bare : given;
      if (op === matmulOps.matmul && !attrs.transposeA && !attrs.transposeB && weights.shape.length === 2)
        return rows(x, weights, mask);
      if (op === convOps.conv2d && (attrs.groups ?? 1) === 1)
        return convolution(x, weights, mask, attrs as unknown as ConvAttrs);
      return undefined;
    },
  }),

  /** Weights and mask packed for products. */
  sparsePack: defineOp<PackAttrs>("sparsePack", {
    family,
    internal: true,
    attrs: { sizes: integers(0, 4), steps: integers(0, 3), block: blockCheck, words: integer(0) },
    infer: (_, { words }) => ({ shape: [words], dtype: "int32" }),
    lower(emit, { inputs: [weights, mask], outputs: [y] }, { sizes, steps, block }) {
      if (block === 0) emit.call("f32_sparse_pack_pixels", ...sizes, ...steps, mask, weights, y);
      else emit.call("f32_sparse_pack_outputs", ...sizes, ...steps, block, mask, weights, y);
    },
  }),

  /** clamp(x * weights + bias): inputs x [batch, h, w, c] with its padding, or rows [m, k], packed weights, and bias [n] where fused. */
  sparseOutputs: defineOp<ProductAttrs>("sparseOutputs", {
    family,
    internal: true,
    attrs: productAttrs,
    infer: ([x], { out, n }) => ({ shape: [x.shape[0], ...(x.shape.length === 2 ? [] : out), n], dtype: "float32" }),
    lower(emit, { inputs: [x, packed, bias = 0], outputs: [y] }, { out, strides, n, block, low, high }) {
      const [batch, h, w, c] = x.shape.length === 2 ? [1, 1, ...x.shape] : x.shape;
      const sizes = [batch, h, w, c, ...out, ...strides, n, block] as const;
      emit.call("f32_sparse_conv2d_outputs", ...sizes, x, packed, bias, y, low, high);
    },
    flops: ({ outputs: [y] }, { terms, n }) => (2 * terms * sizeOf(y.shape)) / n,
    epilogue: true,
  }),

  /** The same of x [batch, c, h, w], or columns [k, m], with strides 1; the second result is workspace. */
  sparsePixels: defineOp<ProductAttrs>("sparsePixels", {
    family,
    internal: true,
    attrs: productAttrs,
    infer: ([x], { out, n }) => [
      { shape: x.shape.length === 2 ? [x.shape[1], n] : [x.shape[0], ...out, n], dtype: "float32" },
      { shape: [SCRATCH], dtype: "float32" },
    ],
    lower(emit, { inputs: [x, packed, bias = 0], outputs: [y, scratch] }, { out, n, low, high }) {
      const [batch, c, h, w] = x.shape.length === 2 ? [1, x.shape[0], 1, x.shape[1]] : x.shape;
      const sizes = [batch, c * h * w, w, ...out, n] as const;
      emit.call("f32_sparse_conv2d_pixels", ...sizes, x, packed, bias, scratch as Value, y, low, high);
    },
    flops: ({ outputs: [y] }, { terms, n }) => (2 * terms * sizeOf(y.shape)) / n,
    epilogue: true,
  }),
};

interface ConvAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
}

/** x [..., k] times weights [k, n]: every row is a pixel of one line. */
function rows(x: Value, weights: Value, mask: Value): Value | undefined {
  const [k, n] = weights.shape;
  const m = sizeOf(x.shape.slice(0, -1));
  const image = { batch: 1, rows: { out: 1, padded: 1 }, cols: { out: m, padded: m } };
  const method = cheapest(maskOf(mask), { ...image, size: [1, 1], strides: [1, 1], dilations: [1, 1], c: k, n });
  const y = method && product(reshape(x, [m, k]), weights, mask, method);
  return y && reshape(y, [...x.shape.slice(0, -1), n]);
}

function convolution(x: Value, weights: Value, mask: Value, { strides, padding, dilations }: ConvAttrs) {
  const [kh, kw, c, n] = weights.shape;
  const [rows, cols] = axes("conv2d", x, [kh, kw], strides, dilations, padding);
  const method = cheapest(maskOf(mask), { batch: x.shape[0], rows, cols, size: [kh, kw], strides, dilations, c, n });
  const wide = method && pad2d(x, [rows.before, cols.before], [rows.padded, cols.padded], [1, 1]);
  return wide && product(wide, weights, mask, method);
}

const maskOf = (mask: Value): Uint8Array => (mask.node.data as Tensor).data as Uint8Array;

/** A product by one of the methods; x has its padding. */
function product(x: Value, weights: Value, mask: Value, { block, words, terms, windows }: Method): Value {
  const { size, strides, dilations, c, n, rows, cols } = windows;
  const across = block === 0;
  const [h, w] = [rows.padded, cols.padded];
  const [line, pixel, channel] = across ? [w, 1, h * w] : [w * c, c, 1];
  const packed = apply(sparseOps.sparsePack, [weights, mask], {
    sizes: [size[0] * size[1] * c, n, size[1], c],
    steps: [dilations[0] * line, dilations[1] * pixel, channel],
    block,
    words,
  });
  const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const attrs = { out: [rows.out, cols.out], strides, n, block, terms, ...limits };
  const first = x.shape.length === 2 ? [1, 0] : [0, 3, 1, 2];
  if (across) return apply(sparseOps.sparsePixels, [transpose(x, first), packed], attrs);
  return apply(sparseOps.sparseOutputs, [x, packed], attrs);
}

/**
 * Weights of which only some are kept: `weights` where `mask` is true, else 0, for good, as no gradient reaches the others. Products with them
 * skip what is left out where that is faster, and give the same bits as if they did not, for finite numbers.
 * @param weights float32, of any shape
 * @param mask bool, of the same shape
 * @throws {ShapeError} when the shapes differ
 * @example
 * const x = input([4]);
 * const kernel = constant(tensor([[1, 2], [3, 4], [5, 6], [7, 8]]));
 * const mask = constant(tensor([[1, 0], [0, 0], [0, 1], [0, 0]], [4, 2], "bool"));
 * matmul(x, sparse(kernel, mask)).shape; // [1, 2]
 */
export const sparse = (weights: Value, mask: Value): Value => apply(sparseOps.sparse, [weights, mask]);
