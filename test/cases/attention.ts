// Rows of attention: shapes below, at and above the kernel's blocks of 64 and its tiles of 16 and 2.
import { cast, rotaryEmbedding, scaledDotProductAttention, type Value } from "../../src/index.js";
import { fill } from "../oracle/array.js";
import { attention, rotary } from "../oracle/attention.js";
import { type Case, row } from "./case.js";

interface Shapes {
  readonly batch?: number;
  readonly t: number;
  readonly s?: number;
  readonly heads?: number;
  readonly groups?: number;
  readonly d: number;
  readonly e?: number;
  readonly isCausal?: boolean;
  readonly scale?: number;
  /** Its axes, and where it is 0. */
  readonly mask?: readonly [shape: readonly number[], hidden: (...index: number[]) => boolean];
}

const attended = ({ batch = 1, t, s = t, heads = 1, groups = heads, d, e = d, mask, ...options }: Shapes): Case => {
  const shapes = [
    [batch, t, heads, d],
    [batch, s, groups, d],
    [batch, s, groups, e],
  ];
  const title = `scaledDotProductAttention${options.isCausal ? " causal" : ""}${mask ? ` mask [${mask[0]}]` : ""}`;
  const op = (q: Value, k: Value, v: Value, m?: Value) =>
    scaledDotProductAttention(q, k, v, { ...options, mask: m && cast(m, "bool") });
  const plain = row(title, shapes, op, attention(options));
  if (!mask) return plain;
  const labels = { ...fill(mask[0], (...index) => Number(!mask[1](...index))), labels: true };
  return { ...plain, inputs: [...plain.inputs, labels] };
};

const shapes: readonly Shapes[] = [
  { batch: 2, t: 5, heads: 3, d: 7 },
  { t: 1, d: 1 },
  { t: 3, s: 70, d: 4, e: 9, heads: 2 },
  { t: 67, s: 130, d: 5, e: 3 },
  { t: 64, s: 64, d: 8, scale: 0.5 },
  { batch: 2, t: 6, s: 4, heads: 4, groups: 2, d: 16, e: 24 },
  { t: 17, isCausal: true, d: 5 },
  { batch: 2, t: 64, heads: 2, groups: 1, d: 6, isCausal: true },
  { t: 131, heads: 2, d: 4, isCausal: true },
  { t: 20, s: 90, d: 3, isCausal: true }, // keys that no query sees
  { t: 90, s: 20, d: 3, isCausal: true },
  { batch: 2, t: 5, s: 6, heads: 2, d: 4, mask: [[2, 6], (b, j) => j > 2 + b] },
  { batch: 2, t: 5, s: 6, heads: 2, d: 4, mask: [[1, 5, 6], (_, i, j) => (i + j) % 3 === 0] },
  { batch: 2, t: 5, s: 6, heads: 2, d: 4, mask: [[2, 2, 1, 6], (b, h, _, j) => (b + h + j) % 2 === 0] },
  { t: 70, s: 70, d: 4, isCausal: true, mask: [[1, 70], (_, j) => j < 66] }, // whole blocks, and rows, of nothing
  { t: 9, s: 80, d: 3, mask: [[1, 9, 80], (_, i, j) => i === 4 || (i === 5 && j < 64)] },
];

export const attentionCases: readonly Case[] = [
  ...shapes.map(attended),
  ...[
    [2, 5, 3, 8],
    [1, 9, 6],
    [2, 1, 2],
    [1, 3, 2, 2, 10],
  ].map((shape) => row("rotaryEmbedding", [shape], rotaryEmbedding(), rotary())),
  row(
    "rotaryEmbedding scaled",
    [[1, 7, 12]],
    rotaryEmbedding({ maxWavelength: 100, scalingFactor: 4 }),
    rotary(100, 4),
  ),
];
