// Transposed 2-D convolution: what the gradient of a convolution's input does, going forward. The op is in conv2d.ts; here are the sizes
// that Keras gives it.
import { ShapeError } from "../errors.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { show } from "../shape.js";
import { wantRank } from "./check.js";
import { convOps } from "./conv2d.js";
import { type Padding, type Pair, pair } from "./window.js";

const op = "conv2dTranspose";

/**
 * Along one axis: the size of the result, and how much of the full one, (n - 1) stride + reach, is cut off on each side, which is what
 * the convolution that goes back pads.
 */
function cutOff(n: number, size: number, stride: number, dilation: number, padding: Side, more: number | undefined) {
  const reach = (size - 1) * dilation + 1;
  const full = (n - 1) * stride + reach;
  if (typeof padding !== "string") return { out: full - padding[0] - padding[1] + (more ?? 0), cut: padding };
  const chosen = padding === "same" ? n * stride : (n - 1) * stride + Math.max(reach, stride);
  const out = more === undefined ? chosen : full - (padding === "same" ? 2 * (size >> 1) : 0) + more;
  const total = Math.max(0, full - out);
  return { out, cut: [total >> 1, total - (total >> 1)] as const };
}

type Side = "valid" | "same" | Pair;

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
  checkValue(x, op);
  checkValue(filter, op);
  wantRank(op, 4, "an image [height, width, channels]", x);
  if (filter.shape.length !== 4)
    throw new ShapeError({ op, expected: "a filter [height, width, out, in]", actual: show(filter.shape) });
  if (filter.shape[3] !== x.shape[3]) {
    const expected = `${filter.shape[3]} input channels for filter ${show(filter.shape)}`;
    throw new ShapeError({ op, expected, actual: `${x.shape[3]} (input ${show(x.shape.slice(1))})` });
  }
  const [apart, distance] = [pair(strides), pair(dilations)];
  const more = outputPadding === undefined ? undefined : pair(outputPadding);
  if (more?.some((n, i) => n >= apart[i])) {
    const expected = `outputPadding smaller than the strides ${show(apart)}`;
    throw new ShapeError({ op, expected, actual: show(more) });
  }
  const [rows, cols] = [0, 1].map((i) => {
    const side = typeof padding === "string" ? padding : padding[i];
    return cutOff(x.shape[i + 1], filter.shape[i], apart[i], distance[i], side, more?.[i]);
  });
  const size: Pair = [rows.out, cols.out];
  if (Math.min(...size) < 1)
    throw new ShapeError({ op, expected: "padding that leaves pixels", actual: `a result of ${show(size)}` });
  const attrs = { strides: apart, padding: [rows.cut, cols.cut], dilations: distance, size };
  return apply(convOps.conv2dTranspose, [x, filter], groups === 1 ? attrs : { ...attrs, groups });
}
