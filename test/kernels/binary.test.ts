import { expect, test } from "vitest";
import { expectSameBits, inout, out, Random, runF32, SIZES } from "./harness.js";

const OPS = {
  f32_add: (a: number, b: number) => a + b,
  f32_sub: (a: number, b: number) => a - b,
  f32_mul: (a: number, b: number) => a * b,
  f32_div: (a: number, b: number) => a / b,
};
const names = Object.keys(OPS) as (keyof typeof OPS)[];

type Steps = readonly [number, number, number, number];

/** y [d0, d1, d2, d3] by the definition; float64 arithmetic on two float32 rounds to float32 as float32 arithmetic does. */
function broadcast(
  op: (a: number, b: number) => number,
  d: Steps,
  sa: Steps,
  sb: Steps,
  a: Float32Array,
  b: Float32Array,
) {
  const y = new Float32Array(d[0] * d[1] * d[2] * d[3]);
  let at = 0;
  for (let i = 0; i < d[0]; i++)
    for (let j = 0; j < d[1]; j++)
      for (let k = 0; k < d[2]; k++)
        for (let l = 0; l < d[3]; l++) {
          const p = i * sa[0] + j * sa[1] + k * sa[2] + l * sa[3];
          const q = i * sb[0] + j * sb[1] + k * sb[2] + l * sb[3];
          y[at++] = op(a[p], b[q]);
        }
  return y;
}

/** Contiguous steps of an operand of shape `d`, 0 along the dimensions that `repeats` names. */
function steps(d: Steps, repeats: readonly boolean[]): Steps {
  let size = 1;
  return [3, 2, 1, 0].reduce(
    (made, i) => {
      made[i] = repeats[i] ? 0 : size;
      size *= repeats[i] ? 1 : d[i];
      return made;
    },
    [0, 0, 0, 0],
  ) as unknown as Steps;
}

const extent = (d: Steps, s: Steps) => 1 + d.reduce((sum, n, i) => sum + (n - 1) * s[i], 0);

function check(kernel: keyof typeof OPS, d: Steps, sa: Steps, sb: Steps, what: string): void {
  const random = new Random(d[3]);
  const a = random.wild(extent(d, sa));
  const b = random.wild(extent(d, sb));
  const y = broadcast(OPS[kernel], d, sa, sb, a, b);
  expectSameBits(runF32(kernel, ...d, ...sa, ...sb, a, b, out(y.length)), y, `${kernel} ${what}`);
}

test.each(names)("%s of arrays of one shape, at every length", (kernel) => {
  for (const n of SIZES.filter((n) => n > 0)) check(kernel, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 1], `n = ${n}`);
});

test.each(names)("%s with a scalar on either side, at every length", (kernel) => {
  for (const n of SIZES.filter((n) => n > 0)) {
    check(kernel, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 0], `n = ${n}, b scalar`);
    check(kernel, [1, 1, 1, n], [0, 0, 0, 0], [0, 0, 0, 1], `n = ${n}, a scalar`);
  }
});

test.each(names)("%s repeats either operand along any dimensions", (kernel) => {
  for (let repeated = 0; repeated < 256; repeated++) {
    const bits = Array.from({ length: 8 }, (_, i) => (repeated & (1 << i)) !== 0);
    const d: Steps = [2, 3, 5, 7];
    check(kernel, d, steps(d, bits.slice(0, 4)), steps(d, bits.slice(4)), `repeating ${bits}`);
  }
});

test("steps other than 0 and 1 along the last dimension read transposed operands", () => {
  check("f32_sub", [1, 2, 3, 5], [0, 15, 1, 3], [0, 15, 5, 1], "a transposed");
  check("f32_div", [1, 1, 4, 9], [0, 0, 1, 4], [0, 0, 2, 8], "both strided");
});

test("an empty dimension gives no elements", () => {
  const x = Float32Array.of(1, 2);
  expect(runF32("f32_add", 0, 1, 1, 2, 0, 0, 0, 1, 0, 0, 0, 1, x, x.slice(), out(0))).toHaveLength(0);
  expect(runF32("f32_add", 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 0, 1, x, x.slice(), out(0))).toHaveLength(0);
});

test("the result may take the place of an operand of its shape", () => {
  const random = new Random(9);
  const a = random.wild(50);
  const b = random.wild(5);
  const target = inout(a);
  const shape = [1, 1, 10, 5, 0, 0, 5, 1, 0, 0, 0, 1];
  expectSameBits(runF32("f32_sub", ...shape, target, b, target), runF32("f32_sub", ...shape, a, b, out(50)));
});

test("i32_equal gives 1 and 0", () => {
  for (const n of SIZES) {
    const random = new Random(n);
    const a = random.i32(n, -2, 2);
    const b = random.i32(n, -2, 2);
    expectSameBits(
      runF32("i32_equal", n, a, b, out(n)),
      Float32Array.from(a, (v, i) => (v === b[i] ? 1 : 0)),
      `n = ${n}`,
    );
  }
});
