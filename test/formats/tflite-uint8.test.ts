// Models of uint8 as TensorFlow's first converter wrote them: one scale and one zero point for each tensor, weights too.
import { describe, expect, test } from "vitest";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, save, type Tensor } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/table.js";
import { factorOf, requantized } from "../oracle/quantized.js";
import type { TensorFile } from "./tflite-file.js";
import { run, single } from "./tflite-single.js";

const X = { scale: 0.0625, zeroPoint: 131 };
const W = { scale: Math.fround(0.0123), zeroPoint: 97 };
const Y = { scale: Math.fround(0.31), zeroPoint: 77 };

const u8 = (shape: number[], { scale, zeroPoint }: typeof X, data?: Uint8Array): TensorFile => ({
  shape,
  type: "uint8",
  scales: [scale],
  zeroPoints: [zeroPoint],
  ...(data && { data }),
});
const bytes = (n: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (i % 5 === 0 ? [0, 255][(i / 5) & 1] : (i * 89 + seed * 31) % 256));
const bias = (...data: number[]): TensorFile => ({ shape: [data.length], type: "int32", data: Int32Array.from(data) });

/** A sum as a byte of the result. */
const finished = (sum: number, low = 0): number =>
  requantized(sum, factorOf(X.scale, W.scale, Y.scale), Y.zeroPoint, low, 255);

describe("uint8, exactly, with zero points of weights", () => {
  // 8 channels in and 3x3 filters: what int8 does by Winograd.
  test.each([
    ["3x3", 3, 6, 8, 5],
    ["1x1", 1, 4, 7, 9],
    ["2x2", 2, 5, 3, 4],
  ] as const)("CONV_2D %s", async (_, k, size, c, n) => {
    const [x, w, b] = [
      bytes(size * size * c, 1),
      bytes(n * k * k * c, 2),
      Array.from({ length: n }, (_, i) => 90 * i - 200),
    ];
    const out = size - k + 1;
    const tensors = [u8([1, size, size, c], X), u8([n, k, k, c], W, w), bias(...b), u8([1, out, out, n], Y)];
    const options = [
      ["byte", 1],
      ["int", 1],
      ["int", 1],
      ["byte", 1],
    ] as const;
    const got = await run(single("CONV_2D", tensors, options), x);
    const expected = Array.from(got, (_, at) => {
      const [i, j, m] = [Math.floor(at / (out * n)), Math.floor(at / n) % out, at % n];
      let sum = b[m];
      for (let p = 0; p < k; p++)
        for (let r = 0; r < k; r++)
          for (let t = 0; t < c; t++)
            sum +=
              (x[((i + p) * size + j + r) * c + t] - X.zeroPoint) * (w[((m * k + p) * k + r) * c + t] - W.zeroPoint);
      return finished(sum, Y.zeroPoint);
    });
    expect([...got]).toEqual(expected);
  });

  test.each([1, 2])("DEPTHWISE_CONV_2D with %i filters for a channel, padded", async (m) => {
    const [h, c] = [5, 3];
    const [x, w] = [bytes(h * h * c, 3), bytes(9 * c * m, 4)];
    const b = Array.from({ length: c * m }, (_, i) => 31 * i);
    const tensors = [u8([1, h, h, c], X), u8([1, 3, 3, c * m], W, w), bias(...b), u8([1, h, h, c * m], Y)];
    const options = [
      ["byte", 0],
      ["int", 1],
      ["int", 1],
      ["int", m],
      ["byte", 0],
    ] as const;
    const got = await run(single("DEPTHWISE_CONV_2D", tensors, options), x);
    const expected = Array.from(got, (_, at) => {
      const [i, j, k] = [Math.floor(at / (h * c * m)), Math.floor(at / (c * m)) % h, at % (c * m)];
      let sum = b[k];
      for (let p = 0; p < 3; p++)
        for (let r = 0; r < 3; r++) {
          const [v, u] = [i + p - 1, j + r - 1];
          if (v < 0 || u < 0 || v >= h || u >= h) continue;
          sum += (x[(v * h + u) * c + Math.floor(k / m)] - X.zeroPoint) * (w[(p * 3 + r) * c * m + k] - W.zeroPoint);
        }
      return finished(sum);
    });
    expect([...got]).toEqual(expected);
  });

  test("FULLY_CONNECTED, which stays what it is when saved", async () => {
    const [x, w, b] = [bytes(40, 5), bytes(7 * 40, 6), [1, -2, 3, 1000, -1000, 0, 9]];
    const file = single("FULLY_CONNECTED", [u8([1, 40], X), u8([7, 40], W, w), bias(...b), u8([1, 7], Y)]);
    const model = await fromTflite(file);
    const expected = b.map((start, n) =>
      finished(x.reduce((sum, v, k) => sum + (v - X.zeroPoint) * (w[n * 40 + k] - W.zeroPoint), start)),
    );
    expect([...(model.predict(x) as Tensor).data]).toEqual(expected);
    expect(model.inputs[0]).toMatchObject({ dtype: "uint8", quantization: X });
    expect(model.outputs[0]).toMatchObject({ dtype: "uint8", quantization: Y });
    const copy = await load(save(model), { layers: int8Ops });
    expect([...(copy.predict(x) as Tensor).data]).toEqual(expected);
    expect([copy.inputs, copy.outputs]).toEqual([model.inputs, model.outputs]);
  });

  test("FULLY_CONNECTED of uint8 weights under floats", async () => {
    const [x, w] = [Float32Array.from(bytes(12, 5), (v) => v / 64 - 2), bytes(24, 6)];
    const f = (shape: number[]): TensorFile => ({ shape, type: "float32" });
    const got = await run(single("FULLY_CONNECTED", [f([1, 12]), u8([2, 12], W, w), f([1, 2])]), x);
    got.forEach((v, n) => {
      expect(v).toBeCloseTo(
        x.reduce((sum, u, k) => sum + u * (w[12 * n + k] - W.zeroPoint) * W.scale, 0),
        4,
      );
    });
  });

  test("AVERAGE_POOL_2D: ties go up", async () => {
    const x = Uint8Array.of(0, 1, 2, 3, 127, 128, 128, 129, 254, 255);
    const options = [
      ["byte", 1],
      ["int", 2],
      ["int", 1],
      ["int", 2],
      ["int", 1],
      ["byte", 0],
    ] as const;
    const got = await run(single("AVERAGE_POOL_2D", [u8([1, 1, 10, 1], X), u8([1, 1, 5, 1], X)], options), x);
    expect([...got]).toEqual([1, 3, 128, 129, 255]);
  });

  test("SOFTMAX and ADD", async () => {
    const x = bytes(10, 7);
    const scores = await run(
      single("SOFTMAX", [u8([1, 10], X), u8([1, 10], { scale: 1 / 256, zeroPoint: 0 })], [["float", 1]]),
      x,
    );
    const terms = Array.from(x, (v) => Math.exp(v * X.scale));
    const total = terms.reduce((sum, v) => sum + v, 0);
    expect([...scores]).toEqual(terms.map((v) => Math.min(Math.floor((v / total) * 256 + 0.5), 255)));
    const sums = await run(single("ADD", [u8([1, 10], X), u8([1, 10], X), u8([1, 10], Y)], [["byte", 0]]), x, x);
    sums.forEach((v, i) => {
      const real = (2 * (x[i] - X.zeroPoint) * X.scale) / Y.scale + Y.zeroPoint;
      expect(Math.abs(v - Math.min(Math.max(real, 0), 255))).toBeLessThanOrEqual(0.502);
    });
  });
});
