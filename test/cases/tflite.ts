// Rows of the ops that only files of TensorFlow Lite call for: elementary functions, int32, bytes in fixed point, order and interpolation.

import { apply } from "../../src/graph/value.js";
import { cast, mul, type Value } from "../../src/index.js";
import { ceil, cos, floorMod, round, sin } from "../../src/ops/elementary.js";
import {
  integerAdd,
  integerDiv,
  integerFloorDiv,
  integerFloorMod,
  integerLess,
  integerMaximum,
  integerMinimum,
  integerMul,
  integerSub,
  logicalAnd,
  select,
} from "../../src/ops/integer.js";
import { bilinear, interpolateOps } from "../../src/ops/interpolate.js";
import { constant } from "../../src/ops/leaf.js";
import { reverseSequence, topK } from "../../src/ops/order.js";
import { dequantizeLinear, quantizeLinear } from "../../src/ops/quantized/convert.js";
import { fixedPoint, fixedPointOps } from "../../src/ops/quantized/fixedpoint.js";
import { type Array64, at, fill } from "../oracle/array.js";
import { binary } from "../oracle/ops.js";
import { type Case, row } from "./case.js";

/** A row of whole numbers, which have no gradient; what they are is said by `number`. */
const whole = (
  name: string,
  shapes: readonly (readonly number[])[],
  op: Case["op"],
  oracle: Case["oracle"],
  number: (i: number, k: number) => number = (i, k) => ((i * 7 + k * 3) % 19) - 9,
): Case => ({
  name: `${name} ${shapes.map((shape) => `[${shape}]`).join(" ")}`,
  title: name,
  inputs: shapes.map((shape, k) => {
    let i = 0;
    return { ...fill(shape, () => number(i++, k)), labels: true };
  }),
  op,
  oracle,
});

const float = (x: Value): Value => cast(x, "float32");
const map = (x: Array64, f: (v: number) => number): Array64 => ({ shape: x.shape, data: x.data.map(f) });

const pairs = [
  ["integerAdd", integerAdd, (a: number, b: number) => a + b],
  ["integerSub", integerSub, (a: number, b: number) => a - b],
  ["integerMul", integerMul, (a: number, b: number) => a * b],
  ["integerDiv", integerDiv, (a: number, b: number) => (b === 0 ? 0 : Math.trunc(a / b))],
  ["integerFloorDiv", integerFloorDiv, (a: number, b: number) => (b === 0 ? 0 : Math.floor(a / b))],
  ["integerFloorMod", integerFloorMod, (a: number, b: number) => (b === 0 ? 0 : a - Math.floor(a / b) * b)],
  ["integerMaximum", integerMaximum, Math.max],
  ["integerMinimum", integerMinimum, Math.min],
  ["integerLess", integerLess, (a: number, b: number) => Number(a < b)],
] as const;

/** Bytes with a scale of 1, so that the numbers of rows are the integers. */
const one = { scale: 1, zeroPoint: 0 };
const bytes = (x: Value): Value => quantizeLinear(float(x), one);
const back = (x: Value): Value => dequantizeLinear(x, one);
const small = (i: number, k: number): number => ((i * 37 + k * 11) % 255) - 127;

/** v times a part of [1/2, 1) to the nearest integer, ties up, then times a power of two, ties away from zero. */
function roundedTwice(v: number, factor: number): number {
  const power = Math.floor(Math.log2(factor)) + 1;
  const [left, right] = [2 ** Math.max(power, 0), 2 ** Math.max(-power, 0)];
  const first = Math.floor((v * left * factor) / 2 ** power + 0.5);
  return Math.sign(first) * Math.floor(Math.abs(first) / right + 0.5);
}

/** Between two of n elements: the oldest convention, in which positions are i n / m. */
function between(x: Array64, axis: number, m: number): Array64 {
  const n = x.shape[axis];
  return fill(
    x.shape.map((d, i) => (i === axis ? m : d)),
    (...i) => {
      const place = (i[axis] * n) / m;
      const [low, high] = [Math.floor(place), Math.min(Math.floor(place) + 1, n - 1)];
      const [a, b] = [low, high].map((k) => at(x, ...i.with(axis, k)));
      return a + (b - a) * (place - low);
    },
  );
}

const OLDEST = { alignCorners: false, halfPixelCenters: false };

export const tfliteCases: readonly Case[] = [
  row("sin", [[5, 7]], sin, (x) => map(x, Math.sin), [-20, 20]),
  row("cos", [[5, 7]], cos, (x) => map(x, Math.cos), [-20, 20]),
  row("ceil", [[5, 7]], ceil, (x) => map(x, Math.ceil), [-9, 9]),
  row("round", [[5, 7]], round, (x) => map(x, Math.round), [-9, 9]),
  row(
    "floorMod",
    [
      [3, 5, 7],
      [5, 1],
    ],
    floorMod,
    binary((a, b) => a - b * Math.floor(a / b)),
    [-9, 9],
  ),
  ...pairs.flatMap(([name, op, of]) =>
    [
      [[37], [37]],
      [
        [3, 4, 5],
        [4, 1],
      ],
    ].map((shapes) => whole(name, shapes, (a, b) => float(op(a, b)), binary(of))),
  ),
  whole(
    "logicalAnd",
    [[37], [37]],
    (a, b) => float(logicalAnd(cast(a, "bool"), cast(b, "bool"))),
    binary((a, b) => Number(a !== 0 && b !== 0)),
    (i, k) => (k === 0 ? i % 2 : Math.floor(i / 2) % 3),
  ),
  ...(["int32", "int8"] as const).map((dtype) =>
    whole(
      `select of ${dtype}`,
      [[3, 1], [5], [3, 5]],
      (c, a, b) => float(select(cast(c, "bool"), cast(a, dtype), cast(b, dtype))),
      (c, a, b) => fill([3, 5], (i, j) => (at(c, i, 0) === 0 ? at(b, i, j) : at(a, j))),
      (i, k) => (k === 0 ? i % 2 : i + 10 * k),
    ),
  ),
  ...[1, 3, 9].map((k) =>
    whole(
      `topK of ${k}`,
      [[4, 9]],
      (x) => topK(float(x), k)[0],
      (x) => fill([4, k], (i, j) => [...x.data.slice(9 * i, 9 * i + 9)].sort((a, b) => b - a)[j]),
    ),
  ),
  whole(
    "topK, where they are",
    [[4, 9]],
    (x) => float(topK(float(x), 4)[1]),
    (x) =>
      fill([4, 4], (i, j) => {
        const list = [...x.data.slice(9 * i, 9 * i + 9)];
        return [...list.keys()].sort((a, b) => list[b] - list[a] || a - b)[j];
      }),
    (i) => (i * 5) % 4,
  ),
  ...(["int32", "int8"] as const).map((dtype) =>
    whole(
      `reverseSequence of ${dtype}`,
      [[5, 3, 2]],
      (x) => {
        const lengths = constant({ data: Int32Array.of(2, 9, -1), shape: [3], dtype: "int32" });
        return float(reverseSequence(cast(x, dtype), lengths, 0, 1));
      },
      (x) => fill([5, 3, 2], (i, b, c) => at(x, i < [2, 5, 0][b] ? [2, 5, 0][b] - 1 - i : i, b, c)),
    ),
  ),
  ...[
    [4, 6],
    [3, 2],
    [7, 5],
  ].map(([h, w]) =>
    row(
      `bilinear to ${h} x ${w}`,
      [[2, 3, 4, 5]],
      (x) => bilinear(x, [h, w], OLDEST),
      (x) => between(between(x, 2, w), 1, h),
    ),
  ),
  row(
    "interpolateAt along the last axis of",
    [[3, 5]],
    (x) => {
      const places = constant({ data: Int32Array.of(0, 2, 4, 1, 3, 4), shape: [2, 3], dtype: "int32" });
      const parts = constant({ data: Float32Array.of(0.25, 0.5, 0.75), shape: [3], dtype: "float32" });
      return mul(apply(interpolateOps.interpolateAt, [x, places, parts], { axis: 1 }), 1);
    },
    (x) =>
      fill([3, 3], (i, j) => {
        const [a, b, t] = [
          [0, 1, 0.25],
          [2, 3, 0.5],
          [4, 4, 0.75],
        ][j];
        return at(x, i, a) * (1 - t) + at(x, i, b) * t;
      }),
  ),
  ...[
    [3, 0.37],
    [700, 1.9],
    [90000, 0.00101],
  ].map(([reach, factor]) =>
    whole(
      `fixedPoint times ${factor}`,
      [[53]],
      (x) => back(fixedPoint(x, factor, 5)),
      (x) => map(x, (v) => Math.min(Math.max(roundedTwice(v, factor) + 5, -128), 127)),
      (i) => Math.round((((i * 29) % 53) / 26 - 1) * reach),
    ),
  ),
  ...[
    [1, 4, 5, 3],
    [2, 3, 7, 17],
  ].map(([batch, m, n, k]) =>
    whole(
      "integerMatmul",
      [
        [batch, m, k],
        [batch, n, k],
      ],
      (a, b) => float(apply(fixedPointOps.integerMatmul, [bytes(a), bytes(b)], { aZero: 3, bZero: -7 })),
      (a, b) =>
        fill([batch, m, n], (p, i, j) =>
          Array.from({ length: k }, (_, t) => (at(a, p, i, t) - 3) * (at(b, p, j, t) + 7)).reduce((s, v) => s + v, 0),
        ),
      small,
    ),
  ),
  ...[3, 19].map((n) =>
    whole(
      "quantizedL2Normalize",
      [[5, n]],
      (x) => back(apply(fixedPointOps.quantizedL2Normalize, [bytes(x)], { zero: 4 })),
      (x) =>
        fill([5, n], (i, j) => {
          const sum = Array.from({ length: n }, (_, t) => (at(x, i, t) - 4) ** 2).reduce((s, v) => s + v, 0);
          return Math.min(Math.max(Math.round(((at(x, i, j) - 4) * 128) / Math.sqrt(Math.max(sum, 1))), -128), 127);
        }),
      (i, k) => (i < 2 * n && i >= n ? 4 : small(i, k)),
    ),
  ),
  ...[3, 8, 17].map((c) =>
    whole(
      "quantizedInterpolate",
      [[2, 3, 4, c]],
      (x) => {
        const table = (...data: number[]) =>
          constant({ data: Int32Array.from(data), shape: data.length === 6 ? [2, 3] : [3], dtype: "int32" });
        const [rows, parts] = [table(0, 1, 2, 1, 2, 9), table(0, 1024, 777)];
        return back(apply(fixedPointOps.quantizedInterpolate, [bytes(x), rows, parts, rows, parts]));
      },
      (x) =>
        fill([2, 3, 3, c], (b, i, j, k) => {
          const [s, t] = [i, j].map((place) => [0, 0.5, 777 / 2048][place]);
          const [a, d] = [i, Math.min(i + 1, 2)].map((v) => {
            const [left, right] = [at(x, b, v, j, k), at(x, b, v, j === 2 ? 3 : j + 1, k)];
            return left + (right - left) * t;
          });
          return Math.floor(a + (d - a) * s + 0.5);
        }),
      small,
    ),
  ),
];
