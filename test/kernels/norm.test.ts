import { describe, expect, test } from "vitest";
import { expectClose, expectSameBits, out, Random, run, runF32 } from "./harness.js";

/** Columns of x [rows, n] in float64: mean and biased variance. */
function moments(rows: number, n: number, x: Float32Array): { mean: number[]; variance: number[] } {
  const mean = Array.from({ length: n }, (_, k) => {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += x[r * n + k];
    return sum / rows;
  });
  const variance = mean.map((m, k) => {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += (x[r * n + k] - m) ** 2;
    return sum / rows;
  });
  return { mean, variance };
}

const SHAPES = [
  [1, 1],
  [2, 5],
  [3, 4],
  [5, 8],
  [63, 3],
  [64, 16],
  [65, 17],
  [67, 2],
  [130, 33],
  [300, 1],
];

describe.each(SHAPES)("%i rows of %i channels", (rows, n) => {
  const random = new Random(rows * 31 + n);
  const [x, dy] = [random.f32(rows * n, -2, 3), random.f32(rows * n)];
  const [gamma, beta] = [random.f32(n), random.f32(n)];

  test("batch_norm gives results and statistics", () => {
    const { outputs } = run("f32_batch_norm", rows, n, n, x, gamma, beta, out(rows * n), out(n), out(n), 1e-3);
    const { mean, variance } = moments(rows, n, x);
    expectClose(outputs[1], mean, 1e-6, 1e-6, "mean");
    expectClose(outputs[2], variance, 1e-6, 1e-12, "variance");
    const y = Array.from(
      x,
      (v, i) => ((v - mean[i % n]) / Math.sqrt(variance[i % n] + 1e-3)) * gamma[i % n] + beta[i % n],
    );
    expectClose(outputs[0], y, 1e-6, 5e-6, "y");
  });

  test("batch_norm_grad gives the three gradients, also over dy", () => {
    const { mean, variance } = moments(rows, n, x);
    const [m, v] = [Float32Array.from(mean), Float32Array.from(variance)];
    const { outputs } = run("f32_batch_norm_grad", rows, n, n, x, gamma, m, v, dy, out(rows * n), out(n), out(n), 1e-3);
    const z = Array.from(x, (a, i) => (a - m[i % n]) / Math.sqrt(v[i % n] + 1e-3));
    const sums = (f: (i: number) => number) =>
      Array.from({ length: n }, (_, k) => {
        let sum = 0;
        for (let i = k; i < rows * n; i += n) sum += f(i);
        return sum;
      });
    const [dgamma, dbeta] = [sums((i) => dy[i] * z[i]), sums((i) => dy[i])];
    const size = 2e-6 * Math.sqrt(rows);
    expectClose(outputs[1], dgamma, 1e-5, size, "dgamma");
    expectClose(outputs[2], dbeta, 1e-5, size, "dbeta");
    const dx = z.map((a, i) => {
      const k = i % n;
      return (gamma[k] / Math.sqrt(v[k] + 1e-3)) * (dy[i] - dbeta[k] / rows - (a * dgamma[k]) / rows);
    });
    expectClose(outputs[0], dx, 1e-5, 1e-5 * Math.max(1, ...dx.map(Math.abs)), "dx");
    const over = { initial: dy };
    const same = run("f32_batch_norm_grad", rows, n, n, x, gamma, m, v, over, over, out(n), out(n), 1e-3);
    expectSameBits(same.outputs[0], outputs[0]);
  });

  test("batch_norm_scale and moving_average", () => {
    const variance = random.f32(n, 0, 4);
    const expected = gamma.map((g, k) => Math.fround(g / Math.fround(Math.sqrt(Math.fround(variance[k] + 0.5)))));
    expectSameBits(runF32("f32_batch_norm_scale", n, gamma, variance, out(n), 0.5), expected);
    const [m, rest] = [Math.fround(0.99), Math.fround(0.01)];
    const moved = gamma.map((g, k) => Math.fround(Math.fround(g * m) + Math.fround(beta[k] * rest)));
    expectSameBits(runF32("f32_moving_average", n, gamma, beta, out(n), m, rest), moved);
  });

  test("layer_norm gives results and statistics, also over x", () => {
    const { outputs } = run("f32_layer_norm", rows, n, x, gamma, beta, out(rows * n), out(2 * rows), 1e-3);
    const stats = Array.from({ length: rows }, (_, r) => moments(n, 1, x.slice(r * n, (r + 1) * n)));
    const inverse = (r: number) => 1 / Math.sqrt(stats[r].variance[0] + 1e-3);
    expectClose(
      outputs[1],
      stats.flatMap(({ mean }, r) => [mean[0], inverse(r)]),
      1e-6,
      1e-6,
      "stats",
    );
    const y = Array.from(x, (v, i) => {
      const r = Math.floor(i / n);
      return (v - stats[r].mean[0]) * inverse(r) * gamma[i % n] + beta[i % n];
    });
    expectClose(outputs[0], y, 1e-6, 5e-6, "y");
    const over = { initial: x };
    const same = run("f32_layer_norm", rows, n, over, gamma, beta, over, out(2 * rows), 1e-3);
    expectSameBits(same.outputs[0], outputs[0]);
  });

  test("layer_norm_grad gives the three gradients", () => {
    const stats = Float32Array.from({ length: 2 * rows }, (_, i) => {
      const { mean, variance } = moments(n, 1, x.slice((i >> 1) * n, ((i >> 1) + 1) * n));
      return i % 2 === 0 ? mean[0] : 1 / Math.sqrt(variance[0] + 1e-3);
    });
    const { outputs } = run("f32_layer_norm_grad", rows, n, x, gamma, stats, dy, out(rows * n), out(n), out(n));
    const [dx, dgamma, dbeta] = [new Float64Array(rows * n), new Float64Array(n), new Float64Array(n)];
    for (let r = 0; r < rows; r++) {
      const inverse = stats[2 * r + 1];
      const z = (k: number) => (x[r * n + k] - stats[2 * r]) * inverse;
      let [level, slope] = [0, 0];
      for (let k = 0; k < n; k++) {
        const d = dy[r * n + k];
        dbeta[k] += d;
        dgamma[k] += d * z(k);
        level += (d * gamma[k]) / n;
        slope += (d * gamma[k] * z(k)) / n;
      }
      for (let k = 0; k < n; k++) dx[r * n + k] = inverse * (dy[r * n + k] * gamma[k] - level - z(k) * slope);
    }
    const size = 2e-6 * Math.sqrt(rows);
    expectClose(outputs[1], dgamma, 1e-5, size, "dgamma");
    expectClose(outputs[2], dbeta, 1e-5, size, "dbeta");
    expectClose(outputs[0], dx, 1e-5, 1e-5 * Math.max(1, ...dx.map(Math.abs)), "dx");
  });
});

test("no rows give no results and statistics of 0", () => {
  const none = new Float32Array(0);
  const weights = Float32Array.of(1, 2, 3);
  const { outputs } = run("f32_batch_norm", 0, 3, 3, none, weights, weights, out(0), out(3), out(3), 1e-3);
  expect(outputs.map((each) => [...each])).toEqual([[], [0, 0, 0], [0, 0, 0]]);
  const grads = run(
    "f32_batch_norm_grad",
    0,
    3,
    3,
    none,
    weights,
    weights,
    weights,
    none,
    out(0),
    out(3),
    out(3),
    1e-3,
  );
  expect(grads.outputs.map((each) => [...each])).toEqual([[], [0, 0, 0], [0, 0, 0]]);
  expect([...run("f32_layer_norm", 0, 3, none, weights, weights, out(0), out(0), 1e-3).outputs[0]]).toEqual([]);
});

test("a mean far from zero costs no digits of the variance", () => {
  const [rows, n] = [1000, 6];
  const x = new Random(1).f32(rows * n, 1000, 1001);
  const { outputs } = run(
    "f32_batch_norm",
    rows,
    n,
    n,
    x,
    new Float32Array(n).fill(1),
    new Float32Array(n),
    out(rows * n),
    out(n),
    out(n),
    0,
  );
  const { mean, variance } = moments(rows, n, x);
  expectClose(outputs[1], mean, 1e-7);
  expectClose(outputs[2], variance, 1e-6);
});

test("a channel of equal numbers has variance 0 and result beta", () => {
  const x = new Float32Array(300).fill(0.1);
  const { outputs } = run(
    "f32_batch_norm",
    100,
    3,
    3,
    x,
    Float32Array.of(1, 2, 3),
    Float32Array.of(4, 5, 6),
    out(300),
    out(3),
    out(3),
    1e-3,
  );
  expectClose(outputs[2], [0, 0, 0], 0, 1e-14);
  expectClose(outputs[0].slice(0, 3), [4, 5, 6], 1e-5);
});

test("a NaN stays in its channel", () => {
  const x = new Random(2).f32(40);
  x[13] = Number.NaN;
  const { outputs } = run(
    "f32_batch_norm",
    10,
    4,
    4,
    x,
    new Float32Array(4).fill(1),
    new Float32Array(4),
    out(40),
    out(4),
    out(4),
    1e-3,
  );
  outputs[0].forEach((y, i) => {
    expect(Number.isNaN(y)).toBe(i % 4 === 1);
  });
});
