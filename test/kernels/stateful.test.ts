// Integer kernels of models with states against naive integers, exactly: random shapes, zero points and factors, the extremes of the ranges, and
// every number that a gate may be.
import { describe, expect, test } from "vitest";
import { constant, input } from "../../src/index.js";
import { quantizedSvdf } from "../../src/ops/quantized/svdf.js";
import { type Cell, type Factor, type Gate, step, svdf } from "../oracle/stateful.js";
import { Random, run } from "./harness.js";

const bytes = (length: number) => ({ initial: new Int8Array(length).fill(99) });
const shorts = (length: number) => ({ initial: new Int16Array(length).fill(0x7e7e) });
const padded = (n: number): number => (n + 15) & ~15;

/** Numbers of which every third is an extreme. */
const whole = <T extends Int8Array | Int16Array>(random: Random, x: T, low: number, high: number): T =>
  x.map(() => (random.int(0, 3) === 0 ? [low, high, 0][random.int(0, 3)] : random.int(low, high + 1))) as T;
const int8 = (random: Random, length: number) => whole(random, new Int8Array(length), -128, 127);
const int16 = (random: Random, length: number) => whole(random, new Int16Array(length), -32768, 32767);
const words = (random: Random, length: number, most: number) =>
  Int32Array.from({ length }, () => random.int(-most, most + 1));

/** About 2^exponent. */
const factor = (random: Random, exponent: number): Factor => [
  random.int(2 ** 30, 2 ** 31),
  exponent + random.int(-1, 2),
];

/** Rows of n, each filled up with zeros. */
function padRows(rows: readonly ArrayLike<number>[], n: number): Int8Array {
  const made = new Int8Array(rows.length * padded(n));
  rows.forEach((row, i) => void made.set(row, i * padded(n)));
  return made;
}
const sums = (rows: readonly ArrayLike<number>[], zero: number, bias?: ArrayLike<number>): Int32Array =>
  Int32Array.from(rows, (row, i) => Array.from(row).reduce((sum, v) => sum + zero * v, bias?.[i] ?? 0));

interface Sizes {
  readonly batch: number;
  readonly steps: number;
  readonly k: number;
  readonly n: number;
  readonly m: number;
}

/** All that a call is given, as the kernel and as the oracle have it. */
interface Problem extends Sizes {
  readonly cell: Cell;
  readonly x: Int8Array;
  readonly h0: Int8Array;
  readonly c0: Int16Array;
}

const NONE: Factor = [0, 0];

function problem(random: Random, sizes: Sizes, has: { coupled: boolean; peephole: boolean; norm: boolean }): Problem {
  const { batch, steps, k, n, m } = sizes;
  const isProjected = n !== m || random.int(0, 3) === 0;
  const gate = (withPeephole: boolean): Gate => ({
    w: Array.from({ length: n }, () => int8(random, k)),
    u: Array.from({ length: n }, () => int8(random, m)),
    bias: words(random, n, has.norm ? 4000 : 30000),
    peephole: has.peephole && withPeephole && (!isProjected || n === m) ? int16(random, n) : undefined,
    norm: has.norm ? int16(random, n) : undefined,
    factors: {
      w: factor(random, -1),
      u: factor(random, -1),
      peephole: factor(random, -14),
      norm: factor(random, -12),
      least: random.int(1, 40),
    },
  });
  const [i, f, g, o] = [gate(true), gate(true), gate(false), gate(true)];
  const zero = () => [-128, 127, 0, random.int(-128, 128)][random.int(0, 4)];
  const cell: Cell = {
    gates: [has.coupled ? undefined : i, f, g, o],
    inputZero: zero(),
    stateZero: zero(),
    hiddenZero: random.int(-20, 20),
    hidden: factor(random, -22),
    projection: isProjected
      ? {
          rows: Array.from({ length: m }, () => int8(random, n)),
          bias: words(random, m, 2000),
          factor: factor(random, -7),
        }
      : undefined,
    exponent: random.int(-15, -8),
    clip: random.int(0, 2) * random.int(1, 32768),
    projectionClip: random.int(0, 2) * random.int(1, 128),
  };
  const [x, h0] = [int8(random, batch * steps * k), int8(random, batch * m)];
  return { ...sizes, cell, x, h0, c0: int16(random, batch * n) };
}

/** What the kernel makes of it. */
function lstm({ batch, steps, k, n, m, cell, x, h0, c0 }: Problem): { y: number[]; c: number[] } {
  const gates = cell.gates.filter((gate) => gate !== undefined);
  const [w, u] = [gates.flatMap((gate) => gate.w), gates.flatMap((gate) => gate.u)];
  const isNormed = gates[0].norm !== undefined;
  const bias = Int32Array.from(gates.flatMap((gate) => [...Array.from(gate.bias)]));
  const joined = (lists: readonly (ArrayLike<number> | undefined)[]) => {
    const all = lists.flatMap((list) => (list ? Array.from(list) : []));
    return all.length > 0 ? Int16Array.from(all) : 0;
  };
  const { projection, hidden, hiddenZero } = cell;
  const factors = Int32Array.from([
    ...cell.gates.flatMap((gate) => {
      const of = gate?.factors ?? { w: NONE, u: NONE, peephole: NONE, norm: NONE, least: 1 };
      return [...of.w, ...of.u, ...of.peephole, ...of.norm, of.least];
    }),
    ...[...hidden, projection ? -hiddenZero : hiddenZero, ...(projection?.factor ?? NONE), cell.stateZero],
    ...[cell.exponent, cell.clip, projection ? cell.projectionClip : 0],
  ]);
  const { outputs } = run(
    "i8_lstm",
    ...[batch, steps, k, n, m, x, padRows(w, k), sums(w, -cell.inputZero, isNormed ? undefined : bias)],
    ...[padRows(u, m), sums(u, -cell.stateZero), joined(gates.map((gate) => gate.peephole))],
    ...[joined(gates.map((gate) => gate.norm)), bias],
    ...(projection ? [padRows(projection.rows, n), sums(projection.rows, hiddenZero, projection.bias)] : [0, 0]),
    ...[factors, h0, c0, bytes(batch * steps * m), shorts(batch * n), bytes(5 * padded(2 * n) + padded(n) + 16)],
    Number(cell.gates[0] === undefined),
  );
  return { y: [...outputs[0]], c: [...outputs[1]] };
}

function expected({ batch, steps, k, n, m, cell, x, h0, c0 }: Problem): { y: number[]; c: number[] } {
  const [y, cells]: [number[], number[]] = [[], []];
  for (let b = 0; b < batch; b++) {
    let [h, c] = [[...h0.slice(b * m, (b + 1) * m)], [...c0.slice(b * n, (b + 1) * n)]];
    for (let t = 0; t < steps; t++) {
      const at = (b * steps + t) * k;
      ({ h, c } = step(cell, x.slice(at, at + k), h, c));
      y.push(...h);
    }
    cells.push(...c);
  }
  return { y, c: cells };
}

describe("i8_lstm", () => {
  const kinds = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({ coupled: i % 2 > 0, peephole: i % 4 > 1, norm: i > 3 }));
  test.each(kinds.map((has) => [JSON.stringify(has), has] as const))("of random shapes, %s", (_, has) => {
    const random = new Random(17);
    for (let i = 0; i < 25; i++) {
      const n = random.int(1, 20);
      const m = random.int(0, 2) === 0 || has.peephole ? n : random.int(1, 20);
      const sizes = { batch: random.int(1, 4), steps: random.int(1, 5), k: random.int(1, 36), n, m };
      const each = problem(random, sizes, has);
      expect(lstm(each), `${JSON.stringify(sizes)}, problem ${i}`).toEqual(expected(each));
    }
  });

  const same: Factor = [2 ** 30, 1];
  const gate = (n: number, m: number, bias: Int32Array): Gate => ({
    w: Array.from({ length: n }, () => [0]),
    u: Array.from({ length: n }, () => new Int8Array(m)),
    bias,
    factors: { w: same, u: same, peephole: NONE, norm: NONE, least: 1 },
  });
  const quiet = {
    inputZero: 0,
    stateZero: 0,
    hiddenZero: 3,
    hidden: [2 ** 30, -21] as Factor,
    clip: 0,
    projectionClip: 0,
  };

  test("of every number that a gate may be", () => {
    const n = 8192;
    for (let part = 0; part < 8; part++) {
      const all = Int32Array.from({ length: n }, (_, j) => part * n + j - 32768);
      const [i, f, g, o] = [all.toReversed(), all.map((v) => -v - 1), all, all].map((bias) => gate(n, 1, bias));
      const projection = { rows: [new Int8Array(n)], bias: [0], factor: same };
      const cell: Cell = { gates: [i, f, g, o], ...quiet, exponent: -15, projection };
      const [x, h0, c0] = [new Int8Array(1), new Int8Array(1), Int16Array.from(all, (v) => v ^ 21845)];
      const { c } = lstm({ batch: 1, steps: 1, k: 1, n, m: 1, cell, x, h0, c0 });
      expect(c).toEqual(alone(cell, c0).map((made) => made.c));
    }
  });

  test("of cells at every scale", () => {
    const n = 512;
    for (let exponent = -15; exponent <= -9; exponent++) {
      const cells = Int16Array.from({ length: n }, (_, j) => (j < 64 ? j - 32 : 127 * j - 32700));
      const [i, f, g, o] = [0, 32767, 0, 32767].map((v) => gate(n, n, new Int32Array(n).fill(v)));
      const cell: Cell = { gates: [i, f, g, o], ...quiet, exponent };
      const [x, h0] = [new Int8Array(1), new Int8Array(n)];
      const { y, c } = lstm({ batch: 1, steps: 1, k: 1, n, m: n, cell, x, h0, c0: cells });
      const made = alone(cell, cells);
      expect(c).toEqual(made.map((each) => each.c));
      expect(y).toEqual(made.map((each) => each.h));
    }
  });
});

/** A step of cells that see nothing but their biases, each by itself. */
function alone(cell: Cell, c0: Int16Array): { h: number; c: number }[] {
  return Array.from(c0, (before, j) => {
    const [i, f, g, o] = cell.gates.map((gate) => gate && { ...gate, w: [[0]], u: [[0]], bias: [gate.bias[j]] });
    const gates = [i, f, g, o] as Cell["gates"];
    const made = step({ ...cell, gates, projection: undefined }, [0], [0], [before]);
    return { h: made.h[0], c: made.c[0] };
  });
}

describe("i8_svdf", () => {
  test.each([8, 16] as const)("of random shapes, states of %s bits", (bits) => {
    const random = new Random(23);
    for (let i = 0; i < 60; i++) {
      const [batch, k, units, rank, steps] = [random.int(1, 4), random.int(1, 40), random.int(1, 7), random.int(1, 4), random.int(1, 12)]; // biome-ignore format: short
      const filters = units * rank;
      const numbers = (length: number) => (bits === 8 ? int8(random, length) : int16(random, length));
      const split = <T extends Int8Array | Int16Array>(x: T, n: number) =>
        Array.from({ length: n === 0 ? 0 : x.length / n }, (_, j) => Array.from(x.slice(j * n, (j + 1) * n)));
      const [w, t, state, x] = [int8(random, filters * k), numbers(filters * steps), numbers(batch * filters * steps), int8(random, batch * k)]; // biome-ignore format: short
      const hasBias = random.int(0, 2) === 0;
      const bias = hasBias ? words(random, units, 10000) : new Int32Array(units);
      const of = {
        ...{ rank, w: split(w, k), t: split(t, steps), bias, bits },
        inputZero: random.int(-128, 128),
        stateZero: bits === 8 ? random.int(-128, 128) : 0,
        outputZero: random.int(-128, 128),
        feature: factor(random, bits === 8 ? -8 : -1),
        output: factor(random, bits === 8 ? -9 : -20),
      };
      const [rows, next] = [split(w, k), bits === 8 ? bytes(state.length) : shorts(state.length)];
      const { outputs } = run(
        "i8_svdf",
        ...[batch, k, filters, steps, rank, x, padRows(rows, k), sums(rows, -of.inputZero), t, hasBias ? bias : 0],
        ...[state, next, bytes(batch * units), ...of.feature, of.stateZero, ...of.output, of.outputZero],
        Number(bits === 8),
      );
      for (let b = 0; b < batch; b++) {
        const before = split(state.slice(b * filters * steps, (b + 1) * filters * steps), steps);
        const made = svdf(of, x.slice(b * k, (b + 1) * k), before);
        expect([...outputs[0].slice(b * filters * steps, (b + 1) * filters * steps)], `next ${i}`).toEqual(
          made.state.flat(),
        );
        expect([...outputs[1].slice(b * units, (b + 1) * units)], `units ${i}`).toEqual(made.y);
      }
    }
  });
});

test("scales too far apart are refused where the op is made: their factor is no number of 31 bits and a shift", () => {
  const x = input([2], { dtype: "int8" });
  const zeros = (...shape: number[]) => constant({ data: new Int8Array(shape[0] * shape[1]), shape, dtype: "int8" });
  const weights = { x, state: zeros(1, 2), w: zeros(1, 2), t: zeros(1, 2) };
  const q = (scale: number) => ({ scale: Math.fround(scale), zeroPoint: 0 });
  const svdf = (scale: number) =>
    quantizedSvdf(weights, { rank: 1, input: q(scale), state: q(2 ** -20), quantization: q(1), w: 2 ** 20, t: 1 });
  expect(svdf(2 ** -30).y.shape).toEqual([1, 1]);
  for (const scale of [1, 1e30, 3e38]) expect(() => svdf(scale)).toThrow(RangeError);
});
