// Convolution and pooling as their definitions say, in float64.
import { type Array64, at, fill } from "./array.js";

type Pair = readonly [number, number];

export interface Window {
  readonly strides: Pair;
  readonly padding: "valid" | "same" | readonly [Pair, Pair];
}

export interface Conv extends Window {
  readonly dilations?: Pair;
  readonly groups?: number;
}

/** Where windows begin, and how many there are: TensorFlow's rules, or as much padding as is said. */
export function place(
  n: number,
  size: number,
  stride: number,
  dilation: number,
  padding: "valid" | "same" | Pair,
): [out: number, before: number] {
  const reach = (size - 1) * dilation + 1;
  if (padding === "same") {
    const out = Math.ceil(n / stride);
    return [out, Math.floor(Math.max((out - 1) * stride + reach - n, 0) / 2)];
  }
  const [before, after] = padding === "valid" ? [0, 0] : padding;
  return [Math.ceil((n + before + after - reach + 1) / stride), before];
}

const side = (padding: Window["padding"], i: 0 | 1) => (typeof padding === "string" ? padding : padding[i]);

export const conv2d =
  ({ strides, padding, dilations = [1, 1], groups = 1 }: Conv) =>
  (x: Array64, f: Array64): Array64 => {
    const [batch, h, w] = x.shape;
    const [kh, kw, channels, filters] = f.shape;
    const [oh, top] = place(h, kh, strides[0], dilations[0], side(padding, 0));
    const [ow, left] = place(w, kw, strides[1], dilations[1], side(padding, 1));
    return fill([batch, oh, ow, filters], (b, r, c, n) => {
      const first = Math.floor(n / (filters / groups)) * channels;
      let sum = 0;
      for (let u = 0; u < kh; u++) {
        for (let v = 0; v < kw; v++) {
          const [i, j] = [r * strides[0] + u * dilations[0] - top, c * strides[1] + v * dilations[1] - left];
          if (i < 0 || j < 0 || i >= h || j >= w) continue;
          const pixel = ((b * h + i) * w + j) * x.shape[3] + first;
          const tap = (u * kw + v) * channels * filters + n;
          for (let k = 0; k < channels; k++) sum += x.data[pixel + k] * f.data[tap + k * filters];
        }
      }
      return sum;
    });
  };

/**
 * Every pixel adds the filter times its channels; then what `cut` says is cut off before, and the result is of that size: `out` and
 * `cut` are Keras' numbers, written down by the case.
 */
export const conv2dTranspose =
  ({ strides, dilations = [1, 1], groups = 1, out, cut }: Omit<Conv, "padding"> & { out: Pair; cut: Pair }) =>
  (x: Array64, f: Array64): Array64 => {
    const [batch, h, w, channels] = x.shape;
    const [kh, kw, filters] = f.shape;
    const y = fill([batch, ...out, filters * groups], () => 0);
    fill([batch, h, w, channels, kh, kw, filters], (b, r, c, k, u, v, n) => {
      const i = r * strides[0] + u * dilations[0] - cut[0];
      const j = c * strides[1] + v * dilations[1] - cut[1];
      if (i < 0 || j < 0 || i >= out[0] || j >= out[1]) return 0;
      const channel = Math.floor(k / (channels / groups)) * filters + n;
      y.data[((b * out[0] + i) * out[1] + j) * filters * groups + channel] += at(x, b, r, c, k) * at(f, u, v, n, k);
      return 0;
    });
    return y;
  };

/** A convolution in as many groups as there are channels. */
export const depthwiseConv2d =
  (options: Conv) =>
  (x: Array64, f: Array64): Array64 => {
    const [kh, kw, channels, multiplier] = f.shape;
    const filter = { shape: [kh, kw, 1, channels * multiplier], data: f.data };
    return conv2d({ ...options, groups: channels })(x, filter);
  };

const pool =
  (of: (inside: readonly number[], count: number) => number) =>
  (size: Pair, { strides, padding }: Window) =>
  (x: Array64): Array64 => {
    const [batch, h, w, channels] = x.shape;
    const [oh, top] = place(h, size[0], strides[0], 1, side(padding, 0));
    const [ow, left] = place(w, size[1], strides[1], 1, side(padding, 1));
    return fill([batch, oh, ow, channels], (b, r, c, k) => {
      const inside: number[] = [];
      for (let i = Math.max(0, r * strides[0] - top); i < Math.min(h, r * strides[0] - top + size[0]); i++) {
        for (let j = Math.max(0, c * strides[1] - left); j < Math.min(w, c * strides[1] - left + size[1]); j++)
          inside.push(at(x, b, i, j, k));
      }
      return of(inside, size[0] * size[1]);
    });
  };

const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

export const maxPool2d = pool((inside) => Math.max(...inside));
export const avgPool2d = pool((inside) => total(inside) / inside.length);
export const avgPool2dWithPadding = pool((inside, count) => total(inside) / count);
