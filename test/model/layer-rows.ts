// The layers of layer.test.ts, each with its oracle: what it makes of its inputs and its weights, in float64.
import * as lw from "../../src/index.js";
import { type Array64, at, fill } from "../oracle/array.js";
import {
  avgPool2d,
  type Conv,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  maxPool2d,
  type Window,
} from "../oracle/window.js";

export interface LayerRow {
  readonly name: string;
  /** Without the batch; `below` for indices less than that, int32. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly below?: number }[];
  readonly layer: (values: lw.Value[]) => lw.Value;
  readonly oracle: (inputs: readonly Array64[], ...weights: Array64[]) => Array64;
  /** Names of the weights, without the layer's. */
  readonly weights?: readonly string[];
  readonly tolerance?: number;
}

type Oracle = (x: Array64, ...weights: Array64[]) => Array64;

const row = (
  name: string,
  shape: readonly number[],
  layer: lw.Layer,
  oracle: Oracle,
  weights: readonly string[] = [],
): LayerRow => ({
  name,
  inputs: [{ shape }],
  layer: ([x]) => layer(x),
  oracle: ([x], ...given) => oracle(x, ...given),
  weights,
});

const reshaped = ({ data }: Array64, shape: readonly number[]): Array64 => ({ data, shape });
/** Something done to images of one row, to sequences. */
const sequences =
  (f: Oracle): Oracle =>
  (x, ...weights) => {
    const [batch, steps, channels] = x.shape;
    const y = f(reshaped(x, [batch, 1, steps, channels]), ...weights);
    return reshaped(y, [batch, y.shape[2], y.shape[3]]);
  };
const oneRow = (w: Array64): Array64 => reshaped(w, [1, ...w.shape]);
const map = ({ shape, data }: Array64, f: (x: number) => number): Array64 => ({ shape, data: data.map(f) });
const biased = (y: Array64, bias?: Array64): Array64 =>
  bias ? { ...y, data: y.data.map((v, i) => v + bias.data[i % bias.data.length]) } : y;
const line = (stride: number, padding: "valid" | "same" | readonly [number, number], dilation = 1): Conv => ({
  strides: [1, stride],
  padding: typeof padding === "string" ? padding : [[0, 0], padding],
  dilations: [1, dilation],
});

const conv1d =
  (how: Conv): Oracle =>
  (x, kernel, bias) =>
    sequences((image) => biased(conv2d(how)(image, oneRow(kernel)), bias))(x);
const depthwise1d =
  (how: Conv): Oracle =>
  (x, kernel, bias) =>
    sequences((image) => biased(depthwiseConv2d(how)(image, oneRow(kernel)), bias))(x);
const point: Conv = { strides: [1, 1], padding: "valid" };
const separable2d =
  (how: Conv): Oracle =>
  (x, apart, across, bias) =>
    biased(conv2d(point)(depthwiseConv2d(how)(x, apart), across), bias);
const separable1d =
  (how: Conv): Oracle =>
  (x, apart, across, bias) =>
    sequences((image) => separable2d(how)(image, oneRow(apart), oneRow(across), bias))(x);
const pool =
  (of: typeof maxPool2d, size: number, how: Window): Oracle =>
  (x) =>
    sequences(of([1, size], how))(x);
const globalPool =
  (of: (list: readonly number[]) => number): Oracle =>
  (x) => {
    const [batch, steps, channels] = x.shape;
    return fill([batch, channels], (b, c) => of(Array.from({ length: steps }, (_, t) => at(x, b, t, c))));
  };
/** Step t of the result is step `from(t)` of x, or zeros where there is none. */
const steps =
  (count: (n: number) => number, from: (t: number) => number): Oracle =>
  (x) =>
    fill([x.shape[0], count(x.shape[1]), x.shape[2]], (b, t, c) =>
      from(t) >= 0 && from(t) < x.shape[1] ? at(x, b, from(t), c) : 0,
    );

const relu = (y: Array64): Array64 => map(y, (v) => Math.max(v, 0));
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const kernelBias = ["kernel", "bias"];
const separable = ["depthwise_kernel", "pointwise_kernel", "bias"];

const inOneDimension: readonly LayerRow[] = [
  row("conv1d", [9, 3], lw.conv1d(4, 3), conv1d(line(1, "valid")), kernelBias),
  row(
    "conv1d strides 2 same relu",
    [10, 3],
    lw.conv1d(4, 5, { strides: 2, padding: "same", activation: "relu" }),
    (...given) => relu(conv1d(line(2, "same"))(...given)),
    kernelBias,
  ),
  row(
    "conv1d causal, dilated, without bias",
    [8, 2],
    lw.conv1d(3, 3, { padding: "causal", dilationRate: 2, useBias: false }),
    conv1d(line(1, [4, 0], 2)),
    ["kernel"],
  ),
  row(
    "conv1d in groups, padded, an activation of one's own",
    [7, 4],
    lw.conv1d(6, 2, { groups: 2, padding: [2, 1], activation: (y) => lw.mul(y, lw.sum(y, 1, { keepDims: true })) }),
    (x, ...weights) => {
      const y = sequences((image) =>
        biased(conv2d({ ...line(1, [2, 1]), groups: 2 })(image, oneRow(weights[0])), weights[1]),
      )(x);
      const total = (b: number, c: number) =>
        y.shape[1] * mean(Array.from({ length: y.shape[1] }, (_, t) => at(y, b, t, c)));
      return fill(y.shape, (b, t, c) => at(y, b, t, c) * total(b, c));
    },
    kernelBias,
  ),
  row(
    "depthwiseConv1d",
    [9, 3],
    lw.depthwiseConv1d(4, { strides: 2, padding: "same", depthMultiplier: 2, activation: "relu" }),
    (...given) => relu(depthwise1d(line(2, "same"))(...given)),
    ["depthwise_kernel", "bias"],
  ),
  row(
    "separableConv1d causal",
    [9, 3],
    lw.separableConv1d(5, 3, { padding: "causal", depthMultiplier: 2 }),
    separable1d(line(1, [2, 0])),
    separable,
  ),
  row(
    "separableConv2d",
    [6, 5, 3],
    lw.separableConv2d(4, [3, 2], { strides: 2, padding: "same" }),
    separable2d({ strides: [2, 2], padding: "same" }),
    separable,
  ),
  row(
    "separableConv2d dilated, without bias",
    [6, 7, 2],
    lw.separableConv2d(4, 2, { dilationRate: [2, 3], depthMultiplier: 3, useBias: false, activation: "relu" }),
    (...given) => relu(separable2d({ strides: [1, 1], padding: "valid", dilations: [2, 3] })(...given)),
    separable.slice(0, 2),
  ),
  row("maxPooling1d", [9, 3], lw.maxPooling1d(), pool(maxPool2d, 2, line(2, "valid"))),
  row(
    "maxPooling1d padded",
    [9, 3],
    lw.maxPooling1d(3, { strides: 1, padding: [2, 0] }),
    pool(maxPool2d, 3, line(1, [2, 0])),
  ),
  row(
    "averagePooling1d same",
    [8, 3],
    lw.averagePooling1d(3, { strides: 2, padding: "same" }),
    pool(avgPool2d, 3, line(2, "same")),
  ),
  row("globalAveragePooling1d", [7, 3], lw.globalAveragePooling1d(), globalPool(mean)),
  row(
    "globalMaxPooling1d",
    [7, 3],
    lw.globalMaxPooling1d(),
    globalPool((list) => Math.max(...list)),
  ),
  row("globalMaxPooling1d keepdims", [7, 3], lw.globalMaxPooling1d({ keepdims: true }), (x) => {
    const y = globalPool((list) => Math.max(...list))(x);
    return reshaped(y, [y.shape[0], 1, y.shape[1]]);
  }),
  row("upSampling1d", [5, 3], lw.upSampling1d(3), steps((n) => 3 * n, (t) => Math.floor(t / 3))), // biome-ignore format: short
  row("zeroPadding1d", [5, 3], lw.zeroPadding1d([2, 1]), steps((n) => n + 3, (t) => t - 2)), // biome-ignore format: short
  row("cropping1d", [7, 3], lw.cropping1d([3, 2]), steps((n) => n - 5, (t) => t + 3)), // biome-ignore format: short
  row("cropping1d of one end", [7, 3], lw.cropping1d([3, 0]), steps((n) => n - 3, (t) => t + 3)), // biome-ignore format: short
];

const transposed: readonly LayerRow[] = [
  row(
    "conv2dTranspose",
    [3, 4, 2],
    lw.conv2dTranspose(3, [4, 5], { strides: 2, padding: "same", activation: "relu" }),
    (x, kernel, bias) => relu(biased(conv2dTranspose({ strides: [2, 2], out: [6, 8], cut: [1, 1] })(x, kernel), bias)),
    kernelBias,
  ),
  row(
    "conv2dTranspose with outputPadding, without bias",
    [3, 3, 2],
    lw.conv2dTranspose(4, 3, { strides: 2, outputPadding: 1, useBias: false }),
    conv2dTranspose({ strides: [2, 2], out: [8, 8], cut: [0, 0] }),
    ["kernel"],
  ),
  row(
    "conv1dTranspose",
    [4, 3],
    lw.conv1dTranspose(2, 5, { strides: 3, dilationRate: 2 }),
    (x, kernel, bias) =>
      sequences((image) =>
        biased(
          conv2dTranspose({ strides: [1, 3], dilations: [1, 2], out: [1, 18], cut: [0, 0] })(image, oneRow(kernel)),
          bias,
        ),
      )(x),
    kernelBias,
  ),
  row(
    "conv1dTranspose same with outputPadding",
    [4, 3],
    lw.conv1dTranspose(2, 5, { strides: 2, padding: "same", outputPadding: 0, useBias: false }),
    (x, kernel) =>
      sequences((image) => conv2dTranspose({ strides: [1, 2], out: [1, 7], cut: [0, 2] })(image, oneRow(kernel)))(x),
    ["kernel"],
  ),
];

export const rows: readonly LayerRow[] = [...inOneDimension, ...transposed];
