// LSTM operators of TensorFlow Lite files: what the file has of each gate, states that go on until resetState, and files that do not fit.
import { describe, expect, test } from "vitest";
import { FormatError, type UnsupportedError } from "../../src/errors.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, type Model, save, type Tensor } from "../../src/index.js";
import { type Array64, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/lstmp.js";
import { type ModelFile, type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";
import { f } from "./tflite-single.js";

interface Setting {
  readonly isCoupled?: boolean;
  readonly peephole?: boolean;
  readonly norm?: boolean;
  readonly projection?: boolean;
  readonly isInt8?: boolean;
  readonly isAsymmetric?: boolean;
  readonly isTimeMajor?: boolean;
  readonly clip?: number;
  readonly code?: OperatorFile["code"];
}

const [K, N, M, STEPS] = [3, 5, 4, 4];
const ACTIVATION = 4; // TANH
const SCALE = 0.01;

/** A file of one operator with the numbers of everything in it, by gates i, f, g, o where they have them. */
function lstmFile(setting: Setting) {
  const m = setting.projection ? M : N;
  const gates = setting.isCoupled ? [1, 2, 3] : [0, 1, 2, 3];
  const tensors: TensorFile[] = [f(setting.isTimeMajor ? [STEPS, 1, K] : [1, STEPS, K])];
  const add = (tensor: TensorFile): number => tensors.push(tensor) - 1;
  const matrix = (rows: number, columns: number, seed: number): Array64 => {
    const x = numbers([rows, columns], seed, -0.6, 0.6);
    return setting.isInt8 ? { shape: x.shape, data: x.data.map((v) => Math.round(v / SCALE)) } : x;
  };
  const float = ({ shape, data }: Array64) => add(f([...shape], { data: Float32Array.from(data) }));
  const weight = (x: Array64) =>
    setting.isInt8
      ? add({ shape: x.shape, type: "int8", data: Int8Array.from(x.data), scales: [Math.fround(SCALE)] })
      : float(x);
  const w = gates.map((g) => matrix(N, K, 10 + g));
  const u = gates.map((g) => matrix(N, m, 20 + g));
  const peephole = [0, 1, 3].filter((g) => gates.includes(g)).map((g) => numbers([N], 30 + g));
  const bias = gates.map((g) => numbers([N], 40 + g));
  const norm = gates.map((g) => numbers([N], 50 + g, 0.5, 1.5));
  const [p, pBias] = [matrix(m, N, 60), numbers([m], 61)];
  const missing = setting.isCoupled ? [-1] : [];
  const none = (count: number) => Array<number>(count).fill(-1);
  const inputs = [
    0,
    ...[...missing, ...w.map(weight)],
    ...[...missing, ...u.map(weight)],
    ...(setting.peephole ? [...missing, ...peephole.map(float)] : none(3)),
    ...[...missing, ...bias.map(float)],
    ...(setting.projection ? [weight(p), float(pBias)] : none(2)),
    add(f([1, m], { isVariable: true })),
    add(f([1, N], { isVariable: true })),
    ...(setting.norm ? [...missing, ...norm.map(float)] : none(4)),
  ];
  const isSequence = setting.code !== "LSTM";
  const y = add(f(setting.isTimeMajor ? [STEPS, 1, m] : [1, STEPS, m]));
  const clip = ["float", setting.clip ?? 0] as const;
  const flags = [setting.isTimeMajor, setting.isAsymmetric].map((v) => ["byte", Number(v ?? false)] as const);
  const options = [["byte", ACTIVATION], clip, ["float", 0], ...flags] as OperatorFile["options"];
  const operator: OperatorFile = {
    code: setting.code ?? "UNIDIRECTIONAL_SEQUENCE_LSTM",
    inputs,
    outputs: [y],
    options,
  };
  const file: ModelFile = { tensors, operators: [operator], inputs: [0], outputs: [y] };

  const joined = (list: readonly Array64[]): Array64 => ({
    shape: [list.length * list[0].shape[0], ...list[0].shape.slice(1)],
    data: Float64Array.from(list.flatMap(({ data }) => [...data])),
  });
  const rows = (list: readonly Array64[]): Array64 => ({ ...joined(list), shape: [list.length, N] });
  const turned = ({ shape: [n, k], data }: Array64): Array64 => ({
    shape: [k, n],
    data: Float64Array.from(data, (_, i) => data[(i % n) * k + Math.floor(i / n)]),
  });
  const given = (x: Array64): Array64 | oracle.Int8Rows => {
    const scale = { shape: [x.shape[0]], data: new Float64Array(x.shape[0]).fill(Math.fround(SCALE)) };
    return setting.isInt8 ? { rows: x, scale, asymmetric: setting.isAsymmetric ?? false } : turned(x);
  };
  /** States of all steps, and what both states are afterwards. */
  const expected = (x: readonly number[], h0: Array64, c0: Array64) => {
    const inside = joined(bias).data;
    const z = Array.from({ length: x.length / K }, (_, t) => {
      const [step, kernel] = [x.slice(t * K, (t + 1) * K), given(joined(w))];
      const product =
        "rows" in kernel
          ? oracle.hybrid(step, kernel)
          : Array.from(inside, (_, j) => step.reduce((sum, v, i) => sum + v * joined(w).data[j * K + i], 0));
      return product.map((v, j) => v + (setting.norm ? 0 : inside[j]));
    });
    const parts: oracle.Parts = {
      z: { shape: [1, z.length, gates.length * N], data: Float64Array.from(z.flat()) },
      u: given(joined(u)),
      h0,
      c0,
      ...(setting.peephole && { peephole: rows(peephole) }),
      ...(setting.norm && { norm: rows(norm), bias: rows(bias) }),
      ...(setting.projection && { projection: given(p), projectionBias: pBias }),
    };
    const how = {
      activation: "tanh",
      clip: setting.clip ?? 0,
      projectionClip: 0,
      isCoupled: setting.isCoupled ?? false,
    } as const;
    const { y, c } = oracle.lstmProjected(parts, how);
    return { y, c, h: { shape: [1, m], data: y.data.slice(-m) } };
  };
  return { file, expected, m, isSequence };
}

const near = (got: Iterable<number>, expected: Iterable<number>): void => {
  const [a, b] = [[...got], [...expected]];
  expect(a.length).toBe(b.length);
  a.forEach((v, i) => void expect(Math.abs(v - b[i]), `element ${i}: ${v} for ${b[i]}`).toBeLessThan(3e-6));
};
const sequence = (steps: number, seed: number): number[] => [...numbers([steps, K], seed).data];
const predict = (model: Model, x: readonly number[]) => (model.predict(Float32Array.from(x)) as Tensor).data;
const zeros = (n: number): Array64 => ({ shape: [1, n], data: new Float64Array(n) });

const settings: Setting[] = [
  {},
  { clip: 0.25 },
  { isCoupled: true },
  { peephole: true },
  { norm: true },
  { projection: true },
  { isCoupled: true, peephole: true, norm: true, projection: true, clip: 1 },
  { isInt8: true },
  { isInt8: true, isAsymmetric: true },
  { isInt8: true, isCoupled: true, peephole: true, norm: true, projection: true, isAsymmetric: true },
];

describe("UNIDIRECTIONAL_SEQUENCE_LSTM of float32", () => {
  test.each(settings.map((setting) => [JSON.stringify(setting), setting] as const))("%s", async (_, setting) => {
    const { file, expected, m } = lstmFile(setting);
    const model = await fromTflite(writeTflite(file));
    const first = expected(sequence(STEPS, 1), zeros(m), zeros(N));
    near(predict(model, sequence(STEPS, 1)), first.y.data);
    const second = expected(sequence(STEPS, 2), first.h, first.c);
    near(predict(model, sequence(STEPS, 2)), second.y.data);
    const copies = [model, await load(save(model)), model.clone()];
    for (const each of copies) {
      near(predict(each, sequence(STEPS, 3)), expected(sequence(STEPS, 3), second.h, second.c).y.data);
      each.resetState();
      near(predict(each, sequence(STEPS, 1)), first.y.data);
    }
    const session = copies[1].session();
    session.inputs[0].set(sequence(STEPS, 2));
    session.run();
    near(session.outputs[0], second.y.data);
  });

  test("time-major, any number of steps", async () => {
    const { file, expected } = lstmFile({ isTimeMajor: true });
    const model = await fromTflite(writeTflite(file));
    for (const steps of [1, STEPS, 7]) {
      model.resetState();
      near(predict(model, sequence(steps, 1)), expected(sequence(steps, 1), zeros(N), zeros(N)).y.data);
    }
  });

  test("weights in int8 stay int8", async () => {
    const model = await fromTflite(writeTflite(lstmFile({ isInt8: true }).file));
    const types = Object.entries(model.weights()).map(([name, { dtype, shape }]) => [name, dtype, shape.join()]);
    expect(types).toContainEqual(["lstm/kernel", "int8", `${4 * N},${K}`]);
    expect(types).toContainEqual(["lstm/recurrent_kernel", "int8", `${4 * N},${N}`]);
  });

  test("one sequence at a time, as there are states of one", async () => {
    const model = await fromTflite(writeTflite(lstmFile({}).file));
    expect(() => predict(model, sequence(2 * STEPS, 1))).toThrow("at most 1 sequences at once");
  });
});

describe("LSTM files that do not fit are refused:", () => {
  const { file } = lstmFile({});
  const [operator] = file.operators;
  const changed = (i: number, change: Partial<TensorFile>): ModelFile => {
    const at = operator.inputs[i];
    return { ...file, tensors: file.tensors.with(at, { ...file.tensors[at], ...change }) };
  };
  const refused = async (
    model: ModelFile,
    told: string,
    kind: typeof FormatError | typeof UnsupportedError = FormatError,
  ) => {
    const error = await fromTflite(writeTflite(model)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(told);
  };
  const rewired = (i: number, to: number): ModelFile => ({
    ...file,
    operators: [{ ...operator, inputs: operator.inputs.with(i, to) }],
  });

  test("weights of another size", async () => {
    await refused(changed(2, { shape: [N, K + 1], data: new Float32Array(N * (K + 1)) }), `expected [${N}, ${K}]`);
    await refused(changed(8, { shape: [N + 1, N], data: new Float32Array(N * (N + 1)) }), "recurrent weights");
    await refused(changed(4, { shape: [0, K], data: new Float32Array(0) }), "tflite");
    await refused(rewired(2, -1), "expected input 2");
  });

  test("states that are none, or of another size", async () => {
    await refused(changed(18, { isVariable: false }), "to be a variable");
    await refused(changed(18, { shape: [1, N + 1] }), "states [batch, 5]");
    await refused(rewired(19, operator.inputs[18]), "tflite");
    await refused(rewired(18, -1), "tflite");
  });

  test("norms without all gates, and activations that there are not", async () => {
    await refused(rewired(20, operator.inputs[12]), "tflite");
    const options = operator.options?.with(0, ["byte", 3]) as OperatorFile["options"];
    await refused({ ...file, operators: [{ ...operator, options }] }, "TANH, RELU or no activation");
  });
});
