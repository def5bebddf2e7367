// Rows of int8 ops: floats go in, are quantized, and what comes out goes back to floats. No gradient flows through integers.
import type { Quantization } from "../../src/graph/attrs.js";
import { constant, mul, type Value } from "../../src/index.js";
import { quantizedAdd, quantizedMul, quantizedSub } from "../../src/ops/quantized/arithmetic.js";
import { quantizedConv2d, quantizedDense } from "../../src/ops/quantized/conv2d.js";
import {
  asQuantized,
  dequantizeLinear,
  quantizedFunction,
  quantizedSoftmax,
  quantizeLinear,
  requantize,
} from "../../src/ops/quantized/convert.js";
import { quantizedDepthwiseConv2d } from "../../src/ops/quantized/depthwise.js";
import { dynamicDense, weightOnlyDense } from "../../src/ops/quantized/hybrid.js";
import { quantizedAvgPool2d, quantizedMaxPool2d, quantizedMean } from "../../src/ops/quantized/pool.js";
import { quantizedConv2dTranspose } from "../../src/ops/quantized/transposed.js";
import { sizeOf } from "../../src/shape.js";
import { type Array64, at, fill, numbers } from "../oracle/array.js";
import { clamp, dequantize, factorOf, nearestEven, requantized } from "../oracle/quantized.js";
import * as windows from "../oracle/window.js";
import { type Case, row as rowOf } from "./case.js";

const input: Quantization = { scale: 2 ** -5, zeroPoint: -11 };
const other: Quantization = { scale: Math.fround(0.021), zeroPoint: 6 };
const quantization: Quantization = { scale: Math.fround(0.073), zeroPoint: 21 };

/** Numbers a quarter of a step from what is rounded, so that the oracle is flat around them. */
const row = (...given: Parameters<typeof rowOf>): Case => {
  const made = rowOf(...given);
  const snapped = made.inputs.map(({ shape, data }, i) => {
    const { scale } = i === 0 ? input : other;
    return { shape, data: data.map((v) => Math.fround((Math.round(v / scale) + 0.25) * scale)) };
  });
  return { ...made, inputs: snapped };
};

/** Numbers as the integers that stand for them, without their zero point. */
const integers = ({ shape, data }: Array64, { scale, zeroPoint }: Quantization): Array64 => ({
  shape,
  data: data.map((v) => clamp(nearestEven(Math.fround(v * Math.fround(1 / scale))) + zeroPoint, -128, 127) - zeroPoint),
});

const results = ({ shape, data }: Array64, f: (sum: number, i: number) => number): Array64 => ({
  shape,
  data: data.map((v, i) => dequantize(f(v, i), quantization)),
});

/** An op on integers as one on floats. */
const through =
  (op: (x: Value) => Value, to = quantization) =>
  (x: Value): Value =>
    dequantizeLinear(op(quantizeLinear(x, input)), to);

const typed = (shape: readonly number[], seed: number) => {
  const whole = numbers(shape, seed, -127.4, 127.4).data.map(Math.round);
  const data = Int8Array.from(whole);
  return { array: { shape, data: whole }, value: () => constant({ data, shape, dtype: "int8" }) };
};

/** Weights of n outputs with scales and a bias, and what a sum becomes. */
function layer(shape: readonly number[], n: number, low = -128, high = 127) {
  const kernel = typed(shape, 3);
  const terms = sizeOf(shape) / n;
  const scale = Float32Array.from(numbers([n], 4, 0.4, 1).data, (v) => (v * 0.05) / Math.sqrt(terms));
  const bias = Int32Array.from(numbers([n], 5, -900, 900).data);
  const value = (data: Float32Array | Int32Array) =>
    constant({ data, shape: [n], dtype: data instanceof Float32Array ? "float32" : "int32" });
  return {
    kernel,
    values: () => [kernel.value(), value(scale)] as const,
    bias: () => value(bias),
    finish: (sums: Array64, withBias = true) =>
      results(sums, (sum, i) => {
        const k = i % n;
        const factor = factorOf(input.scale, scale[k], quantization.scale);
        return requantized(sum + (withBias ? bias[k] : 0), factor, quantization.zeroPoint, low, high);
      }),
  };
}

const text = (value: unknown): string => JSON.stringify(value).replaceAll('"', "");
const RANGE: [number, number] = [-4.45, 4.45];

const convs = [
  { x: [1, 5, 7, 3], f: [3, 3, 3, 9], strides: [2, 2], padding: "same" },
  { x: [2, 6, 6, 5], f: [3, 2, 5, 8], strides: [1, 1], padding: "valid" },
  { x: [1, 8, 9, 1], f: [5, 4, 1, 3], strides: [1, 2], padding: "same" },
  { x: [1, 8, 7, 3], f: [3, 2, 3, 4], strides: [1, 1], padding: "same", dilations: [3, 2] },
  { x: [2, 4, 4, 5], f: [1, 1, 5, 17], strides: [1, 1], padding: "valid" },
  { x: [1, 4, 4, 12], f: [1, 1, 12, 10], strides: [2, 2], padding: "valid" },
  { x: [2, 6, 5, 4], f: [3, 3, 2, 6], strides: [1, 1], padding: "same", groups: 2 },
  { x: [2, 5, 4, 5], f: [3, 3, 5, 9], strides: [1, 1], padding: "same", kernelZero: -9 },
  { x: [1, 3, 3, 8], f: [3, 3, 8, 8], strides: [1, 1], padding: "valid" },
  { x: [1, 4, 3, 16], f: [3, 3, 16, 16], strides: [1, 1], padding: "same" },
] as const;

const depthwises = [
  { x: [2, 6, 7, 3], f: [3, 3, 3, 1], strides: [1, 1], padding: "same" },
  { x: [1, 7, 9, 17], f: [3, 3, 17, 1], strides: [2, 2], padding: "same" },
  { x: [1, 6, 6, 8], f: [2, 5, 8, 1], strides: [1, 1], padding: "valid" },
  { x: [1, 6, 6, 2], f: [3, 3, 2, 4], strides: [1, 1], padding: "same" },
  { x: [1, 9, 9, 4], f: [3, 3, 4, 1], strides: [1, 1], padding: "same", dilations: [2, 2] },
] as const;

/** Transposed convolutions; `cut` is what is cut off before. */
const transposed = [
  { x: [1, 1, 5, 6], f: [3, 4, 6, 3], strides: [1, 2], padding: "valid", size: [3, 12], cut: [0, 0] },
  { x: [2, 3, 4, 3], f: [3, 3, 3, 9], strides: [2, 2], padding: "same", size: [6, 8], cut: [0, 0] },
  { x: [1, 4, 3, 8], f: [3, 3, 8, 3], strides: [1, 1], padding: "same", size: [4, 3], cut: [1, 1] },
  { x: [1, 3, 3, 2], f: [1, 2, 2, 3], strides: [3, 2], padding: "valid", size: [9, 7], cut: [0, 0] },
  {
    x: [1, 3, 4, 2],
    f: [5, 3, 2, 3],
    strides: [2, 3],
    padding: [
      [4, 2],
      [1, 1],
    ],
    size: [3, 10],
    cut: [4, 1],
  },
] as const;

const pools = [
  { x: [2, 6, 6, 3], size: [2, 2], strides: [2, 2], padding: "valid" },
  { x: [1, 7, 5, 17], size: [3, 3], strides: [2, 2], padding: "same" },
  { x: [2, 5, 3, 9], size: [5, 3], strides: [1, 1], padding: "valid" },
] as const;

const pairs = [
  [[4], [4]],
  [
    [3, 5, 7],
    [3, 5, 7],
  ],
  [[2, 5, 3], [3]],
  [
    [2, 5, 3],
    [2, 1, 1],
  ],
] as const;

const mean = (x: Array64, axes: readonly number[]): Array64 => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const sums = fill(
    kept.map((i) => x.shape[i]),
    () => 0,
  );
  fill(x.shape, (...index) => {
    const to = kept.reduce((flat, i) => flat * x.shape[i] + index[i], 0);
    sums.data[to] += at(x, ...index);
    return 0;
  });
  return sums;
};

export const quantizedCases: readonly Case[] = [
  row(
    "quantizeLinear",
    [[3, 37]],
    through((x) => x, input),
    (x) => ({
      shape: x.shape,
      data: integers(x, input).data.map((v) => dequantize(v + input.zeroPoint, input)),
    }),
    RANGE,
  ),
  ...convs.map(({ x, f, ...options }, i) => {
    const [low, high] = [
      [-128, 127],
      [quantization.zeroPoint, 127],
      [-90, 60],
    ][i % 3];
    const { kernel, values, bias, finish } = layer(f, f[3], low, high);
    const zero = "kernelZero" in options ? options.kernelZero : 0;
    const weights = { shape: f, data: kernel.array.data.map((v) => v - zero) };
    return row(
      `quantizedConv2d ${text(options)} f=${text(f)}`,
      [x],
      through((a) => quantizedConv2d(a, ...values(), { ...options, input, quantization, bias: bias(), low, high })),
      (a) => finish(windows.conv2d(options)(integers(a, input), weights)),
      RANGE,
    );
  }),
  ...depthwises.map(({ x, f, ...options }) => {
    const { kernel, values, bias, finish } = layer(f, f[2] * f[3]);
    return row(
      `quantizedDepthwiseConv2d ${text(options)} f=${text(f)}`,
      [x],
      through((a) => quantizedDepthwiseConv2d(a, ...values(), { ...options, input, quantization, bias: bias() })),
      (a) => finish(windows.depthwiseConv2d(options)(integers(a, input), kernel.array)),
      RANGE,
    );
  }),
  ...transposed.map(({ x, f, cut, ...options }) => {
    const { kernel, values, bias, finish } = layer(f, f[3]);
    return row(
      `quantizedConv2dTranspose ${text(options)} f=${text(f)}`,
      [x],
      through((a) => quantizedConv2dTranspose(a, ...values(), { ...options, input, quantization, bias: bias() })),
      (a) => {
        const turned = fill([f[0], f[1], f[3], f[2]], (u, v, n, c) => at(kernel.array, u, v, c, n));
        const { strides, size: out } = options;
        return finish(windows.conv2dTranspose({ strides, out, cut })(integers(a, input), turned));
      },
      RANGE,
    );
  }),
  ...[
    { shape: [1, 40], n: 43 },
    { shape: [3, 7], n: 11 },
    { shape: [2, 3, 16], n: 11 },
  ].map(({ shape, n }) => {
    const k = shape.at(-1) as number;
    const { kernel, values, finish } = layer([k, n], n);
    return row(
      "quantizedDense",
      [shape],
      through((a) => quantizedDense(a, ...values(), { input, quantization })),
      (a) => {
        const x = integers(a, input);
        const sums = fill([sizeOf(shape) / k, n], (i, j) =>
          Array.from({ length: k }, (_, t) => x.data[i * k + t] * kernel.array.data[t * n + j]).reduce(
            (s, v) => s + v,
            0,
          ),
        );
        return finish({ shape: [...shape.slice(0, -1), n], data: sums.data }, false);
      },
      RANGE,
    );
  }),
  ...(
    [
      [[1, 40], 11],
      [[6, 37], 41],
      [[2, 3, 16], 8],
      [[1, 5], 3],
    ] as const
  ).flatMap(([shape, n], i) => {
    const k = shape[shape.length - 1];
    const { kernel, values } = layer([k, n], n);
    const scales = () => values()[1].node.data?.data as Float32Array;
    const biases = Float32Array.from(numbers([n], 6).data);
    const bias = i === 1 ? undefined : () => constant({ data: biases, shape: [n], dtype: "float32" });
    const [low, high] = i % 2 === 0 ? [0, 1.5] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    /** What a row of floats becomes before sums, and what sums are multiplied by. */
    const dense = (of: (row: number[]) => [number[], number]) => (a: Array64) => {
      const x = integers(a, input).data.map((v) => v * input.scale);
      const { data } = fill([sizeOf(shape) / k, n], (r, c) => {
        const [terms, factor] = of([...x.subarray(r * k, (r + 1) * k)]);
        const sum = terms.reduce((total, v, t) => total + v * kernel.array.data[t * n + c], 0);
        return clamp(sum * factor * scales()[c] + (bias ? biases[c] : 0), low, high);
      });
      return { shape: [...shape.slice(0, -1), n], data };
    };
    const floats = (x: Value) => dequantizeLinear(quantizeLinear(x, input), input);
    const options = () => ({ low, high, bias: bias?.() });
    return [
      row(
        "weightOnlyDense",
        [shape],
        (x) => weightOnlyDense(floats(x), ...values(), options()),
        dense((given) => [given, 1]),
        RANGE,
      ),
      row(
        "dynamicDense",
        [shape],
        (x) => dynamicDense(floats(x), ...values(), options()),
        dense((given) => {
          const largest = Math.max(...given.map(Math.abs));
          return [given.map((v) => nearestEven(Math.fround(v * Math.fround(127 / largest)))), largest / 127];
        }),
        RANGE,
      ),
    ];
  }),
  ...pools.flatMap(({ x, size, ...options }) => [
    row(
      `quantizedAvgPool2d ${text(size)} ${text(options)}`,
      [x],
      through((a) => quantizedAvgPool2d(a, size, { ...options, quantization: input }), input),
      (a) => {
        const ints = { shape: a.shape, data: integers(a, input).data.map((v) => v + input.zeroPoint) };
        const ones = { shape: a.shape, data: a.data.map(() => 1) };
        const filter = { shape: [...size, x[3], 1], data: new Float64Array(sizeOf(size) * x[3]).fill(1) };
        const [sums, counts] = [ints, ones].map((each) => windows.depthwiseConv2d(options)(each, filter));
        const data = sums.data.map((sum, i) => {
          const half = Math.floor(counts.data[i] / 2);
          return dequantize(Math.trunc((sum < 0 ? sum - half : sum + half) / counts.data[i]), input);
        });
        return { shape: sums.shape, data };
      },
      RANGE,
    ),
    row(
      `quantizedMaxPool2d ${text(size)} ${text(options)}`,
      [x],
      through((a) => quantizedMaxPool2d(a, size, { ...options, quantization: input }), input),
      (a) => {
        const largest = windows.maxPool2d(size, options)(integers(a, input));
        return { shape: largest.shape, data: largest.data.map((v) => v * input.scale) };
      },
      RANGE,
    ),
  ]),
  ...[[1, 2], [0, 2], [2]].map((axes) =>
    row(
      `quantizedMean over ${axes} of`,
      [[2, 5, 3, 4]],
      through((x) => quantizedMean(x, { axes, input, quantization })),
      (x) => {
        const count = sizeOf(axes.map((axis) => x.shape[axis]));
        const factor = Math.fround(input.scale / Math.fround(quantization.scale * count));
        return results(mean(integers(x, input), axes), (sum) => requantized(sum, factor, quantization.zeroPoint));
      },
      RANGE,
    ),
  ),
  ...pairs.flatMap((shapes) =>
    (
      [
        ["quantizedAdd", quantizedAdd, 1],
        ["quantizedSub", quantizedSub, -1],
      ] as const
    ).map(([name, op, sign]) =>
      row(
        name,
        shapes,
        (a, b) =>
          dequantizeLinear(
            op(quantizeLinear(a, input), quantizeLinear(b, other), { a: input, b: other, quantization }),
            quantization,
          ),
        (a, b) => {
          const [p, q] = [integers(a, input), integers(b, other)];
          // The larger factor, 0.43, has 21 bits over 2^22.
          const [fa, fb] = [input, other].map(({ scale }) =>
            nearestEven(Math.fround(scale / quantization.scale) * 2 ** 22),
          );
          const sums = fill(a.shape, (...i) => at(p, ...i) * fa + sign * at(q, ...i) * fb + 2 ** 21);
          return results(sums, (sum) => clamp(Math.floor(sum / 2 ** 22) + quantization.zeroPoint, -128, 127));
        },
        RANGE,
      ),
    ),
  ),
  row(
    "quantizedMul",
    [
      [3, 7],
      [3, 1],
    ],
    (a, b) =>
      dequantizeLinear(
        quantizedMul(quantizeLinear(a, input), quantizeLinear(b, other), { a: input, b: other, quantization }),
        quantization,
      ),
    (a, b) => {
      const [p, q] = [integers(a, input), integers(b, other)];
      const products = fill(a.shape, (...i) => at(p, ...i) * at(q, ...i));
      const factor = factorOf(input.scale, other.scale, quantization.scale);
      return results(products, (v) => requantized(v, factor, quantization.zeroPoint));
    },
    RANGE,
  ),
  row(
    "requantize",
    [[5, 9]],
    through((x) => asQuantized(requantize(x, { input, quantization, low: -50, high: 70 }), quantization)),
    (x) => {
      const factor = Math.fround(input.scale / quantization.scale);
      return results(integers(x, input), (v) => requantized(v, factor, quantization.zeroPoint, -50, 70));
    },
    RANGE,
  ),
  ...(
    [
      ["sigmoid", (v) => 1 / (1 + Math.exp(-v))],
      ["tanh", Math.tanh],
      ["elu", (v) => (v > 0 ? v : Math.expm1(v))],
    ] as ["sigmoid" | "tanh" | "elu", (v: number) => number][]
  ).map(([name, f]) =>
    row(
      `quantizedFunction ${name}`,
      [[7, 11]],
      through((x) => quantizedFunction(x, name, { input, quantization })),
      (x) =>
        results(integers(x, input), (v) =>
          clamp(nearestEven(f(v * input.scale) / quantization.scale) + quantization.zeroPoint, -128, 127),
        ),
      RANGE,
    ),
  ),
  row(
    "quantizedSoftmax",
    [[4, 10]],
    (x) => {
      const scores = quantizedSoftmax(quantizeLinear(x, input), {
        input,
        quantization: { scale: 2 ** -8, zeroPoint: -128 },
      });
      return mul(dequantizeLinear(scores, { scale: 2 ** -8, zeroPoint: -128 }), 1);
    },
    (x) => {
      const logits = integers(x, input);
      return fill(x.shape, (i, j) => {
        const row = Array.from({ length: 10 }, (_, k) => Math.exp(at(logits, i, k) * input.scale));
        return Math.min(Math.floor((row[j] / row.reduce((s, v) => s + v, 0)) * 256 + 0.5), 255) / 256;
      });
    },
    RANGE,
  ),
];
