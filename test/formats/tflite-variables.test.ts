// Resource variables of TensorFlow Lite files: streams that keep their last samples, what variables begin with, the order of reading and
// writing; then files that misuse them.
import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../src/errors.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, type Model, save, type Tensor } from "../../src/index.js";
import { draws } from "../../src/philox.js";
import { type GraphFile, type ModelFile, type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";
import { f, ints, q } from "./tflite-single.js";

const handle: TensorFile = { shape: [], type: "resource" };
const named = (name: string, to: number): OperatorFile => ({
  code: "VAR_HANDLE",
  inputs: [],
  outputs: [to],
  options: [
    ["text", ""],
    ["text", name],
  ],
});
const read = (from: number, to: number): OperatorFile => ({ code: "READ_VARIABLE", inputs: [from], outputs: [to] });
const assign = (to: number, from: number): OperatorFile => ({
  code: "ASSIGN_VARIABLE",
  inputs: [to, from],
  outputs: [],
});
const once = (graph: number): OperatorFile => ({
  code: "CALL_ONCE",
  inputs: [],
  outputs: [],
  options: [["int", graph]],
});
const concatenation = (inputs: number[], to: number): OperatorFile => ({
  code: "CONCATENATION",
  inputs,
  outputs: [to],
  options: [["int", 1]],
});
const sum = (inputs: number[], to: number): OperatorFile => ({
  code: "ADD",
  inputs,
  outputs: [to],
  options: [["byte", 0]],
});

/** A graph that gives a variable numbers: constants, or the sum of two. */
const initial = (name: string, start: TensorFile): GraphFile => ({
  tensors: [handle, start],
  operators: [named(name, 0), assign(0, 1)],
  inputs: [],
  outputs: [],
});

/** Two samples of two numbers are kept; each run gives these and the new one [1, 3, 2], and keeps the last two. */
const stream = (of: (shape: number[], rest?: Partial<TensorFile>) => TensorFile, start?: TensorFile): ModelFile => ({
  tensors: [
    of([1, 1, 2]),
    handle,
    of([1, 2, 2]),
    of([1, 3, 2]),
    ints(0, 1, 0),
    ints(1, 3, 2),
    ints(1, 1, 1),
    of([1, 2, 2]),
  ],
  operators: [
    ...(start ? [once(1)] : []),
    named("stream", 1),
    read(1, 2),
    concatenation([2, 0], 3),
    { code: "STRIDED_SLICE", inputs: [3, 4, 5, 6], outputs: [7] },
    assign(1, 7),
  ],
  inputs: [0],
  outputs: [3],
  others: start ? [initial("stream", start)] : [],
});

const feed = (model: Model, ...x: number[]): number[] => {
  const { dtype } = model.inputs[0];
  const data = dtype === "int8" ? Int8Array.from(x) : dtype === "int16" ? Int16Array.from(x) : Float32Array.from(x);
  return [...(model.predict(data) as Tensor).data];
};

describe("a variable keeps what was assigned until resetState", () => {
  test("through predict, a session, a file and a copy", async () => {
    const model = await fromTflite(writeTflite(stream(f)));
    expect(feed(model, 1, 2)).toEqual([0, 0, 0, 0, 1, 2]);
    expect(feed(model, 3, 4)).toEqual([0, 0, 1, 2, 3, 4]);
    const session = model.session();
    session.inputs[0].set([5, 6]);
    session.run();
    expect([...session.outputs[0]]).toEqual([1, 2, 3, 4, 5, 6]);
    const [copy, loaded] = [model.clone(), await load(save(model))];
    for (const each of [model, copy, loaded]) {
      expect(feed(each, 7, 8)).toEqual([3, 4, 5, 6, 7, 8]);
      each.resetState();
      expect(feed(each, 9, 9)).toEqual([0, 0, 0, 0, 9, 9]);
    }
    expect(model.weights().variable).toEqual({ data: Float32Array.of(0, 0, 9, 9), shape: [1, 2, 2], dtype: "float32" });
  });

  test.each([
    ["int8", (shape: number[], rest = {}) => q(shape, { scale: 0.5, zeroPoint: -7 }, rest), Int8Array, -7],
  ] as const)("of %s, which begins with its zero point or with what the file says", async (_, of, array, zero) => {
    const plain = await fromTflite(writeTflite(stream(of)));
    expect(feed(plain, 1, 2)).toEqual([zero, zero, zero, zero, 1, 2]);
    const start = of([1, 2, 2], { data: array.of(10, 20, 20, -30) });
    const model = await fromTflite(writeTflite(stream(of, start)));
    for (const each of [model, await load(save(model)), model.clone()]) {
      expect(feed(each, 1, 2)).toEqual([10, 20, 20, -30, 1, 2]);
      expect(feed(each, 3, 4)).toEqual([20, -30, 1, 2, 3, 4]);
      each.resetState();
    }
  });

  test("beginning with what a graph computes", async () => {
    const [one, two] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 10, 10, 10)];
    const graph: GraphFile = {
      tensors: [handle, f([1, 2, 2], { data: one }), f([1, 2, 2], { data: two }), f([1, 2, 2])],
      operators: [named("stream", 0), sum([1, 2], 3), assign(0, 3)],
      inputs: [],
      outputs: [],
    };
    const model = await fromTflite(writeTflite({ ...stream(f, handle), others: [graph] }));
    expect(feed(model, 0, 0)).toEqual([11, 12, 13, 14, 0, 0]);
  });

  test("one sample at a time", async () => {
    const model = await fromTflite(writeTflite(stream(f)));
    expect(() => feed(model, 1, 2, 3, 4)).toThrow("at most 1 sequences at once");
    expect(feed(model, 1, 2)).toEqual([0, 0, 0, 0, 1, 2]);
  });
});

/** A file whose tensors are x [1, 2], then handles a and b, then as many [1, 2] as there are results. */
const twoVariables = (operators: OperatorFile[], outputs: number[]): Uint8Array =>
  writeTflite({
    tensors: [f([1, 2]), handle, handle, ...Array.from({ length: 5 }, () => f([1, 2]))],
    operators: [named("a", 1), named("b", 2), ...operators],
    inputs: [0],
    outputs,
  });
const all = (model: Model, ...x: number[]): number[][] =>
  [model.predict(Float32Array.from(x))].flat().map(({ data }) => [...data]);

describe("reading and writing happen in the order of the file", () => {
  test("a read after an assignment sees it, one before does not", async () => {
    const file = twoVariables(
      [read(1, 3), assign(1, 0), read(1, 4), sum([4, 0], 5), assign(1, 5), read(1, 6)],
      [3, 4, 6],
    );
    const model = await fromTflite(file);
    expect(all(model, 1, 2)).toEqual([[0, 0], [1, 2], [2, 4]]); // biome-ignore format: short
    expect(all(model, 5, 5)).toEqual([[2, 4], [5, 5], [10, 10]]); // biome-ignore format: short
    const again = model.session();
    again.inputs[0].set([1, 1]);
    again.run();
    expect(again.outputs.map((data) => [...data])).toEqual([[10, 10], [1, 1], [2, 2]]); // biome-ignore format: short
  });

  test("variables that take each other's place", async () => {
    const file = twoVariables([read(1, 3), read(2, 4), sum([3, 0], 5), assign(1, 4), assign(2, 5)], [3, 4]);
    const model = await fromTflite(file);
    expect(all(model, 1, 2)).toEqual([[0, 0], [0, 0]]); // biome-ignore format: short
    expect(all(model, 1, 2)).toEqual([[0, 0], [1, 2]]); // biome-ignore format: short
    expect(all(model, 0, 0)).toEqual([[1, 2], [1, 2]]); // biome-ignore format: short
  });

  test("two that only change places", async () => {
    const file = twoVariables([read(1, 3), read(2, 4), assign(1, 4), assign(2, 3), sum([3, 0], 5)], [3, 4, 5]);
    const numbers = { a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) };
    const model = await fromTflite(file);
    const [a, b] = Object.keys(model.weights());
    model.setWeights(
      Object.fromEntries([
        [a, { data: numbers.a, shape: [1, 2], dtype: "float32" }],
        [b, { data: numbers.b, shape: [1, 2], dtype: "float32" }],
      ]),
    );
    const [first, second] = all(model, 0, 0);
    expect([first, second].sort()).toEqual([[1, 2], [3, 4]]); // biome-ignore format: short
    expect(all(model, 0, 0).slice(0, 2)).toEqual([second, first]);
    expect(all(model, 0, 0).slice(0, 2)).toEqual([first, second]);
  });

  test("a variable that is only written, or only read", async () => {
    const model = await fromTflite(twoVariables([assign(1, 0), read(2, 3), sum([3, 0], 4)], [4]));
    expect(all(model, 1, 2)).toEqual([[1, 2]]);
    expect(model.weights()).toMatchObject({ variable: {} });
  });
});

describe("files that misuse variables are refused:", () => {
  const refused = async (file: ModelFile, told: string) => {
    const error = await fromTflite(writeTflite(file)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain(told);
  };
  const start = f([1, 2, 2], { data: new Float32Array(4) });
  const usual = stream(f, start);
  const [ofStream] = usual.others as GraphFile[];
  const replaced = (at: number, operator: OperatorFile): ModelFile => ({
    ...usual,
    operators: usual.operators.with(at, operator),
  });

  test("a graph that runs itself", async () => {
    await refused(replaced(0, once(0)), "no cycle, got 0");
    const itself = { ...ofStream, operators: [...ofStream.operators, once(1)] };
    await refused({ ...usual, others: [itself] }, "no cycle, got 1");
    const [there, back] = [2, 1].map((at) => ({ ...ofStream, operators: [once(at), ...ofStream.operators] }));
    await refused({ ...usual, others: [there, back] }, "no cycle, got 1");
    const long = Array.from({ length: 2000 }, (_, i) => ({
      ...ofStream,
      operators: [once(i + 2), ...ofStream.operators],
    }));
    await refused({ ...usual, others: [...long, ofStream] }, "CALL_ONCE");
  });

  test("a graph that is not there, or takes something", async () => {
    await refused(replaced(0, once(2)), "expected one of 2 graphs");
    await refused(replaced(0, once(-1)), "expected one of 2 graphs");
    await refused({ ...usual, others: [{ ...ofStream, inputs: [1] }] }, "without inputs and outputs");
  });

  test("a variable of another shape or type", async () => {
    await refused({ ...usual, tensors: usual.tensors.with(2, f([1, 1, 2])) }, 'variable "stream"');
    await refused(
      { ...usual, operators: usual.operators.with(5, assign(1, 3)) },
      "expected float32 [1, 2, 2], got float32 [1, 3, 2]",
    );
    const other = f([1, 4, 1], { data: new Float32Array(4) });
    await refused(stream(f, other), "expected float32 [1, 4, 1], got float32 [1, 2, 2]");
    const whole: TensorFile = { shape: [1, 2, 2], type: "int32", data: new Int32Array(4) };
    await refused(stream(f, whole), "expected int32 [1, 2, 2], got float32 [1, 2, 2]");
  });

  test("a handle that no operator made, and numbers in its place", async () => {
    await refused({ ...usual, operators: usual.operators.toSpliced(1, 1) }, "to be a variable");
    await expect(fromTflite(writeTflite(replaced(2, read(0, 2))))).rejects.toThrow(UnsupportedError);
    await refused({ ...usual, outputs: [1] }, "to be constant, or to be made before it is used");
  });

  test("a graph that reads what it has not assigned", async () => {
    const reads: GraphFile = {
      ...ofStream,
      tensors: [handle, f([1, 2, 2])],
      operators: [named("stream", 0), read(0, 1)],
    };
    await refused({ ...usual, others: [reads] }, "expected a value, got none so far");
  });

  test("files damaged 2000 times are refused, or models that work", async () => {
    const original = writeTflite(usual);
    const tally = { refused: 0, worked: 0 };
    for (let seed = 0; seed < 2000; seed++) {
      const { bits } = draws(11, seed);
      const file = original.slice();
      for (let left = 1 + (bits() % 3); left > 0; left--) file[bits() % file.length] = bits() % 3 ? bits() % 256 : 255;
      try {
        const model = await fromTflite(file);
        const size = model.inputs[0].shape.reduce((n, d) => n * d, 1);
        if (model.inputs[0].dtype === "float32" && size < 1e5) feed(model, ...new Float32Array(size));
        tally.worked++;
      } catch (error) {
        const isRefusal = [FormatError, UnsupportedError, RangeError].some((kind) => error instanceof kind);
        expect(isRefusal, `seed ${seed}: ${error}`).toBe(true);
        tally.refused++;
      }
    }
    expect(Math.min(tally.refused, tally.worked)).toBeGreaterThan(100);
  });
});
