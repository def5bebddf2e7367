// Images of another size by TensorFlow Lite's conventions, which has three for where pixels lie.
import { ShapeError } from "../errors.js";
import { integer } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { tflite } from "../runtime/families/tflite.js";
import { show, sizeOf } from "../shape.js";
import { add, mul, sub } from "./arithmetic.js";
import { wantDType } from "./check.js";
import { gather, scatterAdd } from "./gather.js";
import { constant } from "./leaf.js";
import { blocks } from "./reduce.js";
import { reshape } from "./shape.js";
import { stridedSlice } from "./slice.js";

/** Where pixels lie: the corners of both images meet, or the centers are at halves; neither is the oldest way. */
export interface Sampling {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

const fround = Math.fround;

/** Pixels of the old image for one of the new, as float32. */
function scaleOf(n: number, size: number, { alignCorners }: Sampling): number {
  return alignCorners && size > 1 ? fround((n - 1) / (size - 1)) : fround(n / size);
}

/** Between which two of n pixels each of `size` lies, and how far from the first to the second: all in float32, as XNNPACK has it. */
export function neighbours(n: number, size: number, sampling: Sampling): { places: Int32Array; parts: Float32Array } {
  const scale = scaleOf(n, size, sampling);
  const half = sampling.halfPixelCenters && !sampling.alignCorners;
  const offset = half ? fround(fround(0.5 * scale) - 0.5) : 0;
  const places = new Int32Array(2 * size);
  const parts = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const at = Math.min(Math.max(fround(fround(i * scale) + offset), 0), n - 1);
    places[i] = Math.floor(at);
    places[size + i] = Math.min(places[i] + 1, n - 1);
    parts[i] = at - places[i];
  }
  return { places, parts };
}

/** Which of n pixels each of `size` is, in float32. */
export function nearestPixels(n: number, size: number, sampling: Sampling): Int32Array {
  const scale = scaleOf(n, size, sampling);
  const offset = sampling.halfPixelCenters ? 0.5 : 0;
  return Int32Array.from({ length: size }, (_, i) => {
    const at = fround(fround(i + offset) * scale);
    // To the nearest, ties away from zero: `at` is not negative.
    const whole = sampling.alignCorners ? Math.floor(at + 0.5) : Math.floor(at);
    return Math.min(Math.max(whole, 0), n - 1);
  });
}

export const interpolateOps = {
  /** Inputs x, places int32 [2, m] and parts float32 [m]: between two places of an axis. */
  interpolateAt: /* @__PURE__ */ defineOp<{ axis: number }>("interpolateAt", {
    family: tflite,
    attrs: { axis: /* @__PURE__ */ integer(0, 7) },
    infer([x, places, parts], { axis }) {
      wantDType("interpolateAt", "float32", x, parts);
      wantDType("interpolateAt", "int32", places);
      const [m] = parts.shape;
      if (axis >= x.shape.length || parts.shape.length !== 1 || show(places.shape) !== show([2, m]))
        throw new ShapeError({
          op: "interpolateAt",
          expected: `places [2, m] and parts [m] for axis ${axis} of ${show(x.shape)}`,
          actual: `${show(places.shape)} and ${show(parts.shape)}`,
        });
      return { shape: x.shape.map((d, i) => (i === axis ? m : d)), dtype: "float32" };
    },
    // What flows back goes to both, in parts.
    grad({ inputs: [x, places, parts] }, [dy], { axis }): Gradients {
      const t = reshape(parts, [parts.shape[0], ...x.shape.slice(axis + 1).map(() => 1)]);
      const back = (row: number, share: Value) => {
        const at = reshape(stridedSlice(places, [row], [row + 1]), parts.shape);
        return scatterAdd(mul(dy as Value, share), at, x.shape[axis], axis);
      };
      return [add(back(0, sub(1, t)), back(1, t)), undefined, undefined];
    },
    lower(emit, { inputs: [x, places, parts], outputs: [y] }, { axis }) {
      emit.call("f32_interpolate_at", ...blocks(x.shape, axis, axis), parts.shape[0], places, parts, x, y);
    },
    flops: ({ outputs: [y] }) => 3 * sizeOf(y.shape),
  }),
};

/** Linear interpolation of an image, first along its columns. */
export function bilinear(x: Value, size: readonly [number, number], sampling: Sampling): Value {
  return [2, 1].reduce((sofar, axis) => {
    const m = size[axis - 1];
    const { places, parts } = neighbours(x.shape[axis], m, sampling);
    const tables = [
      constant({ data: places, shape: [2, m], dtype: "int32" }),
      constant({ data: parts, shape: [m], dtype: "float32" }),
    ];
    return apply(interpolateOps.interpolateAt, [sofar, ...tables], { axis });
  }, x);
}

/** The nearest pixels of an image of any dtype. */
export const nearest = (x: Value, size: readonly [number, number], sampling: Sampling): Value =>
  [2, 1].reduce((sofar, axis) => {
    const data = nearestPixels(x.shape[axis], size[axis - 1], sampling);
    return gather(sofar, constant({ data, shape: [data.length], dtype: "int32" }), axis);
  }, x);
