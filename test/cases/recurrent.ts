// Rows of recurrent cells: every kind with each activation, each thing that it can be given, and sizes around those of tiles and vectors.
import { cast, concat, mul, type Value } from "../../src/index.js";
import { cellOps } from "../../src/ops/cells.js";
import { applyCell } from "../../src/ops/recurrent.js";
import { type Array64, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/recurrent.js";
import type { Case } from "./case.js";

type Kind = "simpleRNN" | "lstm" | "gru";
const widths = { simpleRNN: 1, lstm: 4, gru: 3 } as const;

interface Setting extends oracle.How {
  /** Of sequences, steps and units. */
  readonly sizes: readonly [number, number, number];
  readonly given?: readonly (keyof oracle.Given)[];
}

/** Whole numbers, which get no gradient. */
const labels = (shape: readonly number[], seed: number, below: number) => {
  const x = numbers(shape, seed, 0, below);
  return { ...x, data: x.data.map(Math.floor), labels: true };
};

const doubled = ({ shape, data }: Array64): Array64 => ({ shape, data: data.map((v) => 2 * v) });
const side = (a: Array64, b: Array64): Array64 => {
  const n = a.shape[2];
  const shape = [a.shape[0], a.shape[1], 2 * n];
  const data = new Float64Array(a.data.length * 2);
  for (let i = 0; i < a.data.length; i++) {
    const [row, j] = [Math.floor(i / n), i % n];
    [data[2 * n * row + j], data[2 * n * row + n + j]] = [a.data[i], b.data[i]];
  }
  return { shape, data };
};

function cell(kind: Kind, { sizes: [batch, steps, units], given = [], ...how }: Setting): Case {
  const width = widths[kind];
  const shapes = { bias: [units], h0: [batch, units], c0: [batch, units], mask: [batch, steps], drop: [batch, units] };
  const more = given.map((what, i) =>
    what === "mask" || what === "drop" ? labels(shapes[what], 40 + i, 2) : numbers(shapes[what], 50 + i),
  );
  const of = <T>(list: readonly T[], turn: (what: string, x: T) => T) =>
    Object.fromEntries(given.map((what, i) => [what, turn(what, list[i])]));
  const settings = Object.values(how).map((x) => (x === true ? "reset after" : x === false ? "reset before" : x));
  const title = [kind, ...settings, ...given].join(" ");
  return {
    name: `${title} [${batch},${steps},${units}]`,
    title,
    inputs: [numbers([batch, steps, width * units], 3), numbers([units, width * units], 5, -0.6, 0.6), ...more],
    op: (z, u, ...rest) => {
      const extras = of<Value>(rest, (what, x) =>
        what === "mask" ? cast(x, "bool") : what === "drop" ? mul(cast(x, "float32"), 2) : x,
      );
      const usual = { activation: "tanh", recurrentActivation: "sigmoid" } as const;
      const results = applyCell(cellOps[kind], z, u, extras, { ...usual, ...how });
      return kind === "lstm" ? concat([results[1], results[2]], -1) : results[kind === "gru" ? 1 : 0];
    },
    oracle: (z, u, ...rest) => {
      const extras = of<Array64>(rest, (what, x) => (what === "drop" ? doubled(x) : x));
      if (kind === "simpleRNN") return oracle.simpleRNN(z, u, extras, how);
      if (kind === "gru") return oracle.gru(z, u, extras, how);
      const { h, c } = oracle.lstm(z, u, extras, how);
      return side(h, c);
    },
    tolerance: 4e-6,
  };
}

const sizes = [
  [1, 1, 1],
  [1, 3, 4],
  [2, 2, 8],
  [3, 4, 5],
  [2, 3, 17],
] as const;

const kinds: readonly (readonly [Kind, oracle.How, readonly (keyof oracle.Given)[]])[] = [
  ["simpleRNN", {}, ["h0", "mask", "drop"]],
  ["lstm", {}, ["h0", "c0", "mask", "drop"]],
  ["gru", { resetAfter: true }, ["bias", "h0", "mask", "drop"]],
  ["gru", { resetAfter: false }, ["h0", "mask", "drop"]],
];

export const recurrentCases: readonly Case[] = kinds.flatMap(([kind, how, all]) => [
  ...sizes.map((each) => cell(kind, { ...how, sizes: each })),
  ...all.map((one) => cell(kind, { ...how, sizes: [3, 4, 5], given: [one] })),
  cell(kind, { ...how, sizes: [2, 5, 9], given: all }),
  cell(kind, { ...how, sizes: [3, 1, 4], given: all }),
  ...(["linear", "sigmoid", "relu"] as const).map((activation) => cell(kind, { ...how, activation, sizes: [2, 3, 4] })),
  ...(kind === "simpleRNN" ? [] : [cell(kind, { ...how, recurrentActivation: "tanh", sizes: [2, 3, 4] })]),
]);
