// Pooling over windows of an NHWC image.
import { ShapeError } from "../errors.js";
import { boolean, integers, number, optional } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { wantDType, wantRank } from "./check.js";
import { axes, type Padding, type Pair, paddingCheck } from "./window.js";

interface PoolAttrs {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  /** Count a last window that reaches beyond the padding. */
  readonly ceilMode?: boolean;
}

interface AverageAttrs extends PoolAttrs {
  /** The mean counts padding as zeros. */
  readonly countIncludePad?: boolean;
}

const poolAttrs = {
  size: integers(1, 2),
  strides: integers(1, 2),
  padding: paddingCheck,
  ceilMode: optional(boolean),
};
const averageAttrs = { ...poolAttrs, countIncludePad: optional(boolean) };

const windows = (op: string, x: Spec, { size, strides, padding, ceilMode }: PoolAttrs) =>
  axes(op, x, size, strides, [1, 1], padding, ceilMode);

/** The shape rule of both kinds. A window must hold something: padding smaller than it sees to that. */
function infer(op: string, x: Spec, attrs: PoolAttrs): Spec {
  wantDType(op, "float32", x);
  wantRank(op, 4, "an image [height, width, channels]", x);
  const { padding, size } = attrs;
  if (typeof padding !== "string" && padding.some((side, i) => Math.max(...side) >= size[i])) {
    const actual = JSON.stringify(padding);
    throw new ShapeError({ op, expected: `padding smaller than the window ${show(size)}`, actual });
  }
  const [rows, cols] = windows(op, x, attrs);
  return { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "float32" };
}

/** The sizes every pooling kernel takes. */
function sizes(op: string, x: Spec, attrs: PoolAttrs) {
  const [rows, cols] = windows(op, x, attrs);
  const [batch, h, w, c] = x.shape;
  return [batch, h, w, c, rows.out, cols.out, ...attrs.size, ...attrs.strides, rows.before, cols.before] as const;
}

/** Those of averages: also the padding after, and whether it counts. */
function averageSizes(x: Spec, attrs: AverageAttrs) {
  const [rows, cols] = windows("avgPool2d", x, attrs);
  const after = [rows.padded - rows.before - x.shape[1], cols.padded - cols.before - x.shape[2]] as const;
  return [...sizes("avgPool2d", x, attrs), ...after, Number(attrs.countIncludePad ?? false)] as const;
}

const flops = (y: Spec, { size }: PoolAttrs): number => sizeOf(y.shape) * size[0] * size[1];

export const poolOps = {
  maxPool2d: defineOp<PoolAttrs>("maxPool2d", {
    attrs: poolAttrs,
    infer: ([x], attrs) => infer("maxPool2d", x, attrs),
    grad: ({ inputs: [x] }, [dy], attrs): Gradients => [apply(poolOps.maxPool2dGrad, [x, dy as Value], { ...attrs })],
    lower: (emit, { inputs: [x], outputs: [y] }, attrs) =>
      emit.call("f32_max_pool2d", ...sizes("maxPool2d", x, attrs), x, y),
    flops: ({ outputs: [y] }, attrs) => flops(y, attrs),
  }),
  /**
   * dx of max pooling: inputs x and dy. The first maximum of a window gets its gradient, or nobody where that is at most `low`: with 0,
   * dx is also the gradient of a relu before the pooling (passes/fuse.ts).
   */
  maxPool2dGrad: defineOp<PoolAttrs & { low?: number }>("maxPool2dGrad", {
    internal: true,
    attrs: { ...poolAttrs, low: optional(number()) },
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (emit, { inputs: [x, dy], outputs: [dx] }, attrs) =>
      emit.call("f32_max_pool2d_grad", ...sizes("maxPool2d", x, attrs), ...[x, dy, dx, attrs.low ?? Number.NaN]),
    flops: ({ inputs: [, dy] }, attrs) => flops(dy, attrs),
  }),
  avgPool2d: defineOp<AverageAttrs>("avgPool2d", {
    attrs: averageAttrs,
    infer: ([x], attrs) => infer("avgPool2d", x, attrs),
    grad: ({ inputs: [x] }, [dy], attrs): Gradients => [
      apply(poolOps.avgPool2dGrad, [dy as Value], { ...attrs, image: [x.shape[1], x.shape[2]] }),
    ],
    lower: (emit, { inputs: [x], outputs: [y] }, attrs) => emit.call("f32_avg_pool2d", ...averageSizes(x, attrs), x, y),
    flops: ({ outputs: [y] }, attrs) => flops(y, attrs),
  }),
  /** dx of average pooling: input dy; `image` is the height and width of x. */
  avgPool2dGrad: defineOp<AverageAttrs & { image: Pair }>("avgPool2dGrad", {
    internal: true,
    attrs: { ...averageAttrs, image: integers(0, 2) },
    infer: ([dy], { image }) => ({ shape: [dy.shape[0], ...image, dy.shape[3]], dtype: "float32" }),
    lower: (emit, { inputs: [dy], outputs: [dx] }, attrs) =>
      emit.call("f32_avg_pool2d_grad", ...averageSizes(dx, attrs), dy, dx),
    flops: ({ inputs: [dy] }, attrs) => flops(dy, attrs),
  }),
};

/**
 * The largest element of each window, [batch, height, width, channels]; padding never wins. The layer is `maxPooling2d`.
 * @param ceilMode a last window may reach beyond the padding, as in PyTorch
 */
export const maxPool2d = (x: Value, size: Pair, strides: Pair, padding: Padding, ceilMode = false): Value =>
  apply(poolOps.maxPool2d, [x], { size, strides, padding, ...(ceilMode && { ceilMode }) });

/**
 * The mean of each window, [batch, height, width, channels]. The layer is `averagePooling2d`.
 * @param options.countIncludePad the mean counts padding as zeros, as in PyTorch; default false, as in TensorFlow
 * @param options.ceilMode as for {@link maxPool2d}
 */
export const avgPool2d = (
  x: Value,
  size: Pair,
  strides: Pair,
  padding: Padding,
  { countIncludePad = false, ceilMode = false }: { countIncludePad?: boolean; ceilMode?: boolean } = {},
): Value =>
  apply(poolOps.avgPool2d, [x], {
    size,
    strides,
    padding,
    ...(countIncludePad && { countIncludePad }),
    ...(ceilMode && { ceilMode }),
  });
