// Files with activations of 16 bits, written here operator by operator, against naive integers; and transposed convolutions of all types.
import { describe, expect, test } from "vitest";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, save, type Tensor, tensor } from "../../src/index.js";
import type { TypedArray } from "../../src/tensor.js";
import { added, clamp16, nearestAway, rounded as roundedSum, scaled, shiftAway } from "../oracle/int16.js";
import { factorOf, requantized } from "../oracle/quantized.js";
import type { TensorFile } from "./tflite-file.js";
import { A, bytes, f, ints, q, run, single, Y } from "./tflite-single.js";

describe("operators of 16-bit activations", () => {
  const w = (shape: number[], scale: number, rest: Partial<TensorFile> = {}): TensorFile => ({
    shape,
    type: "int16",
    scales: [scale],
    zeroPoints: [0],
    ...rest,
  });
  const [sx, sb, sy] = [0.0031, 0.0007, 0.0049].map(Math.fround);
  const ints16 = (n: number, seed: number): Int16Array =>
    Int16Array.from({ length: n }, (_, i) => ((i * 7919 + seed * 104729) % 65536) - 32768);
  const [x, y] = [ints16(24, 1), ints16(24, 2)];

  test("TRANSPOSE_CONV with the shape of its result as an input, at any batch", async () => {
    const kernel = bytes(2 * 3 * 2 * 4, 5);
    const scales = [0.01, 0.02].map(Math.fround);
    const bias = BigInt64Array.of(5_000_000_000n, -70_000n);
    const tensors = [
      { shape: [4], type: "int32" },
      { shape: [2, 3, 2, 4], type: "int8", data: kernel, scales, axis: 0 },
      w([1, 2, 3, 4], sx),
      { shape: [2], type: "int64", data: bias },
      w([1, 5, 6, 2], sy),
    ] as const;
    const options = [["byte", 1], ["int", 2], ["int", 2], ["byte", 0]] as const; // biome-ignore format: fields
    const model = await fromTflite(single("TRANSPOSE_CONV", tensors, options));
    expect(model.inputs[0]).toMatchObject({ shape: [4], batched: false });
    const sums = new Map<number, bigint>();
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let p = 0; p < 3; p++)
          for (let q = 0; q < 2; q++)
            for (let n = 0; n < 2; n++) {
              const to = ((2 * i + p) * 6 + 2 * j + q) * 2 + n;
              let sum = sums.get(to) ?? bias[n];
              for (let c = 0; c < 4; c++) sum += BigInt(x[(i * 3 + j) * 4 + c] * kernel[((n * 3 + p) * 2 + q) * 4 + c]);
              sums.set(to, sum);
            }
    const expected = Array.from({ length: 60 }, (_, to) =>
      roundedSum("up", sums.get(to) ?? bias[to % 2], [sx, scales[to % 2], sy]),
    );
    const shape = Int32Array.of(1, 5, 6, 2);
    expect([...(model.predict([shape, x]) as Tensor).data]).toEqual(expected);
    const twice = tensor(Int16Array.of(...x, ...x), [2, 2, 3, 4]);
    expect([...(model.predict([shape, twice]) as Tensor).data]).toEqual([...expected, ...expected]);
    const copy = await load(save(model));
    expect([...(copy.predict([shape, x]) as Tensor).data]).toEqual(expected);
    for (const each of [model, copy])
      expect(() => each.predict([Int32Array.of(1, 5, 5, 2), x])).toThrow(
        'conv2dTranspose "conv2dTranspose": expected the shape [1, 5, 6, 2], got [1, 5, 5, 2]',
      );
  });

  test("TRANSPOSE_CONV of floats and of int8", async () => {
    const options = [["byte", 0], ["int", 2], ["int", 2], ["byte", 1]] as const; // biome-ignore format: fields
    const kernel = bytes(2 * 3 * 3 * 4, 5).map((v) => Math.max(v, -127));
    const image = bytes(24, 3);
    const sum = (at: number, of: (pixel: number) => number) => {
      const [i, j, n] = [Math.floor(at / 12), Math.floor(at / 2) % 6, at % 2];
      let total = 0;
      for (let p = 0; p < 3; p++)
        for (let q = 0; q < 3; q++)
          for (let c = 0; c < 4; c++) {
            const [u, v] = [(i - p) / 2, (j - q) / 2];
            if (Number.isInteger(u) && Number.isInteger(v) && u >= 0 && u < 2 && v >= 0 && v < 3)
              total += of((u * 3 + v) * 4 + c) * kernel[((n * 3 + p) * 3 + q) * 4 + c];
          }
      return total;
    };
    const tensors = [
      ints(1, 4, 6, 2),
      { shape: [2, 3, 3, 4], type: "int8", data: kernel, scales: [0.01] },
      q([1, 2, 3, 4], A),
      { shape: [2], type: "int32", data: Int32Array.of(300, -500) },
      q([1, 4, 6, 2], Y),
    ] as const;
    const got = await run(single("TRANSPOSE_CONV", tensors, options), image);
    expect([...got]).toEqual(
      [...got].map((_, at) =>
        requantized(
          sum(at, (pixel) => image[pixel] - A.zeroPoint) + [300, -500][at % 2],
          factorOf(A.scale, 0.01, Y.scale),
          Y.zeroPoint,
          Y.zeroPoint,
          127,
        ),
      ),
    );
    const plain = [
      ints(1, 4, 6, 2),
      f([2, 3, 3, 4], { data: Float32Array.from(kernel) }),
      f([1, 2, 3, 4]),
      f([2], { data: Float32Array.of(30, -50) }),
      f([1, 4, 6, 2]),
    ] as const;
    const given = Float32Array.from(image);
    const floats = await run(single("TRANSPOSE_CONV", plain, options), given);
    expect([...floats]).toEqual(
      [...floats].map((_, at) => Math.max(0, sum(at, (pixel) => given[pixel]) + [30, -50][at % 2])),
    );
  });

  test.each([
    ["a bias of 32 bits", "int32", "fixed"],
    ["a bias of 64 bits", "int64", "up"],
  ] as const)("CONV_2D and DEPTHWISE_CONV_2D with %s, FULLY_CONNECTED with both", async (_, type, rounding) => {
    const kernel = bytes(3 * 2 * 2 * 2, 5);
    const scales = [0.01, 0.02, 0.015].map(Math.fround);
    const [a, b, c] = [70000, -123456, 3];
    const bias = { shape: [3], type, data: type === "int32" ? Int32Array.of(a, b, c) : BigInt64Array.of(BigInt(a), BigInt(b), BigInt(c)) }; // biome-ignore format: one
    const conv = [w([1, 3, 4, 2], sx), { shape: [3, 2, 2, 2], type: "int8", data: kernel, scales, axis: 0 }, bias, w([1, 2, 2, 3], sy)] as const; // biome-ignore format: one
    const options = [["byte", 0], ["int", 2], ["int", 2], ["byte", 1]] as const; // biome-ignore format: fields
    const got = await run(single("CONV_2D", conv, options), x);
    expect([...got]).toEqual(
      [...got].map((_, at) => {
        const [i, j, n] = [Math.floor(at / 6), Math.floor(at / 3) % 2, at % 3];
        let sum = [a, b, c][n];
        for (let p = 0; p < 2; p++)
          for (let r = 0; r < 2; r++)
            for (let k = 0; k < 2; k++)
              if (2 * i + p < 3)
                sum += x[((2 * i + p) * 4 + 2 * j + r) * 2 + k] * kernel[((n * 2 + p) * 2 + r) * 2 + k];
        return roundedSum(rounding, BigInt(sum), [sx, scales[n], sy], 0);
      }),
    );
    const depth = [w([1, 2, 4, 3], sx), { shape: [1, 2, 2, 3], type: "int8", data: kernel.slice(0, 12), scales, axis: 3 }, bias, w([1, 1, 3, 3], sy)] as const; // biome-ignore format: one
    const taps = await run(single("DEPTHWISE_CONV_2D", depth, [["byte", 1], ["int", 1], ["int", 1], ["int", 1]]), x); // biome-ignore format: one
    expect([...taps]).toEqual(
      [...taps].map((_, at) => {
        const [j, n] = [Math.floor(at / 3), at % 3];
        let sum = [a, b, c][n];
        for (let p = 0; p < 2; p++)
          for (let r = 0; r < 2; r++) sum += x[(p * 4 + j + r) * 3 + n] * kernel[(p * 2 + r) * 3 + n];
        return roundedSum(rounding, BigInt(sum), [sx, scales[n], sy]);
      }),
    );
    const dense = [w([1, 8], sx), { shape: [3, 8], type: "int8", data: kernel, scales: [0.01] }, bias, w([1, 3], sy)] as const; // biome-ignore format: one
    const out = await run(single("FULLY_CONNECTED", dense), x.slice(0, 8));
    expect([...out]).toEqual(
      [0, 1, 2].map((n) => {
        const sum = [0, 1, 2, 3, 4, 5, 6, 7].reduce((s, k) => s + x[k] * kernel[n * 8 + k], [a, b, c][n]);
        return roundedSum("away", BigInt(sum), [sx, Math.fround(0.01), sy]);
      }),
    );
  });

  test("ADD, SUB, MUL, MAXIMUM, MINIMUM, LEAKY_RELU, RELU6, QUANTIZE and back", async () => {
    const tensors = [w([1, 4, 6], sx), w([1, 4, 6], sb), w([1, 4, 6], sy)];
    const bound = (v: bigint, low = -32768, high = 32767) => clamp16(v, low, high);
    const sums = await run(single("ADD", tensors, [["byte", 1]]), x, y);
    expect([...sums]).toEqual([...x].map((v, i) => bound(added(v, y[i], [sx, sb, sy], 1), 0)));
    const less = await run(single("SUB", tensors), x, y);
    expect([...less]).toEqual([...x].map((v, i) => bound(added(v, y[i], [sx, sb, sy], -1))));
    // Powers of two, which files mark.
    const pot = await run(single("ADD", [w([1, 24], 2 ** -9), w([1, 24], 2 ** -12), w([1, 24], 2 ** -9)]), x, y);
    expect([...pot]).toEqual([...x].map((v, i) => bound(BigInt(v) + shiftAway(BigInt(y[i]), 3n))));
    const product = await run(single("MUL", tensors), x, y);
    const factor = Math.fround(Math.fround(sx * sb) / sy);
    expect([...product]).toEqual([...x].map((v, i) => bound(scaled(BigInt(v * y[i]), factor))));
    const alike = [w([1, 24], sx), w([1, 24], sx), w([1, 24], sx)];
    expect(await run(single("MAXIMUM", alike), x, y)).toEqual(x.map((v, i) => Math.max(v, y[i])));
    expect(await run(single("MINIMUM", alike), x, y)).toEqual(x.map((v, i) => Math.min(v, y[i])));
    await expect(run(single("MINIMUM", tensors), x, y)).rejects.toThrow("one scale and zero point");
    const leaky = await run(single("LEAKY_RELU", [w([1, 24], sx), w([1, 24], sy)], [["float", 0.25]]), x);
    const by = [Math.fround(sx / sy), Math.fround(Math.fround(sx * 0.25) / sy)];
    expect([...leaky]).toEqual([...x].map((v) => bound(scaled(BigInt(v), by[v < 0 ? 1 : 0]))));
    const six = await run(single("RELU6", [w([1, 24], sx), w([1, 24], sy)]), x);
    expect([...six]).toEqual([...x].map((v) => bound(scaled(BigInt(v), Math.fround(sx / sy)), 0, Math.round(6 / sy))));
    const narrow = await run(single("QUANTIZE", [w([1, 24], sx), q([1, 24], { scale: 1, zeroPoint: -3 })]), x);
    expect([...narrow]).toEqual([...x].map((v) => bound(scaled(BigInt(v), sx) - 3n, -128, 127)));
    const wide = await run(single("QUANTIZE", [q([1, 24], A), w([1, 24], sy)]), bytes(24, 1));
    expect([...wide]).toEqual([...bytes(24, 1)].map((v) => bound(scaled(BigInt(v - A.zeroPoint), A.scale / sy))));
    const reals = await run(single("DEQUANTIZE", [w([1, 24], sx), f([1, 24])]), x);
    expect(reals).toEqual(Float32Array.from(x, (v) => v * sx));
    expect(await run(single("QUANTIZE", [f([1, 24]), w([1, 24], sx)]), reals)).toEqual(x);
  });

  test("pooling, MEAN, LOGISTIC, TANH and SOFTMAX", async () => {
    const fields = [["byte", 1], ["int", 2], ["int", 2], ["int", 2], ["int", 2], ["byte", 1]] as const; // biome-ignore format: fields
    const image = x.slice(0, 16);
    const seen = (k: number) => [image[k], image[k + 4], image[k + 8], image[k + 12]];
    const sum = (k: number) => seen(k).reduce((total, v) => total + v, 0);
    const tensors = [w([1, 2, 2, 4], sx), w([1, 1, 1, 4], sx)];
    const largest = await run(single("MAX_POOL_2D", tensors, fields), image);
    expect([...largest]).toEqual([0, 1, 2, 3].map((k) => Math.max(0, ...seen(k))));
    const means = await run(single("AVERAGE_POOL_2D", tensors, fields), image);
    expect([...means]).toEqual([0, 1, 2, 3].map((k) => Math.max(0, nearestAway(sum(k) / 4))));
    const mean = await run(single("MEAN", [w([1, 2, 2, 4], sx), ints(1, 2), w([1, 4], sy)], [["byte", 0]]), image);
    [0, 1, 2, 3].forEach((k) => {
      expect(Math.abs(mean[k] - ((sum(k) / 4) * sx) / sy)).toBeLessThan(1.01);
    });
    const out = 2 ** -15;
    const near = (y: TypedArray, of: (v: number) => number) =>
      y.forEach((v, i) => {
        expect(Math.abs(v * out - of(x[i] * sx))).toBeLessThan(3 * out);
      });
    near(await run(single("LOGISTIC", [w([1, 24], sx), w([1, 24], out)]), x), (v) => 1 / (1 + Math.exp(-v)));
    near(await run(single("TANH", [w([1, 24], sx), w([1, 24], out)]), x), Math.tanh);
    const total = x.reduce((e, v) => e + Math.exp(v * sx * 0.02), 0);
    const soft = await run(single("SOFTMAX", [w([1, 24], sx), w([1, 24], out)], [["float", 0.02]]), x);
    near(soft, (v) => Math.exp(v * 0.02) / total);
    await expect(run(single("TANH", [w([1, 24], sx), w([1, 24], sy)]), x)).rejects.toThrow("a result of scale 2^-15");
  });

  test("an operand of fewer axes is one for all samples", async () => {
    const model = await fromTflite(single("ADD", [w([1, 4, 6], sx), w([6], sb), w([1, 4, 6], sy)]));
    expect(model.inputs[1]).toMatchObject({ shape: [6], batched: false });
    const got = model.predict([tensor(Int16Array.of(...x, ...y), [2, 4, 6]), y.slice(0, 6)]) as Tensor;
    expect([...got.data]).toEqual([...x, ...y].map((v, i) => clamp16(added(v, y[i % 6], [sx, sb, sy], 1))));
  });

  test("a bias beyond 37 bits is refused", async () => {
    const bias = BigInt64Array.of(2n ** 37n);
    const tensors = [w([1, 2], sx), { shape: [1, 2], type: "int8", data: bytes(2, 1), scales: [1] }, { shape: [1], type: "int64", data: bias }, w([1, 1], sy)] as const; // biome-ignore format: one
    await expect(fromTflite(single("FULLY_CONNECTED", tensors))).rejects.toThrow(
      "expected biases of at most 68719476736, got 137438953472",
    );
  });
});
