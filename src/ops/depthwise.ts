// Depthwise 2-D convolution: every channel with filters of its own. With several filters to a channel the image is repeated, so that
// the kernel sees one filter to a channel.
import { ShapeError } from "../errors.js";
import { integers, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType, wantElements, wantRank } from "./check.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { axes, type Padding, type Pair, pair, windowAttrs } from "./window.js";

interface DepthwiseAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
}

interface LoweredAttrs {
  /** Of the filter. */
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Rows and columns of padding before x. */
  readonly before: Pair;
}

interface DepthwiseLoweredAttrs extends LoweredAttrs {
  /** Distance of the pixels of x, between which are zeros. */
  readonly apart: Pair;
  /** Height and width of the result. */
  readonly out: Pair;
  readonly low: number;
  readonly high: number;
}

const loweredAttrs = {
  size: integers(1, 2),
  strides: integers(1, 2),
  dilations: integers(1, 2),
  before: integers(-(2 ** 31), 2),
};

const geometry = (x: Spec, size: Pair, { strides, padding, dilations }: DepthwiseAttrs) =>
  axes("depthwiseConv2d", x, size, strides, dilations, padding);

/** Every channel `count` times in a row. */
function repeated(x: Value, count: number): Value {
  const [batch, h, w, c] = x.shape;
  if (count === 1) return x;
  return reshape(broadcastTo(reshape(x, [batch, h, w, c, 1]), [batch, h, w, c, count]), [batch, h, w, c * count]);
}

export const depthwiseOps = {
  depthwiseConv2d: defineOp<DepthwiseAttrs>("depthwiseConv2d", {
    attrs: windowAttrs,
    infer([x, f], attrs) {
      const op = "depthwiseConv2d";
      wantDType(op, "float32", x, f);
      wantRank(op, 4, "an image [height, width, channels]", x);
      if (f.shape.length !== 4)
        throw new ShapeError({ op, expected: "a filter [height, width, channels, multiplier]", actual: show(f.shape) });
      if (f.shape[2] !== x.shape[3]) {
        const expected = `${f.shape[2]} input channels for filter ${show(f.shape)}`;
        throw new ShapeError({ op, expected, actual: `${x.shape[3]} (input ${show(x.shape.slice(1))})` });
      }
      wantElements(op, x, 3);
      const [rows, cols] = geometry(x, [f.shape[0], f.shape[1]], attrs);
      return { shape: [x.shape[0], rows.out, cols.out, f.shape[2] * f.shape[3]], dtype: "float32" };
    },
    grad: ({ inputs: [x, f] }, [dy], attrs): Gradients => [
      apply(depthwiseOps.depthwiseInputGrad, [dy as Value, f], { ...attrs, image: [x.shape[1], x.shape[2]] }),
      apply(depthwiseOps.depthwiseFilterGrad, [x, dy as Value], { ...attrs, size: [f.shape[0], f.shape[1]] }),
    ],
    expand([x, f], attrs): Value | undefined {
      const [kh, kw, c, m] = f.shape;
      const { strides, dilations } = attrs;
      const [rows, cols] = geometry(x, [kh, kw], attrs);
      const before: Pair = [rows.before, cols.before];
      const out: Pair = [rows.out, cols.out];
      return depthwise(repeated(x, m), reshape(f, [kh, kw, c * m]), { strides, dilations, before, apart: [1, 1], out });
    },
    scaled: ([x, f], scale) => [x, mul(f, reshape(scale, f.shape.slice(2)))],
    flops: ({ inputs: [, f], outputs: [y] }) => 2 * sizeOf(y.shape) * f.shape[0] * f.shape[1],
  }),

  /** dx: inputs dy and the filter; `image` is the height and width of x. */
  depthwiseInputGrad: defineOp<DepthwiseAttrs & { image: Pair }>("depthwiseInputGrad", {
    internal: true,
    attrs: { ...windowAttrs, image: integers(1, 2) },
    infer: ([dy, f], { image }) => ({ shape: [dy.shape[0], ...image, f.shape[2]], dtype: "float32" }),
    // The convolution of dy, its elements `strides` apart between zeros, with the filter turned round; then the sum over the
    // filters of a channel.
    expand([dy, f], { image, ...attrs }): Value | undefined {
      const [kh, kw, c, m] = f.shape;
      const [rows, cols] = geometry({ shape: [1, ...image, c], dtype: "float32" }, [kh, kw], attrs);
      const reach: Pair = [(kh - 1) * attrs.dilations[0], (kw - 1) * attrs.dilations[1]];
      const before: Pair = [reach[0] - rows.before, reach[1] - cols.before];
      const turned = apply(depthwiseOps.turn, [reshape(f, [kh, kw, c * m])]);
      const { strides, dilations } = attrs;
      const dx = depthwise(dy, turned, { strides: [1, 1], dilations, before, apart: strides, out: image });
      return m === 1 ? dx : sum(reshape(dx, [dy.shape[0], ...image, c, m]), 4);
    },
    flops: ({ inputs: [dy, f] }) => 2 * sizeOf(dy.shape) * f.shape[0] * f.shape[1],
  }),

  /** df: inputs x and dy; `size` is the height and width of the filter. */
  depthwiseFilterGrad: defineOp<DepthwiseAttrs & { size: Pair }>("depthwiseFilterGrad", {
    internal: true,
    attrs: { ...windowAttrs, size: integers(1, 2) },
    infer: ([x, dy], { size }) => ({ shape: [...size, x.shape[3], dy.shape[3] / x.shape[3]], dtype: "float32" }),
    expand([x, dy], { size, ...attrs }): Value | undefined {
      const [c, n] = [x.shape[3], dy.shape[3]];
      const [rows, cols] = geometry(x, size, attrs);
      const { strides, dilations } = attrs;
      const before: Pair = [rows.before, cols.before];
      const products = { size, strides, dilations, before };
      return reshape(apply(depthwiseOps.depthwiseProducts, [repeated(x, n / c), dy], products), [...size, c, n / c]);
    },
    flops: ({ inputs: [, dy] }, { size }) => 2 * sizeOf(dy.shape) * size[0] * size[1],
  }),

  /** A filter [height, width, channels] turned by 180 degrees. */
  turn: defineOp("turn", {
    internal: true,
    infer: ([f]) => f,
    lower: (emit, { inputs: [f], outputs: [y] }) =>
      emit.call("f32_conv2d_flip", f.shape[0], f.shape[1], 1, f.shape[2], 1, f, y),
  }),

  /** clamp(x * f + bias), f [height, width, channels]: inputs x, f, and bias [channels] where fused. */
  depthwise: defineOp<DepthwiseLoweredAttrs>("depthwise", {
    internal: true,
    attrs: { ...loweredAttrs, apart: integers(1, 2), out: integers(1, 2), low: number(), high: number() },
    infer: ([x], { out }) => ({ shape: [x.shape[0], ...out, x.shape[3]], dtype: "float32" }),
    lower(emit, { inputs: [x, f, bias = 0], outputs: [y] }, { low, high, apart, ...attrs }) {
      emit.call("f32_depthwise_conv2d", ...sizes(x, y, attrs), ...apart, x, f, bias, y, low, high);
    },
    // Of one pixel of the result; where the pixels of x are apart, of one pixel of x.
    flops: ({ inputs: [x], outputs: [y] }, { size, apart }) =>
      2 * sizeOf(apart[0] * apart[1] === 1 ? y.shape : x.shape) * size[0] * size[1],
    epilogue: true,
  }),

  /** The filter gradient: inputs x and dy. */
  depthwiseProducts: defineOp<LoweredAttrs>("depthwiseProducts", {
    internal: true,
    attrs: loweredAttrs,
    infer: ([x], { size }) => ({ shape: [...size, x.shape[3]], dtype: "float32" }),
    lower: (emit, { inputs: [x, dy], outputs: [df] }, attrs) =>
      emit.call("f32_depthwise_conv2d_filter_grad", ...sizes(x, dy, attrs), x, dy, df),
    flops: ({ inputs: [, dy] }, { size }) => 2 * sizeOf(dy.shape) * size[0] * size[1],
  }),
};

/** The sizes both kernels take. */
function sizes(x: Spec, y: Spec, { size, strides, dilations, before }: LoweredAttrs) {
  const [batch, h, w, c] = x.shape;
  return [batch, h, w, c, y.shape[1], y.shape[2], ...size, ...strides, ...dilations, ...before] as const;
}

function depthwise(x: Value, f: Value, attrs: Omit<DepthwiseLoweredAttrs, "size" | "low" | "high">): Value {
  const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return apply(depthwiseOps.depthwise, [x, f], { size: [f.shape[0], f.shape[1]], ...attrs, ...limits });
}

interface DepthwiseOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** `valid` (default), `same`, or pixels as [[top, bottom], [left, right]]. */
  padding?: Padding;
  /** Distance of the filter's elements, default 1. */
  dilations?: number | Pair;
}

/**
 * Depthwise convolution: channel c gives the channels c * multiplier to (c + 1) * multiplier. The layer is `depthwiseConv2d`.
 * @param x float32 [batch, height, width, channels]
 * @param filter float32 [height, width, channels, multiplier]
 * @throws {ShapeError} when the channels differ or a window does not fit
 */
export function depthwiseConv2d(
  x: Value,
  filter: Value,
  { strides = 1, padding = "valid", dilations = 1 }: DepthwiseOptions = {},
): Value {
  const attrs = { strides: pair(strides), padding, dilations: pair(dilations) };
  return apply(depthwiseOps.depthwiseConv2d, [x, filter], attrs);
}
