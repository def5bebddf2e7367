// Images of another size, pixel centers at halves, as tf.image.resize.
import { ShapeError } from "../errors.js";
import { integer, integers, oneOf } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { wantDType, wantRank } from "./check.js";
import { gather, scatterAdd } from "./gather.js";
import { constant } from "./leaf.js";
import { blocks } from "./reduce.js";
import type { Pair } from "./window.js";

interface ResizeAttrs {
  readonly size: Pair;
  readonly interpolation: "nearest" | "bilinear";
}

/** The nearest of n pixels for each of `size`: the one whose area its center falls into. */
function nearest(n: number, size: number): Value {
  const data = Int32Array.from({ length: size }, (_, i) => Math.floor(((2 * i + 1) * n) / (2 * size)));
  return constant({ data, shape: [size], dtype: "int32" });
}

export const resizeOps = {
  resize: defineOp<ResizeAttrs>("resize", {
    attrs: { size: integers(1, 2, 2 ** 16), interpolation: oneOf("nearest", "bilinear") },
    infer([x], { size, interpolation }) {
      wantRank("resize", 4, "an image [height, width, channels]", x);
      if (interpolation === "bilinear") wantDType("resize", "float32", x);
      if (sizeOf(x.shape.slice(1, 3)) === 0)
        throw new ShapeError({ op: "resize", expected: "an image with pixels", actual: "none" });
      return { shape: [x.shape[0], ...size, x.shape[3]], dtype: x.dtype };
    },
    // Both work along one axis at a time: columns, then rows.
    grad({ inputs: [x] }, [dy], { size, interpolation }): Gradients {
      const [, h, w] = x.shape;
      return [
        [w, h].reduceRight((sofar, n, i) => {
          const axis = 2 - i;
          if (interpolation === "nearest") return scatterAdd(sofar, nearest(n, size[axis - 1]), n, axis);
          return apply(resizeOps.interpolateGrad, [sofar], { axis, size: n });
        }, dy as Value),
      ];
    },
    expand([x], { size, interpolation }): Value | undefined {
      return [2, 1].reduce((sofar, axis) => {
        const [n, m] = [x.shape[axis], size[axis - 1]];
        if (n === m) return sofar;
        if (interpolation === "nearest") return gather(sofar, nearest(n, m), axis);
        return apply(resizeOps.interpolate, [sofar], { axis, size: m });
      }, x);
    },
  }),
  /** Linear interpolation along one axis. */
  interpolate: defineOp<{ axis: number; size: number }>("interpolate", {
    internal: true,
    attrs: { axis: integer(0, 7), size: integer(1) },
    infer: ([x], { axis, size }) => ({ shape: x.shape.map((d, i) => (i === axis ? size : d)), dtype: "float32" }),
    lower: (emit, { inputs: [x], outputs: [y] }, { axis, size }) =>
      emit.call("f32_interpolate", ...blocks(x.shape, axis, axis), size, x, y),
    flops: ({ outputs: [y] }) => 3 * sizeOf(y.shape),
  }),
  /** dx of interpolate; `size` is that of x along the axis. */
  interpolateGrad: defineOp<{ axis: number; size: number }>("interpolateGrad", {
    internal: true,
    attrs: { axis: integer(0, 7), size: integer(1) },
    infer: ([dy], { axis, size }) => ({ shape: dy.shape.map((d, i) => (i === axis ? size : d)), dtype: "float32" }),
    lower: (emit, { inputs: [dy], outputs: [dx] }, { axis }) =>
      emit.call("f32_interpolate_grad", ...blocks(dx.shape, axis, axis), dy.shape[axis], dy, dx),
    flops: ({ inputs: [dy] }) => 4 * sizeOf(dy.shape),
  }),
};

/**
 * Images of another size, as `tf.image.resize` without antialiasing: pixel centers at halves, the outermost pixels repeated outwards.
 * @param x [batch, height, width, channels]; float32, or any dtype with `nearest`
 * @param size height and width of the result
 * @param options.interpolation default `bilinear`
 * @throws {ShapeError} unless `x` is an image; {TypeError} for sizes that are no positive integers
 * @example
 * resize(input([28, 28, 1]), [14, 56]).shape; // [1, 14, 56, 1]
 */
export function resize(
  x: Value,
  size: Pair,
  { interpolation = "bilinear" }: { interpolation?: "nearest" | "bilinear" } = {},
): Value {
  checkValue(x, "resize");
  return apply(resizeOps.resize, [x], { size: [...size], interpolation });
}
