// The layers of layer.test.ts, each with its oracle: what it makes of its inputs and its weights, in float64.
import * as lw from "../../src/index.js";
import { type Array64, at, fill } from "../oracle/array.js";
import { attention, rotary } from "../oracle/attention.js";
import { resize } from "../oracle/movement.js";
import {
  avgPool2d,
  type Conv,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  maxPool2d,
  type Window,
} from "../oracle/window.js";

import { activationRows } from "./activation-rows.js";
import { recurrentRows } from "./recurrent-rows.js";

export interface LayerRow {
  readonly name: string;
  /** Without the batch; `below` for indices less than that, int32. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly below?: number }[];
  readonly layer: (values: lw.Value[]) => lw.Value;
  readonly oracle: (inputs: readonly Array64[], ...weights: Array64[]) => Array64;
  /** Names of the weights, without the layer's. */
  readonly weights?: readonly string[];
  readonly tolerance?: number;
  /** Weights that change nothing (a bias of keys moves all scores of a query alike): their gradients are 0, and what rounding leaves. */
  readonly flat?: readonly string[];
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
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const mean = (list: readonly number[]): number => sum(list) / list.length;
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

/** (x - mean) / sqrt(variance + epsilon) over each group of channels of a sample, channels last. */
const grouped =
  (groups: number, epsilon: number): Oracle =>
  (x, gamma, beta) => {
    const channels = x.shape[x.shape.length - 1];
    const size = x.data.length / x.shape[0];
    const group = (i: number) => Math.floor(i / size) * groups + Math.floor((i % channels) / (channels / groups));
    const of = (g: number) => Array.from(x.data).filter((_, i) => group(i) === g);
    const means = Array.from({ length: x.shape[0] * groups }, (_, g) => mean(of(g)));
    const variances = means.map((m, g) => mean(of(g).map((v) => (v - m) ** 2)));
    const data = x.data.map((v, i) => {
      const y = (v - means[group(i)]) / Math.sqrt(variances[group(i)] + epsilon);
      return y * (gamma?.data[i % channels] ?? 1) + (beta?.data[i % channels] ?? 0);
    });
    return { ...x, data };
  };
/** x [batch, n, inner] divided by what `of` makes of the squares along the middle axis. */
const byLength =
  (n: number, inner: number, of: (squares: readonly number[]) => number): Oracle =>
  (x) => {
    const lead = (i: number) => Math.floor(i / (n * inner));
    const square = (i: number, j: number) => x.data[lead(i) * n * inner + j * inner + (i % inner)] ** 2;
    return { ...x, data: x.data.map((v, i) => v / of(Array.from({ length: n }, (_, j) => square(i, j)))) };
  };
const rms = (epsilon: number) => (squares: readonly number[]) => Math.sqrt(mean(squares) + epsilon);
const length = (squares: readonly number[]) => Math.sqrt(sum(squares));
const scaled = (y: Array64, scale: Array64, repeat = 1): Array64 => ({
  ...y,
  data: y.data.map((v, i) => v * scale.data[Math.floor(i / repeat) % scale.data.length]),
});

const normalized: readonly LayerRow[] = [
  row("rmsNormalization", [4, 7], lw.rmsNormalization(), (x, s) => scaled(byLength(7, 1, rms(1e-6))(x), s), ["scale"]),
  row(
    "rmsNormalization over two axes",
    [2, 3, 4],
    lw.rmsNormalization({ axis: [2, 3], epsilon: 0.1 }),
    (x, s) => scaled(byLength(12, 1, rms(0.1))(x), s),
    ["scale"],
  ),
  row(
    "rmsNormalization over the first axis",
    [3, 4],
    lw.rmsNormalization({ axis: 1 }),
    (x, s) => scaled(byLength(3, 4, rms(1e-6))(x), s, 4),
    ["scale"],
  ),
  row("unitNormalization", [3, 5], lw.unitNormalization(), byLength(5, 1, length)),
  row("unitNormalization over two axes", [3, 5], lw.unitNormalization({ axis: [1, 2] }), byLength(15, 1, length)),
  row("groupNormalization", [3, 2, 6], lw.groupNormalization({ groups: 2 }), grouped(2, 1e-3), ["gamma", "beta"]),
  row("groupNormalization of vectors", [6], lw.groupNormalization({ groups: 3, center: false }), grouped(3, 1e-3), [
    "gamma",
  ]),
  row(
    "groupNormalization of each channel alone",
    [5, 4],
    lw.groupNormalization({ groups: -1, scale: false, center: false, epsilon: 0.01 }),
    grouped(4, 0.01),
  ),
  row(
    "groupNormalization of channels first",
    [4, 3],
    lw.groupNormalization({ groups: 2, axis: 1, scale: false }),
    (x, beta) => {
      const swapped = (y: Array64) => fill([y.shape[0], y.shape[2], y.shape[1]], (b, i, j) => at(y, b, j, i));
      return swapped(grouped(2, 1e-3)(swapped(x), undefined as unknown as Array64, beta));
    },
    ["beta"],
  ),
];

const merged = (
  name: string,
  shapes: readonly (readonly number[])[],
  layer: LayerRow["layer"],
  oracle: LayerRow["oracle"],
): LayerRow => ({ name, inputs: shapes.map((shape) => ({ shape })), layer, oracle });
const binary =
  (f: (a: number, b: number) => number): LayerRow["oracle"] =>
  (xs) =>
    xs.reduce((a, b) => fill(a.shape, (...index) => f(at(a, ...index), at(b, ...index))));
const dots: LayerRow["oracle"] = ([a, b]) =>
  fill([a.shape[0], a.shape[1], b.shape[1]], (n, i, j) =>
    sum(Array.from({ length: a.shape[2] }, (_, k) => at(a, n, i, k) * at(b, n, j, k))),
  );

const severalInputs: readonly LayerRow[] = [
  merged("add of a list", [[3, 2], [3, 2], [1, 2]], (xs) => lw.add(xs, { name: "all" }), binary((a, b) => a + b)), // biome-ignore format: short
  merged("subtract", [[4], [4]], (xs) => lw.subtract(xs), binary((a, b) => a - b)), // biome-ignore format: short
  merged("multiply", [[3, 2], [3, 2], [3, 2]], (xs) => lw.multiply(xs), binary((a, b) => a * b)), // biome-ignore format: short
  merged("maximum of a list", [[5], [5], [5]], (xs) => lw.maximum(xs), binary(Math.max)),
  merged("minimum of a list", [[5], [5], [5]], (xs) => lw.minimum(xs), binary(Math.min)),
  merged("dot", [[3, 4], [2, 4]], (xs) => lw.dot(xs), dots), // biome-ignore format: short
  merged("dot of vectors, their cosine", [[4], [4]], (xs) => lw.dot(xs, { normalize: true }), ([a, b]) => {
    const [c, d] = [a, b].map((x) => byLength(4, 1, length)(x)).map((x) => reshaped(x, [x.shape[0], 1, 4]));
    return reshaped(dots([c, d]), [a.shape[0], 1]);
  }), // biome-ignore format: short
  merged("dot along other axes", [[4, 3], [2, 5, 4]], (xs) => lw.dot(xs, { axes: [1, -1] }), ([a, b]) =>
    fill([a.shape[0], 3, 2, 5], (n, i, j, l) => sum([0, 1, 2, 3].map((k) => at(a, n, k, i) * at(b, n, j, l, k)))),
  ), // biome-ignore format: short
];

/** Steps whose first number is positive, averaged. */
const halves: lw.Layer = (x) =>
  lw.globalAveragePooling1d()(lw.withMask(x, lw.any(lw.greater(lw.slice(x, [0, 0, 0], [-1, -1, 1]), 0), -1)));

const others: readonly LayerRow[] = [
  row("rescaling", [2, 3], lw.rescaling(2, { offset: -1 }), (x) => map(x, (v) => 2 * v - 1)),
  row("rescaling of each channel", [2, 2], lw.rescaling([2, 3]), (x) =>
    scaled(x, { shape: [2], data: Float64Array.of(2, 3) }),
  ),
  {
    ...row("rescaling of whole numbers", [4], lw.rescaling(0.5), (x) => map(x, (v) => v / 2)),
    inputs: [{ shape: [4], below: 100 }],
  },
  {
    ...row(
      "embedding",
      [4],
      lw.embedding(5, 3),
      (x, table) => fill([...x.shape, 3], (b, i, c) => at(table, at(x, b, i), c)),
      ["embeddings"],
    ),
    inputs: [{ shape: [4], below: 5 }],
  },
  row("masking", [4, 2], lw.masking(0), (x) => x),
  row("globalAveragePooling1d of what a mask lets pass", [4, 2], halves, (x) =>
    fill([x.shape[0], 2], (b, c) => {
      const kept = [0, 1, 2, 3].filter((t) => at(x, b, t, 0) > 0);
      return kept.reduce((total, t) => total + at(x, b, t, c), 0) / Math.max(kept.length, 1);
    }),
  ),
  // What acts only while training passes its input on.
  ...[lw.gaussianNoise(1), lw.gaussianDropout(0.5), lw.spatialDropout1d(0.5), lw.activityRegularization({ l2: 1 })].map(
    (layer, i) =>
      row(
        `no ${["noise", "Gaussian dropout", "spatial dropout", "penalty"][i]} in a prediction`,
        [4, 3],
        layer,
        (x) => x,
      ),
  ),
  row("no spatial dropout of images in a prediction", [2, 2, 3], lw.spatialDropout2d(0.5), (x) => x),
  ...[
    lw.randomFlip(),
    lw.randomRotation(0.2),
    lw.randomTranslation(0.5, 0.5),
    lw.randomZoom(0.5),
    lw.randomContrast(0.5),
    lw.randomBrightness(0.5),
  ].map((layer, i) => {
    const kinds = ["flip", "rotation", "translation", "zoom", "contrast", "brightness"];
    return row(`no random ${kinds[i]} in a prediction`, [3, 2, 2], layer, (x) => x);
  }),
  ...[lw.randomCrop(2, 3), lw.centerCrop(2, 3)].map((layer, i) =>
    row(`${["randomCrop", "centerCrop"][i]} to the middle`, [5, 4, 2], layer, (x) =>
      fill([x.shape[0], 2, 3, 2], (n, h, w, c) => at(x, n, h + 1, w, c)),
    ),
  ),
  row("centerCrop of a smaller image", [2, 4, 1], lw.centerCrop(3, 3), (x) =>
    resize([3, 3], "bilinear")(fill([x.shape[0], 2, 2, 1], (n, h, w, c) => at(x, n, h, w + 1, c))),
  ),
  row("resizing", [4, 6, 2], lw.resizing(3, 5), resize([3, 5], "bilinear")),
  row(
    "resizing to the nearest pixels",
    [4, 6, 2],
    lw.resizing(6, 3, { interpolation: "nearest" }),
    resize([6, 3], "nearest"),
  ),
  row("resizing of the middle", [4, 6, 1], lw.resizing(2, 2, { cropToAspectRatio: true }), (x) =>
    resize([2, 2], "bilinear")(fill([x.shape[0], 4, 4, 1], (n, h, w, c) => at(x, n, h, w + 1, c))),
  ),
  row("resizing with borders", [2, 4, 1], lw.resizing(2, 2, { padToAspectRatio: true }), (x) =>
    resize(
      [2, 2],
      "bilinear",
    )(fill([x.shape[0], 4, 4, 1], (n, h, w, c) => (h === 0 || h === 3 ? 0 : at(x, n, h - 1, w, c)))),
  ),
];

/** x [..., n] times w [n, m], and b. */
const linear = (x: Array64, w: Array64, b?: Array64): Array64 => {
  const [n, m] = [x.shape[x.shape.length - 1], w.data.length / x.shape[x.shape.length - 1]];
  return fill([...x.shape.slice(0, -1), m], (...index) => {
    const [c, lead] = [index[index.length - 1], index.slice(0, -1)];
    return sum(Array.from({ length: n }, (_, i) => at(x, ...lead, i) * w.data[i * m + c])) + (b?.data[c] ?? 0);
  });
};
/** Attention of a query to a key and a value, weights in the order of the layer's; as many heads as the kernels say. */
const multiHead =
  (options: Parameters<typeof attention>[0] = {}) =>
  ([query, key, value]: readonly Array64[], weights: readonly Array64[], biased = true, mask?: Array64): Array64 => {
    const step = biased ? 2 : 1;
    const project = (x: Array64, i: number): Array64 => {
      const kernel = weights[i * step];
      const y = linear(x, kernel, biased ? weights[i * step + 1] : undefined);
      return reshaped(y, [...x.shape.slice(0, 2), ...kernel.shape.slice(1)]);
    };
    const y = attention(options)(project(query, 0), project(key, 1), project(value, 2), mask);
    const joined = reshaped(y, [...y.shape.slice(0, 2), y.shape[2] * y.shape[3]]);
    return linear(joined, weights[3 * step], biased ? weights[3 * step + 1] : undefined);
  };
const plus = (a: Array64, b: Array64): Array64 => ({ ...a, data: a.data.map((v, i) => v + b.data[i]) });
const layerNormed = (x: Array64, gamma: Array64, beta: Array64): Array64 => {
  const n = gamma.data.length;
  return {
    ...x,
    data: x.data.map((v, i) => {
      const list = Array.from(x.data.subarray(Math.floor(i / n) * n, (Math.floor(i / n) + 1) * n));
      const variance = mean(list.map((u) => (u - mean(list)) ** 2));
      return ((v - mean(list)) / Math.sqrt(variance + 1e-5)) * gamma.data[i % n] + beta.data[i % n];
    }),
  };
};
const ofAttention = ["query", "key", "value", "attention_output"].flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
const inBlock = [
  ...ofAttention.map((name) => `self_attention_layer/${name}`),
  "self_attention_layer_norm/gamma",
  "self_attention_layer_norm/beta",
  "feedforward_intermediate_dense/kernel",
  "feedforward_intermediate_dense/bias",
  "feedforward_output_dense/kernel",
  "feedforward_output_dense/bias",
  "feedforward_layer_norm/gamma",
  "feedforward_layer_norm/beta",
];

const attentive: readonly LayerRow[] = (
  [
    row(
      "multiHeadAttention",
      [5, 6],
      (x) => lw.multiHeadAttention(2, 3)(x),
      (x, ...w) => multiHead()([x, x, x], w),
      ofAttention,
    ),
    {
      name: "multiHeadAttention of three sequences, causal, masked",
      inputs: [{ shape: [4, 5] }, { shape: [6, 3] }, { shape: [6, 4] }, { shape: [4, 6], below: 2 }],
      layer: ([query, value, key, mask]) =>
        lw.multiHeadAttention(2, 3, { valueDim: 4, outputShape: 7 })(query, value, key, {
          useCausalMask: true,
          attentionMask: lw.cast(mask, "bool"),
        }),
      oracle: ([query, value, key, mask], ...w) => multiHead({ isCausal: true })([query, key, value], w, true, mask),
      weights: ofAttention,
    },
    {
      name: "multiHeadAttention that passes over the value's mask",
      inputs: [{ shape: [3, 4] }, { shape: [5, 4] }, { shape: [5], below: 2 }],
      layer: ([query, value, steps]) =>
        lw.multiHeadAttention(1, 4, { useBias: false })(query, lw.withMask(value, lw.cast(steps, "bool"))),
      oracle: ([query, value, steps], ...w) => multiHead()([query, value, value], w, false, steps),
      weights: ofAttention.filter((name) => name.endsWith("kernel")),
    },
    row(
      "groupQueryAttention",
      [5, 6],
      (x) => lw.groupQueryAttention(3, 4, 2)(x, x, x, { useCausalMask: true }),
      (x, ...w) => multiHead({ isCausal: true })([x, x, x], w),
      ofAttention,
    ),
    row(
      "positionEmbedding",
      [4, 3],
      (x) => lw.add(x, lw.positionEmbedding(6)(x)),
      (x, positions) => fill(x.shape, (b, t, c) => at(x, b, t, c) + at(positions, t, c)),
      ["embeddings"],
    ),
    row("rotaryEmbedding", [5, 2, 6], lw.rotaryEmbedding(), rotary()),
    row(
      "transformerBlock",
      [5, 4],
      lw.transformerBlock({ numHeads: 2, intermediateDim: 6 }),
      (x, ...w) => {
        const attended = layerNormed(plus(x, multiHead()([x, x, x], w)), w[8], w[9]);
        const wide = relu(linear(attended, w[10], w[11]));
        return layerNormed(plus(attended, linear(wide, w[12], w[13])), w[14], w[15]);
      },
      inBlock,
    ),
    row(
      "transformerBlock causal, normalized first",
      [4, 6],
      lw.transformerBlock({
        numHeads: 2,
        numKeyValueHeads: 1,
        keyDim: 2,
        intermediateDim: 5,
        normalizeFirst: true,
        useCausalMask: true,
      }),
      (x, gamma, beta, ...w) => {
        const before = layerNormed(x, gamma, beta);
        const attended = plus(x, multiHead({ isCausal: true })([before, before, before], w));
        const wide = relu(linear(layerNormed(attended, w[8], w[9]), w[10], w[11]));
        return plus(attended, linear(wide, w[12], w[13]));
      },
      [...inBlock.slice(8, 10), ...inBlock.slice(0, 8), ...inBlock.slice(14), ...inBlock.slice(10, 14)],
    ),
  ] satisfies LayerRow[]
).map((each) => ({ ...each, flat: ["key/bias"] }));

export const rows: readonly LayerRow[] = [
  ...inOneDimension,
  ...transposed,
  ...normalized,
  ...severalInputs,
  ...attentive,
  ...recurrentRows,
  ...activationRows,
  ...others,
];
