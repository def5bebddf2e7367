// Every update rounds after each operation, so a float32 transcription of the formulas gives the bits; that the formulas are right is
// held by step-by-step runs against PyTorch elsewhere, and by the float64 run of Adam here.
import { expect, test } from "vitest";
import { expectClose, expectSameBits, inout, type Numbers, Random, run, SIZES } from "./harness.js";

const f = Math.fround;

test("sgd subtracts the scaled gradient", () => {
  for (const n of SIZES) {
    const random = new Random(n);
    const [w, g, lr] = [random.wild(n), random.wild(n), Float32Array.of(0.1)];
    const { outputs } = run("f32_sgd", n, inout(w), g, lr);
    expectSameBits(
      outputs[0],
      w.map((v, i) => v - f(lr[0] * g[i])),
      `n = ${n}`,
    );
  }
});

test.each([0, 1])("sgd with momentum follows Keras, nesterov = %i", (nesterov) => {
  const [momentum, lr] = [f(0.9), f(0.01)];
  for (const n of SIZES) {
    const random = new Random(n);
    const [w, g, m] = [random.f32(n), random.f32(n), random.f32(n)];
    const velocity = m.map((v, i) => f(momentum * v) - f(lr * g[i]));
    const moved = w.map((v, i) => v + (nesterov ? f(f(momentum * velocity[i]) - f(lr * g[i])) : velocity[i]));
    const args = [g, inout(m), Float32Array.of(lr), momentum, nesterov] as const;
    const { outputs } = run("f32_sgd_momentum", n, inout(w), ...args);
    expectSameBits(outputs[0], moved, `w, n = ${n}`);
    expectSameBits(outputs[1], velocity, `m, n = ${n}`);
  }
});

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;

function adam(w: Numbers, g: Float32Array, m: Numbers, v: Numbers, alpha: number): Numbers[] {
  const args = [Float32Array.of(alpha), BETA1, BETA2, EPSILON] as const;
  return run("f32_adam", w.length, inout(w), g, inout(m), inout(v), ...args).outputs;
}

test("adam gives the bits of its formula in float32, with 1 - beta rounded once", () => {
  const [rate1, rate2, alpha, epsilon] = [f(1 - BETA1), f(1 - BETA2), f(0.003), f(EPSILON)];
  for (const n of SIZES) {
    const random = new Random(n);
    const [w, g, m, v] = [random.f32(n), random.f32(n), random.f32(n), random.f32(n, 0, 1)];
    const mean = m.map((x, i) => x + f(f(g[i] - x) * rate1));
    const square = v.map((x, i) => x + f(f(f(g[i] * g[i]) - x) * rate2));
    const moved = w.map((x, i) => x - f(f(alpha * mean[i]) / f(f(Math.sqrt(square[i])) + epsilon)));
    adam(w, g, m, v, alpha).forEach((result, i) => {
      expectSameBits(result, [moved, mean, square][i], `output ${i}, n = ${n}`);
    });
  }
});

test("twenty steps of adam stay within 1e-5 of the same steps in float64", () => {
  const random = new Random(7);
  const start = random.f32(33);
  let [w, m, v]: Numbers[] = [start, new Float32Array(33), new Float32Array(33)];
  const [we, me, ve] = [Array.from(start), new Array(33).fill(0), new Array(33).fill(0)];
  for (let t = 1; t <= 20; t++) {
    const g = random.f32(33);
    const alpha = (0.01 * Math.sqrt(1 - BETA2 ** t)) / (1 - BETA1 ** t);
    [w, m, v] = adam(w, g, m, v, alpha);
    for (let i = 0; i < 33; i++) {
      me[i] = BETA1 * me[i] + (1 - BETA1) * g[i];
      ve[i] = BETA2 * ve[i] + (1 - BETA2) * g[i] ** 2;
      we[i] -= (alpha * me[i]) / (Math.sqrt(ve[i]) + EPSILON);
    }
  }
  expectClose(w, we, 1e-5, 1e-6);
});

test("a NaN gradient makes its weight NaN and no other", () => {
  const g = new Random(1).f32(9);
  g[4] = Number.NaN;
  const zeros = new Float32Array(9);
  const { outputs } = run("f32_sgd", 9, inout(zeros), g, Float32Array.of(0.1));
  for (const result of [outputs[0], ...adam(zeros, g, zeros, zeros, 0.1)]) {
    expect([...result].map(Number.isNaN)).toEqual([...g].map(Number.isNaN));
  }
});
