// Pooling over windows of an NHWC image.
import { integers, oneOf } from "../graph/attrs.js";
import { defineOp, type Emit, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { wantDType, wantRank } from "./check.js";
import { axes, type Padding, type Pair } from "./window.js";

interface PoolAttrs {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

const poolAttrs = { size: integers(1, 2), strides: integers(1, 2), padding: oneOf("valid", "same") };

function windows(op: string, x: Spec, { size, strides, padding }: PoolAttrs) {
  return axes(op, x, size, strides, [1, 1], padding);
}

/** The sizes every pooling kernel takes. */
function sizes(op: string, x: Value, attrs: PoolAttrs) {
  const [rows, cols] = windows(op, x, attrs);
  const [batch, h, w, c] = x.shape;
  return [batch, h, w, c, rows.out, cols.out, ...attrs.size, ...attrs.strides, rows.before, cols.before] as const;
}

export const poolOps = {
  maxPool2d: defineOp<PoolAttrs>("maxPool2d", {
    attrs: poolAttrs,
    infer([x], attrs) {
      wantDType("maxPool2d", "float32", x);
      wantRank("maxPool2d", 4, "an image [height, width, channels]", x);
      const [rows, cols] = windows("maxPool2d", x, attrs);
      return { shape: [x.shape[0], rows.out, cols.out, x.shape[3]], dtype: "float32" };
    },
    grad: ({ inputs: [x] }, [dy], attrs): Gradients => [apply(poolOps.maxPool2dGrad, [x, dy as Value], { ...attrs })],
    lower: (emit: Emit, { inputs: [x], outputs: [y] }, attrs) =>
      emit.call("f32_max_pool2d", ...sizes("maxPool2d", x, attrs), x, y),
    flops: ({ outputs: [y] }, { size }) => sizeOf(y.shape) * size[0] * size[1],
  }),
  /** dx of max pooling: inputs x and dy. The first maximum of a window gets its gradient. */
  maxPool2dGrad: defineOp<PoolAttrs>("maxPool2dGrad", {
    internal: true,
    attrs: poolAttrs,
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (emit, { inputs: [x, dy], outputs: [dx] }, attrs) =>
      emit.call("f32_max_pool2d_grad", ...sizes("maxPool2d", x, attrs), x, dy, dx),
    flops: ({ inputs: [, dy] }, { size }) => sizeOf(dy.shape) * size[0] * size[1],
  }),
};

/** The largest element of each window, [batch, height, width, channels]; padding never wins. The layer is `maxPooling2d`. */
export const maxPool2d = (x: Value, size: Pair, strides: Pair, padding: Padding): Value =>
  apply(poolOps.maxPool2d, [x], { size, strides, padding });
