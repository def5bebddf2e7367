// The arithmetic of sliding windows: output sizes and padding, as TensorFlow defines "valid" and "same".
import { ShapeError } from "../errors.js";
import type { Spec } from "../graph/value.js";
import { show } from "../shape.js";

export type Padding = "valid" | "same";
export type Pair = readonly [number, number];

/** Windows along one axis. */
export interface Axis {
  /** Number of windows. */
  readonly out: number;
  /** Padding before the first element; TensorFlow puts the odd one after. */
  readonly before: number;
  /** Input size with all padding. */
  readonly padded: number;
}

/** Windows of `size` elements, `dilation` apart, every `stride`, over `n` elements. */
export function axis(n: number, size: number, stride: number, dilation: number, padding: Padding): Axis {
  const reach = (size - 1) * dilation + 1;
  if (padding === "valid") return { out: Math.max(0, Math.floor((n - reach) / stride) + 1), before: 0, padded: n };
  const out = Math.ceil(n / stride);
  const total = Math.max((out - 1) * stride + reach - n, 0);
  return { out, before: total >> 1, padded: n + total };
}

/** Both axes of an NHWC image. @throws {ShapeError} when a window is larger than a "valid" image */
export function axes(op: string, x: Spec, size: Pair, strides: Pair, dilations: Pair, padding: Padding): [Axis, Axis] {
  const [, h, w] = x.shape;
  const both: [Axis, Axis] = [
    axis(h, size[0], strides[0], dilations[0], padding),
    axis(w, size[1], strides[1], dilations[1], padding),
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
