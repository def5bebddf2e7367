// TensorFlow Lite's integer arithmetic of models with states, naively: factors of 31 bits on BigInt, fixed-point numbers of 16 bits by the
// definitions of gemmlowp, an operation at a time.

/** A factor as TensorFlow Lite has it: [multiplier, shift]. */
export type Factor = readonly [number, number];

/** x / 2^by, ties away from zero. */
export const roundShift = (x: number, by: number): number => {
  const [whole, rest] = [Math.floor(Math.abs(x) / 2 ** by), Math.abs(x) % 2 ** by];
  return (Math.sign(x) || 1) * (whole + (rest * 2 >= 2 ** by ? 1 : 0)) || 0;
};

/** x times a factor: to 31 bits with ties up, then by the shift with ties away from zero. */
export function scaled(x: number, [multiplier, shift]: Factor): number {
  const left = Math.imul(x, 2 ** Math.max(shift, 0));
  const high = (BigInt(left) * BigInt(multiplier) + 2n ** 30n) >> 31n;
  return roundShift(Number(high), Math.max(-shift, 0));
}

export const clamp = (x: number, bits: 8 | 16 | 32): number =>
  Math.min(Math.max(x, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1);
const wrap = (x: number): number => (x << 16) >> 16;

/** Products of numbers in [-1, 1) of 16 bits. */
const times = (a: number, b: number): number => clamp(Math.floor((a * b) / 2 ** 15 + 0.5), 16);
/** A number of 16 bits that stands for x, with so many bits above the point. */
const fixed = (x: number, bits: number): number => roundShift(Math.round(x * 2 ** (31 - bits)), 16);
const shiftLeft = (x: number, by: number): number => clamp(x * 2 ** by, 16);

/** e^x for x in [-1/4, 0) in Q0.15. */
function expQuarter(a: number): number {
  const x = wrap(a + 2 ** 12);
  const x2 = times(x, x);
  const [x3, x4] = [times(x2, x), times(x2, x2)];
  const polynomial = roundShift(wrap(times(wrap(roundShift(x4, 2) + x3), fixed(1 / 3, 0)) + x2), 1);
  const c = fixed(Math.exp(-1 / 8), 0);
  return clamp(c + times(c, wrap(x + polynomial)), 16);
}

/** e^x for x <= 0 with so many bits above the point. */
function expNegative(a: number, bits: number): number {
  if (a === 0) return 32767;
  if (bits > 5 && a < -(2 ** (20 - bits))) return 0;
  const quarter = 2 ** (13 - bits);
  const part = (a & (quarter - 1)) - quarter;
  const rest = wrap(part - a);
  let y = expQuarter(shiftLeft(part, bits));
  for (let exponent = -2; exponent <= 4; exponent++)
    if (bits > exponent && rest & (2 ** (15 - bits + exponent))) y = times(y, fixed(Math.exp(-(2 ** exponent)), 0));
  return y;
}

/** 2 / (1 + x) in Q2.13 of x in Q0.15. */
function quotient(x: number): number {
  const half = Math.trunc((x + 32767 + 1) / 2);
  let y = wrap(fixed(48 / 17, 2) + times(half, fixed(-32 / 17, 2)));
  for (let i = 0; i < 3; i++) y = wrap(y + shiftLeft(times(y, wrap(2 ** 13 - times(half, y))), 2));
  return y;
}

/** tanh in Q0.15 of a number of 16 bits with so many above the point. */
export function tanh16(x: number, bits: number): number {
  if (x === 0) return 0;
  const y = shiftLeft(wrap(quotient(expNegative(x < 0 ? x : -x, bits + 1)) - 2 ** 13), 2);
  return x < 0 ? -y : y;
}

/** The logistic function in Q0.15 of Q3.12. */
export function sigmoid16(x: number): number {
  if (x === 0) return 2 ** 14;
  const y = shiftLeft(quotient(expNegative(x > 0 ? -x : x, 3)), 1);
  return x > 0 ? y : 32767 - y;
}

/** 1 / sqrt(x) as a factor. */
function inverseSqrt(x: number): Factor {
  if (x <= 1) return [2 ** 31 - 1, 0];
  let right = 11;
  let value = x;
  for (; value >= 2 ** 29; value = Math.trunc(value / 4)) right++;
  const pairs = Math.trunc((Math.clz32(value) - 1) / 2) - 1;
  right -= pairs;
  value *= 4 ** pairs;
  const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b) + 2n ** 30n) >> 31n);
  const half = roundShift(Math.floor(value / 2), 1);
  let y = 2 ** 28;
  for (let i = 0; i < 5; i++) {
    const cube = clamp(high(high(y, y), y) * 64, 32);
    y = clamp((high(2 ** 28 + 2 ** 27, y) - high(half, cube)) * 8, 32);
  }
  y = high(y, 1518500250);
  return right < 0 ? [y * 2 ** -right, 0] : [y, -right];
}

/** A gate, layer-normalized. */
export function normalized(
  x: readonly number[],
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  [multiplier, shift]: Factor,
  least: number,
): number[] {
  const n = x.length;
  const mean = Math.trunc((x.reduce((a, b) => a + b, 0) * 1024) / n);
  const squares = x.reduce((sum, v) => sum + BigInt(v * v), 0n);
  const variance = Number((squares * BigInt(Math.trunc(2 ** 20 / n)) - BigInt(mean) * BigInt(mean)) / 2n ** 20n) | 0;
  const factor = inverseSqrt(variance < 1 ? least : variance);
  return x.map((v, j) => {
    const product = (Math.imul(scaled(1024 * v - mean, factor), weights[j]) + bias[j]) | 0;
    const tenth = Math.trunc((product + (product > 0 ? 512 : -512)) / 1024);
    return clamp(scaled(tenth, [multiplier, shift + 12]), 16);
  });
}

export interface Gate {
  /** [n][k] and [n][m]. */
  readonly w: readonly ArrayLike<number>[];
  readonly u: readonly ArrayLike<number>[];
  readonly bias: ArrayLike<number>;
  readonly peephole?: ArrayLike<number> | undefined;
  readonly norm?: ArrayLike<number> | undefined;
  readonly factors: {
    readonly w: Factor;
    readonly u: Factor;
    readonly peephole: Factor;
    readonly norm: Factor;
    /** What a variance is at least. */
    readonly least: number;
  };
}

export interface Cell {
  /** i, f, g, o; without i it is 1 - f. */
  readonly gates: readonly [Gate | undefined, Gate, Gate, Gate];
  readonly inputZero: number;
  readonly stateZero: number;
  readonly hiddenZero: number;
  readonly hidden: Factor;
  readonly projection?:
    | { readonly rows: readonly ArrayLike<number>[]; readonly bias: ArrayLike<number>; readonly factor: Factor }
    | undefined;
  /** Of the cells' scale. */
  readonly exponent: number;
  readonly clip: number;
  readonly projectionClip: number;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>, zero: number): number =>
  Array.from(a).reduce((sum, v, i) => (sum + Math.imul(v, b[i] - zero)) | 0, 0);
const clipped = (x: number, most: number): number => (most > 0 ? Math.min(Math.max(x, -most), most) : x);

/** One step: the next states. */
export function step(
  cell: Cell,
  x: ArrayLike<number>,
  h: readonly number[],
  c: readonly number[],
): { h: number[]; c: number[] } {
  const gate = (of: Gate, cells: readonly number[], f: (x: number) => number): number[] => {
    const { w, u, bias, peephole, norm, factors } = of;
    const sums = w.map((row, j) => {
      const own = clamp(scaled((dot(row, x, cell.inputZero) + (norm ? 0 : bias[j])) | 0, factors.w), 16);
      const joined = clamp(own + scaled(dot(u[j], h, cell.stateZero), factors.u), 16);
      return peephole ? clamp(joined + scaled(peephole[j] * cells[j], factors.peephole), 16) : joined;
    });
    return (norm ? normalized(sums, norm, bias, factors.norm, factors.least) : sums).map(f);
  };
  const [i, f, g, o] = cell.gates;
  const forget = gate(f, c, sigmoid16);
  const input = i ? gate(i, c, sigmoid16) : forget.map((v) => 32767 - v);
  const candidate = gate(g, c, (v) => tanh16(v, 3));
  const next = c.map((v, j) => {
    const [kept, added] = [roundShift(forget[j] * v, 15), roundShift(input[j] * candidate[j], 30 + cell.exponent)];
    return clipped(clamp(kept + added, 16), cell.clip);
  });
  const out = gate(o, next, sigmoid16).map((v, j) => scaled(v * tanh16(next[j], 15 + cell.exponent), cell.hidden));
  const { projection } = cell;
  if (!projection) return { h: out.map((v) => clamp(v + cell.hiddenZero, 8)), c: next };
  const hidden = out.map((v) => clamp(v - cell.hiddenZero, 8));
  const made = projection.rows.map((row, j) => {
    const sum = (dot(row, hidden, -cell.hiddenZero) + projection.bias[j]) | 0;
    return clipped(clamp(scaled(sum, projection.factor) + cell.stateZero, 8), cell.projectionClip);
  });
  return { h: made, c: next };
}

export interface Svdf {
  readonly rank: number;
  /** [filters][k] and [filters][steps]. */
  readonly w: readonly ArrayLike<number>[];
  readonly t: readonly ArrayLike<number>[];
  readonly bias: ArrayLike<number>;
  readonly inputZero: number;
  readonly stateZero: number;
  readonly outputZero: number;
  readonly bits: 8 | 16;
  readonly feature: Factor;
  readonly output: Factor;
}

/** The result of a step, and what each filter remembers. */
export function svdf(
  of: Svdf,
  x: ArrayLike<number>,
  state: readonly (readonly number[])[],
): { y: number[]; state: number[][] } {
  const next = state.map((before, f) => [
    ...before.slice(1),
    clamp(scaled(dot(of.w[f], x, of.inputZero), of.feature) + of.stateZero, of.bits),
  ]);
  const sums = next.map((values, f) => dot(of.t[f], values, of.stateZero));
  const y = Array.from({ length: sums.length / of.rank }, (_, j) => {
    const sum = sums.slice(j * of.rank, (j + 1) * of.rank).reduce((a, b) => (a + b) | 0, of.bias[j]);
    return clamp(scaled(sum, of.output) + of.outputZero, 8);
  });
  return { y, state: next };
}
