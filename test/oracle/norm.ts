// Normalisation as its definition says, in float64.
import { sizeOf } from "../../src/shape.js";
import { type Array64, at, fill } from "./array.js";

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

/** Mean and biased variance. */
export function moments(list: readonly number[]): [number, number] {
  const m = mean(list);
  return [m, mean(list.map((v) => (v - m) ** 2))];
}

/** The column of a channel, channels last. */
export const column = ({ shape, data }: Array64, k: number): number[] =>
  [...data].filter((_, i) => i % shape[shape.length - 1] === k);

export const batchNorm =
  (epsilon: number) =>
  (x: Array64, gamma: Array64, beta: Array64): Array64 => {
    const stats = [...gamma.data].map((_, k) => moments(column(x, k)));
    return fill(x.shape, (...i) => {
      const k = i[i.length - 1];
      return ((at(x, ...i) - stats[k][0]) / Math.sqrt(stats[k][1] + epsilon)) * gamma.data[k] + beta.data[k];
    });
  };

/** With mean and variance of the channels given. */
export const batchNormOf =
  (epsilon: number) =>
  (x: Array64, gamma: Array64, beta: Array64, mean: Array64, variance: Array64): Array64 =>
    fill(x.shape, (...i) => {
      const scale = at(gamma, ...i) / Math.sqrt(at(variance, ...i) + epsilon);
      return (at(x, ...i) - at(mean, ...i)) * scale + at(beta, ...i);
    });

export const layerNorm =
  (epsilon: number) =>
  (x: Array64, gamma: Array64, beta: Array64): Array64 => {
    const n = sizeOf(gamma.shape);
    const rows = Array.from({ length: x.data.length / n }, (_, r) => moments([...x.data.slice(r * n, (r + 1) * n)]));
    const data = x.data.map((v, i) => {
      const [m, variance] = rows[Math.floor(i / n)];
      return ((v - m) / Math.sqrt(variance + epsilon)) * gamma.data[i % n] + beta.data[i % n];
    });
    return { shape: x.shape, data };
  };
