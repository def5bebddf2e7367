// Elementwise functions, comparisons, and what is made of them.
import * as lanewise from "../../src/index.js";
import { clip, gelu, greater, logSoftmax, maximum, minimum, pow, type Value, where } from "../../src/index.js";
import { at, fill } from "../oracle/array.js";
import { functions, logSoftmax as logSoftmaxOracle, map } from "../oracle/elementwise.js";
import { binary } from "../oracle/ops.js";
import { type Case, row } from "./case.js";

const positive = new Set(["log", "log1p", "sqrt", "rsqrt"]);
const op = (name: string): ((x: Value) => Value) =>
  name === "geluTanh"
    ? (x) => gelu(x, { approximate: true })
    : (lanewise as unknown as Record<string, (x: Value) => Value>)[name];

export const elementwise: readonly Case[] = [
  ...Object.entries(functions).flatMap(([name, f]) =>
    [[1], [37], [3, 4, 5]].map((shape) =>
      row(name, [shape], op(name), map(f), positive.has(name) ? [0.1, 4] : [-4, 4]),
    ),
  ),
  row(
    "clip",
    [[5, 9]],
    (x) => clip(x, -0.5, 0.25),
    map((x) => Math.min(Math.max(x, -0.5), 0.25)),
  ),
  ...[
    [
      [4, 5],
      [4, 5],
    ],
    [
      [3, 1, 4],
      [2, 1],
    ],
    [[6], []],
  ].flatMap((shapes) => [
    row("maximum", shapes, maximum, binary(Math.max)),
    row("minimum", shapes, minimum, binary(Math.min)),
    row(
      "pow",
      shapes,
      pow,
      binary((a, b) => a ** b),
      [0.3, 3],
    ),
  ]),
  row(
    "where",
    [[4, 5], [5], [4, 1]],
    (c, a, b) => where(greater(c, 0), a, b),
    (c, a, b) => fill([4, 5], (i, j) => (at(c, i, j) > 0 ? at(a, i, j) : at(b, i, j))),
  ),
  row(
    "where by a row",
    [[5], [4, 5]],
    (c, a) => where(greater(c, 0), a, 0),
    (c, a) => fill([4, 5], (i, j) => (at(c, i, j) > 0 ? at(a, i, j) : 0)),
  ),
  ...[
    [1, 1],
    [4, 10],
    [3, 2, 33],
  ].map((shape) => row("logSoftmax", [shape], logSoftmax, logSoftmaxOracle, [-6, 6])),
];
