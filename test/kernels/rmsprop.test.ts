// As optimizer.test.ts: a float32 transcription of the formulas gives the bits.
import { expect, test } from "vitest";
import { expectClose, expectSameBits, inout, type Numbers, Random, run, SIZES } from "./harness.js";

const f = Math.fround;
const RHO = 0.9;
const EPSILON = 1e-7;

interface Form {
  readonly centered: boolean;
  readonly momentum: number;
}
const forms: Form[] = [0, 0.8].flatMap((momentum) => [false, true].map((centered) => ({ centered, momentum })));

/** One step of the kernel: the new w, v, a, m, as far as the form has them. */
function rmsprop({ centered, momentum }: Form, w: Numbers, g: Float32Array, [v, a, m]: Numbers[], lr: number) {
  const rest = [centered ? inout(a) : 0, momentum > 0 ? inout(m) : 0] as const;
  const { outputs } = run(
    "f32_rmsprop",
    w.length,
    inout(w),
    g,
    inout(v),
    ...rest,
    Float32Array.of(lr),
    RHO,
    momentum,
    EPSILON,
  );
  return outputs;
}

test.each(forms)("rmsprop gives the bits of its formula in float32, %o", (form) => {
  const [keep, lr, momentum, epsilon] = [f(1 - RHO), f(0.01), f(form.momentum), f(EPSILON)];
  for (const n of SIZES) {
    const random = new Random(n);
    const [w, g, a, m] = [random.f32(n), random.f32(n), random.f32(n, -0.1, 0.1), random.f32(n)];
    const v = random.f32(n, 0.5, 1);
    const square = v.map((x, i) => x + f(f(f(g[i] * g[i]) - x) * keep));
    const mean = a.map((x, i) => x + f(f(g[i] - x) * keep));
    const spread = form.centered ? square.map((x, i) => x - f(mean[i] * mean[i])) : square;
    const plain = g.map((x, i) => f(lr * x) / f(Math.sqrt(f(spread[i] + epsilon))));
    const step = form.momentum > 0 ? m.map((x, i) => f(momentum * x) + plain[i]) : plain;
    const expected = [
      w.map((x, i) => x - step[i]),
      square,
      ...(form.centered ? [mean] : []),
      ...(form.momentum > 0 ? [step] : []),
    ];
    const outputs = rmsprop(form, w, g, [v, a, m], lr);
    expect(outputs).toHaveLength(expected.length);
    outputs.forEach((result, i) => {
      expectSameBits(result, expected[i], `output ${i}, n = ${n}`);
    });
  }
});

test("twenty steps of centered rmsprop with momentum stay within 1e-5 of the same steps in float64", () => {
  const form = { centered: true, momentum: 0.8 };
  const random = new Random(3);
  const start = random.f32(21);
  let [w, v, a, m]: Numbers[] = [start, new Float32Array(21), new Float32Array(21), new Float32Array(21)];
  const [we, ve, ae, me] = [Array.from(start), ...[0, 0, 0].map(() => new Array<number>(21).fill(0))];
  for (let t = 0; t < 20; t++) {
    const g = random.f32(21);
    [w, v, a, m] = rmsprop(form, w, g, [v, a, m], 0.001);
    for (let i = 0; i < 21; i++) {
      ve[i] = RHO * ve[i] + (1 - RHO) * g[i] ** 2;
      ae[i] = RHO * ae[i] + (1 - RHO) * g[i];
      me[i] = 0.8 * me[i] + (0.001 * g[i]) / Math.sqrt(ve[i] - ae[i] ** 2 + EPSILON);
      we[i] -= me[i];
    }
  }
  expectClose(w, we, 1e-5, 1e-5);
});

test("adamw decays the weight by the learning rate, then does what adam does", () => {
  const [alpha, lr, decay] = [f(0.003), f(0.01), f(0.05)];
  for (const n of SIZES) {
    const random = new Random(n);
    const [w, g, m, v] = [random.f32(n), random.f32(n), random.f32(n), random.f32(n, 0, 1)];
    const scalars = [Float32Array.of(alpha), Float32Array.of(lr), decay, 0.9, 0.999, EPSILON] as const;
    const { outputs } = run("f32_adamw", n, inout(w), g, inout(m), inout(v), ...scalars);
    const shrunk = w.map((x) => x - f(f(lr * decay) * x));
    const adam = run("f32_adam", n, inout(shrunk), g, inout(m), inout(v), scalars[0], 0.9, 0.999, EPSILON).outputs;
    outputs.forEach((result, i) => {
      expectSameBits(result, adam[i], `output ${i}, n = ${n}`);
    });
  }
});
