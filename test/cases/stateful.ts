// Rows of integer ops with states: how they are in memory and in all builds. Random shapes are in test/kernels/stateful.test.ts.
import { cast, concat, constant, reshape, type Value } from "../../src/index.js";
import { int16Dequantize, int16Quantize } from "../../src/ops/int16/convert.js";
import { lstmFactors, quantizedLstm } from "../../src/ops/quantized/lstm.js";
import { multiplierOf } from "../../src/ops/quantized/multiplier.js";
import { scaleRatio } from "../../src/ops/quantized/quantization.js";
import { quantizedSvdf } from "../../src/ops/quantized/svdf.js";
import { type Array64, fill, numbers } from "../oracle/array.js";
import { type Cell, type Factor, type Gate, step, svdf } from "../oracle/stateful.js";
import type { Case } from "./case.js";

const { fround } = Math;
const input = { scale: fround(0.0157), zeroPoint: -3 };
const quantization = { scale: fround(0.0081), zeroPoint: 5 };
const hidden = { scale: fround(0.0075), zeroPoint: -9 };

const whole = (shape: readonly number[], seed: number, most = 127): Array64 => {
  const x = numbers(shape, seed, -most - 0.4, most + 0.4);
  return { ...x, data: x.data.map(Math.round) };
};
const labels = (shape: readonly number[], seed: number) => ({ ...whole(shape, seed), labels: true });
const arrays = { int8: Int8Array, int16: Int16Array, int32: Int32Array } as const;
const value = ({ shape, data }: Array64, dtype: keyof typeof arrays): Value =>
  constant({ data: arrays[dtype].from(data), shape, dtype });
const rows = ({ shape: [count, n], data }: Array64): number[][] =>
  Array.from({ length: count }, (_, i) => [...data.slice(i * n, (i + 1) * n)]);

const ONE = { scale: 1, zeroPoint: 0 };
const to = (x: Value, dtype: "int8" | "int16"): Value =>
  dtype === "int8" ? cast(x, dtype) : int16Quantize(cast(x, "float32"), ONE);
const from = (x: Value): Value => (x.dtype === "int16" ? int16Dequantize(x, ONE) : cast(x, "float32"));

function lstm([batch, steps, k, n, m]: readonly [number, number, number, number, number], isNormed: boolean): Case {
  const isProjected = n !== m;
  const [w, u, bias] = [whole([4 * n, k], 1), whole([4 * n, m], 2), whole([4, n], 3, 9000)];
  const [peephole, norm] = [whole([3, n], 4, 32767), whole([4, n], 5, 20000)];
  const [p, pBias] = [whole([m, n], 6), whole([m], 7, 3000)];
  const four = (scale: number) => Array<number>(4).fill(fround(scale));
  const how = {
    ...{ isCoupled: false, input, quantization, hidden: isProjected ? hidden : quantization, w: four(0.0061) },
    ...{ u: four(0.0093), gates: four(isNormed ? 0.0003 : 2 ** -12), norm: isNormed ? four(0.00004) : [] },
    ...{ peephole: isProjected ? [] : four(0.00003).slice(1), projection: fround(0.0077), cells: 2 ** -11 },
    ...{ clip: 4, projectionClip: 0 },
  };
  const given = [...(isProjected ? [] : ["peephole"]), ...(isNormed ? ["norm"] : []), ...(isProjected ? ["projection", "projectionBias"] : [])]; // biome-ignore format: one row
  const title = `quantizedLstm ${given.join(" ")}`;
  return {
    name: `${title} [${[batch, steps, k, n, m]}]`,
    title,
    inputs: [labels([batch, steps, k], 11), labels([batch, m], 12), labels([batch, n], 13)],
    op: (x, h0, c0) => {
      const { y, c } = quantizedLstm(
        {
          ...{ x: cast(x, "int8"), h0: cast(h0, "int8"), c0: to(c0, "int16"), w: value(w, "int8") },
          ...{ u: value(u, "int8"), bias: value(bias, "int32"), norm: isNormed ? value(norm, "int16") : undefined },
          peephole: isProjected ? undefined : value(peephole, "int16"),
          projection: isProjected ? value(p, "int8") : undefined,
          projectionBias: isProjected ? value(pBias, "int32") : undefined,
        },
        how,
      );
      return concat([reshape(cast(y, "float32"), [batch, steps * m]), from(c)], 1);
    },
    oracle: (x, h0, c0) => {
      const factors = lstmFactors({ ...how, given: given as never });
      const pair = (at: number): Factor => [factors[at], factors[at + 1]];
      const gate = (g: number): Gate => ({
        ...{ w: rows(w).slice(g * n, (g + 1) * n), u: rows(u).slice(g * n, (g + 1) * n), bias: rows(bias)[g] },
        peephole: isProjected || g === 2 ? undefined : rows(peephole)[g === 3 ? 2 : g],
        norm: isNormed ? rows(norm)[g] : undefined,
        factors: { w: pair(9 * g), u: pair(9 * g + 2), peephole: pair(9 * g + 4), norm: pair(9 * g + 6), least: factors[9 * g + 8] }, // biome-ignore format: one row
      });
      const cell: Cell = {
        gates: [gate(0), gate(1), gate(2), gate(3)],
        ...{ inputZero: input.zeroPoint, stateZero: quantization.zeroPoint, hiddenZero: how.hidden.zeroPoint },
        ...{ hidden: pair(36), exponent: -11, clip: 4 * 2 ** 11, projectionClip: 0 },
        projection: isProjected ? { rows: rows(p), bias: pBias.data, factor: pair(39) } : undefined,
      };
      const made = Array.from({ length: batch }, (_, b) => {
        let [h, c] = [[...h0.data.slice(b * m, (b + 1) * m)], [...c0.data.slice(b * n, (b + 1) * n)]];
        const all = Array.from({ length: steps }, (_, t) => {
          const at = (b * steps + t) * k;
          ({ h, c } = step(cell, x.data.slice(at, at + k), h, c));
          return h;
        });
        return [...all.flat(), ...c];
      });
      return fill([batch, steps * m + n], (b, j) => made[b][j]);
    },
    tolerance: 0,
  };
}

function ofSvdf(dtype: "int8" | "int16"): Case {
  const [batch, k, units, rank, steps] = [2, 19, 3, 2, 5];
  const [filters, most] = [units * rank, dtype === "int8" ? 127 : 32767];
  const [w, t, bias] = [whole([filters, k], 1), whole([filters, steps], 2, most), whole([units], 3, 4000)];
  const state = { scale: fround(dtype === "int8" ? 0.031 : 0.00021), zeroPoint: dtype === "int8" ? 4 : 0 };
  const how = { rank, input, state, quantization, w: fround(0.0087), t: fround(dtype === "int8" ? 0.0079 : 0.00003) };
  return {
    name: `quantizedSvdf ${dtype}`,
    title: `quantizedSvdf ${dtype}`,
    inputs: [labels([batch, k], 21), labels([batch, filters * steps], 22)],
    op: (x, before) => {
      const weights = { w: value(w, "int8"), t: value(t, dtype), bias: value(bias, "int32") };
      const { y, next } = quantizedSvdf({ x: cast(x, "int8"), state: to(before, dtype), ...weights }, how);
      return concat([cast(y, "float32"), from(next)], 1);
    },
    oracle: (x, before) => {
      const of = {
        ...{ rank, w: rows(w), t: rows(t), bias: bias.data, bits: dtype === "int8" ? (8 as const) : (16 as const) },
        ...{ inputZero: input.zeroPoint, stateZero: state.zeroPoint, outputZero: quantization.zeroPoint },
        feature: multiplierOf(scaleRatio(input.scale, how.w, state.scale), "test"),
        output: multiplierOf(scaleRatio(state.scale, how.t, quantization.scale), "test"),
      };
      const made = rows(x).map((row, b) => {
        const own = {
          shape: [filters, steps],
          data: before.data.slice(b * filters * steps, (b + 1) * filters * steps),
        };
        const { y, state: next } = svdf(of, row, rows(own));
        return [...y, ...next.flat()];
      });
      return fill([batch, units + filters * steps], (b, j) => made[b][j]);
    },
    tolerance: 0,
  };
}

export const statefulCases: readonly Case[] = [
  lstm([1, 3, 4, 8, 8], false),
  lstm([2, 2, 17, 11, 11], true),
  lstm([2, 3, 5, 9, 6], false),
  lstm([1, 2, 33, 4, 20], true),
  ofSvdf("int16"),
  ofSvdf("int8"),
];
