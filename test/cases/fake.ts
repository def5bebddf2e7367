// Rows of fake quantization: some numbers are clamped, all lie a quarter of a step from what is rounded.

import { apply } from "../../src/graph/value.js";
import { constant, reshape } from "../../src/index.js";
import { fakeQuantize, fakeQuantizeOps, pastTies, rangeQuantization } from "../../src/ops/quantized/fake.js";
import { type Array64, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/fake.js";
import type { Case } from "./case.js";

const array = (shape: readonly number[], ...values: number[]): Array64 => ({
  shape,
  data: Float64Array.from(values, Math.fround),
});

const text = (shape: readonly number[]): string => `[${shape}]`;

function quantizing(
  title: string,
  shape: readonly number[],
  scales: readonly Array64[],
  low: number,
  high: number,
): Case {
  const [scale] = scales;
  const wide = numbers(shape, 11, 1.3 * low, 1.3 * high);
  const x = {
    shape,
    data: wide.data.map((v, i) => Math.fround((Math.round(v) + 0.25) * scale.data[i % scale.data.length])),
  };
  const inputs = [x, ...scales];
  return {
    name: `${title} ${text(shape)} in [${low}, ${high}]`,
    title,
    inputs,
    op: (y, s, z) => fakeQuantize(y, z ? reshape(s, []) : s, z && reshape(z, []), { low, high }),
    oracle: oracle.fakeQuantize(inputs, low, high),
    tolerance: 5e-6,
  };
}

const ranges = [array([2], -0.7, 1.9), array([2], 0, 6), array([2], -3, 0)];

export const fakeCases: readonly Case[] = [
  ...[
    [4, 1],
    [3, 31],
    [2, 5, 7, 3],
    [70, 33],
    [2, 28, 28, 1],
    [1, 3, 16],
  ].map((shape) => quantizing("fakeQuantize", shape, [array([1], 0.037), array([1], -21)], -128, 127)),
  quantizing("fakeQuantize", [40, 6], [array([1], 0.5), array([1], 3)], 0, 15),
  ...[
    [4, 1],
    [3, 3, 5, 18],
    [35, 33],
    [16, 4],
  ].map((shape) => quantizing("fakeQuantize of channels", shape, [numbers(shape.slice(-1), 4, 0.01, 0.05)], -127, 127)),
  quantizing("fakeQuantize of channels in two axes", [3, 3, 5, 2], [numbers([10], 4, 0.01, 0.05)], -127, 127),
  {
    name: "pastTies of means of 4",
    inputs: [array([8], 1, 1.5, 0.125, 0.375, -0.125, -0.375, -0.625, -1), array([1], 0.25), array([1], 2)],
    op: (x, scale, zero) => pastTies(x, reshape(scale, []), reshape(zero, []), 4),
    oracle: (x) => ({ shape: x.shape, data: x.data.map((v) => v + (v > -0.5 ? 1 : -1) / 64) }),
  },
  ...ranges.flatMap((range): Case[] => {
    const { scale, zero } = oracle.rangeQuantization(range);
    const name = `rangeQuantization of [${[...range.data]}]`;
    return [
      { name: `${name}: scale`, inputs: [range], op: (x) => rangeQuantization(x)[0], oracle: scale },
      { name: `${name}: zero point`, inputs: [range], op: (x) => rangeQuantization(x)[1], oracle: zero },
    ];
  }),
  ...[
    [[5], []],
    [[5], [5]],
  ].map(([shape, other]): Case => {
    const [x, by] = [numbers(shape, 1), numbers(other, 2, 0.5, 9)];
    const factor = constant({ data: Float32Array.from(by.data), shape: other, dtype: "float32" });
    return {
      name: `gradScale ${text(shape)} ${text(other)}`,
      inputs: [x],
      op: (y) => apply(fakeQuantizeOps.gradScale, [y, factor]),
      oracle: oracle.gradScale(x, by),
    };
  }),
];
