// 2-D convolution and its gradients. All three become a zero-padded copy where padding is needed, and one implicit-GEMM kernel.
import { ShapeError } from "../errors.js";
import { integer, integers, number, oneOf } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { wantDType, wantRank } from "./check.js";
import { pack } from "./matmul.js";
import { axes, type Padding, type Pair } from "./window.js";

interface ConvAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
}

const convAttrs = { strides: integers(1, 2), padding: oneOf("valid", "same"), dilations: integers(1, 2) };
const image = "an image [height, width, channels]";

/** Filter size and channels of an HWIO filter. */
const filterSize = (f: Spec): Pair => [f.shape[0], f.shape[1]];

function geometry(
  op: string,
  x: Spec,
  f: { readonly shape: readonly number[] },
  { strides, padding, dilations }: ConvAttrs,
) {
  return axes(op, x, [f.shape[0], f.shape[1]], strides, dilations, padding);
}

/** `x` with zeros around it, where the windows reach beyond it. */
function padded(x: Value, [rows, cols]: ReturnType<typeof geometry>): Value {
  const [, h, w] = x.shape;
  if (rows.padded === h && cols.padded === w) return x;
  return apply(convOps.pad2d, [x], {
    offset: [rows.before, cols.before],
    size: [rows.padded, cols.padded],
    step: [1, 1],
  });
}

export const convOps = {
  conv2d: defineOp<ConvAttrs>("conv2d", {
    attrs: convAttrs,
    infer([x, f], attrs) {
      wantDType("conv2d", "float32", x, f);
      wantRank("conv2d", 4, image, x);
      if (f.shape.length !== 4)
        throw new ShapeError({ op: "conv2d", expected: "a filter [height, width, in, out]", actual: show(f.shape) });
      if (f.shape[2] !== x.shape[3]) {
        const expected = `${f.shape[2]} input channels for filter ${show(f.shape)}`;
        throw new ShapeError({ op: "conv2d", expected, actual: `${x.shape[3]} (input ${show(x.shape.slice(1))})` });
      }
      const [rows, cols] = geometry("conv2d", x, f, attrs);
      return { shape: [x.shape[0], rows.out, cols.out, f.shape[3]], dtype: "float32" };
    },
    grad: ({ inputs: [x, f] }, [dy], attrs): Gradients => [
      apply(convOps.conv2dInputGrad, [dy as Value, f], { ...attrs, size: [x.shape[1], x.shape[2]] }),
      apply(convOps.conv2dFilterGrad, [x, dy as Value], { ...attrs, size: filterSize(f) }),
    ],
    expand([x, f], attrs): Value | undefined {
      const [kh, kw, c, n] = f.shape;
      const filter = pack(f, kh * kw * c, n, false);
      return implicitGemm(
        padded(x, geometry("conv2d", x, f, attrs)),
        filter,
        [kh, kw],
        n,
        attrs.strides,
        attrs.dilations,
      );
    },
    flops: ({ inputs: [, f], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(f.shape.slice(0, 3)),
  }),

  /** dx of conv2d: inputs dy and the filter; `size` is the height and width of x. */
  conv2dInputGrad: defineOp<ConvAttrs & { size: Pair }>("conv2dInputGrad", {
    internal: true,
    attrs: { ...convAttrs, size: integers(1, 2) },
    infer: ([dy, f], { size }) => ({ shape: [dy.shape[0], ...size, f.shape[2]], dtype: "float32" }),
    // A convolution of dy, its elements `strides` apart between zeros, with the filter turned round and its channels exchanged.
    expand([dy, f], { size, ...attrs }): Value | undefined {
      const [kh, kw, c, n] = f.shape;
      const [rows, cols] = geometry("conv2d", { shape: [1, ...size, c], dtype: "float32" }, f, attrs);
      const reach: Pair = [(kh - 1) * attrs.dilations[0], (kw - 1) * attrs.dilations[1]];
      const spread = apply(convOps.pad2d, [dy], {
        offset: [reach[0] - rows.before, reach[1] - cols.before],
        size: [size[0] + reach[0], size[1] + reach[1]],
        step: attrs.strides,
      });
      const turned = pack(apply(convOps.flip, [f]), kh * kw * n, c, false);
      return implicitGemm(spread, turned, [kh, kw], c, [1, 1], attrs.dilations);
    },
    flops: ({ inputs: [dy, f] }) => 2 * sizeOf(dy.shape) * sizeOf(f.shape.slice(0, 3)),
  }),

  /** df of conv2d: inputs x and dy; `size` is the height and width of the filter. */
  conv2dFilterGrad: defineOp<ConvAttrs & { size: Pair }>("conv2dFilterGrad", {
    internal: true,
    attrs: { ...convAttrs, size: integers(1, 2) },
    infer: ([x, dy], { size }) => ({ shape: [...size, x.shape[3], dy.shape[3]], dtype: "float32" }),
    expand([x, dy], { size, ...attrs }): Value | undefined {
      const wide = padded(x, geometry("conv2d", x, { shape: size }, attrs));
      const [batch, oh, ow, n] = dy.shape;
      const { strides, dilations } = attrs;
      return apply(convOps.filterGemm, [wide, pack(dy, batch * oh * ow, n, false)], {
        size,
        strides,
        dilations,
        out: [oh, ow],
        n,
      });
    },
    flops: ({ inputs: [, dy], outputs: [df] }) => 2 * sizeOf(dy.shape) * sizeOf(df.shape.slice(0, 3)),
  }),

  /** Zeros of [batch, ...size, channels], with x from `offset` on, its elements `step` apart; what falls outside is left out. */
  pad2d: defineOp<{ offset: Pair; size: Pair; step: Pair }>("pad2d", {
    internal: true,
    attrs: { offset: integers(-(2 ** 31), 2), size: integers(1, 2), step: integers(1, 2) },
    infer: ([x], { size }) => ({ shape: [x.shape[0], ...size, x.shape[3]], dtype: "float32" }),
    lower: (emit, { inputs: [x], outputs: [y] }, { offset, size, step }) =>
      emit.call("f32_pad2d", ...quad(x), ...size, ...offset, ...step, x, y),
  }),

  /** A filter turned by 180 degrees, its input and output channels exchanged. */
  flip: defineOp("flip", {
    internal: true,
    infer: ([f]) => ({ shape: [f.shape[0], f.shape[1], f.shape[3], f.shape[2]], dtype: "float32" }),
    lower: (emit, { inputs: [f], outputs: [y] }) => emit.call("f32_conv2d_flip", ...quad(f), f, y),
  }),

  /** clamp(x * f + bias) without padding: inputs x, the packed filter, and bias [n] where fused. */
  convGemm: defineOp<{ size: Pair; strides: Pair; dilations: Pair; n: number; low: number; high: number }>("convGemm", {
    internal: true,
    attrs: {
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      n: integer(0),
      low: number(),
      high: number(),
    },
    infer([x], { size, strides, dilations, n }) {
      const [rows, cols] = axes("convGemm", x, size, strides, dilations, "valid");
      return { shape: [x.shape[0], rows.out, cols.out, n], dtype: "float32" };
    },
    lower(emit, { inputs: [x, f, bias], outputs: [y] }, { size, strides, dilations, n, low, high }) {
      const out: Pair = [y.shape[1], y.shape[2]];
      emit.call("f32_conv2d", ...quad(x), ...out, ...size, ...strides, ...dilations, n, x, f, bias ?? 0, y, low, high);
    },
    flops: ({ inputs: [x], outputs: [y] }, { size }) => 2 * sizeOf(y.shape) * size[0] * size[1] * x.shape[3],
    epilogue: true,
  }),

  /** The filter gradient without padding: inputs x and the packed dy. */
  filterGemm: defineOp<{ size: Pair; strides: Pair; dilations: Pair; out: Pair; n: number }>("filterGemm", {
    internal: true,
    attrs: {
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      out: integers(1, 2),
      n: integer(0),
    },
    infer: ([x], { size, n }) => ({ shape: [...size, x.shape[3], n], dtype: "float32" }),
    lower: (emit, { inputs: [x, dy], outputs: [df] }, { size, strides, dilations, out, n }) =>
      emit.call("f32_conv2d_filter_grad", ...quad(x), ...out, ...size, ...strides, ...dilations, n, x, dy, df),
    flops: ({ inputs: [x], outputs: [df] }, { out }) => 2 * sizeOf(df.shape) * x.shape[0] * out[0] * out[1],
  }),
};

const quad = ({ shape }: Spec): readonly [number, number, number, number] => [shape[0], shape[1], shape[2], shape[3]];

function implicitGemm(x: Value, filter: Value, size: Pair, n: number, strides: Pair, dilations: Pair): Value {
  const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return apply(convOps.convGemm, [x, filter], { size, strides, dilations, n, ...limits });
}

interface Conv2dOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** Default `valid`. */
  padding?: Padding;
  /** Distance of the filter's elements, default 1. */
  dilations?: number | Pair;
}

/** A number for both axes, or one for each. */
export const pair = (x: number | Pair): Pair => (typeof x === "number" ? [x, x] : x);

/**
 * 2-D convolution (cross-correlation). Each output is one sum in the order of filter rows, columns, channels.
 * @param x float32 [batch, height, width, channels]
 * @param filter float32 [height, width, channels, filters]
 * @returns float32 [batch, outHeight, outWidth, filters]; "same" pads as TensorFlow does, the odd pixel after
 * @throws {ShapeError} when the channels differ or a window does not fit
 * @example
 * const image = input([8, 8, 3]);
 * const edges = constant(tensor(new Float32Array(3 * 3 * 3 * 4), [3, 3, 3, 4]));
 * convolution2d(image, edges, { padding: "same" }).shape; // [1, 8, 8, 4]
 */
export function convolution2d(
  x: Value,
  filter: Value,
  { strides = 1, padding = "valid", dilations = 1 }: Conv2dOptions = {},
): Value {
  return apply(convOps.conv2d, [x, filter], { strides: pair(strides), padding, dilations: pair(dilations) });
}
