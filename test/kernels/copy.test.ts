import { expect, test } from "vitest";
import { expectSameBits, inout, out, Random, runF32, SIZES } from "./harness.js";

test("copy copies at every length", () => {
  for (const n of SIZES) {
    const x = new Random(n).wild(n);
    expectSameBits(runF32("f32_copy", n, x, out(n)), x, `n = ${n}`);
  }
});

type Shape = [batch: number, h: number, w: number, c: number];
type Place = [oh: number, ow: number, top: number, left: number, stepH: number, stepW: number];

function pad([batch, h, w, c]: Shape, [oh, ow, top, left, stepH, stepW]: Place, x: Float32Array): Float32Array {
  const y = new Float32Array(batch * oh * ow * c);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++) {
        const [r, q] = [top + i * stepH, left + j * stepW];
        if (r < 0 || r >= oh || q < 0 || q >= ow) continue;
        for (let k = 0; k < c; k++) y[((b * oh + r) * ow + q) * c + k] = x[((b * h + i) * w + j) * c + k];
      }
  return y;
}

test.each<[string, Place]>([
  ["zeros all around", [9, 11, 2, 3, 1, 1]],
  ["zeros on one side each", [6, 7, 1, 0, 1, 1]],
  ["nothing added", [5, 7, 0, 0, 1, 1]],
  ["cropped all around", [3, 4, -1, -2, 1, 1]],
  ["cropped before, padded after", [7, 9, -2, -3, 1, 1]],
  ["zeros between pixels", [9, 13, 0, 0, 2, 2]],
  ["zeros between pixels and around", [17, 25, 2, 3, 3, 3]],
  ["steps that differ, cropped on both sides", [8, 6, -3, -5, 2, 4]],
  ["steps that leave zeros before the first pixel inside", [4, 5, -3, -4, 2, 3]],
  ["everything cropped before", [3, 3, -20, -20, 1, 1]],
  ["everything cropped after", [3, 3, 3, 3, 1, 1]],
])("pad2d, %s", (_, place) => {
  for (const c of [1, 2, 3, 4, 5, 8, 17]) {
    const shape: Shape = [2, 5, 7, c];
    const x = new Random(c).wild(2 * 5 * 7 * c);
    const y = pad(shape, place, x);
    expectSameBits(runF32("f32_pad2d", ...shape, ...place, x, out(y.length)), y, `c = ${c}`);
  }
});

test("pad2d of no images writes nothing", () => {
  expect(runF32("f32_pad2d", 0, 5, 7, 3, 9, 9, 1, 1, 1, 1, inout(new Float32Array(0)), out(0))).toHaveLength(0);
});
