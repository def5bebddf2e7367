// Operators with states in integers, and the rarer ones in floats: files against naive arithmetic of their own scales, step after step.
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, type Model, save, type Tensor } from "../../src/index.js";
import type { TypedArray } from "../../src/tensor.js";
import { type Array64, numbers } from "../oracle/array.js";
import { hybrid, lstmProjected } from "../oracle/lstmp.js";
import { type Cell, type Factor, type Gate, step, svdf } from "../oracle/stateful.js";
import { type ModelFile, type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";
import { f } from "./tflite-single.js";

const { fround } = Math;

/** A factor as TensorFlow Lite decomposes it. */
function factor(x: number): Factor {
  if (x === 0) return [0, 0];
  const shift = Math.floor(Math.log2(x)) + 1;
  const whole = Math.round((x / 2 ** shift) * 2 ** 31);
  return whole === 2 ** 31 ? [2 ** 30, shift + 1] : [whole, shift];
}
const ratio = (a: number, b: number, c: number): number => fround(fround(a * b) / c);

const ints = (shape: readonly number[], seed: number, most = 127): number[] =>
  [...numbers(shape, seed, -most - 0.4, most + 0.4).data].map(Math.round);
const rows = (x: readonly number[], n: number): number[][] =>
  Array.from({ length: x.length / n }, (_, i) => x.slice(i * n, (i + 1) * n));

interface Setting {
  readonly isCoupled?: boolean;
  readonly peephole?: boolean;
  readonly norm?: boolean;
  readonly projection?: boolean;
  readonly clip?: number;
}

const [K, N, M, STEPS] = [5, 8, 6, 4];
const INPUT = { scale: fround(0.0157), zeroPoint: -3 };
const STATE = { scale: fround(0.0081), zeroPoint: 5 };
const HIDDEN = { scale: fround(0.0075), zeroPoint: -9 };
const CELLS = 2 ** -11;

/** An int8 file of one LSTM; its cell as the oracle has it, and in floats. */
function lstmFile(setting: Setting) {
  const m = setting.projection ? M : N;
  const gates = setting.isCoupled ? [1, 2, 3] : [0, 1, 2, 3];
  const tensors: TensorFile[] = [];
  const add = (tensor: TensorFile): number => tensors.push(tensor) - 1;
  const quantized = ({ scale, zeroPoint }: typeof INPUT) => ({ scales: [scale], zeroPoints: [zeroPoint] });
  const x = add({ shape: [1, STEPS, K], type: "int8", ...quantized(INPUT) });
  const int8 = (shape: number[], data: number[], scale: number) =>
    add({ shape, type: "int8", data: Int8Array.from(data), scales: [scale] });
  const int16 = (data: number[], scale: number) =>
    add({ shape: [data.length], type: "int16", data: Int16Array.from(data), scales: [scale] });
  const int32 = (data: number[], scale: number) =>
    add({ shape: [data.length], type: "int32", data: Int32Array.from(data), scales: [scale] });
  const of = gates.map((g) => {
    const [ws, us, ps, ns] = [0.0061, 0.0093, 2 ** -15 * 1.1, 2 ** -15 * 1.3].map((s) => fround(s * (1 + g / 10)));
    const gateScale = setting.norm ? fround(0.00031 * (1 + g / 8)) : 2 ** -12;
    return { g, ws, us, ps, ns, gateScale, w: ints([N, K], 10 + g), u: ints([N, m], 20 + g), bias: ints([N], 40 + g, 9000), peephole: ints([N], 30 + g, 32767), norm: ints([N], 50 + g, 9000).map((v) => v + 16000) }; // biome-ignore format: one row
  });
  const missing = setting.isCoupled ? [-1] : [];
  const none = (count: number) => Array<number>(count).fill(-1);
  const [p, pBias, pScale] = [ints([m, N], 60), ints([m], 61, 3000), fround(0.0077)];
  const peepholes = of.filter(({ g }) => g !== 2);
  const inputs = [
    x,
    ...[...missing, ...of.map(({ w, ws }) => int8([N, K], w, ws))],
    ...[...missing, ...of.map(({ u, us }) => int8([N, m], u, us))],
    ...(setting.peephole ? [...missing, ...peepholes.map(({ peephole, ps }) => int16(peephole, ps))] : none(3)),
    ...[...missing, ...of.map(({ bias, ws, ns }) => int32(bias, setting.norm ? ns / 1024 : ws * INPUT.scale))],
    ...(setting.projection ? [int8([m, N], p, pScale), int32(pBias, pScale * HIDDEN.scale)] : none(2)),
    add({ shape: [1, m], type: "int8", ...quantized(STATE), isVariable: true }),
    add({ shape: [1, N], type: "int16", scales: [CELLS], isVariable: true }),
    ...(setting.norm ? [...missing, ...of.map(({ norm, ns }) => int16(norm, ns))] : none(4)),
  ];
  const y = add({ shape: [1, STEPS, m], type: "int8", ...quantized(STATE) });
  const between = [0, 1, 2, 3].map((g) =>
    add({ shape: [0], type: "int16", scales: [of.find((each) => each.g === g)?.gateScale ?? 1] }),
  );
  const hidden = setting.projection ? HIDDEN : STATE;
  between.push(add({ shape: [0], type: "int8", ...quantized(hidden) }));
  const options = [["byte", 4], ["float", setting.clip ?? 0], ["float", 0], ["byte", 0], ["byte", 0]] as OperatorFile["options"]; // biome-ignore format: one row
  const operator: OperatorFile = {
    code: "UNIDIRECTIONAL_SEQUENCE_LSTM",
    ...{ inputs, outputs: [y], options, intermediates: between },
  };
  const file: ModelFile = { tensors, operators: [operator], inputs: [x], outputs: [y] };

  const gate = (g: number): Gate | undefined => {
    const own = of.find((each) => each.g === g);
    if (!own) return undefined;
    return {
      ...{ w: rows(own.w, K), u: rows(own.u, m), bias: own.bias },
      peephole: setting.peephole && g !== 2 ? own.peephole : undefined,
      norm: setting.norm ? own.norm : undefined,
      factors: {
        w: factor(ratio(own.ws, INPUT.scale, own.gateScale)),
        u: factor(ratio(own.us, STATE.scale, own.gateScale)),
        peephole: factor(fround((CELLS * own.ps) / own.gateScale)),
        norm: factor(own.ns),
        least: Math.max(1, Math.trunc(fround(10000 * own.ns))),
      },
    };
  };
  const cell: Cell = {
    gates: [gate(0), gate(1) as Gate, gate(2) as Gate, gate(3) as Gate],
    ...{ inputZero: INPUT.zeroPoint, stateZero: STATE.zeroPoint, hiddenZero: hidden.zeroPoint },
    hidden: factor(fround((2 ** -15 / hidden.scale) * 2 ** -15)),
    projection: setting.projection
      ? { rows: rows(p, N), bias: pBias, factor: factor(ratio(pScale, HIDDEN.scale, STATE.scale)) }
      : undefined,
    ...{ exponent: -11, clip: Math.trunc((setting.clip ?? 0) / CELLS), projectionClip: 0 },
  };
  const real = (data: readonly number[], scale: number): number[] => data.map((v) => v * scale);
  const turned = (data: readonly number[], columns: number): Array64 => {
    const n = data.length / columns;
    const made = data.map((_, i) => data[(i % n) * columns + Math.floor(i / n)]);
    return { shape: [columns, n], data: Float64Array.from(made) };
  };
  /** The states of all steps with what the integers stand for. */
  const floats = (given: readonly number[]): number[] => {
    const inside = of.flatMap(({ bias, ws }) => real(bias, ws * INPUT.scale));
    const w = of.flatMap(({ w, ws }) => real(w, ws));
    const z = rows(given, K).flatMap((step) => {
      const real = step.map((v) => (v - INPUT.zeroPoint) * INPUT.scale);
      return inside.map((b, j) => real.reduce((sum, v, i) => sum + v * w[j * K + i], setting.norm ? 0 : b));
    });
    const matrix = (list: number[][]): Array64 => ({ shape: [list.length, N], data: Float64Array.from(list.flat()) });
    const { y } = lstmProjected(
      {
        z: { shape: [1, given.length / K, gates.length * N], data: Float64Array.from(z) },
        u: turned(
          of.flatMap(({ u, us }) => real(u, us)),
          m,
        ),
        h0: { shape: [1, m], data: new Float64Array(m) },
        c0: { shape: [1, N], data: new Float64Array(N) },
        ...(setting.peephole && { peephole: matrix(peepholes.map(({ peephole, ps }) => real(peephole, ps))) }),
        ...(setting.norm && {
          norm: matrix(of.map(({ norm, ns }) => real(norm, ns))),
          bias: matrix(of.map(({ bias, ns }) => real(bias, ns / 1024))),
        }),
        ...(setting.projection && {
          projection: turned(real(p, pScale), N),
          projectionBias: { shape: [m], data: Float64Array.from(real(pBias, pScale * HIDDEN.scale)) },
        }),
      },
      { activation: "tanh", clip: setting.clip ?? 0, projectionClip: 0, isCoupled: setting.isCoupled ?? false },
    );
    return [...y.data];
  };
  return { file, cell, m, floats };
}

const predict = (model: Model, x: TypedArray): number[] => [...(model.predict(x) as Tensor).data];
const sequence = (seed: number): Int8Array => Int8Array.from(ints([STEPS, K], seed));

const settings: Setting[] = [
  {},
  { clip: 0.5 },
  { isCoupled: true },
  { peephole: true },
  { norm: true },
  { projection: true },
  { isCoupled: true, norm: true, projection: true, clip: 2 },
];

describe("UNIDIRECTIONAL_SEQUENCE_LSTM of int8", () => {
  test.each(settings.map((setting) => [JSON.stringify(setting), setting] as const))("%s", async (_, setting) => {
    const { file, cell, m, floats } = lstmFile(setting);
    const model = await fromTflite(writeTflite(file));
    expect(model.outputs[0].quantization).toEqual(STATE);
    let [h, c] = [Array<number>(m).fill(STATE.zeroPoint), Array<number>(N).fill(0)];
    const expected = (x: Int8Array): number[] =>
      rows([...x], K).flatMap((row) => {
        ({ h, c } = step(cell, row, h, c));
        return h;
      });
    const first = expected(sequence(1));
    expect(predict(model, sequence(1))).toEqual(first);
    expect(predict(model, sequence(2))).toEqual(expected(sequence(2)));
    const third = expected(sequence(3));
    for (const each of [model, await load(save(model)), model.clone()]) {
      expect(predict(each, sequence(3))).toEqual(third);
      each.resetState();
      expect(predict(each, sequence(1))).toEqual(first);
    }
    const session = model.session();
    model.resetState();
    session.inputs[0].set(sequence(1));
    session.run();
    expect([...session.outputs[0]]).toEqual(first);
    // Steps of the result: what gates of 16 bits, states of 8 and their way through four steps leave.
    const real = floats([...sequence(1)]);
    const furthest = real.reduce((most, v, i) => {
      const saturated = Math.min(Math.max(v / STATE.scale + STATE.zeroPoint, -128), 127);
      return Math.max(most, Math.abs(saturated - first[i]));
    }, 0);
    expect(furthest).toBeLessThan(setting.norm ? 8 : 3);
  });

  test("files that do not fit are refused", async () => {
    const { file } = lstmFile({});
    const [operator] = file.operators;
    const refused = async (changed: ModelFile, told: string) => {
      const error = await fromTflite(writeTflite(changed)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(FormatError);
      expect(String(error)).toContain(told);
    };
    await refused({ ...file, operators: [{ ...operator, intermediates: [] }] }, "5 intermediate tensors, got 0");
    const at = operator.inputs[19];
    const cells = (change: Partial<TensorFile>) => file.tensors.with(at, { ...file.tensors[at], ...change });
    await refused({ ...file, tensors: cells({ scales: [0.3] }) }, "cells with a scale of 2^-15 to 2^-9");
    await refused({ ...file, tensors: cells({ zeroPoints: [1] }) }, "cells with a zero point of 0");
    await refused({ ...file, tensors: cells({ type: "int8" }) }, "tflite");
    await refused({ ...file, tensors: file.tensors.with(at, f([1, N], { isVariable: true })) }, "tflite");
  });
});

const [FILTERS, RANK, MEMORY] = [6, 2, 4];

/** A file of one SVDF. */
function svdfFile(kind: "float" | "hybrid" | "int8", stateType: "int16" | "int8" = "int16", isAsymmetric = 0) {
  const [w, bias] = [ints([FILTERS, K], 1), ints([FILTERS / RANK], 3, 4000)];
  const t = ints([FILTERS, MEMORY], 2, stateType === "int8" || kind === "hybrid" ? 127 : 32767);
  const [ws, ss] = [fround(0.0087), fround(stateType === "int8" ? 0.031 : 0.00021)];
  const ts = fround(stateType === "int8" || kind === "hybrid" ? 0.0079 : 0.00003);
  const isFloat = kind !== "int8";
  const data = stateType === "int8" || kind === "hybrid" ? Int8Array.from(t) : Int16Array.from(t);
  const real = (x: number[], scale: number) => Float32Array.from(x, (v) => v * scale);
  const int8 = { scales: [INPUT.scale], zeroPoints: [INPUT.zeroPoint] };
  const zero = stateType === "int8" ? 4 : 0;
  const tensors: TensorFile[] = [
    isFloat ? f([1, K]) : { shape: [1, K], type: "int8", ...int8 },
    kind === "float" ? f([FILTERS, K], { data: real(w, ws) }) : { shape: [FILTERS, K], type: "int8", data: Int8Array.from(w), scales: [ws] }, // biome-ignore format: one row
    kind === "float" ? f([FILTERS, MEMORY], { data: real(t, ts) }) : { shape: [FILTERS, MEMORY], type: data instanceof Int8Array ? "int8" : "int16", data, scales: [ts] }, // biome-ignore format: one row
    isFloat ? f([FILTERS / RANK], { data: real(bias, 1e-4) }) : { shape: [FILTERS / RANK], type: "int32", data: Int32Array.from(bias) }, // biome-ignore format: one row
    isFloat
      ? f([1, FILTERS * MEMORY], { isVariable: true })
      : { shape: [1, FILTERS * MEMORY], type: stateType, scales: [ss], zeroPoints: [zero], isVariable: true },
    isFloat
      ? f([1, FILTERS / RANK])
      : { shape: [1, FILTERS / RANK], type: "int8", scales: [STATE.scale], zeroPoints: [STATE.zeroPoint] },
  ];
  const options = [["int", RANK], ["byte", isFloat ? 1 : 0], ["byte", isAsymmetric]] as OperatorFile["options"]; // biome-ignore format: one row
  const operators: OperatorFile[] = [{ code: "SVDF", inputs: [0, 1, 2, 3, 4], outputs: [5], options }];
  const file = writeTflite({ tensors, operators, inputs: [0], outputs: [5] });
  return { file, w: rows(w, K), t: rows(t, MEMORY), bias, ws, ts, ss, zero };
}

describe("SVDF", () => {
  test.each(["int16", "int8"] as const)("of int8, remembering in %s", async (type) => {
    const { file, w, t, bias, ws, ts, ss, zero } = svdfFile("int8", type);
    const model = await fromTflite(file);
    const of = {
      ...{ rank: RANK, w, t, bias, inputZero: INPUT.zeroPoint, stateZero: zero, outputZero: STATE.zeroPoint },
      bits: type === "int8" ? (8 as const) : (16 as const),
      feature: factor(ratio(INPUT.scale, ws, ss)),
      output: factor(ratio(ss, ts, STATE.scale)),
    };
    const start = Array.from({ length: FILTERS }, () => Array<number>(MEMORY).fill(zero));
    for (let round = 0, state = start; round < 2; round++, state = start, model.resetState()) {
      for (let i = 0; i < 6; i++) {
        const x = Int8Array.from(ints([K], 70 + i));
        const made = svdf(of, x, state);
        expect(predict(model, x), `step ${i}`).toEqual(made.y);
        state = made.state;
      }
    }
    expect(() => predict(model, new Int8Array(2 * K))).toThrow("at most 1 sequences at once");
  });

  test.each([
    ["float", 0],
    ["hybrid", 0],
    ["hybrid", 1],
  ] as const)("%s, asymmetric %s", async (kind, isAsymmetric) => {
    // biome-ignore format: one row
    const { file, w, t, bias, ws, ts } = svdfFile(kind, "int16", isAsymmetric);
    const model = await fromTflite(file);
    const remembered = Array.from({ length: FILTERS }, () => Array<number>(MEMORY).fill(0));
    const whole = { shape: [FILTERS, K], data: Float64Array.from(w.flat()) };
    const scale = { shape: [FILTERS], data: new Float64Array(FILTERS).fill(ws) };
    for (let i = 0; i < 6; i++) {
      const x = numbers([K], 80 + i).data;
      const feature =
        kind === "hybrid"
          ? hybrid([...x], { rows: whole, scale, asymmetric: isAsymmetric > 0 })
          : w.map((row) => row.reduce((sum, v, j) => sum + v * ws * x[j], 0));
      remembered.forEach((values, j) => void values.splice(0, MEMORY, ...values.slice(1), feature[j]));
      const sums = remembered.map((values, j) => values.reduce((sum, v, s) => sum + v * t[j][s] * ts, 0));
      const expected = bias.map((b, u) => Math.max(0, sums[2 * u] + sums[2 * u + 1] + b * 1e-4));
      predict(model, Float32Array.from(x)).forEach((v, u) => {
        expect(Math.abs(v - expected[u]), `step ${i}: ${v} for ${expected[u]}`).toBeLessThan(1e-5);
      });
    }
  });
});

const near = (got: readonly number[], expected: readonly number[]): void => {
  expect(got.length).toBe(expected.length);
  got.forEach(
    (v, i) => void expect(Math.abs(v - expected[i]), `element ${i}: ${v} for ${expected[i]}`).toBeLessThan(3e-6),
  );
};

describe("rarer recurrent operators", () => {
  const w = [...numbers([N, K], 1, -0.6, 0.6).data];
  const u = [...numbers([N, N], 2, -0.6, 0.6).data];
  const bias = [...numbers([N], 3).data];
  const product = (rowsOf: readonly number[][], x: readonly number[]) =>
    rowsOf.map((row) => row.reduce((sum, v, i) => sum + v * x[i], 0));
  const rnn = (x: readonly number[], h: readonly number[]) => {
    const [own, before] = [product(rows(w, K), x), product(rows(u, N), h)];
    return own.map((v, j) => Math.tanh(v + before[j] + bias[j]));
  };
  const constants = [f([N, K], { data: Float32Array.from(w) }), f([N, N], { data: Float32Array.from(u) }), f([N], { data: Float32Array.from(bias) })]; // biome-ignore format: one row
  const state = f([1, N], { isVariable: true });

  test("RNN and UNIDIRECTIONAL_SEQUENCE_RNN", async () => {
    for (const code of ["RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"] as const) {
      const steps = code === "RNN" ? 1 : STEPS;
      const options = (code === "RNN" ? [["byte", 4]] : [["byte", 0], ["byte", 4]]) as OperatorFile["options"]; // biome-ignore format: one row
      const shape = (n: number) => (code === "RNN" ? [1, n] : [1, steps, n]);
      const tensors = [f(shape(K)), ...constants, state, f(shape(N))];
      const operators = [{ code, inputs: [0, 1, 2, 3, 4], outputs: [5], options }];
      const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [5] }));
      for (let round = 0; round < 2; round++, model.resetState()) {
        let h: number[] = Array(N).fill(0);
        for (let i = 0; i < 3; i++) {
          const x = [...numbers([steps, K], 90 + i).data];
          const expected = rows(x, K).flatMap((row) => {
            h = rnn(row, h);
            return h;
          });
          near(predict(model, Float32Array.from(x)), expected);
        }
      }
    }
  });

  test("LSTM of the older kind, its states inputs and results", async () => {
    const kernel = numbers([4 * N, K + N], 5, -0.5, 0.5).data;
    const biases = numbers([4 * N], 6).data;
    const tensors = [f([1, K]), f([1, N]), f([4 * N, K + N], { data: Float32Array.from(kernel) }), f([4 * N], { data: Float32Array.from(biases) }), f([1, N]), f([1, N]), f([1, N]), f([1, K + N]), f([1, 4 * N])]; // biome-ignore format: one row
    const options = [["byte", 4], ["float", 0], ["float", 0], ["byte", 1]] as OperatorFile["options"]; // biome-ignore format: one row
    const operators: OperatorFile[] = [{ code: "LSTM", inputs: [0, 1, 2, 3, 4], outputs: [5, 6, 7, 8], options }];
    const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0, 1, 4], outputs: [5, 6] }));
    const [x, h, c] = [K, N, N].map((n, i) => [...numbers([n], 7 + i).data]);
    const z = product(rows([...kernel], K + N), [...x, ...h]).map((v, j) => v + biases[j]);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const cells = c.map((v, j) => sigmoid(z[2 * N + j]) * v + sigmoid(z[j]) * Math.tanh(z[N + j]));
    const made = model.predict([x, h, c].map((list) => Float32Array.from(list))) as Tensor[];
    near(
      [...made[0].data],
      cells.map((v, j) => sigmoid(z[3 * N + j]) * Math.tanh(v)),
    );
    near([...made[1].data], cells);
  });

  test("BIDIRECTIONAL_SEQUENCE_LSTM, side by side and apart; LSTM of one step", async () => {
    const tensors: TensorFile[] = [f([1, STEPS, K])];
    const add = (tensor: TensorFile): number => tensors.push(tensor) - 1;
    const side = (seed: number) => {
      const [ofW, ofU, ofB] = [[N, K], [N, N], [N]].map((shape, i) => [0, 1, 2, 3].map((g) => numbers(shape, seed + 10 * i + g, -0.6, 0.6))); // biome-ignore format: one row
      const places = [ofW, ofU, ofB].map((list) => list.map(({ shape, data }) => add(f([...shape], { data: Float32Array.from(data) })))); // biome-ignore format: one row
      const states = [add(state), add(state)];
      const expected = (x: readonly number[]): number[] => {
        const z = rows(x, K).flatMap((row) => ofW.flatMap(({ data }, g) => product(rows([...data], K), row).map((v, j) => v + ofB[g].data[j]))); // biome-ignore format: one row
        const u = Float64Array.from({ length: 4 * N * N }, (_, i) => ofU[Math.floor((i % (4 * N)) / N)].data[(i % N) * N + Math.floor(i / (4 * N))]); // biome-ignore format: one row
        const zeros = { shape: [1, N], data: new Float64Array(N) };
        const parts = { z: { shape: [1, x.length / K, 4 * N], data: Float64Array.from(z) }, u: { shape: [N, 4 * N], data: u }, h0: zeros, c0: zeros }; // biome-ignore format: one row
        return [...lstmProjected(parts, { activation: "tanh", clip: 0, projectionClip: 0, isCoupled: false }).y.data];
      };
      return { places, states, expected };
    };
    const [forward, backward] = [side(100), side(200)];
    const none = (count: number) => Array<number>(count).fill(-1);
    const weights = ({ places: [w, u, b] }: ReturnType<typeof side>) => [...w, ...u, ...none(3), ...b, ...none(2)];
    const inputs = [0, ...weights(forward), ...weights(backward), ...forward.states, ...backward.states, ...none(9)];
    const x = [...numbers([STEPS, K], 9).data];
    const reversed = (list: readonly number[], n: number): number[] => rows(list, n).reverse().flat();
    const there = forward.expected(x);
    const back = reversed(backward.expected(reversed(x, K)), N);
    const options = (merged: number) => [["byte", 4], ["float", 0], ["float", 0], ["byte", merged], ["byte", 0]] as OperatorFile["options"]; // biome-ignore format: one row
    const file = (merged: number, outputs: number[]) =>
      writeTflite({ tensors, operators: [{ code: "BIDIRECTIONAL_SEQUENCE_LSTM", inputs, outputs, options: options(merged) }], inputs: [0], outputs }); // biome-ignore format: one row
    const [one, two, both] = [add(f([1, STEPS, N])), add(f([1, STEPS, N])), add(f([1, STEPS, 2 * N]))];
    const apart = (await fromTflite(file(0, [one, two]))).predict(Float32Array.from(x)) as Tensor[];
    near([...apart[0].data], there);
    near([...apart[1].data], back);
    const joined = await fromTflite(file(1, [both]));
    near(
      predict(joined, Float32Array.from(x)),
      rows(there, N).flatMap((row, t) => [...row, ...rows(back, N)[t]]),
    );

    const [step, y] = [add(f([1, K])), add(f([1, N]))];
    const single: OperatorFile = { code: "LSTM", inputs: [step, ...weights(forward), ...forward.states], outputs: [y], options: [["byte", 4]] }; // biome-ignore format: one row
    const model = await fromTflite(writeTflite({ tensors, operators: [single], inputs: [step], outputs: [y] }));
    near(
      rows(x, K).flatMap((row) => predict(model, Float32Array.from(row))),
      there,
    );
  });
});
