import { expect, test } from "vitest";
import { expectSameBits, inout, out, Random, run, runF32 } from "./harness.js";

type Five = readonly [number, number, number, number, number];

/** The kernel by its definition, on plain arrays. */
function copy<T extends Float32Array | Uint8Array>(
  d: Five,
  sx: Five,
  sy: Five,
  atX: number,
  atY: number,
  x: T,
  y: T,
): T {
  for (let i = 0; i < d[0]; i++)
    for (let j = 0; j < d[1]; j++)
      for (let k = 0; k < d[2]; k++)
        for (let l = 0; l < d[3]; l++)
          for (let m = 0; m < d[4]; m++) {
            const index = [i, j, k, l, m];
            const at = (steps: Five) => index.reduce((sum, n, axis) => sum + n * steps[axis], 0);
            y[atY + at(sy)] = x[atX + at(sx)];
          }
  return y;
}

/** Where the loops reach: the lowest and the highest element. */
const reach = (d: Five, steps: Five): [number, number] => [
  d.reduce((sum, n, i) => sum + Math.min(0, (n - 1) * steps[i]), 0),
  d.reduce((sum, n, i) => sum + Math.max(0, (n - 1) * steps[i]), 0),
];

/** Both widths, in a target that has other numbers around and between what is written. */
function check(d: Five, sx: Five, sy: Five, what: string): void {
  const [lowX, highX] = reach(d, sx);
  const [lowY, highY] = reach(d, sy);
  const [atX, atY] = [2 - lowX, 3 - lowY];
  const random = new Random(d[4] + d[3]);
  const x = random.wild(highX + atX + 3);
  const y = random.wild(highY + atY + 3);
  expectSameBits(
    runF32("x32_strided_copy", ...d, ...sx, ...sy, atX, atY, x, inout(y)),
    copy(d, sx, sy, atX, atY, x, y.slice()),
    `x32 ${what}`,
  );
  // The harness has no arrays of bytes: words of random bytes.
  const bytes = (n: number) => Uint32Array.from({ length: Math.ceil(n / 4) }, () => random.u32());
  const [p, q] = [bytes(x.length), bytes(y.length)];
  const expected = copy(d, sx, sy, atX, atY, new Uint8Array(p.buffer), new Uint8Array(q.slice().buffer));
  const { outputs } = run("x8_strided_copy", ...d, ...sx, ...sy, atX, atY, p, inout(q));
  expectSameBits(outputs[0], new Uint32Array(expected.buffer), `x8 ${what}`);
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 127, 128, 130, 512, 600];

test("rows of every length", () => {
  for (const n of SIZES) {
    check([1, 1, 1, 1, n], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], `one row of ${n}`);
    check([1, 1, 2, 3, n], [0, 0, 4 * n, n + 1, 1], [0, 0, 5 * n, n + 2, 1], `rows of ${n}`);
  }
});

test("one number repeated", () => {
  for (const n of SIZES) check([1, 1, 2, 3, n], [0, 0, 1, 5, 0], [0, 0, 4 * n, n + 1, 1], `${n} times`);
});

test("transpositions of every shape around the tile", () => {
  for (const m of [1, 2, 3, 4, 5, 8, 31, 32, 33, 36, 67])
    for (const n of [1, 3, 4, 6, 32, 35, 64])
      check([1, 1, 2, m, n], [0, 0, m * n + 1, 1, m + 1], [0, 0, (n + 2) * m, n + 2, 1], `[${n}, ${m}]`);
});

test("any steps of either sign", () => {
  for (const n of [1, 2, 5, 17]) {
    check([2, 3, 2, 2, n], [-60 * n, 7 * n, 300 * n, n, -1], [12 * n, 4 * n, 2 * n, n, 1], `backwards, ${n}`);
    check(
      [2, 1, 3, 2, n],
      [n * 40, 0, 9 * n, 4 * n, 3],
      [n * 60, 0, 20 * n, 9 * n, 4],
      `every third to every fourth, ${n}`,
    );
    check([1, 1, 2, 3, n], [0, 0, -5 * n, n, 1], [0, 0, 9 * n, 3 * n, 2], `rows spread out, ${n}`);
  }
});

test("an empty loop writes nothing", () => {
  const x = Float32Array.of(1, 2);
  expect(runF32("x32_strided_copy", 2, 0, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, x, out(0))).toHaveLength(0);
  expect(runF32("x32_strided_copy", 1, 1, 1, 2, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, x, out(0))).toHaveLength(0);
});
