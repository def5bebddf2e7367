// Attention, and what turns its vectors.
import { CHEAP, MADD, type Rules } from "./range.js";

const eights = (n: number): number => Math.ceil(n / 8) * 8;

export const attention: Rules = {
  // Blocks of 64 rows of a head, and groups of heads.
  f32_attention: ([, , t, s, , , d, e]) => ({
    count: 1,
    from: 0,
    cost: 1.5 * MADD * Math.min(t, 64) * s * (d + e),
    moves: [],
    scratch: { argument: 20, bytes: 256 * (d + eights(e) + 66) },
  }),
  f32_attention_grad: ([, , t, s, heads, groups, d, e]) => ({
    count: 1,
    from: 0,
    cost: (3 * MADD * t * s * (d + e) * heads) / groups,
    moves: [],
    scratch: { argument: 24, bytes: 256 * (d + e + 2 * eights(d) + eights(e) + 128) },
  }),
  f32_rotary: ([, t, heads, half]) => ({
    count: 0,
    cost: CHEAP * t * heads * half,
    moves: [
      [4, 8 * t * heads * half],
      [6, 8 * t * heads * half],
    ],
  }),
};
