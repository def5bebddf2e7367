// What models answer, and how right that is: classes by the largest of the scores, numbers by their distance.
import { ShapeError } from "../errors.js";
import { show, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** What is right for a set of samples: a class for each row of scores, or numbers. */
export type Truth = { readonly classes: Int32Array } | { readonly numbers: ArrayLike<number> };

const lastOf = ({ shape }: Tensor): number => shape.at(-1) ?? 1;
const isWhole = (x: number): boolean => Number.isInteger(x) && x >= 0;

/** The place of the largest of each row; of rows of one number, a probability, whether it is above a half. */
export function classesOf(scores: Tensor): Int32Array {
  const n = lastOf(scores);
  return Int32Array.from({ length: sizeOf(scores.shape) / n }, (_, row) => {
    if (n === 1) return Number(scores.data[row] > 0.5);
    let best = 0;
    for (let i = 1; i < n; i++) if (scores.data[row * n + i] > scores.data[row * n + best]) best = i;
    return best;
  });
}

/**
 * What targets say of predictions: classes, where they are labels [...] (or one-hot) for scores [..., classes], or 0 and 1 for
 * probabilities [..., 1]; else numbers.
 * @throws {ShapeError} for targets that are neither
 */
export function truthOf(y: Tensor, predicted: Tensor): Truth {
  const [n, rows] = [lastOf(predicted), sizeOf(predicted.shape) / lastOf(predicted)];
  const all = Array.from<number>(y.data);
  if (n > 1 && y.data.length === rows && all.every((label) => isWhole(label) && label < n))
    return { classes: Int32Array.from(all) };
  if (y.data.length !== rows * n) {
    const expected = `targets for predictions ${show(predicted.shape)}: labels in [0, ${n - 1}], or ${rows * n} numbers`;
    throw new ShapeError({ op: "report", expected, actual: show(y.shape) });
  }
  const isSwitch = all.every((v) => v === 0 || v === 1);
  const isOneHot = () =>
    Array.from({ length: rows }, (_, i) => all.slice(i * n, (i + 1) * n)).every((r) => sum(r) === 1);
  const isShare = () => predicted.data.every((v: number) => v >= 0 && v <= 1);
  if (isSwitch && (n > 1 ? isOneHot() : isShare())) return { classes: classesOf(y) };
  return { numbers: y.data };
}

/** The share of equal classes. */
export function agreementOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) equal += Number(a[i] === b[i]);
  return equal / a.length;
}

/** The mean of absolute differences. */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let all = 0;
  for (let i = 0; i < a.length; i++) all += Math.abs(a[i] - b[i]);
  return all / a.length;
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
