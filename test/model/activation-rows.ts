// Rows of layers whose names are ops' too, and of those that encode features.
import * as lw from "../../src/index.js";
import { type Array64, at, fill } from "../oracle/array.js";
import type { LayerRow } from "./layer-rows.js";

const map = ({ shape, data }: Array64, f: (x: number) => number): Array64 => ({ shape, data: data.map(f) });

const row = (
  name: string,
  shape: readonly number[],
  layer: lw.Layer,
  oracle: (x: Array64, ...weights: Array64[]) => Array64,
  weights: readonly string[] = [],
): LayerRow => ({
  name,
  inputs: [{ shape }],
  layer: ([x]) => layer(x),
  oracle: ([x], ...given) => oracle(x, ...given),
  weights,
});

/** keras.activations.relu, case by case. */
const relu =
  (most: number, slope: number, threshold = 0) =>
  (x: Array64) =>
    map(x, (v) => (v > threshold ? Math.min(v, most) : slope * (v - threshold)));

/** [batch, m, n] along m, or over both. */
const softmax =
  (both: boolean) =>
  (x: Array64): Array64 => {
    const [, m, n] = x.shape;
    const all = (b: number, j: number) =>
      Array.from({ length: both ? m * n : m }, (_, i) => Math.exp(both ? x.data[b * m * n + i] : at(x, b, i, j)));
    return fill(x.shape, (b, i, j) => Math.exp(at(x, b, i, j)) / all(b, j).reduce((a, c) => a + c, 0));
  };

const normalized = (x: Array64, mean: Array64, variance: Array64): Array64 => ({
  ...x,
  data: x.data.map((v, i) => {
    const k = i % mean.data.length;
    return (v - mean.data[k]) / Math.max(Math.sqrt(variance.data[k]), 1e-7);
  }),
});
const array = (...data: number[]): Array64 => ({ shape: [data.length], data: Float64Array.from(data) });

export const activationRows: readonly LayerRow[] = [
  row("relu", [7], lw.relu(), relu(Number.POSITIVE_INFINITY, 0)),
  row("relu maxValue", [7], lw.relu({ maxValue: 0.5 }), relu(0.5, 0)),
  row("relu negativeSlope", [7], lw.relu({ negativeSlope: 0.25 }), relu(Number.POSITIVE_INFINITY, 0.25)),
  row("relu maxValue negativeSlope", [7], lw.relu({ maxValue: 0.5, negativeSlope: 0.25 }), relu(0.5, 0.25)),
  row(
    "relu maxValue negativeSlope threshold",
    [9],
    lw.relu({ maxValue: 0.7, negativeSlope: 0.25, threshold: 0.3 }),
    relu(0.7, 0.25, 0.3),
  ),
  row("relu threshold", [9], lw.relu({ threshold: 0.3 }), relu(Number.POSITIVE_INFINITY, 0, 0.3)),
  row("leakyRelu", [7], lw.leakyRelu(), relu(Number.POSITIVE_INFINITY, 0.3)),
  row("elu alpha", [7], lw.elu({ alpha: 0.5 }), (x) => map(x, (v) => (v > 0 ? v : 0.5 * Math.expm1(v)))),
  row("softmax axis 1", [3, 4], lw.softmax({ axis: 1 }), softmax(false)),
  row("softmax axis [1, 2]", [3, 4], lw.softmax({ axis: [1, 2] }), softmax(true)),
  row("reshape", [3, 4], lw.reshape([2, -1, 3]), (x) => ({ ...x, shape: [x.shape[0], 2, 2, 3] })),
  row("normalization mean variance", [2, 3], lw.normalization({ mean: [1, 0, -1], variance: [4, 1, 0.25] }), (x) =>
    normalized(x, array(1, 0, -1), array(4, 1, 0.25)),
  ),
  row("normalization invert", [4], lw.normalization({ mean: 2, variance: 9, invert: true }), (x) =>
    map(x, (v) => v * 3 + 2),
  ),
];
