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

export const sparseSoftmaxCrossEntropy = (logits: Array64, labels: Array64): Array64 => {
  const n = logits.shape[logits.shape.length - 1];
  return fill(
    labels.shape,
    (...i) => Math.log(sum(n, (j) => Math.exp(at(logits, ...i, j)))) - at(logits, ...i, at(labels, ...i)),
  );
};
