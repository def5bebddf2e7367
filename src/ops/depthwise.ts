// Depthwise 2-D convolution: every channel with filters of its own. With several filters to a channel the image is repeated, so that
// the kernel sees one filter to a channel.
import { ShapeError } from "../errors.js";
import { integers, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType, wantRank } from "./check.js";
import { pad2d } from "./pad2d.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { axes, type Padding, type Pair, paddingCheck, pair } from "./window.js";

interface DepthwiseAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
}

interface LoweredAttrs {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}

const depthwiseAttrs = { strides: integers(1, 2), padding: paddingCheck, dilations: integers(1, 2) };
const loweredAttrs = { size: integers(1, 2), strides: integers(1, 2), dilations: integers(1, 2) };

const geometry = (x: Spec, size: Pair, { strides, padding, dilations }: DepthwiseAttrs) =>
  axes("depthwiseConv2d", x, size, strides, dilations, padding);

/** Every channel `count` times in a row. */
function repeated(x: Value, count: number): Value {
  const [batch, h, w, c] = x.shape;
  if (count === 1) return x;
  return reshape(broadcastTo(reshape(x, [batch, h, w, c, 1]), [batch, h, w, c, count]), [batch, h, w, c * count]);
}

/** The image as the kernel takes it: channels repeated, padded. */
function widened(x: Value, count: number, [rows, cols]: ReturnType<typeof geometry>): Value {
  return repeated(pad2d(x, [rows.before, cols.before], [rows.padded, cols.padded], [1, 1]), count);
}

export const depthwiseOps = {
  depthwiseConv2d: defineOp<DepthwiseAttrs>("depthwiseConv2d", {
    attrs: depthwiseAttrs,
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
      const [rows, cols] = geometry(x, [f.shape[0], f.shape[1]], attrs);
      return { shape: [x.shape[0], rows.out, cols.out, f.shape[2] * f.shape[3]], dtype: "float32" };
    },
    grad: ({ inputs: [x, f] }, [dy], attrs): Gradients => [
      apply(depthwiseOps.depthwiseInputGrad, [dy as Value, f], { ...attrs, image: [x.shape[1], x.shape[2]] }),
      apply(depthwiseOps.depthwiseFilterGrad, [x, dy as Value], { ...attrs, size: [f.shape[0], f.shape[1]] }),
    ],
    expand([x, f], attrs): Value | undefined {
      const [kh, kw, c, m] = f.shape;
      const wide = widened(x, m, geometry(x, [kh, kw], attrs));
      return depthwise(wide, reshape(f, [kh, kw, c * m]), attrs.strides, attrs.dilations);
    },
    scaled: ([x, f], scale) => [x, mul(f, reshape(scale, f.shape.slice(2)))],
    flops: ({ inputs: [, f], outputs: [y] }) => 2 * sizeOf(y.shape) * f.shape[0] * f.shape[1],
  }),

  /** dx: inputs dy and the filter; `image` is the height and width of x. */
  depthwiseInputGrad: defineOp<DepthwiseAttrs & { image: Pair }>("depthwiseInputGrad", {
    internal: true,
    attrs: { ...depthwiseAttrs, image: integers(1, 2) },
    infer: ([dy, f], { image }) => ({ shape: [dy.shape[0], ...image, f.shape[2]], dtype: "float32" }),
    // The convolution of dy, its elements `strides` apart between zeros, with the filter turned round; then the sum over the
    // filters of a channel.
    expand([dy, f], { image, ...attrs }): Value | undefined {
      const [kh, kw, c, m] = f.shape;
      const [rows, cols] = geometry({ shape: [1, ...image, c], dtype: "float32" }, [kh, kw], attrs);
      const reach: Pair = [(kh - 1) * attrs.dilations[0], (kw - 1) * attrs.dilations[1]];
      const offset: Pair = [reach[0] - rows.before, reach[1] - cols.before];
      const spread = pad2d(dy, offset, [image[0] + reach[0], image[1] + reach[1]], attrs.strides);
      const turned = apply(depthwiseOps.turn, [reshape(f, [kh, kw, c * m])]);
      const dx = depthwise(spread, turned, [1, 1], attrs.dilations);
      return m === 1 ? dx : sum(reshape(dx, [dy.shape[0], ...image, c, m]), 4);
    },
    flops: ({ inputs: [dy, f] }) => 2 * sizeOf(dy.shape) * f.shape[0] * f.shape[1],
  }),

  /** df: inputs x and dy; `size` is the height and width of the filter. */
  depthwiseFilterGrad: defineOp<DepthwiseAttrs & { size: Pair }>("depthwiseFilterGrad", {
    internal: true,
    attrs: { ...depthwiseAttrs, size: integers(1, 2) },
    infer: ([x, dy], { size }) => ({ shape: [...size, x.shape[3], dy.shape[3] / x.shape[3]], dtype: "float32" }),
    expand([x, dy], { size, ...attrs }): Value | undefined {
      const [c, n] = [x.shape[3], dy.shape[3]];
      const wide = widened(x, n / c, geometry(x, size, attrs));
      const { strides, dilations } = attrs;
      return reshape(apply(depthwiseOps.depthwiseProducts, [wide, dy], { size, strides, dilations }), [
        ...size,
        c,
        n / c,
      ]);
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

  /** clamp(x * f + bias) without padding, f [height, width, channels]: inputs x, f, and bias [channels] where fused. */
  depthwise: defineOp<LoweredAttrs & { low: number; high: number }>("depthwise", {
    internal: true,
    attrs: { ...loweredAttrs, low: number(), high: number() },
    infer([x], { size, strides, dilations }) {
      const [rows, cols] = axes("depthwise", x, size, strides, dilations, "valid");
      return { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "float32" };
    },
    lower(emit, { inputs: [x, f, bias = 0], outputs: [y] }, { low, high, ...attrs }) {
      emit.call("f32_depthwise_conv2d", ...sizes(x, y, attrs), x, f, bias, y, low, high);
    },
    flops: ({ outputs: [y] }, { size }) => 2 * sizeOf(y.shape) * size[0] * size[1],
    epilogue: true,
  }),

  /** The filter gradient without padding: inputs x and dy. */
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
function sizes(x: Spec, y: Spec, { size, strides, dilations }: LoweredAttrs) {
  const [batch, h, w, c] = x.shape;
  return [batch, h, w, c, y.shape[1], y.shape[2], ...size, ...strides, ...dilations] as const;
}

function depthwise(x: Value, f: Value, strides: Pair, dilations: Pair): Value {
  const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return apply(depthwiseOps.depthwise, [x, f], { size: [f.shape[0], f.shape[1]], strides, dilations, ...limits });
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
