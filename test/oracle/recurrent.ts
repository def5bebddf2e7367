// Recurrent cells as their definitions read, in float64.
import { type Array64, at, fill, zeros } from "./array.js";

export type Activation = "linear" | "tanh" | "sigmoid" | "relu";

/** What there is beside z [batch, steps, width * units] and u [units, width * units]. */
export interface Given {
  readonly bias?: Array64 | undefined;
  readonly h0?: Array64 | undefined;
  readonly c0?: Array64 | undefined;
  readonly mask?: Array64 | undefined;
  readonly drop?: Array64 | undefined;
}

export interface How {
  readonly activation?: Activation;
  readonly recurrentActivation?: Activation;
  readonly resetAfter?: boolean;
}

export const functions: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  relu: (x) => Math.max(x, 0),
};

/** h [units] times columns `first` to `first + units` of u. */
const times = (h: readonly number[], u: Array64, first: number): number[] =>
  h.map((_, j) => h.reduce((sum, x, k) => sum + x * at(u, k, first + j), 0));

type Cell = (z: (gate: number, j: number) => number, h: readonly number[], c: readonly number[]) => number[][];

/** States of all steps, h and c. */
function run(width: number, z: Array64, { h0, c0, mask, drop }: Given, cell: (dropped: number[]) => Cell) {
  const [batch, steps, all] = z.shape;
  const n = all / width;
  const [h, c] = [zeros(batch, steps, n), zeros(batch, steps, n)];
  for (let b = 0; b < batch; b++) {
    let [now, inside] = [h0, c0].map((x) => Array.from({ length: n }, (_, j) => (x ? at(x, b, j) : 0)));
    for (let t = 0; t < steps; t++) {
      const dropped = now.map((x, j) => x * (drop ? at(drop, b, j) : 1));
      if (!mask || at(mask, b, t)) [now, inside] = cell(dropped)((gate, j) => at(z, b, t, gate * n + j), now, inside);
      for (let j = 0; j < n; j++)
        [h.data[(b * steps + t) * n + j], c.data[(b * steps + t) * n + j]] = [now[j], inside[j]];
    }
  }
  return { h, c };
}

export const simpleRNN = (z: Array64, u: Array64, given: Given, { activation = "tanh" }: How = {}): Array64 =>
  run(1, z, given, (a) => (x, h) => {
    const own = times(a, u, 0);
    const next = h.map((_, j) => functions[activation](x(0, j) + own[j]));
    return [next, next];
  }).h;

export const lstm = (z: Array64, u: Array64, given: Given, how: How = {}): { h: Array64; c: Array64 } => {
  const [f, s] = [functions[how.activation ?? "tanh"], functions[how.recurrentActivation ?? "sigmoid"]];
  return run(4, z, given, (a) => (x, h, c) => {
    const [i, forget, g, o] = [s, s, f, s].map((of, gate) =>
      times(a, u, gate * h.length).map((y, j) => of(x(gate, j) + y)),
    );
    const cell = c.map((before, j) => forget[j] * before + i[j] * g[j]);
    return [cell.map((y, j) => o[j] * f(y)), cell];
  });
};

export const gru = (z: Array64, u: Array64, given: Given, how: How = {}): Array64 => {
  const [f, s] = [functions[how.activation ?? "tanh"], functions[how.recurrentActivation ?? "sigmoid"]];
  const { bias } = given;
  return run(3, z, given, (a) => (x, h) => {
    const n = h.length;
    const [update, reset] = [0, 1].map((gate) => times(a, u, gate * n).map((y, j) => s(x(gate, j) + y)));
    const rest = how.resetAfter
      ? times(a, u, 2 * n).map((y, j) => reset[j] * (y + (bias ? at(bias, j) : 0)))
      : times(a.map((y, j) => reset[j] * y), u, 2 * n); // biome-ignore format: short
    const next = h.map((before, j) => update[j] * before + (1 - update[j]) * f(x(2, j) + rest[j]));
    return [next, next];
  }).h;
};

/** Steps times a kernel, plus the bias where there is one. */
export const projected = (x: Array64, kernel: Array64, bias?: Array64): Array64 =>
  fill([x.shape[0], x.shape[1], kernel.shape[1]], (b, t, j) => {
    let sum = bias ? at(bias, j) : 0;
    for (let k = 0; k < x.shape[2]; k++) sum += at(x, b, t, k) * at(kernel, k, j);
    return sum;
  });

/** The last step. */
export const last = (y: Array64): Array64 => fill([y.shape[0], y.shape[2]], (b, j) => at(y, b, y.shape[1] - 1, j));

/** The steps the other way round. */
export const backwards = (x: Array64): Array64 =>
  fill(x.shape, (b, t, ...rest) => at(x, b, x.shape[1] - 1 - t, ...rest));
