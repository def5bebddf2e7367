// Rows of images that are moved, turned and stretched: the maps from given numbers, and the images read by them.

import { apply, type Value } from "../../src/graph/value.js";
import { cast, mul } from "../../src/index.js";
import { affineOps } from "../../src/ops/affine.js";
import { type Motion, type Reading, transform } from "../oracle/affine.js";
import { type Array64, numbers } from "../oracle/array.js";
import type { Case } from "./case.js";

/** The numbers drawn, in 64ths, which float32 has exactly. */
const PARTS = 64;

function moved(shape: readonly number[], motion: Motion, reading: Reading, drawn: readonly number[]): Case {
  const op = (x: Value, i: Value): Value => {
    const u = mul(cast(i, "float32"), 1 / PARTS);
    const maps = apply(affineOps.affineMaps, [u], { ...motion, size: shape.slice(1, 3) });
    return apply(affineOps.affine, [x, maps], { ...reading });
  };
  const oracle = transform(motion, reading);
  const { kind } = motion;
  const { interpolation, fillMode, size } = reading;
  return {
    name: `affine ${kind} ${interpolation} ${fillMode} to [${size}] of [${shape}] at [${drawn}]`,
    title: "affine",
    inputs: [
      numbers(shape, shape.length + drawn.length),
      { shape: [shape[0], 2], data: Float64Array.from(drawn), labels: true },
    ],
    op,
    oracle: (x: Array64, i: Array64) => oracle(x, { shape: i.shape, data: i.data.map((v) => v / PARTS) }),
    tolerance: 1e-5, // positions of a few pixels, in float32
  };
}

const fills = ["constant", "nearest", "reflect", "wrap"] as const;
const interpolations = ["nearest", "bilinear"] as const;
const whole: Reading = { interpolation: "nearest", fillMode: "nearest", fillValue: 0, size: [5, 6] };

export const affineCases: readonly Case[] = [
  ...(["mirror", "shift"] as const).map((kind) =>
    moved([4, 5, 6, 3], { kind, rows: [-1, 1], columns: [-1, 1] }, whole, [0, 0, 0, 63, 63, 0, 63, 63]),
  ),
  moved([1, 5, 6, 1], { kind: "mirror", rows: [1, 1], columns: [-1, 1] }, whole, [5, 31]),
  // The largest number drawn still leaves the part within the image.
  moved(
    [3, 7, 9, 2],
    { kind: "crop", rows: [0, 4], columns: [0, 6] },
    { ...whole, size: [4, 4] },
    [0, 0, 63, 63, 30, 11],
  ),
  ...fills.flatMap((fillMode) =>
    interpolations.flatMap((interpolation) => {
      const how: Reading = { interpolation, fillMode, fillValue: -0.5, size: [5, 7] };
      return [
        moved([3, 5, 7, 3], { kind: "shift", rows: [-11.3, 12.2], columns: [-20, 17.4] }, how, [3, 60, 31, 17, 50, 36]),
        moved([2, 5, 7, 5], { kind: "turn", rows: [-0.95, 1.02], columns: [0, 0] }, how, [5, 0, 61, 0]),
        moved([2, 5, 7, 1], { kind: "zoom", rows: [0.3, 2.1], columns: [0.2, 3] }, how, [7, 50, 63, 20]),
      ];
    }),
  ),
  ...[0, 13, 21, 29, 37, 45, 53, 62].map((i) =>
    moved(
      [1, 6, 4, 4],
      { kind: "turn", rows: [-2, 2], columns: [0, 0] },
      { ...whole, interpolation: "bilinear", size: [6, 4] },
      [i, 0],
    ),
  ),
  moved(
    [2, 4, 5, 2],
    { kind: "zoomEvenly", rows: [0.5, 1.7], columns: [1, 1] },
    { ...whole, interpolation: "bilinear", size: [4, 5] },
    [9, 0, 55, 0],
  ),
  moved([0, 4, 5, 2], { kind: "zoomEvenly", rows: [0.5, 1.7], columns: [1, 1] }, { ...whole, size: [4, 5] }, []),
];
