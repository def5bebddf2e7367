// What the table of ops does not reach: dropout of probabilities, forward and back, and that parts of a call are the call.
import { describe, expect, test } from "vitest";
import { expectClose, expectSameBits, inout, out, Random, run, runF32 } from "./harness.js";

const [batch, t, s, heads, groups, d, e] = [2, 66, 70, 4, 2, 5, 3];
const [rate, stream, scale] = [0.3, 7, 0.4];
const random = new Random(5);
const rng = Uint32Array.of(1, 2, 3);
const q = random.f32(batch * t * heads * d);
const k = random.f32(batch * s * groups * d);
const v = random.f32(batch * s * groups * e);
const dy = random.f32(batch * t * heads * e);
const eights = (n: number) => Math.ceil(n / 8) * 8;
const sizes = [t, s, heads, groups, d, e] as const;
const units = batch * heads * Math.ceil(t / 64);

const forward = (share: number, causal = 0, from = 0, to = units, y = out(dy.length), lse = out(batch * heads * t)) =>
  run(
    "f32_attention",
    ...[from, to, ...sizes, causal, 0, 0, 0, stream],
    ...[q, k, v, 0, rng, y, lse, out(64 * (d + eights(e) + 66))],
    ...[scale, share],
  ).outputs as Float32Array[];

/** Gradients to q, k and v. */
const backward = (share: number, causal = 0) => {
  const [y, lse] = forward(share, causal);
  const results = [q, k, v].map(({ length }) => out(length));
  const scratch = out(64 * (d + e + 2 * eights(d) + eights(e) + 128));
  return run(
    "f32_attention_grad",
    ...[0, batch * groups, ...sizes, causal, 0, 0, 0, stream],
    ...[q, k, v, 0, rng, y, lse, dy, ...results, scratch],
    ...[scale, share],
  ).outputs as Float32Array[];
};

/** What dropout multiplies each probability by: f32_dropout of [batch, heads, t, s in whole sixteens] ones. */
const row = 16 * Math.ceil(s / 16);
const drawn = runF32("f32_dropout", ...[batch * heads * t * row, rng], new Float32Array(batch * heads * t * row).fill(1), ...[out(batch * heads * t * row), rate, stream, 0]); // biome-ignore format: one call

/** In float64: the result, and the gradients to q, k and v. */
function oracle(causal: boolean): Float64Array[] {
  const results = [dy, q, k, v].map(({ length }) => new Float64Array(length));
  const [y, dq, dk, dv] = results;
  const dot = (n: number, a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number) =>
    Array.from({ length: n }, (_, c) => a[i + c] * b[j + c]).reduce((x, z) => x + z, 0);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < t; i++) {
        const at = (b * t + i) * heads + h;
        const key = (j: number) => (b * s + j) * groups + Math.floor(h / (heads / groups));
        const seen = causal ? Math.min(i + 1, s) : s;
        const terms = Array.from({ length: seen }, (_, j) => Math.exp(scale * dot(d, q, at * d, k, key(j) * d)));
        const total = terms.reduce((x, z) => x + z, 0);
        const kept = terms.map((_, j) => drawn[((b * heads + h) * t + i) * row + j]);
        const up = terms.map((_, j) => kept[j] * dot(e, dy, at * e, v, key(j) * e));
        const level = terms.reduce((sum, p, j) => sum + (p / total) * up[j], 0);
        terms.forEach((term, j) => {
          const p = term / total;
          const slope = p * (up[j] - level) * scale;
          for (let c = 0; c < e; c++) {
            y[at * e + c] += p * kept[j] * v[key(j) * e + c];
            dv[key(j) * e + c] += p * kept[j] * dy[at * e + c];
          }
          for (let c = 0; c < d; c++) {
            dq[at * d + c] += slope * k[key(j) * d + c];
            dk[key(j) * d + c] += slope * q[at * d + c];
          }
        });
      }
  return results;
}

describe.each([0, 1])("attention with dropout, causal %i", (causal) => {
  test("drops the probabilities that f32_dropout draws, and scales the others", () => {
    const [y, ...gradients] = oracle(causal === 1);
    expectClose(forward(rate, causal)[0], y, 1e-5, 1e-6);
    const [dq, dk, dv] = backward(rate, causal);
    [dq, dk, dv].forEach((actual, i) => {
      expectClose(actual, gradients[i], 1e-5, 5e-6, `gradient ${i}`);
    });
  });
});

test("units one by one write what all together do, and nothing else", () => {
  const whole = forward(0, 1);
  let parts: Float32Array[] = [new Float32Array(dy.length), new Float32Array(batch * heads * t)];
  for (let unit = 0; unit < units; unit++) parts = forward(0, 1, unit, unit + 1, inout(parts[0]), inout(parts[1]));
  expectSameBits(parts[0], whole[0]);
  expectSameBits(parts[1], whole[1]);
});

test("no unit writes nothing", () => {
  const [y] = forward(0, 0, 3, 3);
  expect(y.every(Number.isNaN)).toBe(true);
});
