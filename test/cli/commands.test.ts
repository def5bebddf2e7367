// lanewise train, evaluate, convert, inspect, predict, bench and pack: what they write is what the library gives.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digits } from "../../src/data/index.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { build, dense, gru, input, load, type Model, save, type Tensor, tensor } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/index.js";
import { evaluate } from "../../src/train/index.js";
import { deploy } from "../serve/runtimes/deploy.js";
import { mixed, small } from "../serve/service.js";
import { folder, json, lanewise } from "./command.js";

const home = folder();
const path = (name: string) => join(home, name);
const rows = [
  [1, 2, 3, 4],
  [0.5, -1, 0.25, 8],
];

/** float64 in C order, as numpy.save writes it. */
function npy(data: readonly number[], shape: readonly number[]): Uint8Array {
  const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const head = new Uint8Array(128).fill(0x20);
  head.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0, ...new TextEncoder().encode(dictionary)]);
  head[127] = 10;
  return Buffer.concat([head, new Uint8Array(Float64Array.from(data).buffer)]);
}

test("predict takes .npy, CSV and JSON, from files and standard input", async () => {
  const model = await small(1);
  writeFileSync(path("small.safetensors"), save(model));
  const expected = model.predict(tensor(rows)) as Tensor;
  const data = [0, 1].map((i) => [...expected.data.subarray(2 * i, 2 * i + 2)]);
  const answer = { model: "small", outputs: [{ name: "y", dtype: "float32", shape: [2, 2], data }] };
  writeFileSync(path("x.npy"), npy(rows.flat(), [2, 4]));
  writeFileSync(path("x.csv"), `a,b,c,d\n${rows.map((row) => row.join(",")).join("\n")}\n`);
  const ask = (file: string, given?: string) => json(["predict", path("small.safetensors"), "--input", file], given);
  expect(ask(path("x.npy"))).toEqual(answer);
  expect(ask(path("x.csv"))).toEqual(answer);
  expect(ask("-", JSON.stringify(rows))).toEqual(answer);
  expect(ask("-", JSON.stringify({ x: rows }))).toEqual(answer);
  expect(ask("-", JSON.stringify(rows[0])).outputs[0]).toMatchObject({ shape: [1, 2], data: [data[0]] });
});

test("predict takes several inputs by name, and says what does not fit", async () => {
  writeFileSync(path("mixed.safetensors"), save(await mixed()));
  const ask = (given: unknown) =>
    lanewise(["predict", path("mixed.safetensors"), "--input", "-"], JSON.stringify(given));
  const { stdout } = ask({ a: [[1, 2, 3]], b: [[4, 5]] });
  expect(JSON.parse(stdout).outputs.map(({ name }: { name: string }) => name)).toEqual(["first", "second"]);
  expect(ask([[1, 2, 3]])).toMatchObject({
    code: 2,
    stderr: 'lanewise: expected lists by name for the inputs "a", "b", got one array\n',
  });
  expect(ask({ a: [[1, 2]], b: [[4, 5]] })).toMatchObject({
    code: 1,
    stderr: 'lanewise: input "a": expected [samples, 3], got [1, 2]\n',
  });
  expect(ask({ a: [[1, 2, 3]], b: [[4.5, 5]] }).stderr).toBe(
    "lanewise: tensor: expected numbers that int32 holds, got 4.5\n",
  );
  expect(ask({ a: [[1, 2, 3], [1]], b: [] }).stderr).toContain("expected lists of one shape, [2, 3] by the first ones");
  writeFileSync(path("cut.npy"), npy([1, 2, 3], [1, 3]).subarray(0, 140));
  expect(lanewise(["predict", path("mixed.safetensors"), "--input", path("cut.npy")])).toEqual({
    code: 1,
    stdout: "",
    stderr: `lanewise: ${path("cut.npy")}: expected 24 bytes for (1, 3) of <f8, got 12\n`,
  });
});

const keywords = "../shared/tflite/models/kws_int8.tflite";
test.skipIf(!existsSync(keywords))(
  "convert keeps int8: the file gives the bits of the TFLite file; predict quantizes",
  async () => {
    const { written } = json(["convert", keywords, path("keywords.safetensors"), "--json"]);
    const bytes = readFileSync(path("keywords.safetensors"));
    expect(written).toBe(bytes.length);
    const original = await fromTflite(readFileSync(keywords));
    const converted = await load(bytes, { layers: int8Ops });
    const { scale, zeroPoint } = original.inputs[0].quantization as { scale: number; zeroPoint: number };
    const integers = Array.from({ length: 490 }, (_, i) => (i % 255) - 127);
    const x = tensor(Int8Array.from(integers), [1, 49, 10, 1]);
    const expected = original.predict(x) as Tensor;
    expect(converted.predict(x)).toEqual(expected);

    const given = (list: number[]) => JSON.stringify([list]);
    const ask = (list: number[], ...more: string[]) =>
      json(["predict", path("keywords.safetensors"), "--input", "-", ...more], given(list)).outputs[0];
    expect(ask(integers, "--raw")).toMatchObject({ dtype: "int8", data: [[...expected.data]] });
    const output = original.outputs[0].quantization as { scale: number; zeroPoint: number };
    const real = ask(integers.map((q) => (q - zeroPoint) * scale));
    expect(real.dtype).toBe("float32");
    expect(real.data[0]).toEqual(Array.from(expected.data, (q) => (q - output.zeroPoint) * output.scale));
  },
);

test("inspect tells graph, plan, memory and sizes, and the tensors of a file without a graph", async () => {
  const model = await small();
  writeFileSync(path("small.safetensors"), save(model));
  const facts = json(["inspect", path("small.safetensors"), "--batch", "3", "--json"]);
  const { weights, kept, workspace } = model.plan(3).bytes;
  expect(facts).toMatchObject({
    format: "safetensors",
    parameters: 10,
    batch: 3,
    memory: { weights, kept, workspace },
  });
  expect(facts.weights.map(({ name, bytes }: { name: string; bytes: number }) => [name, bytes])).toEqual([
    ["y/kernel", 32],
    ["y/bias", 8],
  ]);
  expect(facts.graph.map(({ op }: { op: string }) => op)).toContain("input");
  expect(facts.calls.length).toBe(model.plan(3).calls.length);
  const { stdout } = lanewise(["inspect", path("small.safetensors"), "--plan"]);
  expect(stdout).toContain(model.summary().replace('"model"', '"small"'));
  expect(stdout).toContain("f32_gemm");
  const header = JSON.stringify({ "a.weight": { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12] } });
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  const foreign = Buffer.concat([length, new TextEncoder().encode(header), new Uint8Array(12)]);
  writeFileSync(path("foreign.safetensors"), foreign);
  expect(json(["inspect", path("foreign.safetensors"), "--json"]).tensors).toEqual([
    { name: "a.weight", dtype: "BF16", shape: [2, 3], bytes: 12 },
  ]);
  writeFileSync(path("foreign.safetensors"), foreign.subarray(0, -1));
  expect(lanewise(["inspect", path("foreign.safetensors")])).toMatchObject({ code: 1, stdout: "" });
});

test("train writes what a module describes, whatever folder it is in; evaluate judges it", async () => {
  writeFileSync(
    path("config.mjs"),
    `import { build, dense, flatten, input, sequential } from "lanewise";
    export const model = build(input([28, 28, 1]), sequential(flatten(), dense(10, { activation: "softmax" })));
    export const data = ({ digits }) => digits({ count: 200, seed: 1 });
    export const test = ({ digits }) => digits({ count: 50, seed: 2 });
    export const fit = { optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], epochs: 9, seed: 3 };`,
  );
  const out = path("digits.safetensors");
  const told = json(["train", path("config.mjs"), "--out", out, "--epochs", "3", "--json"]);
  expect(told.epoch).toEqual([1, 2, 3]);
  expect(told.history.loss[2]).toBeLessThan(told.history.loss[0]);
  const model = await load(readFileSync(out));
  const test = digits({ count: 50, seed: 2 });
  const how = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
  expect(told.test).toEqual(await evaluate(model, test, { ...how, metrics: ["accuracy"] }));
  writeFileSync(path("images.npy"), npy([...test.x.data], [50, 28, 28, 1]));
  writeFileSync(path("labels.npy"), npy([...test.y.data], [50]));
  const files = ["--input", path("images.npy"), "--labels", path("labels.npy")];
  expect(json(["evaluate", out, ...files, "--loss", how.loss, "--metrics", "accuracy", "--json"])).toEqual(told.test);
  const wrong = lanewise(["evaluate", out, "--loss", how.loss]);
  expect(wrong).toEqual({
    code: 2,
    stdout: "",
    stderr: "lanewise: expected --input and --labels, or --csv and --target\n",
  });
});

test("init writes a module that train takes, and leaves what is there alone", () => {
  const file = path("begin.mjs");
  expect(lanewise(["init", file])).toMatchObject({ code: 0, stdout: "" });
  const told = json(["train", file, "--out", path("begun.safetensors"), "--epochs", "1", "--json"]);
  expect(told.test.accuracy).toBeGreaterThan(0.6);
  expect(lanewise(["init", file]).stderr).toBe(`lanewise: ${file}: there is such a file already\n`);
});

test("evaluate takes a table and the name of its target", async () => {
  const model = await build(input([2]), dense(1, { kernelInitializer: "ones" }));
  writeFileSync(path("sum.safetensors"), save(model));
  writeFileSync(path("sum.csv"), "a,b,sum\n1,2,3\n4,5,10\n");
  const table = ["--csv", path("sum.csv"), "--target", "sum", "--loss", "meanSquaredError", "--json"];
  expect(json(["evaluate", path("sum.safetensors"), ...table])).toEqual({ loss: 0.5 });
});

test("train says what a configuration lacks", () => {
  writeFileSync(path("empty.mjs"), "export const model = 1;");
  const out = ["--out", path("none.safetensors")];
  const said = `lanewise: ${path("empty.mjs")}: expected a module that exports model, data and fit; there is no data\n`;
  expect(lanewise(["train", path("empty.mjs"), ...out])).toEqual({ code: 2, stdout: "", stderr: said });
  expect(existsSync(path("none.safetensors"))).toBe(false);
  expect(lanewise(["train", path("empty.mjs"), "--out", "model.onnx"]).code).toBe(2);
});

test("bench times predictions", async () => {
  writeFileSync(path("small.safetensors"), save(await small()));
  const { least, median, profile } = json([
    "bench",
    path("small.safetensors"),
    "--batch",
    "4",
    "--runs",
    "9",
    "--json",
  ]);
  expect(least).toBeGreaterThan(0);
  expect(median).toBeGreaterThanOrEqual(least);
  expect(profile.length).toBeGreaterThan(0);
});

const packed: Record<string, () => Promise<Model>> = {
  small: () => small(5),
  gru: () => build(input([4, 1], { name: "x" }), (x) => dense(2)(gru(3)(x))),
};
test.each(Object.keys(packed))(
  "pack writes a Worker of model %s that workerd runs, and leaves folders with files alone",
  async (name) => {
    const model = await packed[name]();
    writeFileSync(path(`${name}.safetensors`), save(model));
    const worker = path(`worker-${name}`);
    const { files } = json(["pack", path(`${name}.safetensors`), worker, "--json"]);
    expect(readdirSync(worker).sort()).toEqual([...files].sort());
    const again = lanewise(["pack", path(`${name}.safetensors`), worker]);
    expect(again).toEqual({ code: 2, stdout: "", stderr: `lanewise: ${worker}: expected an empty folder\n` });

    const deployed = await deploy(home, join(worker, "worker.js"), [join(worker, `${name}.safetensors`)]);
    try {
      const shape = [2, ...model.inputs[0].shape];
      const inputs = [{ name: "x", shape, datatype: "FP32", data: rows.flat() }];
      const response = await fetch(`${deployed.url}v2/models/${name}/infer`, {
        method: "POST",
        body: JSON.stringify({ inputs }),
      });
      const expected = model.predict(tensor(rows.flat(), shape)) as Tensor;
      expect(JSON.parse(await response.text()).outputs[0].data).toEqual([...expected.data]);
    } finally {
      await deployed.process.kill();
    }
  },
);
