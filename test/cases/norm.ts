// Rows of normalisation.
import { make, type Value } from "../../src/graph/value.js";
import { batchNormOps } from "../../src/ops/batchnorm.js";
import { layerNorm } from "../../src/ops/layernorm.js";
import * as oracle from "../oracle/norm.js";
import { type Case, row } from "./case.js";

const trained = (x: Value, gamma: Value, beta: Value): Value =>
  make(batchNormOps.batchNormTrain, [x, gamma, beta], { epsilon: 1e-3 }).outputs[0];

export const normCases: readonly Case[] = [
  ...[
    [4, 1],
    [5, 3],
    [3, 4, 4],
    [2, 5, 3, 7],
    [2, 8, 9, 2],
    [7, 33],
  ].map((shape) => {
    const channels = shape.slice(-1);
    return row("batchNormTrain", [shape, channels, channels], trained, oracle.batchNorm(1e-3));
  }),
  ...[
    [4, 1],
    [2, 3, 5],
  ].map((shape) => {
    const channels = shape.slice(-1);
    return row(
      "batchNorm with moving statistics",
      [shape, channels, channels, channels, channels],
      (...inputs) => batchNormOps.batchNorm.inference?.(inputs, { momentum: 0.9, epsilon: 1e-3 }) as Value,
      oracle.batchNormOf(1e-3),
      [0.2, 2],
    );
  }),
  ...[
    [[3, 1], [1]],
    [[5, 9], [9]],
    [[2, 3, 32], [32]],
    [
      [2, 3, 4, 5],
      [4, 5],
    ],
    [
      [2, 3, 7],
      [3, 7],
    ],
  ].map(([x, gamma]) =>
    row("layerNorm", [x, gamma, gamma], (a, b, c) => layerNorm(a, b, c, 1e-3), oracle.layerNorm(1e-3)),
  ),
];
