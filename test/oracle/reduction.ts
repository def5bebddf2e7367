// Reductions and scans in float64.
import { type Array64, at, fill } from "./array.js";

/** f of the elements along `axes`, for each index of the others. */
export const reduce =
  (axes: readonly number[], f: (elements: number[]) => number, keepDims = false) =>
  (x: Array64): Array64 => {
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const y = fill(
      kept.map((axis) => x.shape[axis]),
      (...i) => {
        const elements: number[] = [];
        fill(x.shape, (...j) => {
          if (kept.every((axis, k) => j[axis] === i[k])) elements.push(at(x, ...j));
          return 0;
        });
        return f(elements);
      },
    );
    return keepDims ? { shape: x.shape.map((n, i) => (axes.includes(i) ? 1 : n)), data: y.data } : y;
  };

const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
export const product = (list: number[]): number => list.reduce((a, b) => a * b, 1);
export const variance = (list: number[]): number => {
  const mean = sum(list) / list.length;
  return sum(list.map((x) => (x - mean) ** 2)) / list.length;
};
export const logSumExp = (list: number[]): number => {
  const largest = Math.max(...list);
  return largest + Math.log(sum(list.map((x) => Math.exp(x - largest))));
};
export const l1 = (list: number[]): number => sum(list.map(Math.abs));
export const l2 = (list: number[]): number => Math.sqrt(sum(list.map((x) => x * x)));
export const largestMagnitude = (list: number[]): number => Math.max(...list.map(Math.abs));

export const cumsum =
  (axis: number, { reverse = false, exclusive = false } = {}) =>
  (x: Array64): Array64 =>
    fill(x.shape, (...i) => {
      const before = (k: number) => (reverse ? k > i[axis] : k < i[axis]) || (k === i[axis] && !exclusive);
      const all = Array.from({ length: x.shape[axis] }, (_, k) => k).filter(before);
      return sum(all.map((k) => at(x, ...i.map((j, a) => (a === axis ? k : j)))));
    });
