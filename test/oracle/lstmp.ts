// TensorFlow Lite's LSTM as its definition reads, in float64; vectors that meet int8 weights become integers as float32 has them.
import { type Array64, at, zeros } from "./array.js";
import { functions } from "./recurrent.js";

const { fround } = Math;

/** int8 weights [rows, columns] and a scale for each row; `asymmetric`: of the vectors that they meet. */
export interface Int8Rows {
  readonly rows: Array64;
  readonly scale: Array64;
  readonly asymmetric: boolean;
}

const away = (x: number): number => Math.sign(x) * Math.round(Math.abs(x));

/** A vector as integers, what they go times, and the zero point. */
export function quantizedRow(x: readonly number[], asymmetric: boolean): { q: number[]; scale: number; zero: number } {
  const [least, most] = [Math.min(0, ...x), Math.max(0, ...x)];
  if (least === most) return { q: x.map(() => 0), scale: 1, zero: 0 };
  if (!asymmetric) {
    const range = Math.max(-least, most);
    const q = x.map((v) => Math.min(Math.max(away(fround(fround(v) * fround(127 / range))), -127), 127));
    return { q, scale: fround(range / 127), zero: 0 };
  }
  const step = (most - least) / 255;
  const nearLeast = 128 - least / step < 127 + most / step;
  const zero = Math.min(Math.max(away(nearLeast ? -128 - least / step : 127 - most / step), -128), 127);
  const scale = fround(step);
  const q = x.map((v) => Math.min(Math.max(away(fround(zero + fround(fround(v) * fround(1 / scale)))), -128), 127));
  return { q, scale, zero };
}

/** x times the rows of weights. */
export function hybrid(x: readonly number[], { rows, scale, asymmetric }: Int8Rows): number[] {
  const { q, scale: own, zero } = quantizedRow(x, asymmetric);
  return Array.from({ length: rows.shape[0] }, (_, j) => {
    const sum = q.reduce((total, v, i) => total + (v - zero) * at(rows, j, i), 0);
    return sum * own * at(scale, j);
  });
}

export interface Parts {
  readonly z: Array64;
  readonly u: Array64 | Int8Rows;
  readonly h0: Array64;
  readonly c0: Array64;
  readonly peephole?: Array64;
  readonly norm?: Array64;
  readonly bias?: Array64;
  readonly projection?: Array64 | Int8Rows;
  readonly projectionBias?: Array64;
}

const times = (x: readonly number[], w: Array64 | Int8Rows): number[] =>
  "rows" in w
    ? hybrid(x, w)
    : Array.from({ length: w.shape[1] }, (_, j) => x.reduce((sum, v, i) => sum + v * at(w, i, j), 0));

const clipped = (x: readonly number[], most: number): number[] =>
  x.map((v) => (most > 0 ? Math.min(Math.max(v, -most), most) : v));

const normalized = (x: readonly number[]): number[] => {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return x.map((v) => (v - mean) / Math.sqrt(variance + 1e-8));
};

export function lstmProjected(
  { z, u, h0, c0, peephole, norm, bias, projection, projectionBias }: Parts,
  how: { activation: "linear" | "tanh" | "relu"; clip: number; projectionClip: number; isCoupled: boolean },
): { y: Array64; c: Array64 } {
  const [batch, steps] = z.shape;
  const [n, m] = [c0.shape[1], h0.shape[1]];
  const [f, gates] = [functions[how.activation], how.isCoupled ? 3 : 4];
  const [y, cells] = [zeros(batch, steps, m), zeros(batch, n)];
  for (let b = 0; b < batch; b++) {
    let h = Array.from({ length: m }, (_, j) => at(h0, b, j));
    let c = Array.from({ length: n }, (_, j) => at(c0, b, j));
    for (let t = 0; t < steps; t++) {
      const own = times(h, u);
      /** Gate i of those that there are, with peephole p. */
      const gate = (i: number, p: number | undefined, of: (x: number) => number): number[] => {
        const x = c.map(
          (cell, j) =>
            at(z, b, t, i * n + j) + own[i * n + j] + (peephole && p !== undefined ? at(peephole, p, j) * cell : 0),
        );
        const made = norm && bias ? normalized(x).map((v, j) => v * at(norm, i, j) + at(bias, i, j)) : x;
        return made.map(of);
      };
      const first = gates - 4;
      const [forget, input] = [
        gate(first + 1, first + 1, functions.sigmoid),
        gate(Math.max(first, 0), 0, functions.sigmoid),
      ];
      const candidate = gate(first + 2, undefined, f);
      const joined = c.map(
        (before, j) => forget[j] * before + (how.isCoupled ? 1 - forget[j] : input[j]) * candidate[j],
      );
      c = clipped(joined, how.clip);
      const o = gate(first + 3, first + 2, functions.sigmoid);
      const out = c.map((cell, j) => o[j] * f(cell));
      h = projection
        ? clipped(
            times(out, projection).map((v, j) => v + (projectionBias ? at(projectionBias, j) : 0)),
            how.projectionClip,
          )
        : out;
      y.data.set(h, (b * steps + t) * m);
    }
    cells.data.set(c, b * n);
  }
  return { y, c: cells };
}
