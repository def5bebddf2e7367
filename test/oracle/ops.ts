// Every op as its definition says, in float64: the readable specification.
import { broadcast } from "../../src/shape.js";
import { type Array64, at, fill, zeros } from "./array.js";

const sum = (n: number, f: (i: number) => number): number =>
  Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0);
const map = (x: Array64, f: (x: number) => number): Array64 => ({ shape: x.shape, data: x.data.map(f) });

export const relu = (x: Array64): Array64 => map(x, (v) => Math.max(v, 0));

export const binary =
  (f: (a: number, b: number) => number) =>
  (a: Array64, b: Array64): Array64 =>
    fill(broadcast(a.shape, b.shape, "oracle"), (...i) => f(at(a, ...i), at(b, ...i)));

export const reduceSum =
  (axes: readonly number[]) =>
  (x: Array64): Array64 => {
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const y = zeros(...kept.map((axis) => x.shape[axis]));
    fill(x.shape, (...i) => {
      const flat = kept.reduce((n, axis) => n * x.shape[axis] + i[axis], 0);
      y.data[flat] += at(x, ...i);
      return 0;
    });
    return y;
  };

export const reduceMean =
  (axes: readonly number[]) =>
  (x: Array64): Array64 => {
    const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
    return map(reduceSum(axes)(x), (v) => v / count);
  };

export const softmax = (x: Array64): Array64 => {
  const n = x.shape[x.shape.length - 1];
  return fill(x.shape, (...i) => {
    const row = i.slice(0, -1);
    return Math.exp(at(x, ...i)) / sum(n, (j) => Math.exp(at(x, ...row, j)));
  });
};

export const matmul =
  (transposeA: boolean, transposeB: boolean) =>
  (a: Array64, b: Array64): Array64 => {
    const rows = a.shape.slice(0, -2);
    const [m, k] =
      a.shape.slice(-2)[transposeA ? 1 : 0] === undefined
        ? [0, 0]
        : transposeA
          ? [a.shape[1], a.shape[0]]
          : a.shape.slice(-2);
    const n = b.shape[transposeB ? 0 : 1];
    return fill([...rows, m, n], (...i) => {
      const [r, c] = i.slice(-2);
      const lead = i.slice(0, -2);
      return sum(
        k,
        (j) => (transposeA ? at(a, j, r) : at(a, ...lead, r, j)) * (transposeB ? at(b, c, j) : at(b, j, c)),
      );
    });
  };

interface Window {
  readonly strides: readonly [number, number];
  readonly padding: "valid" | "same";
}

/** Where windows begin, and how many there are: TensorFlow's rules. */
function place(
  n: number,
  size: number,
  stride: number,
  dilation: number,
  padding: Window["padding"],
): [out: number, before: number] {
  const reach = (size - 1) * dilation + 1;
  if (padding === "valid") return [Math.ceil((n - reach + 1) / stride), 0];
  const out = Math.ceil(n / stride);
  return [out, Math.floor(Math.max((out - 1) * stride + reach - n, 0) / 2)];
}

export const conv2d =
  ({ strides, padding, dilations = [1, 1] }: Window & { dilations?: readonly [number, number] }) =>
  (x: Array64, f: Array64): Array64 => {
    const [batch, h, w, channels] = x.shape;
    const [kh, kw, , filters] = f.shape;
    const [oh, top] = place(h, kh, strides[0], dilations[0], padding);
    const [ow, left] = place(w, kw, strides[1], dilations[1], padding);
    return fill([batch, oh, ow, filters], (b, r, c, n) =>
      sum(kh, (u) =>
        sum(kw, (v) => {
          const [i, j] = [r * strides[0] + u * dilations[0] - top, c * strides[1] + v * dilations[1] - left];
          return i < 0 || j < 0 || i >= h || j >= w ? 0 : sum(channels, (k) => at(x, b, i, j, k) * at(f, u, v, k, n));
        }),
      ),
    );
  };

export const maxPool2d =
  (size: readonly [number, number], { strides, padding }: Window) =>
  (x: Array64): Array64 => {
    const [batch, h, w, channels] = x.shape;
    const [oh, top] = place(h, size[0], strides[0], 1, padding);
    const [ow, left] = place(w, size[1], strides[1], 1, padding);
    return fill([batch, oh, ow, channels], (b, r, c, k) => {
      let best = Number.NEGATIVE_INFINITY;
      for (let i = Math.max(0, r * strides[0] - top); i < Math.min(h, r * strides[0] - top + size[0]); i++) {
        for (let j = Math.max(0, c * strides[1] - left); j < Math.min(w, c * strides[1] - left + size[1]); j++)
          best = Math.max(best, at(x, b, i, j, k));
      }
      return best;
    });
  };

export const sparseSoftmaxCrossEntropy = (logits: Array64, labels: Array64): Array64 => {
  const n = logits.shape[logits.shape.length - 1];
  return fill(
    labels.shape,
    (...i) => Math.log(sum(n, (j) => Math.exp(at(logits, ...i, j)))) - at(logits, ...i, at(labels, ...i)),
  );
};
