// Rows of TensorFlow Lite's LSTM and of products with int8 rows: each part that there may be, and sizes around those of tiles and vectors.
// They have no gradient: arguments are whole numbers, 512 of them to 1.
import { add, cast, concat, constant, mul, reshape, type Value } from "../../src/index.js";
import { lstmProjected } from "../../src/ops/lstmp.js";
import { hybridDense } from "../../src/ops/rows.js";
import { type Array64, fill, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/lstmp.js";
import type { Case } from "./case.js";

const whole = (shape: readonly number[], seed: number) => {
  const x = numbers(shape, seed, -512, 512);
  return { ...x, data: x.data.map(Math.round), labels: true };
};
const real = (x: Value): Value => mul(cast(x, "float32"), 1 / 512);
const real64 = ({ shape, data }: Array64): Array64 => ({ shape, data: data.map((v) => v / 512) });

const float = (x: Array64): Value => constant({ data: Float32Array.from(x.data), shape: x.shape, dtype: "float32" });

/** int8 weights with a scale for each row. */
function int8(rows: number, columns: number, seed: number, asymmetric: boolean) {
  const w = numbers([rows, columns], seed, -127.4, 127.4);
  const rounded = { shape: w.shape, data: w.data.map(Math.round) };
  const scale = numbers([rows], seed + 1, 0.002, 0.008);
  return {
    array: { rows: rounded, scale, asymmetric },
    kernel: () => constant({ data: Int8Array.from(rounded.data), shape: w.shape, dtype: "int8" }),
    scale: () => float(scale),
  };
}

interface Setting {
  /** Of sequences, steps, cells, states. */
  readonly sizes: readonly [number, number, number, number];
  readonly isCoupled?: boolean;
  readonly peephole?: boolean;
  readonly norm?: boolean;
  readonly projection?: boolean;
  readonly int8?: boolean;
  readonly isAsymmetric?: boolean;
  readonly clip?: number;
  readonly projectionClip?: number;
  readonly activation?: "linear" | "tanh" | "relu";
}

function cell(setting: Setting): Case {
  const { sizes: [batch, steps, n, m], isCoupled = false, isAsymmetric = false, clip = 0, projectionClip = 0, activation = "tanh" } = setting; // biome-ignore format: short
  const gates = isCoupled ? 3 : 4;
  const more = { isCoupled, isAsymmetric, clip, projectionClip, activation };
  const floats: Record<string, Array64> = {
    ...(setting.peephole && { peephole: numbers([gates - 1, n], 11) }),
    ...(setting.norm && { norm: numbers([gates, n], 12), bias: numbers([gates, n], 13) }),
    ...(setting.projection && { projectionBias: numbers([m], 14) }),
  };
  const u = setting.int8 ? int8(gates * n, m, 15, isAsymmetric) : numbers([m, gates * n], 15, -0.5, 0.5);
  const p = setting.int8 ? int8(m, n, 17, isAsymmetric) : numbers([n, m], 17, -0.5, 0.5);
  const given = Object.entries(setting).flatMap(([key, v]) =>
    v && key !== "sizes" ? [v === true ? key : `${key} ${v}`] : [],
  );
  const title = ["lstmProjected", ...given].join(" ");
  return {
    name: `${title} [${setting.sizes}]`,
    title,
    inputs: [whole([batch, steps, gates * n], 3), whole([batch, m], 4), whole([batch, n], 5)],
    op: (z, h0, c0) => {
      const values = Object.fromEntries(Object.entries(floats).map(([key, x]) => [key, float(x)]));
      const weights = "kernel" in u ? { u: u.kernel(), uScale: u.scale() } : { u: float(u) };
      const projection = !setting.projection
        ? {}
        : "kernel" in p
          ? { projection: p.kernel(), projectionScale: p.scale() }
          : { projection: float(p) };
      const parts = { z: real(z), h0: real(h0), c0: real(c0), ...weights, ...values, ...projection };
      const { y, c } = lstmProjected(parts, more);
      return concat([reshape(y, [batch, steps * m]), c], 1);
    },
    oracle: (z, h0, c0) => {
      const projection = setting.projection && { projection: "kernel" in p ? p.array : p };
      const parts = { z: real64(z), h0: real64(h0), c0: real64(c0), u: "kernel" in u ? u.array : u, ...floats };
      const { y, c } = oracle.lstmProjected({ ...parts, ...projection } as oracle.Parts, more);
      const width = steps * m;
      return fill([batch, width + n], (b, j) => (j < width ? y.data[b * width + j] : c.data[b * n + j - width]));
    },
    tolerance: 5e-6,
  };
}

const dense = (rows: number, k: number, n: number, isAsymmetric: boolean, hasBias: boolean): Case => {
  const [w, bias] = [int8(n, k, 21, isAsymmetric), numbers([n], 23)];
  const title = `hybridDense${isAsymmetric ? " asymmetric" : ""}${hasBias ? " with bias" : ""}`;
  return {
    name: `${title} [${rows},${k},${n}]`,
    title,
    inputs: [whole([rows, k], 7)],
    op: (x) => hybridDense(real(x), w.kernel(), w.scale(), { bias: hasBias ? float(bias) : undefined, isAsymmetric }),
    oracle: (x) => {
      const row = (i: number) => Array.from(x.data.slice(i * k, (i + 1) * k), (v) => v / 512);
      const made = Array.from({ length: rows }, (_, i) => oracle.hybrid(row(i), w.array));
      return fill([rows, n], (i, j) => made[i][j] + (hasBias ? bias.data[j] : 0));
    },
  };
};

const sizes = [
  [1, 1, 1, 1],
  [1, 3, 4, 4],
  [2, 2, 17, 17],
  [3, 3, 5, 5],
] as const;

export const lstmProjectedCases: readonly Case[] = [
  ...[false, true].flatMap((isInt8) => [
    ...sizes.map((each) => cell({ sizes: each, int8: isInt8 })),
    ...[
      { isCoupled: true },
      { peephole: true },
      { peephole: true, isCoupled: true },
      { norm: true },
      { norm: true, peephole: true, isCoupled: true },
      { clip: 0.25 },
      { activation: "relu" as const },
      { activation: "linear" as const, clip: 0.75 },
      ...(isInt8 ? [{ isAsymmetric: true }] : []),
    ].map((setting) => cell({ sizes: [2, 4, 9, 9], int8: isInt8, ...setting })),
    ...(
      [
        [1, 3, 5, 2],
        [2, 3, 4, 9],
        [3, 2, 18, 16],
      ] as const
    ).map((each) => cell({ sizes: each, int8: isInt8, projection: true })),
    cell({ sizes: [2, 3, 7, 4], int8: isInt8, projection: true, projectionClip: 0.5, isAsymmetric: isInt8 }),
    cell({ sizes: [2, 3, 6, 5], int8: isInt8, projection: true, norm: true, peephole: true, clip: 0.5 }),
  ]),
  ...[false, true].flatMap((asymmetric) => [
    dense(1, 1, 1, asymmetric, false),
    dense(3, 16, 4, asymmetric, true),
    dense(2, 37, 11, asymmetric, true),
    dense(2, 5, 7, asymmetric, false),
  ]),
  {
    ...dense(1, 3, 2, true, false),
    name: "hybridDense of what is not negative [1,3,2]",
    inputs: [{ shape: [1, 3], data: Float64Array.of(0, 300, 512), labels: true }],
  },
  {
    ...dense(2, 3, 2, true, true),
    name: "hybridDense asymmetric of zeros, and of one sign [2,3,2]",
    inputs: [{ shape: [2, 3], data: Float64Array.of(0, 0, 0, -3, -400, -17), labels: true }],
  },
].map((each) => ({ ...each, op: (...values: Value[]) => add(each.op(...values), 0) }));
