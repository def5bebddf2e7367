// Fake quantization: floats rounded to those that int8 stands for, so that training meets the errors of the int8 model that it ends in.
// What integers stand for is in values here, not in attributes, as it is learnt.
import { ShapeError } from "../../errors.js";
import { integer, number } from "../../graph/attrs.js";
import { defineOp, type Gradients } from "../../graph/op.js";
import { apply, make, type Spec, type Value } from "../../graph/value.js";
import { qat as family } from "../../runtime/families/qat.js";
import { type Shape, sameShape, show, sizeOf } from "../../shape.js";
import { add, div, mul } from "../arithmetic.js";
import { likeInput, wantDType } from "../check.js";
import { scalar } from "../leaf.js";
import { sum, sumTo } from "../reduce.js";
import { neg, sign } from "../unary.js";

interface Clamps {
  readonly low: number;
  readonly high: number;
}

const attrs = { low: number(), high: number() };

/** Numbers side by side whose gradients are summed down columns, at least so many where the shape has them. */
const LANES = 32;

/** Rows and columns for sums over all of x: as many of the last axes as make enough columns. */
function columns(shape: Shape): [rows: number, n: number] {
  let n = 1;
  for (let axis = shape.length - 1; axis >= 0 && n < LANES; axis--) n *= shape[axis];
  return [n === 0 ? 0 : sizeOf(shape) / n, n];
}

/** Rows and columns where each column has a scale of its own, or where they share one. */
function matrix({ shape }: Spec, scale: Spec): [rows: number, n: number] {
  if (scale.shape.length === 0) return columns(shape);
  const [n] = scale.shape;
  return [n === 0 ? 0 : sizeOf(shape) / n, n];
}

/** What `load(file, { layers })` of a bundle takes for the files of models in quantization-aware training. */
export const fakeQuantizeOps = {
  /** Inputs: x, a scale for each channel; or x, one scale [] and the zero point []. */
  fakeQuantize: defineOp<Clamps>("fakeQuantize", {
    family,
    attrs,
    infer([x, scale, zero]) {
      const op = "fakeQuantize";
      wantDType(op, "float32", x, scale, ...(zero ? [zero] : []));
      // Depthwise filters have their channels in two axes.
      const fits = zero
        ? scale.shape.length + zero.shape.length === 0
        : x.shape.some((_, axis) => sameShape(scale.shape, [sizeOf(x.shape.slice(axis))]));
      if (!fits) {
        const what = zero ? "one scale and one zero point" : `a scale for each channel of ${show(x.shape)}`;
        throw new ShapeError({
          op,
          expected: what,
          actual: [scale, ...(zero ? [zero] : [])].map(({ shape }) => show(shape)).join(" and "),
        });
      }
      return { shape: x.shape, dtype: "float32" };
    },
    // Straight through where x is not clamped (Bengio and others 2013). q the integer, z the zero point: ds = q - z - x / s where it is not
    // clamped, else q - z (Esser and others 2020); dz = 0 where it is not, else -s (Bhalgat and others 2020).
    grad({ inputs: [x, scale, ...zero] }, [dy], { low, high }): Gradients {
      const inputs = [x, scale, ...zero, dy as Value];
      const [dx, ds, beyond] = make(fakeQuantizeOps.fakeQuantizeGrad, inputs, { low, high }).outputs;
      return zero.length === 0 ? [dx, ds] : [dx, sum(ds), neg(mul(sum(beyond), scale))];
    },
    lower(emit, { inputs: [x, scale, zero], outputs: [y] }, { low, high }) {
      if (zero) emit.call("f32_fake_quantize", sizeOf(x.shape), x, scale, zero, y, low, high);
      else emit.call("f32_fake_quantize_channels", ...matrix(x, scale), x, scale, y, low, high);
    },
    flops: ({ outputs: [y] }) => 5 * sizeOf(y.shape),
    inPlace: 0,
  }),

  /** dx, and down columns dscale and the sum of what was clamped. Inputs: those of fakeQuantize, dy. */
  fakeQuantizeGrad: defineOp<Clamps>("fakeQuantizeGrad", {
    family,
    internal: true,
    attrs,
    infer([x, scale]) {
      const [, n] = matrix(x, scale);
      return [x.shape, [n], [n]].map((shape) => ({ shape, dtype: "float32" as const }));
    },
    lower(emit, { inputs, outputs: [dx, ds, beyond] }, { low, high }) {
      const [x, scale] = inputs;
      const [zero, dy] = inputs.length > 3 ? [inputs[2], inputs[3]] : [0, inputs[2]];
      const each = scale.shape.length === 0 ? 0 : 4;
      const [rows, n] = matrix(x, scale);
      emit.call("f32_fake_quantize_grad", rows, n, n, x, scale, zero, dy, dx, ds, beyond, each, low, high);
    },
    flops: ({ outputs: [dx] }) => 12 * sizeOf(dx.shape),
  }),

  /** Scale [] and zero point [] of int8 for a range [2]. */
  rangeQuantization: defineOp("rangeQuantization", {
    family,
    infer([range]) {
      wantDType("rangeQuantization", "float32", range);
      if (!sameShape(range.shape, [2]))
        throw new ShapeError({ op: "rangeQuantization", expected: "a range [2]", actual: show(range.shape) });
      return [0, 1].map(() => ({ shape: [], dtype: "float32" as const }));
    },
    // s = (high - low) / 255; z = -128 - low / s, straight through its rounding
    grad({ inputs: [range], outputs: [scale] }, [ds = scalar(0), dz = scalar(0)]): Gradients {
      return [apply(fakeQuantizeOps.rangeQuantizationGrad, [range, scale, ds, dz])];
    },
    lower: (emit, { inputs: [range], outputs: [scale, zero] }) =>
      emit.call("f32_range_quantization", range, scale, zero),
  }),

  /** Inputs: the range, its scale, and what flows back to scale and zero point. */
  rangeQuantizationGrad: defineOp("rangeQuantizationGrad", {
    family,
    internal: true,
    infer: ([range]) => range,
    lower: (emit, { inputs: [range, scale, ds, dz], outputs: [drange] }) =>
      emit.call("f32_range_quantization_grad", range, scale, ds, dz, drange),
  }),

  /** Means of `count` integers, moved by less than they can be apart. Inputs: x, the scale [] and the zero point [] of the integers. */
  pastTies: defineOp<{ count: number }>("pastTies", {
    attrs: { count: integer(1) },
    infer([x, scale, zero]) {
      wantDType("pastTies", "float32", scale, zero);
      return likeInput("pastTies")([x]);
    },
    grad: (_node, [dy]): Gradients => [dy, undefined, undefined],
    expand: ([x, scale, zero], { count }) => add(x, mul(sign(add(x, mul(zero, scale))), mul(scale, 1 / (4 * count)))),
    flops: ({ outputs: [y] }) => 4 * sizeOf(y.shape),
  }),

  /** x, to which no gradient flows. */
  stopGradient: defineOp("stopGradient", {
    infer: ([{ shape, dtype }]) => ({ shape, dtype }),
    grad: (): Gradients => [undefined],
    expand: ([x]) => x,
    view: true,
  }),

  /** x, whose gradient goes times the second input, to which none flows. */
  gradScale: defineOp("gradScale", {
    infer: ([x, by]) => {
      wantDType("gradScale", "float32", by);
      return likeInput("gradScale")([x]);
    },
    grad: ({ inputs: [x, by] }, [dy]): Gradients => [sumTo(mul(dy as Value, by), x.shape), undefined],
    expand: ([x]) => x,
    view: true,
  }),
};

/**
 * x as int8 would hold it: (clamp(round(x / scale) + zero, low, high) - zero) scale, to the nearest integer, ties to even; x goes times
 * 1 / scale. Gradients pass straight through the rounding and stop where x was clamped; those of the scale are LSQ's (Esser and others,
 * "Learned step size quantization", 2020), those of the zero point LSQ+'s (Bhalgat and others, 2020).
 * @param x float32 [..., channels]
 * @param scale [] with a zero point; or [channels] without one, channels being the last axis or the last ones together
 * @param zero [], an integer as float32
 * @param limits default -128 and 127, or -127 and 127 without a zero point
 * @throws {ShapeError} when scale or zero do not fit
 * @example
 * fakeQuantize(input([3]), constant(tensor([0.5, 0.25, 1]))).shape; // [1, 3]
 */
export const fakeQuantize = (
  x: Value,
  scale: Value,
  zero?: Value,
  { low = zero ? -128 : -127, high = 127 }: Partial<Clamps> = {},
): Value => apply(fakeQuantizeOps.fakeQuantize, zero ? [x, scale, zero] : [x, scale], { low, high });

/** Scale [] and zero point [] of a range [2] from at most 0 to at least 0; gradients flow to its ends. */
export function rangeQuantization(range: Value): [scale: Value, zero: Value] {
  const [scale, zero] = make(fakeQuantizeOps.rangeQuantization, [range]).outputs;
  return [scale, zero];
}

/**
 * Means of `count` integers of one scale, so that rounding sends ties, which are many, where `quantizedAvgPool2d` does: away from the
 * integer 0.
 */
export const pastTies = (x: Value, scale: Value, zero: Value, count: number): Value =>
  apply(fakeQuantizeOps.pastTies, [x, scale, zero], { count });

/** The same numbers, to which no gradient flows. */
export const stopGradient = (x: Value): Value => apply(fakeQuantizeOps.stopGradient, [x]);

/** A little more than nothing, so that the square of a scale has an inverse. */
const TINY = 1e-30;

/**
 * The same value, whose gradient is what LSQ's is for a scale over `count` numbers, where the scale is learnt as its logarithm (as by Jain
 * and others, "Trained quantization thresholds", 2020): times 1 / sqrt(255 count) and over the scale's square, so that a step against the
 * gradient of the logarithm changes the scale by the share by which LSQ's own step would.
 */
export const scaleGradient = (x: Value, scale: Value, count: number): Value => {
  const share = 1 / Math.sqrt(255 * Math.max(count, 1));
  return apply(fakeQuantizeOps.gradScale, [x, div(share, add(mul(scale, scale), TINY))]);
};
