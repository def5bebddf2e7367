// Attention and rotary positions as their definitions say, in float64.
import { type Array64, at, fill } from "./array.js";

interface Attention {
  readonly scale?: number;
  readonly isCausal?: boolean;
}

/** softmax(scale q k') v; `mask` as the op takes it. A query that no key counts for gets zeros. */
export const attention =
  ({ scale, isCausal }: Attention = {}) =>
  (q: Array64, k: Array64, v: Array64, mask?: Array64): Array64 => {
    const [batch, t, heads, d] = q.shape;
    const [, s, groups, e] = v.shape;
    const shared = heads / groups;
    const counts = (b: number, h: number, i: number, j: number): boolean => {
      if (isCausal && j > i) return false;
      if (mask === undefined) return true;
      const [first, ...rest] = mask.shape;
      const axes = { ...mask, shape: [first, ...Array(4 - mask.shape.length).fill(1), ...rest] };
      return at(axes, b, h, i, j) !== 0;
    };
    const probabilities = (b: number, i: number, h: number): number[] => {
      const scores = Array.from({ length: s }, (_, j) => {
        if (!counts(b, h, i, j)) return Number.NEGATIVE_INFINITY;
        let sum = 0;
        for (let c = 0; c < d; c++) sum += at(q, b, i, h, c) * at(k, b, j, Math.floor(h / shared), c);
        return sum * (scale ?? 1 / Math.sqrt(d));
      });
      const most = Math.max(...scores);
      if (most === Number.NEGATIVE_INFINITY) return scores.map(() => 0);
      const terms = scores.map((x) => Math.exp(x - most));
      const total = terms.reduce((x, y) => x + y, 0);
      return terms.map((x) => x / total);
    };
    const y = fill([batch, t, heads, e], () => 0);
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < t; i++)
        for (let h = 0; h < heads; h++)
          probabilities(b, i, h).forEach((p, j) => {
            for (let c = 0; c < e; c++)
              y.data[((b * t + i) * heads + h) * e + c] += p * at(v, b, j, Math.floor(h / shared), c);
          });
    return y;
  };

/** Features i and i + d / 2 of step p turned by p / scaling wavelength^(-2i / d). */
export const rotary =
  (wavelength = 10000, scaling = 1) =>
  (x: Array64): Array64 => {
    const d = x.shape[x.shape.length - 1];
    return fill(x.shape, (...index) => {
      const [c, p, lead] = [index[index.length - 1], index[1], index.slice(0, -1)];
      const angle = (p / scaling) * wavelength ** ((-2 * (c % (d / 2))) / d);
      const other = at(x, ...lead, (c + d / 2) % d);
      return at(x, ...index) * Math.cos(angle) + (c < d / 2 ? -other : other) * Math.sin(angle);
    });
  };
