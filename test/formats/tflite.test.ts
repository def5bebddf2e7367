// Models in TensorFlow Lite's format: those of ../shared/tflite against the results of Google's own runtimes, and small ones written here,
// operator by operator, against naive arithmetic; then damaged ones.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../src/errors.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, save, type Tensor, tensor } from "../../src/index.js";
import { draws } from "../../src/philox.js";
import type { TypedArray } from "../../src/tensor.js";
import { clamp, factorOf, nearestEven, requantized } from "../oracle/quantized.js";
import { type ModelFile, type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";
import { A, B, bytes, expectSteps, f, floats, ints, pool, q, real, run, single, Y } from "./tflite-single.js";

const folder = new URL("../../../shared/tflite/", import.meta.url);
const ARRAYS = { float32: Float32Array, int8: Int8Array, int16: Int16Array, int32: Int32Array, uint8: Uint8Array };

interface Meta {
  readonly file: string;
  readonly inputs: readonly { readonly dtype: keyof typeof ARRAYS }[];
  readonly outputs: readonly {
    readonly dtype: keyof typeof ARRAYS;
    readonly scale?: number;
    readonly zero_point?: number;
  }[];
  readonly tolerance: { readonly type: "float" | "int"; readonly atol?: number; readonly rtol?: number };
  readonly cases: readonly { readonly inputs: readonly string[]; readonly outputs: readonly string[] }[];
}

const read = (path: string, dtype: keyof typeof ARRAYS): TypedArray => {
  const bytes = new Uint8Array(readFileSync(new URL(path, folder)));
  return new ARRAYS[dtype](bytes.buffer) as TypedArray;
};

/** What some of the given models need and there is not yet. */
const WAITING: readonly string[] = [];
const waits = (name: string): boolean => WAITING.some((start) => name.startsWith(start));

describe("the models of ../shared/tflite", () => {
  const names = existsSync(folder) ? readdirSync(new URL("golden/", folder)) : [];
  const [ready, waiting] = [names.filter((name) => !waits(name)), names.filter(waits)];
  if (names.length === 0) console.warn("tflite: ../shared/tflite is not there, all of its models are skipped");
  else console.info(`tflite: ${ready.length} models of ../shared/tflite; ${waiting.length} wait for operators`);

  test.skipIf(names.length === 0).each(ready)("%s gives what Google's runtimes give", async (name) => {
    const meta = JSON.parse(readFileSync(new URL(`golden/${name}/meta.json`, folder), "utf8")) as Meta;
    const model = await fromTflite(readFileSync(new URL(meta.file, folder)));
    const [{ dtype, scale, zero_point: zeroPoint }] = meta.outputs;
    if (dtype === "int8" || dtype === "int16") expect(model.outputs[0].quantization).toEqual({ scale, zeroPoint });
    const { type, atol = 0, rtol = 0 } = meta.tolerance;
    for (const { inputs, outputs } of meta.cases) {
      const given = inputs.map((path, i) => read(`golden/${name}/${path}`, meta.inputs[i].dtype));
      const expected = read(`golden/${name}/${outputs[0]}`, dtype);
      model.resetState(); // every case starts from a freshly loaded model
      const { data } = model.predict(given) as Tensor;
      if (type === "int") expect(data).toEqual(expected);
      else
        expected.forEach((v, i) => {
          expect(Math.abs(data[i] - v), `${name}: ${data[i]} for ${v}`).toBeLessThanOrEqual(atol + rtol * Math.abs(v));
        });
    }
  });

  test.skipIf(names.length === 0).each(["resnet8_int8", "kws_float", "person_detect_int8"])(
    "%s is the same model when it is saved and loaded, at any batch",
    async (name) => {
      const file = readFileSync(new URL(`models/${name}.tflite`, folder));
      const model = await fromTflite(file);
      const saved = save(model);
      const copy = await load(saved);
      expect(copy.outputs).toEqual(model.outputs);
      expect(copy.inputs).toEqual(model.inputs);
      const size = model.inputs[0].shape.reduce((n, d) => n * d, 1);
      const batch = ARRAYS[model.inputs[0].dtype as "int8"].from(
        { length: 3 * size },
        (_, i) => ((i * 37) % 251) - 125,
      );
      const all = copy.predict(batch) as Tensor;
      const each = [0, 1, 2].map((i) => model.predict(batch.slice(i * size, (i + 1) * size)) as Tensor);
      expect([...all.data]).toEqual(each.flatMap(({ data }) => [...data]));
      const bytes = Object.values(model.weights()).reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(saved.length).toBeLessThan(
        bytes + 4096 + 400 * model.graph.outputs.length + 1000 * Object.keys(model.weights()).length,
      );
    },
  );
});

test.skipIf(!existsSync(folder))("weights of a hybrid file stay int8, in memory and in files", async () => {
  const file = readFileSync(new URL("models/kws_float.tflite", folder));
  const model = await fromTflite(file);
  const kernels = Object.entries(model.weights()).filter(([name]) => name.endsWith("kernel"));
  const filters = kernels.filter(([name]) => name.startsWith("conv2d"));
  expect(filters.length).toBe(5);
  expect(filters.every(([, { dtype }]) => dtype === "int8")).toBe(true);
  expect(save(model).length).toBeLessThan(1.3 * file.length);
});

test("FULLY_CONNECTED of floats with int8 weights reads them as they are", async () => {
  const kernel = Int8Array.from({ length: 12 }, (_, i) => 10 * i - 60);
  const tensors = [f([2, 4]), { ...q([3, 4], { scale: 0.5, zeroPoint: 0 }), data: kernel }, f([2, 3])];
  const x = floats(8);
  const file = single("FULLY_CONNECTED", tensors, [["byte", 0]]);
  const model = await fromTflite(file);
  expect(String(model.plan())).toContain("f32_i8_gemm");
  const y = await run(file, x);
  y.forEach((value, i) => {
    const [r, c] = [Math.floor(i / 3), i % 3];
    let sum = 0;
    for (let t = 0; t < 4; t++) sum += x[r * 4 + t] * kernel[c * 4 + t];
    expect(value).toBeCloseTo(0.5 * sum, 5);
  });
});

describe("operators of files written here", () => {
  const [x, y] = [bytes(24, 1), bytes(24, 2)];
  const both = [...x].map((v, i) => [real(v, A), real(y[i], B)] as const);

  test.each([
    ["ADD", (a: number, b: number) => a + b],
    ["SUB", (a: number, b: number) => a - b],
    ["MUL", (a: number, b: number) => a * b],
  ] as const)("%s of int8, with and without a fused activation", async (code, of) => {
    const tensors = [q([1, 4, 6], A), q([1, 4, 6], B), q([1, 4, 6], Y)];
    const expected = both.map(([a, b]) => of(a, b));
    expectSteps(await run(single(code, tensors, [["byte", 0]]), x, y), expected, Y);
    expectSteps(await run(single(code, tensors, [["byte", 1]]), x, y), expected, Y, Y.zeroPoint);
    const six = Math.round(6 / Y.scale) + Y.zeroPoint;
    expectSteps(await run(single(code, tensors, [["byte", 3]]), x, y), expected, Y, Y.zeroPoint, six);
    const plain = [f([1, 6]), f([1, 6]), f([1, 6])];
    const [u, v] = [floats(6), floats(6).reverse()];
    const got = await run(single(code, plain, [["byte", 2]]), u, v);
    got.forEach((value, i) => {
      expect(value).toBe(Math.fround(clamp(Math.fround(of(u[i], v[i])), -1, 1)));
    });
  });

  test("ADD of a constant that repeats", async () => {
    const tensors = [q([1, 4, 6], A), q([6], B, { data: y.slice(0, 6) }), q([1, 4, 6], Y)];
    const expected = [...x].map((v, i) => real(v, A) + real(y[i % 6], B));
    expectSteps(await run(single("ADD", tensors), x), expected, Y);
  });

  test("CONCATENATION brings its inputs to one scale", async () => {
    const tensors = [q([1, 4, 6], A), q([1, 4, 6], B), q([1, 4, 12], Y)];
    const got = await run(
      single("CONCATENATION", tensors, [
        ["int", 2],
        ["byte", 0],
      ]),
      x,
      y,
    );
    const expected = [0, 1, 2, 3].flatMap((row) =>
      [0, 1].flatMap((side) => both.slice(row * 6, row * 6 + 6).map((pair) => pair[side])),
    );
    expectSteps(got, expected, Y);
  });

  test("CONV_2D with scales for channels, strides, SAME padding and a clamp", async () => {
    const scales = [0.01, 0.02, 0.015].map(Math.fround);
    const kernel = bytes(3 * 2 * 2 * 2, 5).map((v) => Math.max(v, -127));
    const bias = Int32Array.of(100, -50, 3);
    const tensors = [
      q([1, 3, 4, 2], A),
      { shape: [3, 2, 2, 2], type: "int8", data: kernel, scales, axis: 0 },
      { shape: [3], type: "int32", data: bias, scales: scales.map((s) => s * A.scale) },
      q([1, 2, 2, 3], Y),
    ] as const;
    const got = await run(
      single("CONV_2D", tensors, [
        ["byte", 0],
        ["int", 2],
        ["int", 2],
        ["byte", 1],
      ]),
      x,
    );
    const expected = [...got].map((_, at) => {
      const [i, j, n] = [Math.floor(at / 6), Math.floor(at / 3) % 2, at % 3];
      let sum = bias[n];
      for (let p = 0; p < 2; p++)
        for (let r = 0; r < 2; r++)
          for (let c = 0; c < 2; c++) {
            const [v, u] = [2 * i + p, 2 * j + r];
            if (v < 3 && u < 4) sum += (x[(v * 4 + u) * 2 + c] - A.zeroPoint) * kernel[((n * 2 + p) * 2 + r) * 2 + c];
          }
      return requantized(sum, factorOf(A.scale, scales[n], Y.scale), Y.zeroPoint, Y.zeroPoint, 127);
    });
    expect([...got]).toEqual(expected);
  });

  test("DEPTHWISE_CONV_2D with several filters for a channel", async () => {
    const kernel = bytes(2 * 2 * 4, 5).map((v) => Math.max(v, -127));
    const tensors = [
      q([1, 3, 4, 2], A),
      { shape: [1, 2, 2, 4], type: "int8", data: kernel, scales: [0.01] },
      { shape: [4], type: "int32", data: Int32Array.of(1, 2, 3, 4) },
      q([1, 2, 3, 4], Y),
    ] as const;
    const got = await run(
      single("DEPTHWISE_CONV_2D", tensors, [
        ["byte", 1],
        ["int", 1],
        ["int", 1],
        ["int", 2],
        ["byte", 0],
      ]),
      x,
    );
    const expected = [...got].map((_, at) => {
      const [i, j, n] = [Math.floor(at / 12), Math.floor(at / 4) % 3, at % 4];
      let sum = n + 1;
      for (let p = 0; p < 2; p++)
        for (let r = 0; r < 2; r++)
          sum += (x[((i + p) * 4 + j + r) * 2 + (n >> 1)] - A.zeroPoint) * kernel[(p * 2 + r) * 4 + n];
      return requantized(sum, factorOf(A.scale, 0.01, Y.scale), Y.zeroPoint);
    });
    expect([...got]).toEqual(expected);
  });

  test("FULLY_CONNECTED of floats, of int8, and of int8 weights under floats", async () => {
    const kernel = bytes(18, 7);
    const scales = { scales: [0.01], zeroPoints: [0] };
    const dot = (row: readonly number[], n: number) => row.reduce((sum, v, k) => sum + v * kernel[n * 6 + k] * 0.01, 0);
    const given = floats(6);
    const hybrid = await run(
      single("FULLY_CONNECTED", [f([1, 6]), { shape: [3, 6], type: "int8", data: kernel, ...scales }, f([1, 3])]),
      given,
    );
    hybrid.forEach((v, n) => {
      expect(v).toBeCloseTo(dot([...given], n), 5);
    });
    const weights = Float32Array.from(kernel, (v) => v * 0.01);
    const bias = { shape: [3], type: "float32", data: Float32Array.of(1, 2, 3) } as const;
    const plain = await run(
      single("FULLY_CONNECTED", [f([1, 6]), f([3, 6], { data: weights }), bias, f([1, 3])]),
      given,
    );
    plain.forEach((v, n) => {
      expect(v).toBeCloseTo(dot([...given], n) + n + 1, 5);
    });
    const int8 = await run(
      single("FULLY_CONNECTED", [q([1, 6], A), { shape: [3, 6], type: "int8", data: kernel, ...scales }, q([1, 3], Y)]),
      x.slice(0, 6),
    );
    expectSteps(
      int8,
      [0, 1, 2].map((n) =>
        dot(
          [...x.slice(0, 6)].map((v) => real(v, A)),
          n,
        ),
      ),
      Y,
    );
  });

  test("PAD, TRANSPOSE and RESHAPE move integers", async () => {
    const padded = await run(
      single("PAD", [q([1, 2, 3, 4], A), { ...ints(0, 0, 1, 0, 0, 2, 0, 0), shape: [4, 2] }, q([1, 3, 5, 4], A)]),
      x,
    );
    expect([...padded]).toEqual(
      [...padded].map((_, at) => {
        const [i, j, k] = [Math.floor(at / 20) - 1, Math.floor(at / 4) % 5, at % 4];
        return i < 0 || j > 2 ? A.zeroPoint : x[(i * 3 + j) * 4 + k];
      }),
    );
    const turned = await run(single("TRANSPOSE", [q([1, 4, 6], A), ints(0, 2, 1), q([1, 6, 4], A)]), x);
    expect([...turned]).toEqual([...turned].map((_, at) => x[(at % 4) * 6 + Math.floor(at / 4)]));
    const model = await fromTflite(single("RESHAPE", [q([1, 4, 6], A), ints(1, 24), q([1, 24], A)]));
    expect([...(model.predict(x) as Tensor).data]).toEqual([...x]);
    expect(model.outputs[0].quantization).toEqual(A);
  });

  test("pooling and MEAN of int8", async () => {
    const windows = (k: number) => [x[k], x[k + 4], x[k + 8], x[k + 12]];
    const tensors = [q([1, 2, 2, 4], A), q([1, 1, 1, 4], A)];
    const largest = await run(single("MAX_POOL_2D", tensors, pool), x.slice(0, 16));
    expect([...largest]).toEqual([0, 1, 2, 3].map((k) => Math.max(...windows(k))));
    const means = await run(single("AVERAGE_POOL_2D", tensors, pool), x.slice(0, 16));
    const sums = [0, 1, 2, 3].map((k) => windows(k).reduce((sum, v) => sum + v, 0));
    expect([...means]).toEqual(sums.map((sum) => Math.trunc((sum + Math.sign(sum || 1) * 2) / 4) + 0));
    const mean = await run(
      single("MEAN", [q([1, 2, 2, 4], A), ints(1, 2), q([1, 4], Y)], [["byte", 0]]),
      x.slice(0, 16),
    );
    expectSteps(
      mean,
      [0, 1, 2, 3].map((k) => real(windows(k).reduce((sum, v) => sum + v, 0) / 4, A)),
      Y,
    );
  });

  test("functions of int8", async () => {
    const out = { scale: 1 / 256, zeroPoint: -128 };
    const all = bytes(256, 0);
    const sigmoid = await run(single("LOGISTIC", [q([1, 256], A), q([1, 256], out)]), all);
    expectSteps(
      sigmoid,
      [...all].map((v) => 1 / (1 + Math.exp(-real(v, A)))),
      out,
    );
    const wide = { scale: 1 / 128, zeroPoint: 0 };
    expectSteps(
      await run(single("TANH", [q([1, 256], A), q([1, 256], wide)]), all),
      [...all].map((v) => Math.tanh(real(v, A))),
      wide,
    );
    expectSteps(
      await run(single("RELU6", [q([1, 256], A), q([1, 256], Y)]), all),
      [...all].map((v) => clamp(real(v, A), 0, 6)),
      Y,
    );
    const scores = await run(single("SOFTMAX", [q([1, 24], A), q([1, 24], out)], [["float", 0.5]]), x);
    const terms = [...x].map((v) => Math.exp(0.5 * real(v, A)));
    expectSteps(
      scores,
      terms.map((v) => v / terms.reduce((sum, t) => sum + t, 0)),
      out,
    );
  });

  test("QUANTIZE and DEQUANTIZE, uint8 too", async () => {
    const numbers = floats(9);
    const int8 = await run(single("QUANTIZE", [f([1, 9]), q([1, 9], A)]), numbers);
    expect([...int8]).toEqual([...numbers].map((v) => nearestEven(Math.fround(v * 16)) - 9));
    expect([...(await run(single("DEQUANTIZE", [q([1, 9], A), f([1, 9])]), int8))]).toEqual(
      [...int8].map((v) => real(v, A)),
    );
    const u8 = { shape: [1, 9], type: "uint8", scales: [0.0625], zeroPoints: [119] } as const;
    const back = Uint8Array.from(int8, (v) => v + 128);
    const model = await fromTflite(single("QUANTIZE", [f([1, 9]), u8]));
    expect(model.outputs[0]).toMatchObject({ dtype: "uint8", quantization: { scale: 0.0625, zeroPoint: 119 } });
    expect((model.predict(numbers) as Tensor).data).toEqual(back);
    expect(await run(single("QUANTIZE", [u8, q([1, 9], A)]), back)).toEqual(int8);
  });

  test("half floats are floats", async () => {
    // 1, -2, 0.5, the smallest, the largest, and infinity
    const data = Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x0001, 0x7bff, 0x7c00);
    const tensors = [f([1, 6]), { shape: [6], type: "float16", data }, f([6]), f([1, 6])] as const;
    const operators = [
      { code: "DEQUANTIZE", inputs: [1], outputs: [2] },
      { code: "ADD", inputs: [0, 2], outputs: [3] },
    ] as const;
    const got = await run(writeTflite({ tensors, operators, inputs: [0], outputs: [3] }), new Float32Array(6));
    expect([...got]).toEqual([1, -2, 0.5, 2 ** -24, 65504, Number.POSITIVE_INFINITY]);
  });
});

describe("operators that move and reduce", () => {
  const x = bytes(24, 3);
  const u = floats(24);
  const at = (i: number, j: number, k: number) => (i * 3 + j) * 4 + k;
  const each = <T>(shape: readonly number[], f: (...i: number[]) => T): T[] =>
    shape.reduceRight<(prefix: number[]) => T[]>(
      (inner, d) => (prefix) => Array.from({ length: d }, (_, i) => inner([...prefix, i])).flat() as T[],
      (index) => [f(...index)],
    )([]);

  test("SLICE and STRIDED_SLICE, with masks", async () => {
    const cut = await run(
      single("SLICE", [q([1, 2, 3, 4], A), ints(0, 1, 0, 1), ints(1, -1, 2, 2), q([1, 1, 2, 2], A)]),
      x,
    );
    expect([...cut]).toEqual(each([2, 2], (j, k) => x[at(1, j, k + 1)]));
    const masks = (begin: number, end: number, shrink: number) =>
      [
        ["int", begin],
        ["int", end],
        ["int", 0],
        ["int", 0],
        ["int", shrink],
      ] as const;
    const places = [ints(0, 0, 0, 1), ints(1, 2, 2, 4), ints(1, 1, 2, 2)];
    const steps = await run(single("STRIDED_SLICE", [f([1, 2, 3, 4]), ...places, f([1, 2, 2, 2])], masks(0, 4, 0)), u);
    expect([...steps]).toEqual(each([2, 2, 2], (i, j, k) => u[at(i, 2 * j, 2 * k + 1)]));
    const one = await run(single("STRIDED_SLICE", [f([1, 2, 3, 4]), ...places, f([1, 2, 2])], masks(2, 4, 2)), u);
    expect([...one]).toEqual(each([2, 2], (j, k) => u[at(0, 2 * j, 2 * k + 1)]));
  });

  test("SUM and the other reductions, ARG_MAX", async () => {
    const over = async (code: OperatorFile["code"]) => [
      ...(await run(single(code, [f([1, 2, 3, 4]), ints(2), f([1, 2, 4])], [["byte", 0]]), u)),
    ];
    const lists = each([2, 4], (i, k) => [u[at(i, 0, k)], u[at(i, 1, k)], u[at(i, 2, k)]]);
    const near = (got: readonly number[], of: (list: number[]) => number) =>
      got.forEach((v, i) => {
        expect(v).toBeCloseTo(of(lists[i]), 5);
      });
    near(await over("SUM"), (list) => list.reduce((a, b) => a + b));
    near(await over("REDUCE_PROD"), (list) => list.reduce((a, b) => a * b));
    expect(await over("REDUCE_MAX")).toEqual(lists.map((list) => Math.max(...list)));
    expect(await over("REDUCE_MIN")).toEqual(lists.map((list) => Math.min(...list)));
    const place = await run(single("ARG_MAX", [f([1, 6, 4]), ints(2), { shape: [1, 6], type: "int32" }]), u);
    const rows = each([6], (i) => [...u.slice(4 * i, 4 * i + 4)]);
    expect([...place]).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
  });

  test("SPACE_TO_DEPTH and back, PACK", async () => {
    const deep = await run(single("SPACE_TO_DEPTH", [q([1, 2, 6, 2], A), q([1, 1, 3, 8], A)], [["int", 2]]), x);
    expect([...deep]).toEqual(each([3, 2, 2, 2], (j, p, r, c) => x[(p * 6 + 2 * j + r) * 2 + c]));
    const back = await run(
      single("DEPTH_TO_SPACE", [q([1, 1, 3, 8], A), q([1, 2, 6, 2], A)], [["int", 2]]),
      deep as Int8Array,
    );
    expect([...back]).toEqual([...x]);
    const both = await run(
      single(
        "PACK",
        [f([1, 6]), f([1, 6]), f([1, 2, 6])],
        [
          ["int", 2],
          ["int", 1],
        ],
      ),
      u.slice(0, 6),
      u.slice(6, 12),
    );
    expect([...both]).toEqual([...u.slice(0, 12)]);
  });

  test("functions of one and two arrays, CAST, BATCH_MATMUL", async () => {
    const list = [...u];
    const of = async (code: OperatorFile["code"], ...rest: TensorFile[]) => [
      ...(await run(single(code, [f([1, 24]), ...rest, f([1, 24])]), u)),
    ];
    const slope = { data: floats(24).map((v) => v / 8) };
    const near = (got: readonly number[], expected: readonly number[]) =>
      got.forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i], 5);
      });
    near(await of("FLOOR"), list.map(Math.floor));
    near(
      await of("HARD_SWISH"),
      list.map((v) => (v * clamp(v + 3, 0, 6)) / 6),
    );
    near(
      await of("PRELU", f([24], slope)),
      list.map((v, i) => (v > 0 ? v : v * slope.data[i])),
    );
    near(
      await of("SQUARED_DIFFERENCE", f([24], slope)),
      list.map((v, i) => (v - slope.data[i]) ** 2),
    );
    near(
      await of("POW", f([24], { data: new Float32Array(24).fill(2) })),
      list.map((v) => v * v),
    );
    const whole = await run(single("CAST", [f([1, 24]), { shape: [1, 24], type: "int32" }]), u);
    expect([...whole]).toEqual(list.map((v) => Math.trunc(v) + 0));
    const flags = [
      ["byte", 0],
      ["byte", 1],
    ] as const;
    const product = await run(single("BATCH_MATMUL", [f([1, 2, 12]), f([2, 12], { data: u }), f([1, 2, 2])], flags), u);
    near(
      [...product],
      each([2, 2], (i, j) => list.slice(12 * i, 12 * i + 12).reduce((sum, v, k) => sum + v * u[12 * j + k], 0)),
    );
  });
});

describe("what cannot be is refused", () => {
  test("operators without a rule are all named at once", async () => {
    const tensors = [f([1, 2]), f([1, 2]), f([1, 2]), f([1, 2]), { shape: [1, 2], type: "bool" }] as const;
    const operators = [
      { code: "WHERE", inputs: [0], outputs: [1] },
      { code: "CUSTOM", inputs: [1], outputs: [2] },
      { code: "WHERE", inputs: [2], outputs: [3] },
      { code: "ADD", inputs: [4, 4], outputs: [4] },
    ] as const;
    const made = fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [3] }));
    await expect(made).rejects.toThrow(UnsupportedError);
    await expect(made).rejects.toThrow('fromTflite: no rule for ADD (bool to bool), CUSTOM "Frobnicate", WHERE');
  });

  const conv = (change: (file: { -readonly [K in keyof ModelFile]: ModelFile[K] }) => void): Uint8Array => {
    const tensors: TensorFile[] = [
      q([1, 3, 4, 2], A),
      { shape: [3, 2, 2, 2], type: "int8", data: bytes(24, 5), scales: [0.1, 0.2, 0.3], axis: 0 },
      { shape: [3], type: "int32", data: Int32Array.of(1, 2, 3) },
      q([1, 3, 4, 3], Y),
    ];
    const file = {
      tensors,
      operators: [
        {
          code: "CONV_2D",
          inputs: [0, 1, 2],
          outputs: [3],
          options: [
            ["byte", 0],
            ["int", 1],
            ["int", 1],
          ],
        },
      ],
      inputs: [0],
      outputs: [3],
    } as ModelFile;
    change(file as never);
    return writeTflite(file);
  };
  const changed = (i: number, change: Partial<TensorFile>) => (file: { tensors: readonly TensorFile[] }) => {
    file.tensors = file.tensors.map((tensor, k) => (k === i ? { ...tensor, ...change } : tensor));
  };

  test.each([
    [
      "scales along another axis",
      changed(1, { axis: 3, scales: [0.1, 0.2] }),
      "expected scales along axis 0, got axis 3",
    ],
    [
      "zero points of weights that differ",
      changed(1, { zeroPoints: [1, 2, 1] }),
      "expected weights with one zero point, got zero points 1,2,1",
    ],
    ["a scale of 0", changed(0, { scales: [0] }), "tensor 0: expected scales above 0"],
    ["a zero point beyond int8", changed(0, { zeroPoints: [300] }), "expected zero points that int8 holds"],
    ["too few numbers", changed(1, { data: bytes(23, 1) }), "tensor 1: expected 24 bytes for int8 [3,2,2,2], got 23"],
    [
      "a shape too large for its tensor",
      changed(3, { shape: [2 ** 20, 2 ** 20] }),
      "tensor 3: expected at most 8 axes and 268435456 elements",
    ],
    ["a shape that the operator does not give", changed(3, { shape: [1, 3, 5, 3] }), "the file says [1, 3, 5, 3]"],
    ["channels that do not fit", changed(0, { shape: [1, 3, 4, 3] }), "quantizedConv2d"],
    ["a bias that does not fit", changed(2, { shape: [2], data: Int32Array.of(1, 2) }), "expected a bias of 3"],
    [
      "an input that there is not",
      (file: { inputs: readonly number[] }) => {
        file.inputs = [9];
      },
      "inputs: expected one of 4 tensors, got 9",
    ],
    [
      "no outputs",
      (file: { outputs: readonly number[] }) => {
        file.outputs = [];
      },
      "expected inputs and outputs, got none",
    ],
  ] as const)("%s", async (_, change, message) => {
    const made = fromTflite(conv(change as never));
    await expect(made).rejects.toThrow(FormatError);
    await expect(made).rejects.toThrow(message);
  });

  test("what is no file", async () => {
    await expect(fromTflite(new Uint8Array(4))).rejects.toThrow(
      "expected 8 bytes at 0, beyond the 4 bytes of the file",
    );
    await expect(fromTflite(new Uint8Array(64))).rejects.toThrow('expected the identifier "TFL3"');
    await expect(fromTflite("model.tflite" as never)).rejects.toThrow(TypeError);
  });

  const original = conv(() => {});

  test("files cut short, at every length", async () => {
    for (let length = 0; length < original.length; length++) {
      const error = await fromTflite(original.slice(0, length)).then(
        () => undefined,
        (e: unknown) => e,
      );
      // The last bytes are padding of a vector that nothing reads.
      if (error !== undefined) expect(error, `${length}`).toSatisfy(isRefusal);
    }
  });

  test("files damaged 5000 times are refused, or models that work", async () => {
    const tally = { refused: 0, worked: 0 };
    for (let seed = 0; seed < 5000; seed++) {
      const { bits } = draws(7, seed);
      const file = original.slice();
      for (let left = 1 + (bits() % 3); left > 0; left--) file[bits() % file.length] = bits() % 3 ? bits() % 256 : 255;
      try {
        const model = await fromTflite(file);
        const size = model.inputs[0].shape.reduce((n, d) => n * d, 1);
        if (size < 1e5)
          model.predict(
            tensor(
              new ARRAYS[model.inputs[0].dtype as "int8"](size),
              [1, ...model.inputs[0].shape],
              model.inputs[0].dtype,
            ),
          );
        tally.worked++;
      } catch (error) {
        expect(error, `seed ${seed}`).toSatisfy(isRefusal);
        tally.refused++;
      }
    }
    expect(tally.refused).toBeGreaterThan(1000);
    expect(tally.worked).toBeGreaterThan(100);
  });
});

const isRefusal = (error: unknown): boolean => error instanceof FormatError || error instanceof UnsupportedError;
