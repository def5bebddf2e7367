// Rows of the table for ops that move numbers.
import {
  cast,
  concat,
  expandDims,
  flip,
  gather,
  mul,
  oneHot,
  pad,
  repeat,
  resize,
  scatterAdd,
  slice,
  split,
  squeeze,
  stack,
  stridedSlice,
  tile,
  transpose,
  unstack,
  type Value,
} from "../../src/index.js";
import { type Array64, fill, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/movement.js";
import { type Case, row } from "./case.js";

const { upTo } = oracle;

/** Rows with indices as their second argument. */
const indexed = (
  name: string,
  shape: readonly number[],
  indices: readonly number[],
  list: readonly number[],
  op: (x: Value, i: Value) => Value,
  of: (x: Array64, i: Array64) => Array64,
): Case => ({
  name: `${name} [${shape}] at [${indices}]`,
  title: name,
  inputs: [numbers(shape, name.length), { shape: indices, data: Float64Array.from(list), labels: true }],
  op,
  oracle: of,
});

const permutations: [number[], number[]][] = [
  [
    [1, 1],
    [1, 0],
  ],
  [
    [5, 7],
    [1, 0],
  ],
  [
    [64, 65],
    [1, 0],
  ],
  [
    [3, 5, 7],
    [0, 2, 1],
  ],
  [
    [3, 5, 7],
    [2, 1, 0],
  ],
  [
    [3, 5, 7],
    [1, 0, 2],
  ],
  [
    [3, 5, 7],
    [1, 2, 0],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 1, 3],
  ],
  [
    [2, 6, 7, 5],
    [0, 3, 1, 2],
  ],
  [
    [2, 1, 7, 1],
    [2, 1, 0, 3],
  ],
  [
    [5, 1, 7, 1],
    [1, 0, 3, 2],
  ],
  [
    [2, 3, 2, 3, 2, 3],
    [5, 3, 1, 4, 2, 0],
  ],
  [
    [2, 2, 3, 2, 2, 3, 2],
    [6, 4, 2, 0, 5, 3, 1],
  ],
];

const images = [
  { x: [1, 3, 4, 3], size: [6, 8] },
  { x: [2, 5, 4, 1], size: [7, 3] },
  { x: [1, 3, 4, 2], size: [7, 5] },
  { x: [1, 6, 6, 5], size: [2, 3] },
  { x: [2, 1, 3, 2], size: [4, 3] },
  { x: [1, 5, 7, 9], size: [5, 7] },
] as const;

export const movementCases: readonly Case[] = [
  ...permutations.map(([shape, axes]) =>
    row(`transpose to ${axes} of`, [shape], (x) => transpose(x, axes), oracle.transpose(axes)),
  ),
  row("transpose of", [[3, 4, 5]], (x) => transpose(x), oracle.transpose([2, 1, 0])),

  row("slice of", [[4, 6, 5]], (x) => slice(x, [1, 0, 2], [2, -1, 3]), oracle.take([1, 2], upTo(6), [2, 3, 4])),
  row(
    "stridedSlice of",
    [[7, 9]],
    (x) => stridedSlice(x, [1, -8], [null, -1], [2, 3]),
    oracle.take([1, 3, 5], [1, 4, 7]),
  ),
  row(
    "stridedSlice backwards of",
    [[7, 9]],
    (x) => stridedSlice(x, [5, null], [0, 2], [-2, -3]),
    oracle.take([5, 3, 1], [8, 5]),
  ),
  row(
    "stridedSlice, bounds outside, of",
    [[4, 5, 2]],
    (x) => stridedSlice(x, [-9, 3], [9, 99]),
    oracle.take(upTo(4), [3, 4], [0, 1]),
  ),
  row("flip of", [[3, 5, 4]], (x) => flip(x, [0, -1]), oracle.take([2, 1, 0], upTo(5), [3, 2, 1, 0])),
  row("flip all axes of", [[3, 4]], (x) => flip(x), oracle.take([2, 1, 0], [3, 2, 1, 0])),

  row(
    "pad of",
    [[3, 5]],
    (x) => pad(x, [0, [2, 3]]),
    oracle.pad(
      [
        [0, 0],
        [2, 3],
      ],
      0,
    ),
  ),
  row(
    "pad with 0.5 of",
    [[2, 3, 4, 2]],
    (x) => pad(x, [1, [2, 0], [0, 3], 0], { value: 0.5 }),
    oracle.pad(
      [
        [1, 1],
        [2, 0],
        [0, 3],
        [0, 0],
      ],
      0.5,
    ),
  ),
  row(
    "pad by nothing of",
    [[3, 5]],
    (x) => pad(x, [0, 0]),
    oracle.pad(
      [
        [0, 0],
        [0, 0],
      ],
      0,
    ),
  ),
  row(
    "pad reflect of",
    [[4, 5]],
    (x) =>
      pad(
        x,
        [
          [2, 3],
          [4, 1],
        ],
        { mode: "reflect" },
      ),
    oracle.take([2, 1, 0, 1, 2, 3, 2, 1, 0], [4, 3, 2, 1, 0, 1, 2, 3, 4, 3]),
  ),
  row(
    "pad symmetric of",
    [[3, 2, 3]],
    (x) => pad(x, [[3, 2], 0, [0, 1]], { mode: "symmetric" }),
    oracle.take([2, 1, 0, 0, 1, 2, 2, 1], [0, 1], [0, 1, 2, 2]),
  ),

  row(
    "concat of",
    [
      [2, 3, 4],
      [2, 5, 4],
      [2, 1, 4],
    ],
    (...x) => concat(x, 1),
    oracle.concat(1),
  ),
  row(
    "concat along the last axis of",
    [
      [3, 2],
      [3, 17],
    ],
    (a, b) => concat([a, b]),
    oracle.concat(1),
  ),
  row(
    "concat along the first axis of",
    [
      [3, 2],
      [1, 2],
    ],
    (a, b) => concat([a, b], 0),
    oracle.concat(0),
  ),
  row(
    "split, turned round, of",
    [[4, 6, 2]],
    (x) => concat([...split(x, 3, 1)].reverse(), 1),
    oracle.take(upTo(4), [4, 5, 2, 3, 0, 1], [0, 1]),
  ),
  row("split, one part, of", [[4, 7]], (x) => split(x, [2, 4, 1])[1], oracle.take(upTo(4), [2, 3, 4, 5])),
  row(
    "stack of",
    [
      [3, 4],
      [3, 4],
    ],
    (...x) => stack(x, 1),
    (...x) => fill([3, 2, 4], (i, j, k) => x[j].data[i * 4 + k]),
  ),
  row(
    "stack and transpose of",
    [
      [3, 4],
      [3, 4],
    ],
    (...x) => stack(x, -1),
    (...x) => fill([3, 4, 2], (i, j, k) => x[k].data[i * 4 + j]),
  ),
  row(
    "unstack, products, of",
    [[3, 2, 4]],
    (x) => unstack(x, 1).reduce((a, b) => mul(a, b)),
    (x) => fill([3, 4], (i, j) => x.data[i * 8 + j] * x.data[i * 8 + 4 + j]),
  ),

  row(
    "expandDims of",
    [[3, 4]],
    (x) => expandDims(x, [1, -1]),
    ({ data }) => ({ shape: [3, 1, 4, 1], data }),
  ),
  row(
    "squeeze of",
    [[3, 1, 4, 1]],
    (x) => squeeze(x),
    ({ data }) => ({ shape: [3, 4], data }),
  ),
  row(
    "squeeze one axis of",
    [[3, 1, 4, 1]],
    (x) => squeeze(x, -1),
    ({ data }) => ({ shape: [3, 1, 4], data }),
  ),

  row("tile of", [[2, 3]], (x) => tile(x, [3, 2]), oracle.take([0, 1, 0, 1, 0, 1], [0, 1, 2, 0, 1, 2])),
  row("tile of", [[2, 1, 3]], (x) => tile(x, [1, 4, 1]), oracle.take([0, 1], [0, 0, 0, 0], [0, 1, 2])),
  row("repeat of", [[2, 3]], (x) => repeat(x, 3), oracle.take([0, 1], [0, 0, 0, 1, 1, 1, 2, 2, 2])),
  row("repeat along axis 1 of", [[2, 3, 5]], (x) => repeat(x, 2, 1), oracle.take([0, 1], [0, 0, 1, 1, 2, 2], upTo(5))),

  indexed("gather", [6, 5], [4], [5, 0, 0, 3], (x, i) => gather(x, i), oracle.gather(0)),
  indexed("gather along axis 1", [2, 4, 3], [2, 2], [3, 1, 1, 1], (x, i) => gather(x, i, 1), oracle.gather(1)),
  indexed("gather along the last axis", [3, 5], [3], [4, 4, 2], (x, i) => gather(x, i, -1), oracle.gather(1)),
  indexed("gather outside", [4, 3], [5], [-1, 3, 4, 2147483647, -2147483648], (x, i) => gather(x, i), oracle.gather(0)),
  indexed("scatterAdd", [5, 3], [5], [1, 3, 1, 7, -1], (x, i) => scatterAdd(x, i, 4), oracle.scatterAdd(0, 4)),
  indexed(
    "scatterAdd along axis 1",
    [2, 3, 2, 5],
    [3, 2],
    [0, 2, 2, 1, 0, 2],
    (x, i) => scatterAdd(x, i, 3, 1),
    oracle.scatterAdd(1, 3),
  ),
  indexed(
    "scatterAdd of numbers",
    [6],
    [6],
    [1, 1, 0, 2, 1, 9],
    (x, i) => scatterAdd(x, i, 3),
    oracle.scatterAdd(0, 3),
  ),
  indexed(
    "oneHot times",
    [4, 3],
    [4],
    [2, 0, 3, -1],
    (x, i) => mul(x, oneHot(i, 3)),
    (x, i) => {
      const hot = oracle.oneHot(3)(i);
      return { shape: x.shape, data: x.data.map((v, k) => v * hot.data[k]) };
    },
  ),

  ...images.flatMap(({ x, size }) =>
    (["nearest", "bilinear"] as const).map((interpolation) =>
      row(
        `resize ${interpolation} to ${size} of`,
        [x],
        (image) => resize(image, size, { interpolation }),
        oracle.resize(size, interpolation),
      ),
    ),
  ),

  row(
    "cast to int32 and back, times",
    [[5, 7]],
    (x) => mul(x, cast(cast(mul(x, 10), "int32"), "float32")),
    ({ shape, data }) => ({ shape, data: data.map((v) => v * Math.trunc(10 * v)) }),
  ),
  row(
    "cast to bool and back, times",
    [[5, 7]],
    (x) => mul(x, cast(cast(cast(mul(x, 2), "int8"), "bool"), "float32")),
    ({ shape, data }) => ({ shape, data: data.map((v) => (Math.trunc(2 * v) === 0 ? 0 : v)) }),
  ),
];
