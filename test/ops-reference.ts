// The operators of ../shared/reference/ops as functions of Values: inputs by name in, results by name out.
import type { Value } from "../src/graph/value.js";
import { remake, rewrite } from "../src/graph/walk.js";
import * as lw from "../src/index.js";
import { batchNormOps } from "../src/ops/batchnorm.js";
import { cellOps } from "../src/ops/cells.js";
import { depthwiseConv2d } from "../src/ops/depthwise.js";
import { layerNorm } from "../src/ops/layernorm.js";
import { isState } from "../src/ops/leaf.js";
import { avgPool2d, maxPool2d } from "../src/ops/pool.js";
import { applyCell } from "../src/ops/recurrent.js";
import type { Padding, Pair } from "../src/ops/window.js";
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  type Loss,
  meanAbsoluteError,
  sparseCategoricalCrossentropy,
} from "../src/train/index.js";

type Values = Record<string, Value>;
// biome-ignore lint/suspicious/noExplicitAny: the attributes are JSON of as many shapes as there are operators
type Attrs = Record<string, any>;
type Run = (inputs: Values, attrs: Attrs) => Values;

const { constant, tensor } = lw;
const filled = (shape: readonly number[], x: number): Value =>
  constant(tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(x), [...shape]));
const biased = (y: Value, b: Value | undefined): Values => ({ y: b ? lw.add(y, b) : y });
const unary =
  (f: (x: Value) => Value): Run =>
  ({ x }) => ({ y: f(x) });
const loss =
  (of: Loss): Run =>
  ({ x, labels }) => ({ y: lw.mean(of.of(labels, x)) });

/** PyTorch's pooling pads both sides alike and may round the number of windows up. */
const padding = ({ padding: given, torch_padding: torch }: Attrs): Padding =>
  given ?? (torch.map((n: number) => [n, n]) as [Pair, Pair]);

/** What a layer makes of its input, with weights of ours for its own, in the order in which it runs. */
const replaced = (y: Value, weights: readonly Value[]): Value => {
  const given = [...weights];
  const graph = { inputs: [], outputs: [y], effects: [] };
  return rewrite(graph, (node, inputs) => (isState(node.outputs[0]) ? [given.shift() as Value] : remake(node, inputs)))
    .outputs[0];
};

/** Steps times a kernel, plus the bias. */
const projected = (x: Value, kernel: Value, bias: Value): Value => lw.add(lw.matmul(x, kernel), bias);
const usual = { activation: "tanh", recurrentActivation: "sigmoid" } as const;
/** A sequence of one step, and the step. */
const sequence = (x: Value): Value => lw.expandDims(x, 1);
const only = (y: Value): Value => lw.squeeze(y, 1);
/** The last step of a sequence. */
const last = (y: Value): Value => only(lw.stridedSlice(y, [null, -1], []));

export const operators: Record<string, Run> = {
  attention({ q, k, v, mask }, { heads, head_dim: d, causal: isCausal }) {
    const [a, b, c] = [q, k, v].map((x) => lw.reshape(x, [-1, x.shape[1], heads, d]));
    return { y: lw.reshape(lw.scaledDotProductAttention(a, b, c, { isCausal, mask }), q.shape) };
  },
  avg_pool1d: ({ x }, a) => ({
    y: lw.averagePooling1d(a.pool_size, { strides: a.strides, padding: a.padding })(x),
  }),
  avg_pool2d: ({ x }, a) => ({
    y: avgPool2d(x, a.pool_size, a.strides, padding(a), {
      countIncludePad: a.count_include_pad ?? false,
      ceilMode: a.ceil_mode ?? false,
    }),
  }),
  batch_norm({ x, gamma, beta, moving_mean, moving_variance }, { momentum, epsilon }) {
    const inputs = [x, gamma, beta, moving_mean, moving_variance];
    const trained = batchNormOps.batchNorm.training?.(inputs, { momentum, epsilon });
    const [mean, variance] = trained?.updates?.map(([, next]) => next) ?? [];
    return { y: trained?.value as Value, new_moving_mean: mean, new_moving_variance: variance };
  },
  binary_crossentropy: loss(binaryCrossentropy({ fromLogits: true })),
  categorical_crossentropy: loss(categoricalCrossentropy({ fromLogits: true })),
  conv1d({ x, w, b }, { strides, padding, dilation: dilationRate, groups }) {
    const layer = lw.conv1d(w.shape[2], w.shape[0], { strides, padding, dilationRate, groups });
    return { y: replaced(layer(x), [w, b]) };
  },
  conv2d: ({ x, w, b }, a) =>
    biased(
      lw.convolution2d(x, w, { strides: a.strides, padding: a.padding, dilations: a.dilation, groups: a.groups }),
      b,
    ),
  conv2d_transpose: ({ x, w, b }, { strides, padding }) =>
    biased(lw.convolution2dTranspose(x, w, { strides, padding }), b),
  dense: ({ x, w, b }) => biased(lw.matmul(x, w), b),
  depthwise_conv2d: ({ x, w, b }, a) =>
    biased(depthwiseConv2d(x, w, { strides: a.strides, padding: a.padding, dilations: a.dilation }), b),
  elu: unary((x) => lw.elu(x)),
  embedding: ({ table, ids }) => ({ y: lw.gather(table, ids) }),
  gelu_erf: unary((x) => lw.gelu(x)),
  gelu_tanh: unary((x) => lw.gelu(x, { approximate: true })),
  global_max_pool2d: ({ x }) => ({ y: lw.globalMaxPooling2d()(x) }),
  group_norm: ({ x, gamma, beta }, { groups, epsilon }) => ({
    y: replaced(lw.groupNormalization({ groups, epsilon })(x), [gamma, beta]),
  }),
  gru_cell({ x, h: h0, kernel, recurrent_kernel: u, bias }, { units, reset_after: resetAfter }) {
    const [given, own] = resetAfter ? lw.unstack(bias, 0) : [bias];
    const gates = own && lw.pad(lw.slice(own, [0], [2 * units]), [[0, units]]);
    const z = projected(sequence(x), kernel, gates ? lw.add(given, gates) : given);
    const of = { bias: own && lw.slice(own, [2 * units], [units]), h0 };
    return { y: only(applyCell(cellOps.gru, z, u, of, { ...usual, resetAfter })[1]) };
  },
  hard_sigmoid: unary(lw.hardSigmoid),
  hard_swish: unary(lw.hardSilu),
  layer_norm({ x, gamma, beta }, { epsilon }) {
    return { y: layerNorm(x, gamma, beta ?? filled(gamma.shape, 0), epsilon) };
  },
  leaky_relu_0_2: unary((x) => lw.leakyRelu(x, { negativeSlope: 0.2 })),
  lstm({ x, kernel, recurrent_kernel: u, bias }) {
    const [, y, cells] = applyCell(cellOps.lstm, projected(lw.flip(x, 1), kernel, bias), u, {}, usual);
    return { sequence: y, h: last(y), c: last(cells) };
  },
  lstm_cell({ x, h: h0, c: c0, kernel, recurrent_kernel: u, bias }) {
    const [, h, c] = applyCell(cellOps.lstm, projected(sequence(x), kernel, bias), u, { h0, c0 }, usual);
    return { h: only(h), c: only(c) };
  },
  log_softmax: unary((x) => lw.logSoftmax(x)),
  matmul: ({ a, b }, { transpose_a, transpose_b }) => ({
    y: lw.matmul(a, b, { transposeA: transpose_a, transposeB: transpose_b }),
  }),
  max_pool2d: ({ x }, a) => ({ y: maxPool2d(x, a.pool_size, a.strides, padding(a), a.ceil_mode ?? false) }),
  mean_absolute_error: loss(meanAbsoluteError()),
  mish: unary(lw.mish),
  reduce_logsumexp: ({ x }, { axes, keepdims }) => ({ y: lw.logSumExp(x, axes, { keepDims: keepdims }) }),
  reduce_mean: ({ x }, { axes, keepdims }) => ({ y: lw.mean(x, axes, { keepDims: keepdims }) }),
  reduce_sum: ({ x }, { axes, keepdims }) => ({ y: lw.sum(x, axes, { keepDims: keepdims }) }),
  // pixel centers at halves, as the reference: other conventions have no attribute to ask for them
  resize: ({ x }, { size, interpolation, align_corners: corners = false, antialias = false }) => {
    if (corners || antialias) throw new Error("resize has neither aligned corners nor antialiasing");
    return { y: lw.resize(x, size, { interpolation }) };
  },
  multi_head_attention({ x, wq, bq, wk, bk, wv, bv, wo, bo }, { heads, causal: useCausalMask }) {
    const d = x.shape[2] / heads;
    const y = lw.multiHeadAttention(heads, d)(x, x, x, { useCausalMask });
    const inner = [x.shape[2], heads, d];
    const shaped = [wq, bq, wk, bk, wv, bv].map((w) => lw.reshape(w, w.shape.length > 1 ? inner : inner.slice(1)));
    return { y: replaced(y, [...shaped, lw.reshape(wo, [heads, d, x.shape[2]]), bo]) };
  },
  rms_norm: ({ x, gamma }, { epsilon }) => ({ y: replaced(lw.rmsNormalization({ epsilon })(x), [gamma]) }),
  silu: unary(lw.silu),
  simple_rnn: ({ x, kernel, recurrent_kernel: u, bias }) => ({
    y: applyCell(cellOps.simpleRNN, projected(x, kernel, bias), u, {}, usual)[0],
  }),
  softmax: unary(lw.softmax),
  sparse_categorical_crossentropy: loss(sparseCategoricalCrossentropy({ fromLogits: true })),
  tanh: unary(lw.tanh),
};
