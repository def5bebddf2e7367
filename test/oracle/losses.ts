// Losses as Keras defines them, in float64, over rows of the last axis.
import { type Array64, at, fill } from "./array.js";

type Row = readonly number[];

/** A loss from what it is for one row of targets and one of predictions. */
const rows =
  (of: (t: Row, p: Row) => number) =>
  (t: Array64, p: Array64): Array64 => {
    const n = p.shape[p.shape.length - 1];
    const row = (x: Array64, lead: readonly number[]) => Array.from({ length: n }, (_, j) => at(x, ...lead, j));
    return fill(p.shape.slice(0, -1), (...i) => of(row(t, i), row(p, i)));
  };
const total = (list: Row): number => list.reduce((a, b) => a + b, 0);
const average = (list: Row): number => total(list) / list.length;
const softmax = (z: Row): number[] => z.map((x) => Math.exp(x) / total(z.map(Math.exp)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const inside = (p: number): number => clip(p, 1e-7, 1 - 1e-7);

const entropy = (t: number, p: number): number => -t * Math.log(inside(p)) - (1 - t) * Math.log(1 - inside(p));
export const binaryCrossentropy = rows((t, p) => average(t.map((x, i) => entropy(x, p[i]))));
export const binaryCrossentropyOfLogits = rows((t, z) => average(t.map((x, i) => entropy(x, sigmoid(z[i])))));
export const smoothedBinaryCrossentropy = (share: number) =>
  rows((t, p) => average(t.map((x, i) => entropy(x * (1 - share) + share / 2, p[i]))));

const crossentropy = (t: Row, p: Row): number => -total(t.map((x, i) => x * Math.log(inside(p[i] / total(p)))));
export const categoricalCrossentropy = rows(crossentropy);
export const categoricalCrossentropyOfLogits = rows((t, z) => crossentropy(t, softmax(z)));
export const smoothedCategoricalCrossentropy = (share: number) =>
  rows((t, p) =>
    crossentropy(
      t.map((x) => x * (1 - share) + share / t.length),
      p,
    ),
  );

export const meanSquaredError = rows((t, p) => average(t.map((x, i) => (x - p[i]) ** 2)));
export const meanAbsoluteError = rows((t, p) => average(t.map((x, i) => Math.abs(x - p[i]))));
export const huber = (delta: number) =>
  rows((t, p) =>
    average(
      t.map((x, i) => {
        const e = Math.abs(x - p[i]);
        return e <= delta ? e ** 2 / 2 : delta * e - delta ** 2 / 2;
      }),
    ),
  );
export const klDivergence = rows((t, p) =>
  total(t.map((x, i) => clip(x, 1e-7, 1) * Math.log(clip(x, 1e-7, 1) / clip(p[i], 1e-7, 1)))),
);

export const hinge = rows((t, p) => average(t.map((x, i) => Math.max(1 - x * p[i], 0))));
export const squaredHinge = rows((t, p) => average(t.map((x, i) => Math.max(1 - x * p[i], 0) ** 2)));
export const categoricalHinge = rows((t, p) =>
  Math.max(Math.max(...t.map((x, i) => (1 - x) * p[i])) - total(t.map((x, i) => x * p[i])) + 1, 0),
);

export const poisson = rows((t, p) => average(t.map((x, i) => p[i] - x * Math.log(p[i] + 1e-7))));
export const logCosh = rows((t, p) => average(t.map((x, i) => Math.log(Math.cosh(p[i] - x)))));
const length = (x: Row): number => Math.sqrt(total(x.map((a) => a * a)));
export const cosineSimilarity = rows((t, p) => -total(t.map((x, i) => x * p[i])) / (length(t) * length(p)));

/** Of a label, what its probability leaves to be wrong. */
const wrong = (t: number, p: number): number => 1 - (t * p + (1 - t) * (1 - p));
export const binaryFocal = (gamma: number, weight = (_: number): number => 1) =>
  rows((t, p) => average(t.map((x, i) => weight(x) * wrong(x, p[i]) ** gamma * entropy(x, p[i]))));
export const binaryFocalOfLogits = (gamma: number, share: number) =>
  rows((t, z) => {
    const labels = t.map((x) => x * (1 - share) + share / 2);
    return average(labels.map((x, i) => wrong(x, sigmoid(z[i])) ** gamma * entropy(x, sigmoid(z[i]))));
  });
const focal = (t: Row, p: Row, gamma: number, alpha: number): number =>
  -total(t.map((x, i) => alpha * (1 - p[i]) ** gamma * x * Math.log(p[i])));
export const categoricalFocal = (gamma: number, alpha: number) =>
  rows((t, p) => {
    const shares = p.map((x) => inside(x / total(p)));
    return focal(t, shares, gamma, alpha);
  });
export const categoricalFocalOfLogits = (gamma: number, alpha: number) =>
  rows((t, z) => focal(t, softmax(z), gamma, alpha));
