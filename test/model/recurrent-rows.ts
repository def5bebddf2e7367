// Rows of recurrent layers: each kind with each option, against cells in float64.
import * as lw from "../../src/index.js";
import { type Array64, at, fill } from "../oracle/array.js";
import * as oracle from "../oracle/recurrent.js";
import type { LayerRow } from "./layer-rows.js";

const UNITS = 3;
type Weights = readonly Array64[];
/** States of all steps, h and c, of x in the order of its steps. */
type Run = (x: Array64, weights: Weights, given?: oracle.Given) => { h: Array64; c?: Array64 };

const part = (bias: Array64, row: number, from: number, to: number): Array64 =>
  fill([to - from], (j) => at(bias, row, from + j));

const rnn =
  (how: oracle.How = {}): Run =>
  (x, [kernel, u, bias], given = {}) => ({ h: oracle.simpleRNN(oracle.projected(x, kernel, bias), u, given, how) });
const lstm =
  (how: oracle.How = {}): Run =>
  (x, [kernel, u, bias], given = {}) =>
    oracle.lstm(oracle.projected(x, kernel, bias), u, given, how);
const gru =
  (how: oracle.How = {}): Run =>
  (x, [kernel, u, bias], given = {}) => {
    const resetAfter = how.resetAfter ?? true;
    if (!resetAfter || !bias)
      return { h: oracle.gru(oracle.projected(x, kernel, bias), u, given, { ...how, resetAfter }) };
    const ofGates = fill([3 * UNITS], (j) => at(bias, 0, j) + (j < 2 * UNITS ? at(bias, 1, j) : 0));
    const own = part(bias, 1, 2 * UNITS, 3 * UNITS);
    return { h: oracle.gru(oracle.projected(x, kernel, ofGates), u, { ...given, bias: own }, { ...how, resetAfter }) };
  };

/** In the order in which a graph has them. */
const all = ["kernel", "bias", "recurrent_kernel"];
const ordered = (w: Weights): Weights => (w.length === 3 ? [w[0], w[2], w[1]] : w);
const joined = (...parts: Array64[]): Array64 => {
  const rank = parts[0].shape.length;
  const widths = parts.map(({ shape }) => shape[rank - 1]);
  const shape = [...parts[0].shape.slice(0, -1), widths.reduce((a, b) => a + b, 0)];
  return fill(shape, (...index) => {
    let [which, j] = [0, index[rank - 1]];
    for (; j >= widths[which]; which++) j -= widths[which];
    return at(parts[which], ...index.slice(0, -1), j);
  });
};

/** Steps whose first number is positive. */
const masked = (x: lw.Value): lw.Value =>
  lw.withMask(x, lw.any(lw.greater(lw.slice(x, [0, 0, 0], [-1, -1, 1]), 0), -1));
const maskOf = (x: Array64): Array64 => fill(x.shape.slice(0, 2), (b, t) => Number(at(x, b, t, 0) > 0));

const row = (
  name: string,
  layer: (x: lw.Value) => lw.Value,
  of: (x: Array64, weights: Weights) => Array64,
  weights: readonly string[] = all,
): LayerRow => ({
  name,
  inputs: [{ shape: [4, 2] }],
  layer: ([x]) => layer(x),
  oracle: ([x], ...given) => of(x, given.length === 3 ? ordered(given) : given),
  weights,
  tolerance: 5e-6,
});

const kinds = [
  ["simpleRNN", (o: object) => lw.simpleRNN(UNITS, o), rnn],
  ["lstm", (o: object) => lw.lstm(UNITS, o), lstm],
  ["gru", (o: object) => lw.gru(UNITS, o), gru],
] as const;

const sequences = { returnSequences: true };
const { last, backwards } = oracle;

const eachKind = kinds.flatMap(([name, make, run]): LayerRow[] => [
  row(name, make({}), (x, w) => last(run()(x, w).h)),
  row(`${name} of all steps`, make(sequences), (x, w) => run()(x, w).h),
  row(`${name} without bias`, make({ useBias: false }), (x, w) => last(run()(x, w).h), ["kernel", "recurrent_kernel"]),
  row(`${name} backwards`, make({ ...sequences, goBackwards: true }), (x, w) => run()(backwards(x), w).h),
  row(`${name} with relu`, make({ activation: "relu" }), (x, w) => last(run({ activation: "relu" })(x, w).h)),
  row(
    `${name} with a mask`,
    (x) => make(sequences)(masked(x)),
    (x, w) => run()(x, w, { mask: maskOf(x) }).h,
  ),
  row(
    `${name} backwards with a mask, zeros where it is false`,
    (x) => make({ ...sequences, goBackwards: true, zeroOutputForMask: true })(masked(x)),
    (x, w) => {
      const mask = backwards(maskOf(x));
      const { h } = run()(backwards(x), w, { mask });
      return fill(h.shape, (b, t, j) => at(h, b, t, j) * at(mask, b, t));
    },
  ),
  row(`${name} with dropout, of which a prediction has none`, make({ dropout: 0.5, recurrentDropout: 0.5 }), (x, w) =>
    last(run()(x, w).h),
  ),
  {
    ...row(
      `${name} with states before and after`,
      (x) => x,
      (x) => x,
    ),
    inputs: [{ shape: [4, 2] }, ...(name === "lstm" ? [{ shape: [UNITS] }, { shape: [UNITS] }] : [{ shape: [UNITS] }])],
    layer: ([x, ...initialState]) =>
      lw.concatenate(make({ returnState: true })(x, { initialState }) as unknown as lw.Value[]),
    oracle: ([x, h0, ...more], ...w) => {
      const { h, c } = run()(x, ordered(w), { h0, c0: more[0] });
      return joined(last(h), last(h), ...(name === "lstm" ? [last(c as Array64)] : []));
    },
  },
]);

const inBoth =
  (merged: (a: Array64, b: Array64) => Array64, ends = false) =>
  (x: Array64, w: Weights): Array64 => {
    const there = lstm()(x, ordered(w.slice(0, 3))).h;
    const back = lstm()(backwards(x), ordered(w.slice(3))).h;
    return ends ? merged(last(there), last(back)) : merged(there, backwards(back));
  };
const elementwise = (f: (a: number, b: number) => number) => (a: Array64, b: Array64): Array64 =>
  ({ shape: a.shape, data: a.data.map((v, i) => f(v, b.data[i])) }); // biome-ignore format: short

const bidirectional = (name: string, layer: lw.Layer, of: (x: Array64, w: Weights) => Array64): LayerRow => ({
  ...row(name, layer, of, [...all, ...all]),
});

export const recurrentRows: readonly LayerRow[] = [
  ...eachKind,
  row("lstm with tanh gates", lw.lstm(UNITS, { recurrentActivation: "tanh" }), (x, w) =>
    last(lstm({ recurrentActivation: "tanh" })(x, w).h),
  ),
  row("gru that resets before", lw.gru(UNITS, { resetAfter: false }), (x, w) =>
    last(gru({ resetAfter: false })(x, w).h),
  ),
  row(
    "gru that resets before, with a mask",
    (x) => lw.gru(UNITS, { ...sequences, resetAfter: false })(masked(x)),
    (x, w) => gru({ resetAfter: false })(x, w, { mask: maskOf(x) }).h,
  ),
  bidirectional("bidirectional lstm", lw.bidirectional(lw.lstm(UNITS, sequences)), inBoth(joined)),
  bidirectional("bidirectional lstm, ends", lw.bidirectional(lw.lstm(UNITS)), inBoth(joined, true)),
  bidirectional(
    "bidirectional lstm, sum",
    lw.bidirectional(lw.lstm(UNITS), { mergeMode: "sum" }),
    inBoth(
      elementwise((a, b) => a + b),
      true,
    ),
  ),
  bidirectional(
    "bidirectional lstm, product",
    lw.bidirectional(lw.lstm(UNITS, sequences), { mergeMode: "mul" }),
    inBoth(elementwise((a, b) => a * b)),
  ),
  bidirectional(
    "bidirectional lstm, mean",
    lw.bidirectional(lw.lstm(UNITS, sequences), { mergeMode: "ave" }),
    inBoth(elementwise((a, b) => (a + b) / 2)),
  ),
  row("dense of each step", lw.timeDistributed(lw.dense(3)), (x, [kernel, bias]) => oracle.projected(x, kernel, bias), [
    "kernel",
    "bias",
  ]),
];
