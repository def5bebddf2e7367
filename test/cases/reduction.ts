// Rows of the table for reductions and scans. No two elements are equal, so that extrema have no ties.
import {
  all,
  any,
  argMin,
  cast,
  cumsum,
  gather,
  greater,
  logSumExp,
  max,
  min,
  mul,
  norm,
  prod,
  std,
  type Value,
  variance,
} from "../../src/index.js";
import { type Array64, at, fill } from "../oracle/array.js";
import * as oracle from "../oracle/reduction.js";
import { type Case, row } from "./case.js";

type Reduction = (x: Value, axes?: readonly number[], options?: { keepDims?: boolean }) => Value;

const reductions: [name: string, op: Reduction, of: (elements: number[]) => number, range?: [number, number]][] = [
  ["max", max, (list) => Math.max(...list)],
  ["min", min, (list) => Math.min(...list)],
  ["prod", prod, oracle.product, [0.8, 1.3]],
  ["variance", variance, oracle.variance],
  ["std", std, (list) => Math.sqrt(oracle.variance(list))],
  ["logSumExp", logSumExp, oracle.logSumExp, [-20, 20]],
  ["norm", norm, oracle.l2],
  ["norm 1", (x, axes, options) => norm(x, axes, { ...options, ord: 1 }), oracle.l1],
  [
    "norm Infinity",
    (x, axes, options) => norm(x, axes, { ...options, ord: Number.POSITIVE_INFINITY }),
    oracle.largestMagnitude,
  ],
];

const axesLists = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]];

const times = (a: Array64, b: Array64): Array64 => fill(a.shape, (...i) => at(a, ...i) * at(b, ...i));

export const reductionCases: readonly Case[] = [
  ...reductions.flatMap(([name, op, of, range]) => [
    ...axesLists.map((axes) => ({
      ...row(`${name} over ${axes} of`, [[3, 5, 4]], (x) => op(x, axes), oracle.reduce(axes, of), range),
      tolerance: 4e-6,
    })),
    {
      ...row(`${name} kept, of`, [[2, 37]], (x) => op(x, [1], { keepDims: true }), oracle.reduce([1], of, true), range),
      tolerance: 4e-6,
    },
    { ...row(`${name} of columns of`, [[19, 5]], (x) => op(x, [0]), oracle.reduce([0], of), range), tolerance: 4e-6 },
  ]),
  row(
    "prod with a zero of",
    [[2, 7], [7]],
    (x, mask) => prod(mul(x, mul(mask, cast(greater(mask, 0), "float32"))), [1]),
    (x, mask) =>
      oracle.reduce(
        [1],
        oracle.product,
      )({ shape: x.shape, data: x.data.map((v, i) => v * Math.max(mask.data[i % 7], 0)) }),
  ),
  ...[0, 1, 2].flatMap((axis) =>
    [false, true].flatMap((reverse) =>
      [false, true].map((exclusive) =>
        row(
          `cumsum ${axis} ${reverse ? "reverse " : ""}${exclusive ? "exclusive " : ""}of`,
          [[3, 5, 6]],
          (x) => cumsum(x, axis, { reverse, exclusive }),
          oracle.cumsum(axis, { reverse, exclusive }),
        ),
      ),
    ),
  ),
  row(
    "argMin, gathered, of",
    [[9]],
    (x) => gather(x, argMin(x, 0)),
    oracle.reduce([0], (list) => Math.min(...list)),
  ),
  ...[[1], [0, 2], [0, 1, 2]].flatMap((axes) => [
    row(
      `any over ${axes}, times`,
      [[3, 5, 2]],
      (x) => mul(x, cast(any(greater(x, 0.6), axes, { keepDims: true }), "float32")),
      (x) => times(x, oracle.reduce(axes, (list) => Number(list.some((v) => v > 0.6)), true)(x)),
    ),
    row(
      `all over ${axes}, times`,
      [[3, 5, 2]],
      (x) => mul(x, cast(all(greater(x, -0.6), axes, { keepDims: true }), "float32")),
      (x) => times(x, oracle.reduce(axes, (list) => Number(list.every((v) => v > -0.6)), true)(x)),
    ),
  ]),
];
