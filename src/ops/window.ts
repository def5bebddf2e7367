// The arithmetic of sliding windows: output sizes and padding, "valid" and "same" as TensorFlow defines them, or explicit.
import { ShapeError } from "../errors.js";
import { type Check, integers, usually } from "../graph/attrs.js";
import type { Spec } from "../graph/value.js";
import { show } from "../shape.js";

export type Pair = readonly [number, number];

/** No padding, TensorFlow's that keeps the size (the odd pixel after), or pixels as [[top, bottom], [left, right]]. */
export type Padding = "valid" | "same" | readonly [Pair, Pair];

/** A number for both axes, or one for each. */
export const pair = (x: number | Pair): Pair => (typeof x === "number" ? [x, x] : x);

/** The largest explicit padding: keeps sizes far from what 32 bits hold. */
const MAX_PADDING = 2 ** 20;

const amount = integers(0, 2, MAX_PADDING);

/** The attribute `padding`. */
export const paddingCheck: Check = usually((value) => {
  if (value === "valid" || value === "same") return undefined;
  const explicit = Array.isArray(value) && value.length === 2 && !value.some((side) => amount(side) !== undefined);
  return explicit ? undefined : `"valid", "same" or [[top, bottom], [left, right]] in [0, ${MAX_PADDING}]`;
}, "valid");

/** Attributes of convolutions. */
export const windowAttrs = {
  strides: usually(integers(1, 2), [1, 1]),
  padding: paddingCheck,
  dilations: usually(integers(1, 2), [1, 1]),
};

/** Windows along one axis. */
export interface Axis {
  /** Number of windows. */
  readonly out: number;
  /** Padding before the first element; TensorFlow puts the odd one after. */
  readonly before: number;
  /** Input size with all padding. */
  readonly padded: number;
}

/**
 * Windows of `size` elements, `dilation` apart, every `stride`, over `n` elements.
 * @param ceil a last window may reach beyond the padding, if it begins before it (PyTorch's `ceil_mode`)
 */
export function axis(
  n: number,
  size: number,
  stride: number,
  dilation: number,
  padding: "valid" | "same" | Pair,
  ceil = false,
): Axis {
  const reach = (size - 1) * dilation + 1;
  if (padding === "same") {
    const out = Math.ceil(n / stride);
    const total = Math.max((out - 1) * stride + reach - n, 0);
    return { out, before: total >> 1, padded: n + total };
  }
  const [before, after] = padding === "valid" ? [0, 0] : padding;
  const padded = n + before + after;
  const steps = (padded - reach) / stride;
  const partial = ceil && steps >= 0 && Math.ceil(steps) * stride < n + before;
  return { out: Math.max(0, (partial ? Math.ceil(steps) : Math.floor(steps)) + 1), before, padded };
}

/** Both axes of an NHWC image. @throws {ShapeError} when a window is larger than the padded image, or one of them has no pixels */
export function axes(
  op: string,
  x: Spec,
  size: Pair,
  strides: Pair,
  dilations: Pair,
  padding: Padding,
  ceil = false,
): [Axis, Axis] {
  const [, h, w] = x.shape;
  if (h * w === 0 || size[0] * size[1] === 0) {
    const actual = h * w === 0 ? `${show([h, w])} (input ${show(x.shape.slice(1))})` : `windows of ${show(size)}`;
    throw new ShapeError({ op, expected: "images and windows with pixels", actual });
  }
  const [rows, cols] = typeof padding === "string" ? [padding, padding] : padding;
  const both: [Axis, Axis] = [
    axis(h, size[0], strides[0], dilations[0], rows, ceil),
    axis(w, size[1], strides[1], dilations[1], cols, ceil),
  ];
  if (both[0].out < 1 || both[1].out < 1) {
    const reach = size.map((n, i) => (n - 1) * dilations[i] + 1);
    throw new ShapeError({
      op,
      expected: `an image of at least ${show(reach)}`,
      actual: `${show([h, w])} (input ${show(x.shape.slice(1))})`,
    });
  }
  return both;
}
