// Transposed 2-D convolution: what the gradient of a convolution's input does, going forward. Its own gradients are that convolution
// and the gradient of its filter.
import { ShapeError } from "../errors.js";
import { integer, integers, optional } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Spec, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { mul } from "./arithmetic.js";
import { wantDType, wantRank } from "./check.js";
import { convOps } from "./conv2d.js";
import { reshape } from "./shape.js";
import { type Padding, type Pair, paddingCheck, pair } from "./window.js";

interface TransposeAttrs {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
  /** Pixels more at the end; without it `valid` and `same` choose as Keras does. */
  readonly outputPadding?: Pair;
  /** Default 1. */
  readonly groups?: number;
}

const op = "conv2dTranspose";

/**
 * Sizes of the result, and how much of the full one, (n - 1) stride + reach, is cut off on each side: what the convolution that goes
 * back pads.
 */
function geometry(x: Spec, f: Spec, { strides, padding, dilations, outputPadding }: TransposeAttrs) {
  const sides = strides.map((stride, i) => {
    const n = x.shape[i + 1];
    const reach = (f.shape[i] - 1) * dilations[i] + 1;
    const full = (n - 1) * stride + reach;
    const more = outputPadding?.[i];
    if (typeof padding !== "string") {
      const [before, after] = padding[i];
      return { out: full - before - after + (more ?? 0), cut: [before, after] as const };
    }
    const chosen = padding === "same" ? n * stride : (n - 1) * stride + Math.max(reach, stride);
    const out = more === undefined ? chosen : full - (padding === "same" ? 2 * (f.shape[i] >> 1) : 0) + more;
    const total = Math.max(0, full - out);
    return { out, cut: [total >> 1, total - (total >> 1)] as const };
  });
  return { size: [sides[0].out, sides[1].out] as const, cut: [sides[0].cut, sides[1].cut] as const };
}

/** The attributes of the convolution that goes back. */
const back = ({ strides, dilations, groups }: TransposeAttrs, cut: readonly [Pair, Pair]) => ({
  strides,
  padding: cut,
  dilations,
  ...(groups !== undefined && { groups }),
});

export const transposedOps = {
  conv2dTranspose: defineOp<TransposeAttrs>(op, {
    attrs: {
      strides: integers(1, 2),
      padding: paddingCheck,
      dilations: integers(1, 2),
      outputPadding: optional(integers(0, 2)),
      groups: optional(integer(1)),
    },
    infer([x, f], attrs) {
      wantDType(op, "float32", x, f);
      wantRank(op, 4, "an image [height, width, channels]", x);
      const { groups = 1, strides, outputPadding } = attrs;
      if (f.shape.length !== 4)
        throw new ShapeError({ op, expected: "a filter [height, width, out, in]", actual: show(f.shape) });
      if (f.shape[3] !== x.shape[3]) {
        const expected = `${f.shape[3]} input channels for filter ${show(f.shape)}`;
        throw new ShapeError({ op, expected, actual: `${x.shape[3]} (input ${show(x.shape.slice(1))})` });
      }
      if (f.shape[3] % groups !== 0)
        throw new ShapeError({ op, expected: `channels in ${groups} equal groups`, actual: `${f.shape[3]}` });
      if (outputPadding?.some((n, i) => n >= strides[i])) {
        const expected = `outputPadding smaller than the strides ${show(strides)}`;
        throw new ShapeError({ op, expected, actual: show(outputPadding) });
      }
      if (sizeOf([...x.shape.slice(1, 3), ...f.shape.slice(0, 2)]) === 0) {
        const actual = `${show(x.shape.slice(1))} and ${show(f.shape)}`;
        throw new ShapeError({ op, expected: "images and filters with pixels", actual });
      }
      const { size } = geometry(x, f, attrs);
      if (Math.min(...size) < 1)
        throw new ShapeError({ op, expected: "padding that leaves pixels", actual: `a result of ${show(size)}` });
      return { shape: [x.shape[0], ...size, f.shape[2] * groups], dtype: "float32" };
    },
    grad({ inputs: [x, f] }, [dy], attrs): Gradients {
      const how = back(attrs, geometry(x, f, attrs).cut);
      return [
        apply(convOps.conv2d, [dy as Value, f], how),
        apply(convOps.conv2dFilterGrad, [dy as Value, x], { ...how, size: [f.shape[0], f.shape[1]] }),
      ];
    },
    expand([x, f], attrs): Value | undefined {
      const { size, cut } = geometry(x, f, attrs);
      return apply(convOps.conv2dInputGrad, [x, f], { ...back(attrs, cut), size });
    },
    scaled: ([x, f], scale, { groups = 1 }) =>
      groups === 1 ? [x, mul(f, reshape(scale, [f.shape[2], 1]))] : undefined,
    flops: ({ inputs: [x, f] }) => 2 * sizeOf(x.shape) * sizeOf(f.shape.slice(0, 3)),
  }),
};

interface Conv2dTransposeOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** `valid` (default), `same`, or the pixels cut off the full result as [[top, bottom], [left, right]]. */
  padding?: Padding;
  /** Pixels more at bottom and right, less than the strides; default as Keras chooses. */
  outputPadding?: number | Pair | undefined;
  /** Distance of the filter's elements, default 1. */
  dilations?: number | Pair;
  /** Groups of channels that do not see each other, default 1. */
  groups?: number;
}

/**
 * Transposed 2-D convolution: every pixel of `x` adds the filter times its channels to the result, `strides` apart.
 * @param x float32 [batch, height, width, channels]
 * @param filter float32 [height, width, filters / groups, channels], as Keras' `Conv2DTranspose`
 * @returns float32 [batch, outHeight, outWidth, filters]: `same` gives height * stride, `valid` (height - 1) * stride + max(filter's
 *   height, stride); with `outputPadding` p, (height - 1) * stride + filter's height - 2 pad + p, pad half the filter for `same`
 * @throws {ShapeError} when the channels differ, or padding leaves nothing
 * @example
 * const codes = input([7, 7, 8]);
 * const filter = constant(tensor(new Float32Array(3 * 3 * 4 * 8), [3, 3, 4, 8]));
 * convolution2dTranspose(codes, filter, { strides: 2, padding: "same" }).shape; // [1, 14, 14, 4]
 */
export function convolution2dTranspose(
  x: Value,
  filter: Value,
  { strides = 1, padding = "valid", outputPadding, dilations = 1, groups = 1 }: Conv2dTransposeOptions = {},
): Value {
  return apply(transposedOps.conv2dTranspose, [x, filter], {
    strides: pair(strides),
    padding,
    dilations: pair(dilations),
    ...(outputPadding !== undefined && { outputPadding: pair(outputPadding) }),
    ...(groups !== 1 && { groups }),
  });
}
