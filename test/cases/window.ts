// Rows of convolutions and pooling.
import { convolution2d } from "../../src/ops/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { convolution2dTranspose } from "../../src/ops/transposed.js";
import * as oracle from "../oracle/window.js";
import { type Case, row } from "./case.js";

const convs = [
  { x: [2, 7, 6, 3], f: [3, 3, 3, 4], strides: [1, 1], padding: "valid" },
  { x: [1, 5, 7, 3], f: [3, 3, 3, 8], strides: [2, 2], padding: "same" },
  { x: [2, 6, 6, 2], f: [3, 3, 2, 9], strides: [1, 1], padding: "same" },
  { x: [1, 8, 9, 1], f: [5, 5, 1, 3], strides: [2, 2], padding: "same" },
  { x: [1, 9, 8, 2], f: [2, 3, 2, 5], strides: [3, 2], padding: "valid" },
  { x: [1, 9, 9, 2], f: [3, 3, 2, 4], strides: [1, 1], padding: "valid", dilations: [2, 2] },
  { x: [1, 8, 7, 3], f: [3, 2, 3, 4], strides: [1, 1], padding: "same", dilations: [3, 2] },
  { x: [1, 4, 4, 5], f: [1, 1, 5, 17], strides: [1, 1], padding: "valid" },
  { x: [1, 5, 5, 2], f: [1, 1, 2, 3], strides: [2, 2], padding: "same" },
  { x: [1, 3, 4, 32], f: [2, 2, 32, 16], strides: [1, 1], padding: "valid" }, // the filter gradient reads x channels first
  { x: [1, 3, 3, 4], f: [4, 4, 4, 2], strides: [1, 1], padding: "same" },
  {
    x: [1, 6, 5, 3],
    f: [3, 3, 3, 4],
    strides: [2, 2],
    padding: [
      [1, 2],
      [0, 3],
    ],
  },
  {
    x: [1, 3, 4, 2],
    f: [1, 1, 2, 3],
    strides: [1, 2],
    padding: [
      [2, 1],
      [3, 2],
    ],
  },
  { x: [2, 6, 5, 4], f: [3, 3, 2, 6], strides: [1, 1], padding: "same", groups: 2 },
  { x: [1, 7, 6, 9], f: [3, 2, 3, 12], strides: [2, 1], padding: "valid", groups: 3 },
  { x: [1, 5, 5, 6], f: [2, 2, 2, 27], strides: [1, 2], padding: "same", dilations: [2, 1], groups: 3 },
  { x: [2, 3, 3, 6], f: [1, 1, 3, 4], strides: [1, 1], padding: "valid", groups: 2 },
  { x: [1, 5, 5, 5], f: [3, 3, 1, 5], strides: [1, 1], padding: "same", groups: 5 },
  { x: [1, 5, 4, 3], f: [2, 3, 1, 6], strides: [2, 1], padding: "same", groups: 3 },
] as const;

/** Large enough for Winograd's method, in the gradients too; some tiles reach beyond the image. */
const winograds = [
  { x: [1, 6, 6, 9], f: [3, 3, 9, 10], strides: [1, 1], padding: "valid" },
  { x: [1, 4, 4, 8], f: [3, 3, 8, 9], strides: [1, 1], padding: "same" },
  { x: [2, 12, 11, 12], f: [3, 3, 12, 12], strides: [1, 1], padding: "same" },
] as const;

/** With sizes and cuts by Keras' formulas: same gives n s and cuts (k - s) / 2 before, with outputPadding (k - 1 - p) / 2. */
const transposes = [
  { x: [2, 3, 4, 3], f: [3, 3, 2, 3], strides: [1, 1], padding: "valid", out: [5, 6], cut: [0, 0] },
  { x: [1, 4, 3, 2], f: [3, 3, 5, 2], strides: [2, 2], padding: "same", out: [8, 6], cut: [0, 0] },
  { x: [1, 4, 3, 2], f: [4, 5, 3, 2], strides: [2, 2], padding: "same", out: [8, 6], cut: [1, 1] },
  { x: [1, 3, 4, 3], f: [2, 3, 4, 3], strides: [3, 2], padding: "valid", out: [9, 9], cut: [0, 0] },
  { x: [1, 3, 4, 3], f: [2, 1, 4, 3], strides: [3, 2], padding: "same", out: [9, 8], cut: [0, 0] },
  {
    x: [2, 3, 3, 2],
    f: [3, 3, 2, 2],
    strides: [2, 2],
    padding: "same",
    outputPadding: [0, 1],
    out: [5, 6],
    cut: [1, 0],
  },
  {
    x: [1, 3, 3, 2],
    f: [3, 4, 2, 2],
    strides: [2, 3],
    padding: "valid",
    outputPadding: [1, 2],
    out: [8, 12],
    cut: [0, 0],
  },
  {
    x: [1, 3, 3, 2],
    f: [4, 4, 2, 2],
    strides: [2, 2],
    padding: "same",
    outputPadding: [0, 1],
    out: [4, 5],
    cut: [2, 1],
  },
  { x: [1, 4, 3, 3], f: [3, 2, 4, 3], strides: [1, 1], padding: "same", dilations: [2, 3], out: [4, 3], cut: [2, 1] },
  {
    x: [1, 4, 3, 3],
    f: [3, 2, 4, 3],
    strides: [2, 3],
    padding: "valid",
    dilations: [2, 3],
    out: [11, 10],
    cut: [0, 0],
  },
  {
    x: [1, 4, 4, 3],
    f: [3, 3, 2, 3],
    strides: [2, 2],
    padding: [
      [1, 0],
      [2, 1],
    ],
    out: [8, 6],
    cut: [1, 2],
  },
  { x: [1, 4, 4, 6], f: [3, 3, 2, 6], strides: [2, 2], padding: "same", groups: 3, out: [8, 8], cut: [0, 0] },
  { x: [1, 3, 4, 4], f: [1, 1, 3, 4], strides: [2, 3], padding: "same", out: [6, 12], cut: [0, 0] },
  { x: [1, 8, 8, 12], f: [3, 3, 12, 12], strides: [1, 1], padding: "same", out: [8, 8], cut: [1, 1] }, // by Winograd's method
] as const;

const depthwise = [
  { x: [2, 6, 7, 4], f: [3, 3, 4, 1], strides: [1, 1], padding: "valid" },
  { x: [1, 9, 7, 5], f: [3, 2, 5, 1], strides: [2, 2], padding: "same" },
  { x: [1, 3, 6, 9], f: [3, 3, 9, 1], strides: [1, 1], padding: "same" },
  { x: [2, 6, 6, 3], f: [3, 3, 3, 2], strides: [1, 1], padding: "same" },
  { x: [1, 8, 7, 2], f: [2, 3, 2, 5], strides: [2, 3], padding: "valid" },
  { x: [1, 8, 9, 3], f: [3, 3, 3, 1], strides: [1, 1], padding: "same", dilations: [2, 3] },
  {
    x: [1, 7, 8, 3],
    f: [3, 3, 3, 1],
    strides: [2, 2],
    padding: [
      [0, 1],
      [0, 1],
    ],
  },
  { x: [1, 4, 5, 6], f: [7, 7, 6, 1], strides: [1, 1], padding: "same" },
  { x: [1, 3, 4, 1], f: [1, 1, 1, 1], strides: [1, 1], padding: "valid" },
] as const;

const pools = [
  { x: [2, 6, 6, 3], size: [2, 2], strides: [2, 2], padding: "valid" },
  { x: [1, 7, 5, 9], size: [3, 3], strides: [2, 2], padding: "same" },
  { x: [1, 7, 7, 4], size: [3, 2], strides: [1, 2], padding: "valid" },
  { x: [1, 5, 5, 17], size: [2, 2], strides: [1, 1], padding: "same" },
  {
    x: [1, 6, 7, 5],
    size: [3, 3],
    strides: [2, 2],
    padding: [
      [1, 1],
      [0, 2],
    ],
  },
  { x: [2, 5, 3, 6], size: [5, 3], strides: [5, 3], padding: "valid" },
  { x: [1, 8, 7, 1], size: [2, 2], strides: [3, 3], padding: "valid" },
] as const;

const text = (value: unknown): string => JSON.stringify(value).replaceAll('"', "");

export const windowCases: readonly Case[] = [
  ...convs.map(({ x, f, ...options }) =>
    row(`conv2d ${text(options)}`, [x, f], (a, b) => convolution2d(a, b, options), oracle.conv2d(options)),
  ),
  ...winograds.map(({ x, f, ...options }) => ({
    ...row(`conv2d ${text(options)}`, [x, f], (a, b) => convolution2d(a, b, options), oracle.conv2d(options)),
    tolerance: 5e-6,
  })),
  ...transposes.map(({ x, f, out, cut, ...options }) => ({
    ...row(
      `conv2dTranspose ${text(options)}`,
      [x, f],
      (a, b) => convolution2dTranspose(a, b, options),
      oracle.conv2dTranspose({ ...options, out, cut }),
    ),
    tolerance: 5e-6,
  })),
  ...depthwise.map(({ x, f, ...options }) =>
    row(
      `depthwiseConv2d ${text(options)}`,
      [x, f],
      (a, b) => depthwiseConv2d(a, b, options),
      oracle.depthwiseConv2d(options),
    ),
  ),
  ...pools.flatMap(({ x, size, strides, padding }) => {
    const how = `${size} strides ${strides} ${text(padding)}`;
    const options = { strides, padding };
    return [
      row(`maxPool2d ${how}`, [x], (a) => maxPool2d(a, size, strides, padding), oracle.maxPool2d(size, options)),
      row(`avgPool2d ${how}`, [x], (a) => avgPool2d(a, size, strides, padding), oracle.avgPool2d(size, options)),
      row(
        `avgPool2d with padding ${how}`,
        [x],
        (a) => avgPool2d(a, size, strides, padding, { countIncludePad: true }),
        oracle.avgPool2dWithPadding(size, options),
      ),
    ];
  }),
];
