import { expect, test } from "vitest";
import { expectSameBits, inout, out, Random, run, runF32, runIn, SIZES } from "./harness.js";

// biome-ignore lint/complexity/useMathMinMax: Math.max takes -0 and NaN otherwise
const relu = (x: number) => (x < 0 ? 0 : x); // NaN is not below 0, -0 stays

test("relu keeps what is above zero, NaN included, at every length", () => {
  for (const n of SIZES) {
    const x = new Random(n).wild(n);
    expectSameBits(runF32("f32_relu", n, x, out(n)), x.map(relu), `n = ${n}`);
  }
});

test("the gradient of relu is dy where y is above zero, and 0 where it is NaN", () => {
  for (const n of SIZES) {
    const random = new Random(n);
    const y = random.wild(n);
    const dy = random.wild(n);
    const dx = dy.map((d, i) => (y[i] > 0 ? d : 0));
    expectSameBits(runF32("f32_relu_grad", n, y, dy, out(n)), dx, `n = ${n}`);
  }
});

test("clamp takes numbers into its range and leaves NaN", () => {
  for (const n of SIZES) {
    const x = new Random(n).wild(n);
    // biome-ignore lint/complexity/useMathMinMax: as above
    const clamped = x.map((v) => (v < -0.5 ? -0.5 : v > 2 ? 2 : v));
    expectSameBits(runF32("f32_clamp", n, x, out(n), -0.5, 2), clamped, `n = ${n}`);
    expectSameBits(runF32("f32_clamp", n, x, out(n), -Infinity, Infinity), x, `n = ${n}`);
  }
});

test("elementwise kernels may work in place", () => {
  const x = inout(new Random(1).wild(37));
  expectSameBits(runF32("f32_relu", 37, x, x), x.initial.map(relu) as Float32Array);
  const dy = inout(new Random(2).wild(37));
  const y = new Random(3).wild(37);
  expectSameBits(runF32("f32_relu_grad", 37, y, dy, dy), runF32("f32_relu_grad", 37, y, dy.initial, out(37)));
});

test("the harness notices a write past an output, a changed input and a missing kernel", () => {
  const x = Float32Array.of(1, 2, 3, 4, 5);
  expect(() => run("f32_relu", 5, x, out(4))).toThrow("0 bytes after output buffer 1");
  expect(() => run("f32_relu", 5, x, x)).not.toThrow(); // relu changes none of these
  expect(() => run("f32_clamp", 5, x, x, 0, 2)).toThrow("input buffer 0");
  expect(() => run("f32_nothing", 5)).toThrow("does not export f32_nothing");
  expect(() => expectSameBits(Float32Array.of(0), Float32Array.of(-0))).toThrow("element 0 is 0, expected -0");
});

test("the debug build, which checks its assertions, gives the same bits", () => {
  const x = new Random(4).wild(100);
  const { outputs } = runIn("debug", "f32_relu", 100, x, out(100));
  expectSameBits(outputs[0], x.map(relu));
});
