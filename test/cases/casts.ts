// Rows of conversions between dtypes, and of the ops on integers and bytes: numbers come as floats and go as floats.
import { cast, gather, logicalNot, mul, type Value, where } from "../../src/index.js";
import { constant } from "../../src/ops/leaf.js";
import type { DType } from "../../src/tensor.js";
import { type Array64, at, fill } from "../oracle/array.js";
import { type Case, row } from "./case.js";

/** A number of one dtype in another, as NumPy has it; floats outside become the nearest there is. */
const convert: Record<Exclude<DType, "int16">, (v: number, from: DType) => number> = {
  float32: (v) => v,
  int32: (v) => Math.trunc(v),
  int8: (v, from) => (from === "float32" ? Math.min(Math.max(Math.trunc(v), -128), 127) : (v << 24) >> 24),
  uint8: (v, from) => (from === "float32" ? Math.min(Math.max(Math.trunc(v), 0), 255) : v & 255),
  bool: (v) => Number(v !== 0),
};
const dtypes = Object.keys(convert) as (keyof typeof convert)[];

const through =
  (...to: (keyof typeof convert)[]) =>
  (x: Array64): Array64 => ({
    shape: x.shape,
    data: x.data.map(
      (v) =>
        v *
        to.reduce(([n, from], dtype) => [convert[dtype](n, from), dtype] as const, [v, "float32" as DType] as const)[0],
    ),
  });

export const casts: readonly Case[] = [
  ...dtypes.flatMap((from) =>
    dtypes
      .filter((to) => to !== from)
      .map((to) =>
        row(
          `cast from ${from} to ${to}, times`,
          [[7, 5]],
          (x) => mul(x, cast(cast(cast(x, from), to), "float32")),
          through(from, to),
          [-400, 400],
        ),
      ),
  ),
  row(
    "logicalNot, times",
    [[3, 7]],
    (x) => mul(x, cast(logicalNot(cast(cast(x, "int32"), "bool")), "float32")),
    ({ shape, data }) => ({ shape, data: data.map((v) => (Math.trunc(v) === 0 ? v : 0)) }),
    [-2, 2],
  ),
  row(
    "gather of bytes, as a condition of",
    [
      [4, 7],
      [4, 7],
    ],
    (x, y) => {
      const rows = constant({ data: Int32Array.of(3, 0, 2, 9), shape: [4], dtype: "int32" });
      return where(gather(cast(cast(x, "int32"), "bool"), rows) as Value, y, 0);
    },
    (x, y) => fill([4, 7], (i, j) => (i < 3 && Math.trunc(at(x, [3, 0, 2][i], j)) !== 0 ? at(y, i, j) : 0)),
    [-2, 2],
  ),
];
