// 2-D convolution and its gradients. All three become a zero-padded copy where padding is needed, and one implicit-GEMM kernel; or,
// for 3x3 filters, what winograd.ts says.
import { ShapeError } from "../errors.js";
import { boolean, integer, integers, number, optional } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { type Attrs, apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { mul } from "./arithmetic.js";
import { wantDType, wantRank } from "./check.js";
import { concat } from "./concat.js";
import { depthwiseConv2d } from "./depthwise.js";
import { packGroups } from "./matmul.js";
import { pad2d } from "./pad2d.js";
import { reshape } from "./shape.js";
import { stridedSlice } from "./slice.js";
import { transpose } from "./transpose.js";
import { axes, type Padding, type Pair, pair, windowAttrs } from "./window.js";
import { isWinograd, isWinogradFilterGrad, winograd, winogradOps } from "./winograd.js";

interface ConvAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
  /** Default 1. */
  readonly groups?: number;
}

const convAttrs = { ...windowAttrs, groups: optional(integer(1)) };
const image = "an image [height, width, channels]";

interface ConvGemmAttrs {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly n: number;
  readonly groups: number;
  readonly low: number;
  readonly high: number;
}

interface FilterGemmAttrs {
  /** x is [channels, batch, height, width]. */
  readonly channelsFirst: boolean;
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly out: Pair;
  readonly n: number;
  readonly groups: number;
}

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
  return pad2d(x, [rows.before, cols.before], [rows.padded, cols.padded], [1, 1]);
}

export const convOps = {
  conv2d: defineOp<ConvAttrs>("conv2d", {
    attrs: convAttrs,
    infer([x, f], attrs) {
      wantDType("conv2d", "float32", x, f);
      wantRank("conv2d", 4, image, x);
      if (f.shape.length !== 4)
        throw new ShapeError({ op: "conv2d", expected: "a filter [height, width, in, out]", actual: show(f.shape) });
      const { groups = 1 } = attrs;
      if (f.shape[2] * groups !== x.shape[3]) {
        const expected = `${f.shape[2] * groups} input channels for filter ${show(f.shape)}${groups > 1 ? ` in ${groups} groups` : ""}`;
        throw new ShapeError({ op: "conv2d", expected, actual: `${x.shape[3]} (input ${show(x.shape.slice(1))})` });
      }
      if (f.shape[3] % groups !== 0 || groups > Math.max(1, x.shape[3]))
        throw new ShapeError({ op: "conv2d", expected: `filters in ${groups} equal groups`, actual: `${f.shape[3]}` });
      const [rows, cols] = geometry("conv2d", x, f, attrs);
      return { shape: [x.shape[0], rows.out, cols.out, f.shape[3]], dtype: "float32" };
    },
    grad: ({ inputs: [x, f] }, [dy], attrs): Gradients => [
      apply(convOps.conv2dTranspose, [dy as Value, f], { ...attrs, size: [x.shape[1], x.shape[2]] }),
      apply(convOps.conv2dFilterGrad, [x, dy as Value], { ...attrs, size: filterSize(f) }),
    ],
    expand([x, f], { groups = 1, ...attrs }): Value | undefined {
      const [kh, kw, c, n] = f.shape;
      if (groups > 1 && groups === x.shape[3])
        return depthwiseConv2d(x, reshape(f, [kh, kw, groups, n / groups]), attrs);
      const [rows, cols] = geometry("conv2d", x, f, attrs);
      const out: Pair = [rows.out, cols.out];
      if (isWinograd({ ...attrs, size: [kh, kw], groups }, { c, n, out }))
        return winograd(x, f, n, out, [rows.before, cols.before]);
      const filter = packGroups(f, groups, kh * kw * c, n);
      const wide = padded(x, [rows, cols]);
      return implicitGemm(wide, filter, [kh, kw], n, attrs.strides, attrs.dilations, groups);
    },
    scaled: ([x, f], scale) => [x, mul(f, scale)],
    flops: ({ inputs: [, f], outputs: [y] }) => 2 * sizeOf(y.shape) * sizeOf(f.shape.slice(0, 3)),
  }),

  /**
   * dx of conv2d, and the transposed convolution: inputs dy and the filter; `size` is the height and width of x. Its own gradients are
   * the convolution and the gradient of its filter.
   */
  conv2dTranspose: defineOp<ConvAttrs & { size: Pair }>("conv2dTranspose", {
    attrs: { ...convAttrs, size: integers(1, 2) },
    infer([dy, f], { size, ...attrs }) {
      const c = (f.shape[2] ?? 0) * (attrs.groups ?? 1);
      const x: Spec = { shape: [dy.shape[0], ...size, c], dtype: "float32" };
      const y = convOps.conv2d.infer([x, f], attrs as unknown as Attrs)[0].shape;
      wantDType("conv2dTranspose", "float32", dy);
      if (dy.shape.length !== 4 || dy.shape[3] !== y[3] || dy.shape[1] > y[1] || dy.shape[2] > y[2])
        throw new ShapeError({
          op: "conv2dTranspose",
          expected: `an image ${show(y.slice(1))}`,
          actual: show(dy.shape.slice(1)),
        });
      return x;
    },
    grad: ({ inputs: [x, f] }, [dy], { size, ...attrs }): Gradients => [
      apply(convOps.conv2d, [dy as Value, f], attrs as unknown as Attrs),
      apply(convOps.conv2dFilterGrad, [dy as Value, x], { ...attrs, size: filterSize(f) }),
    ],
    scaled: ([x, f], scale, { groups = 1 }) =>
      groups === 1 ? [x, mul(f, reshape(scale, [f.shape[2], 1]))] : undefined,
    // A convolution of dy, its elements `strides` apart between zeros, with the filter turned round and its channels exchanged.
    expand([dy, f], { size, groups = 1, ...attrs }): Value | undefined {
      const [kh, kw, c, n] = f.shape;
      const [rows, cols] = geometry("conv2d", { shape: [1, ...size, c], dtype: "float32" }, f, attrs);
      const strided = stridedInputGrad(dy, f, { ...attrs, size, groups }, [rows.before, cols.before]);
      if (strided) return strided;
      const reach: Pair = [(kh - 1) * attrs.dilations[0], (kw - 1) * attrs.dilations[1]];
      const offset: Pair = [reach[0] - rows.before, reach[1] - cols.before];
      const flipped = apply(convOps.flip, [f], { groups });
      if (isWinograd({ ...attrs, size: [kh, kw], groups }, { c: n, n: c, out: size }))
        return winograd(dy, reshape(flipped, [kh, kw, n, c]), c, size, offset);
      const spread = pad2d(dy, offset, [size[0] + reach[0], size[1] + reach[1]], attrs.strides);
      const turned = packGroups(flipped, groups, (kh * kw * n) / groups, c * groups, "apart");
      return implicitGemm(spread, turned, [kh, kw], c * groups, [1, 1], attrs.dilations, groups);
    },
    flops: ({ inputs: [dy, f] }) => 2 * sizeOf(dy.shape) * sizeOf(f.shape.slice(0, 3)),
  }),

  /** df of conv2d: inputs x and dy; `size` is the height and width of the filter. */
  conv2dFilterGrad: defineOp<ConvAttrs & { size: Pair }>("conv2dFilterGrad", {
    internal: true,
    attrs: { ...convAttrs, size: integers(1, 2) },
    infer: ([x, dy], { size, groups = 1 }) => ({
      shape: [...size, x.shape[3] / groups, dy.shape[3]],
      dtype: "float32",
    }),
    expand([x, dy], { size, groups = 1, ...attrs }): Value | undefined {
      const [rows, cols] = geometry("conv2d", x, { shape: size }, attrs);
      const [batch, oh, ow, n] = dy.shape;
      const { strides, dilations } = attrs;
      const problem = { c: x.shape[3], n, out: [oh, ow] as const };
      if (isWinogradFilterGrad({ size, strides, dilations, groups }, batch, problem))
        return apply(winogradOps.winogradFilterGrad, [x, dy], { out: [oh, ow], before: [rows.before, cols.before] });
      const wide = padded(x, [rows, cols]);
      const channelsFirst = isTransposedFirst(x.shape[3], n, size, strides);
      const left = channelsFirst ? transpose(wide, [3, 0, 1, 2]) : wide;
      return apply(convOps.filterGemm, [left, packGroups(dy, groups, batch * oh * ow, n)], {
        channelsFirst,
        size,
        strides,
        dilations,
        out: [oh, ow],
        n,
        groups,
      });
    },
    flops: ({ inputs: [, dy], outputs: [df] }) => 2 * sizeOf(dy.shape) * sizeOf(df.shape.slice(0, 3)),
  }),

  /** A filter turned by 180 degrees, its input and output channels exchanged, the groups apart. */
  flip: defineOp<{ groups: number }>("flip", {
    internal: true,
    attrs: { groups: integer(1) },
    infer: ([{ shape }], { groups }) => ({
      shape: [groups, shape[0], shape[1], shape[3] / groups, shape[2]],
      dtype: "float32",
    }),
    lower: (emit, { inputs: [f], outputs: [y] }, { groups }) => emit.call("f32_conv2d_flip", ...quad(f), groups, f, y),
  }),

  /** clamp(x * f + bias) without padding: inputs x, the packed filter, and bias [n] where fused. */
  convGemm: defineOp<ConvGemmAttrs>("convGemm", {
    internal: true,
    attrs: {
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      n: integer(0),
      groups: integer(1),
      low: number(),
      high: number(),
    },
    infer([x], { size, strides, dilations, n }) {
      const [rows, cols] = axes("convGemm", x, size, strides, dilations, "valid");
      return { shape: [x.shape[0], rows.out, cols.out, n], dtype: "float32" };
    },
    lower(emit, { inputs: [x, f, bias = 0], outputs: [y] }, { size, strides, dilations, n, groups, low, high }) {
      const sizes = [...quad(x), y.shape[1], y.shape[2], ...size, ...strides, ...dilations, n] as const;
      if (groups === 1) emit.call("f32_conv2d", ...sizes, x, f, bias, y, low, high);
      else emit.call("f32_conv2d_grouped", ...sizes, groups, x, f, bias, y, low, high);
    },
    flops: ({ inputs: [x], outputs: [y] }, { size, groups }) =>
      (2 * sizeOf(y.shape) * size[0] * size[1] * x.shape[3]) / groups,
    epilogue: true,
  }),

  /** The filter gradient without padding: inputs x and the packed dy. */
  filterGemm: defineOp<FilterGemmAttrs>("filterGemm", {
    internal: true,
    attrs: {
      channelsFirst: boolean,
      size: integers(1, 2),
      strides: integers(1, 2),
      dilations: integers(1, 2),
      out: integers(1, 2),
      n: integer(0),
      groups: integer(1),
    },
    infer: ([x], { channelsFirst, size, n, groups }) => ({
      shape: [...size, x.shape[channelsFirst ? 0 : 3] / groups, n],
      dtype: "float32",
    }),
    lower(emit, { inputs: [x, dy], outputs: [df] }, { channelsFirst, size, strides, dilations, out, n, groups }) {
      const [batch, h, w, c] = channelsFirst ? [...x.shape.slice(1), x.shape[0]] : x.shape;
      const sizes = [batch, h, w, c, ...out, ...size, ...strides, ...dilations, n] as const;
      const [pixel, channel] = channelsFirst ? [1, batch * h * w] : [c, 1];
      if (groups === 1 && !channelsFirst) emit.call("f32_conv2d_filter_grad", ...sizes, x, dy, df);
      else emit.call("f32_conv2d_filter_grad_grouped", ...sizes, groups, pixel, channel, x, dy, df);
    },
    flops: ({ inputs: [x], outputs: [df] }, { channelsFirst, out }) =>
      2 * sizeOf(df.shape) * x.shape[channelsFirst ? 1 : 0] * out[0] * out[1],
  }),
};

/**
 * Whether x is written out channels first for the gradient of the filter, whose sums run over pixels: 5 to 10 % faster, unless the
 * copy costs more than that (`npm run bench:methods`).
 */
const isTransposedFirst = (c: number, n: number, size: Pair, strides: Pair): boolean =>
  c >= 16 && n * size[0] * size[1] >= 64 * strides[0] * strides[1];

const quad = ({ shape }: Spec): readonly [number, number, number, number] => [shape[0], shape[1], shape[2], shape[3]];

function implicitGemm(
  x: Value,
  filter: Value,
  size: Pair,
  n: number,
  strides: Pair,
  dilations: Pair,
  groups: number,
): Value {
  const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return apply(convOps.convGemm, [x, filter], { size, strides, dilations, n, groups, ...limits });
}

/**
 * dx of a strided convolution without multiplying the zeros between the elements of dy: pixels of dx whose place leaves the same
 * remainder by the strides see the same part of the filter, so each such set is the dx of a convolution with stride 1. At stride 2 a
 * quarter of the products: a training step of 3x3 64>128 on 56x56 takes 10.5 ms instead of 17.8 (Node 24). `undefined` where it does
 * not apply.
 */
function stridedInputGrad(
  dy: Value,
  f: Value,
  { strides: [sh, sw], dilations, size, groups = 1 }: Omit<ConvAttrs, "padding"> & { size: Pair },
  before: Pair,
): Value | undefined {
  const [kh, kw, c] = f.shape;
  const plain = { strides: [1, 1] as const, dilations, groups };
  if (sh * sw === 1) return undefined;
  if (kh * kw === 1) {
    const inner = { ...plain, padding: "valid", size: [dy.shape[1], dy.shape[2]] as const };
    return pad2d(apply(convOps.conv2dTranspose, [dy, f], inner), [-before[0], -before[1]], size, [sh, sw]);
  }
  if (kh < sh || kw < sw || dilations[0] * dilations[1] > 1) return undefined;
  const [h, w] = [Math.ceil(size[0] / sh), Math.ceil(size[1] / sw)];
  const lines = Array.from({ length: sh }, (_, i) => {
    const [top, p] = [Math.floor((i + before[0]) / sh), (i + before[0]) % sh];
    const parts = Array.from({ length: sw }, (_, j) => {
      const [left, q] = [Math.floor((j + before[1]) / sw), (j + before[1]) % sw];
      const part = stridedSlice(f, [p, q], [null, null], [sh, sw]);
      const after = (o: number, n: number, k: number, start: number) => Math.max(0, o - n - start + k - 1);
      const padding = [
        [top, after(dy.shape[1], h, part.shape[0], top)],
        [left, after(dy.shape[2], w, part.shape[1], left)],
      ] as const;
      return apply(convOps.conv2dTranspose, [dy, part], { ...plain, padding, size: [h, w] });
    });
    return reshape(concat(parts, 3), [dy.shape[0], h, w * sw * c * groups]);
  });
  const dx = reshape(concat(lines, 2), [dy.shape[0], h * sh, w * sw, c * groups]);
  return h * sh === size[0] && w * sw === size[1] ? dx : stridedSlice(dx, [0, 0, 0], [null, ...size]);
}

interface Conv2dOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** `valid` (default), `same`, or pixels as [[top, bottom], [left, right]]. */
  padding?: Padding;
  /** Distance of the filter's elements, default 1. */
  dilations?: number | Pair;
  /** Groups of channels that do not see each other, default 1. */
  groups?: number;
}

/**
 * 2-D convolution (cross-correlation). Each output is one sum in the order of filter rows, columns, channels.
 * @param x float32 [batch, height, width, channels]
 * @param filter float32 [height, width, channels / groups, filters]
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
  { strides = 1, padding = "valid", dilations = 1, groups = 1 }: Conv2dOptions = {},
): Value {
  const attrs = { strides: pair(strides), padding, dilations: pair(dilations) };
  return apply(convOps.conv2d, [x, filter], groups === 1 ? attrs : { ...attrs, groups });
}
