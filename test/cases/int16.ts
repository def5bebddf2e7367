// Rows of ops with activations of 16 bits: floats go in, are quantized, and what comes out goes back to floats.
import type { Quantization } from "../../src/graph/attrs.js";
import { constant, type Value } from "../../src/index.js";
import {
  int16Add,
  int16LeakyRelu,
  int16Maximum,
  int16Minimum,
  int16Mul,
  int16Sub,
} from "../../src/ops/int16/arithmetic.js";
import { int16Conv2d, int16Dense } from "../../src/ops/int16/conv2d.js";
import { int16Dequantize, int16Quantize, int16Requantize } from "../../src/ops/int16/convert.js";
import { int16DepthwiseConv2d } from "../../src/ops/int16/depthwise.js";
import { int16Function, int16Softmax } from "../../src/ops/int16/function.js";
import { int16AvgPool2d, int16MaxPool2d, int16Mean } from "../../src/ops/int16/pool.js";
import { int16Conv2dTranspose } from "../../src/ops/int16/transposed.js";
import { sizeOf } from "../../src/shape.js";
import { type Array64, at, fill, numbers } from "../oracle/array.js";
import { added, clamp16, fixedOf, nearestAway, rounded, scaled, shiftAway, shiftUp } from "../oracle/int16.js";
import * as windows from "../oracle/window.js";
import { type Case, row as rowOf } from "./case.js";

const { fround } = Math;
const scale = (scale: number): Quantization => ({ scale, zeroPoint: 0 });
const input = scale(2 ** -12);
const other = scale(fround(0.00021));
const quantization = scale(fround(0.00073));
/** Of functions within [-1, 1]. */
const fraction = scale(2 ** -15);
const RANGE: [number, number] = [-7.9, 7.9];

/** Numbers a quarter of a step from what is rounded, so that the oracle is flat around them. */
const row = (...given: Parameters<typeof rowOf>): Case => {
  const made = rowOf(...given);
  const snapped = made.inputs.map(({ shape, data }, i) => {
    const step = (i === 0 ? input : other).scale;
    return { shape, data: data.map((v) => fround((Math.round(v / step) + 0.25) * step)) };
  });
  return { ...made, inputs: snapped };
};

const integers = ({ shape, data }: Array64, { scale }: Quantization): Array64 => ({
  shape,
  data: data.map((v) => Math.min(Math.max(Math.round(fround(v / scale)), -32768), 32767)),
});

const results = ({ shape, data }: Array64, f: (v: number, i: number) => number, to = quantization): Array64 => ({
  shape,
  data: data.map((v, i) => fround(f(v, i) * to.scale)),
});

/** An op on integers as one on floats. */
const through =
  (op: (x: Value) => Value, to = quantization) =>
  (x: Value): Value =>
    int16Dequantize(op(int16Quantize(x, input)), to);

const pairwise = (op: (a: Value, b: Value) => Value) => (a: Value, b: Value) =>
  int16Dequantize(op(int16Quantize(a, input), int16Quantize(b, other)), quantization);

/** Weights of n outputs with scales and a bias of one word or two, and what a sum becomes. */
function layer(shape: readonly number[], n: number, rounding: "up" | "away" | "fixed", long = false) {
  const whole = numbers(shape, 3, -127.4, 127.4).data.map(Math.round);
  const kernel: Array64 = { shape, data: whole };
  const terms = Math.max(1, sizeOf(shape) / n);
  const scales = Float32Array.from(numbers([n], 4, 0.4, 1).data, (v) => (v * 0.05) / Math.sqrt(terms));
  const biases = [...numbers([n], 5, -9e5, 9e5).data].map((v) => BigInt(Math.round(v)) * (long ? 40000n : 1n));
  const words = long ? [...biases.map((v) => BigInt.asIntN(32, v)), ...biases.map((v) => v >> 32n)] : biases;
  const bias = { data: Int32Array.from(words, Number), shape: long ? [2, n] : [n], dtype: "int32" } as const;
  return {
    kernel,
    values: () =>
      [
        constant({ data: Int8Array.from(whole), shape, dtype: "int8" }),
        constant({ data: scales, shape: [n], dtype: "float32" }),
      ] as const,
    options: () => ({ input, quantization, rounding, bias: constant(bias) }),
    finish: (sums: Array64, low = -32768, high = 32767) =>
      results(sums, (sum, i) => {
        const total = BigInt(sum) + biases[i % n];
        return rounded(rounding, total, [input.scale, scales[i % n], quantization.scale], low, high);
      }),
  };
}

const text = (value: unknown): string => JSON.stringify(value).replaceAll('"', "");

const convs = [
  { x: [1, 5, 7, 3], f: [3, 3, 3, 9], strides: [2, 2], padding: "same" },
  { x: [2, 6, 6, 5], f: [3, 2, 5, 8], strides: [1, 1], padding: "valid" },
  { x: [1, 8, 7, 3], f: [3, 2, 3, 4], strides: [1, 1], padding: "same", dilations: [3, 2] },
  { x: [2, 4, 4, 5], f: [1, 1, 5, 17], strides: [1, 1], padding: "valid" },
  { x: [2, 6, 5, 4], f: [3, 3, 2, 6], strides: [1, 1], padding: "same", groups: 2 },
  { x: [1, 3, 3, 80], f: [3, 3, 80, 8], strides: [1, 1], padding: "same" },
] as const;

const depthwises = [
  { x: [2, 6, 7, 3], f: [3, 3, 3, 1], strides: [1, 1], padding: "same" },
  { x: [1, 7, 9, 17], f: [3, 3, 17, 1], strides: [2, 2], padding: "same" },
  { x: [1, 6, 6, 2], f: [3, 3, 2, 4], strides: [1, 1], padding: "same" },
  { x: [1, 9, 9, 4], f: [2, 3, 4, 1], strides: [1, 1], padding: "valid", dilations: [2, 2] },
] as const;

/** Transposed convolutions; `cut` is what is cut off before. */
const transposed = [
  { x: [1, 1, 5, 6], f: [3, 4, 6, 3], strides: [1, 2], padding: "valid", size: [3, 12], cut: [0, 0] },
  { x: [2, 3, 4, 3], f: [3, 3, 3, 9], strides: [2, 2], padding: "same", size: [6, 8], cut: [0, 0] },
  { x: [1, 4, 3, 2], f: [5, 4, 2, 3], strides: [1, 1], padding: "same", size: [4, 3], cut: [2, 1] },
  { x: [1, 3, 3, 2], f: [1, 2, 2, 3], strides: [3, 2], padding: "valid", size: [9, 7], cut: [0, 0] },
] as const;

const pairs = [
  [[4], [4]],
  [
    [3, 5, 7],
    [3, 5, 7],
  ],
  [[2, 5, 3], [3]],
] as const;

export const int16Cases: readonly Case[] = [
  row(
    "int16Quantize",
    [[3, 37]],
    through((x) => x, input),
    (x) => results(integers(x, input), (v) => v, input),
    [-9, 9],
  ),
  ...convs.map(({ x, f, ...options }, i) => {
    const made = layer(f, f[3], (["up", "fixed", "away"] as const)[i % 3], i % 2 === 0);
    const [low, high] = [
      [-32768, 32767],
      [0, 32767],
      [-9000, 6000],
    ][i % 3];
    return row(
      `int16Conv2d ${text(options)} f=${text(f)}`,
      [x],
      through((a) => int16Conv2d(a, ...made.values(), { ...options, ...made.options(), low, high })),
      (a) => made.finish(windows.conv2d(options)(integers(a, input), made.kernel), low, high),
      RANGE,
    );
  }),
  ...depthwises.map(({ x, f, ...options }, i) => {
    const made = layer(f, f[2] * f[3], (["up", "fixed"] as const)[i % 2]);
    return row(
      `int16DepthwiseConv2d ${text(options)} f=${text(f)}`,
      [x],
      through((a) => int16DepthwiseConv2d(a, ...made.values(), { ...options, ...made.options() })),
      (a) => made.finish(windows.depthwiseConv2d(options)(integers(a, input), made.kernel)),
      RANGE,
    );
  }),
  ...transposed.map(({ x, f, cut, ...options }) => {
    const made = layer(f, f[3], "up");
    return row(
      `int16Conv2dTranspose ${text(options)} f=${text(f)}`,
      [x],
      through((a) => int16Conv2dTranspose(a, ...made.values(), { ...options, ...made.options() })),
      (a) => {
        const turned = fill([f[0], f[1], f[3], f[2]], (u, v, n, c) => at(made.kernel, u, v, c, n));
        const { strides, size: out } = options;
        const sums = windows.conv2dTranspose({ strides, out, cut })(integers(a, input), turned);
        return made.finish(sums);
      },
      RANGE,
    );
  }),
  ...[
    [1, 40],
    [3, 7],
    [2, 3, 16],
  ].map((shape) => {
    const k = shape.at(-1) as number;
    const made = layer([k, 11], 11, "away");
    return row(
      "int16Dense",
      [shape],
      through((a) => int16Dense(a, ...made.values(), made.options())),
      (a) => {
        const x = integers(a, input);
        const sums = fill([sizeOf(shape) / k, 11], (i, j) =>
          Array.from({ length: k }, (_, t) => x.data[i * k + t] * made.kernel.data[t * 11 + j]).reduce(
            (s, v) => s + v,
            0,
          ),
        );
        return made.finish({ shape: [...shape.slice(0, -1), 11], data: sums.data });
      },
      RANGE,
    );
  }),
  ...pairs.flatMap((shapes) =>
    (
      [
        ["int16Add", int16Add, 1],
        ["int16Sub", int16Sub, -1],
      ] as const
    ).map(([name, op, sign]) =>
      row(
        name,
        shapes,
        pairwise((a, b) => op(a, b, { a: input, b: other, quantization, low: -9000 })),
        (a, b) => {
          const [p, q] = [integers(a, input), integers(b, other)];
          const scales = [input.scale, other.scale, quantization.scale] as const;
          return fill(a.shape, (...i) =>
            fround(clamp16(added(at(p, ...i), at(q, ...i), scales, sign), -9000) * quantization.scale),
          );
        },
        RANGE,
      ),
    ),
  ),
  row(
    "int16Add of powers of two",
    [[5, 7]],
    (a) => {
      const [x, y] = [int16Quantize(a, input), int16Quantize(a, input)];
      const options = { a: input, b: scale(2 ** -15), quantization: input, powerOfTwo: true };
      return int16Dequantize(int16Add(x, y, options), input);
    },
    (a) =>
      results(
        integers(a, input),
        (v) => Math.min(Math.max(v + Math.sign(v) * Math.round(Math.abs(v) / 8), -32768), 32767),
        input,
      ),
    RANGE,
  ),
  row(
    "int16Mul",
    [
      [3, 7],
      [3, 1],
    ],
    pairwise((a, b) => int16Mul(a, b, { a: input, b: other, quantization })),
    (a, b) => {
      const [p, q] = [integers(a, input), integers(b, other)];
      const factor = fround(fround(input.scale * other.scale) / quantization.scale);
      return fill(a.shape, (...i) =>
        fround(clamp16(scaled(BigInt(at(p, ...i) * at(q, ...i)), factor)) * quantization.scale),
      );
    },
    RANGE,
  ),
  ...(
    [
      ["int16Maximum", int16Maximum, Math.max],
      ["int16Minimum", int16Minimum, Math.min],
    ] as const
  ).map(([name, op, of]) =>
    row(
      name,
      [
        [3, 7],
        [3, 1],
      ],
      pairwise(op),
      (a, b) => {
        const [p, q] = [integers(a, input), integers(b, other)];
        return fill(a.shape, (...i) => fround(of(at(p, ...i), at(q, ...i)) * quantization.scale));
      },
      RANGE,
    ),
  ),
  row(
    "int16LeakyRelu",
    [[5, 9]],
    through((x) => int16LeakyRelu(x, { input, quantization, negativeSlope: 0.3 })),
    (x) => {
      const above = fround(input.scale / quantization.scale);
      const below = fround(fround(input.scale * fround(0.3)) / quantization.scale);
      return results(integers(x, input), (v) => clamp16(scaled(BigInt(v), v < 0 ? below : above)));
    },
    RANGE,
  ),
  ...(["int8", "int16", "int32"] as const).map((dtype) =>
    row(
      `int16Requantize by way of ${dtype}`,
      [[5, 9]],
      through((x) => {
        const there = { input, quantization: { scale: quantization.scale * 64, zeroPoint: dtype === "int8" ? 9 : 0 } };
        const y = int16Requantize(x, { ...there, dtype, low: -5000, high: 7000 });
        return int16Requantize(y, { input: there.quantization, quantization });
      }),
      (x) => {
        const zero = dtype === "int8" ? 9n : 0n;
        const middle = fround(quantization.scale * 64);
        const [least, most] = { int8: [-128, 127], int16: [-5000, 7000], int32: [-(2 ** 31), 2 ** 31 - 1] }[dtype];
        return results(integers(x, input), (v) => {
          const made = clamp16(scaled(BigInt(v), input.scale / middle) + zero, least, most);
          return clamp16(scaled(BigInt(made) - zero, middle / quantization.scale));
        });
      },
      RANGE,
    ),
  ),
  ...[
    { x: [2, 6, 6, 3], size: [2, 2], strides: [2, 2], padding: "valid" },
    { x: [1, 7, 5, 9], size: [3, 3], strides: [2, 2], padding: "same" },
  ].flatMap(({ x, size: [kh, kw], strides: [sh, sw], padding }) => {
    const options = { strides: [sh, sw], padding: padding as "same" } as const;
    return [
      row(
        `int16AvgPool2d ${kh}x${kw} ${text(options)}`,
        [x],
        through((a) => int16AvgPool2d(a, [kh, kw], { ...options, quantization: input }), input),
        (a) => {
          const ones = { shape: a.shape, data: a.data.map(() => 1) };
          const filter = { shape: [kh, kw, x[3], 1], data: new Float64Array(kh * kw * x[3]).fill(1) };
          const [sums, counts] = [integers(a, input), ones].map((v) => windows.depthwiseConv2d(options)(v, filter));
          return results(sums, (sum, i) => nearestAway(sum / counts.data[i]), input);
        },
        RANGE,
      ),
      row(
        `int16MaxPool2d ${kh}x${kw} ${text(options)}`,
        [x],
        through((a) => int16MaxPool2d(a, [kh, kw], { ...options, quantization: input }), input),
        (a) => results(windows.maxPool2d([kh, kw], options)(integers(a, input)), (v) => v, input),
        RANGE,
      ),
    ];
  }),
  ...[[1, 2], [0, 2], [2]].map((axes) =>
    row(
      `int16Mean over ${axes} of`,
      [[2, 5, 3, 4]],
      through((x) => int16Mean(x, { axes, input, quantization })),
      (x) => {
        const kept = [0, 1, 2, 3].filter((axis) => !axes.includes(axis));
        const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
        const sums = new Map<number, number>();
        const ints = integers(x, input);
        fill(x.shape, (...index) => {
          const to = kept.reduce((flat, axis) => flat * x.shape[axis] + index[axis], 0);
          sums.set(to, (sums.get(to) ?? 0) + at(ints, ...index));
          return 0;
        });
        // The factor's 31 bits divided by the count, as far as they last.
        const { multiplier, shift } = fixedOf(input.scale / quantization.scale);
        const by = BigInt(Math.floor(Math.log2(count)));
        const factor = Number((multiplier << by) / BigInt(count));
        const data = Float64Array.from([...sums.values()], (sum) => {
          const high = shiftUp(BigInt(sum) * BigInt(factor), 31n);
          return fround(clamp16(shiftAway(high, by - shift)) * quantization.scale);
        });
        return { shape: kept.map((axis) => x.shape[axis]), data };
      },
      RANGE,
    ),
  ),
  ...(
    [
      ["sigmoid", (v) => 1 / (1 + Math.exp(-v))],
      ["tanh", Math.tanh],
    ] as ["sigmoid" | "tanh", (v: number) => number][]
  ).map(([name, f]) => ({
    ...row(
      `int16Function ${name}`,
      [[7, 11]],
      through((x) => int16Function(x, name, input), fraction),
      (x) => results(integers(x, input), (v) => f(v * input.scale) * 32768, fraction),
      RANGE,
    ),
    tolerance: 3 / 32768,
  })),
  {
    ...row(
      "int16Softmax",
      [[4, 10]],
      through((x) => int16Softmax(x, { input }), fraction),
      (x) => {
        const logits = integers(x, input);
        return fill(x.shape, (i, j) => {
          const e = Array.from({ length: 10 }, (_, k) => Math.exp(at(logits, i, k) * input.scale));
          return e[j] / e.reduce((s, v) => s + v, 0);
        });
      },
      RANGE,
    ),
    tolerance: 8 / 32768,
  },
];
