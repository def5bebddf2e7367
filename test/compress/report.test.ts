// Models side by side: every number against one made another way.
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { quantize, type Report, report } from "../../src/compress/index.js";
import { dataset, digits } from "../../src/data/index.js";
import {
  add,
  averagePooling2d,
  batchNormalization,
  build,
  conv2d,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePooling2d,
  input,
  lstm,
  type Model,
  maxPooling2d,
  save,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { evaluate, fit } from "../../src/train/index.js";

/** Numbers of a fixed pattern in [-1, 1). */
const pattern = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);

const [train, held] = [digits({ count: 600, seed: 1 }), digits({ count: 210, seed: 2 })];
const judged = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

async function classifier(seed: number, filters: number): Promise<Model> {
  const layers = sequential(
    conv2d(filters, 3, { strides: 2 }),
    batchNormalization(),
    maxPooling2d(2),
    flatten(),
    dense(10, { activation: "softmax" }),
  );
  const model = await build(input([28, 28, 1]), layers, { seed });
  await fit(model, train, { ...judged, optimizer: "adam", epochs: 4 });
  return model;
}

test("accuracy is evaluate's, agreement the share of equal answers, sizes those of file, plan and weights", async () => {
  const [large, small] = [await classifier(1, 12), await classifier(2, 3)];
  const int8 = await quantize(large, { calibration: train.x });
  const models = { large, small, int8 };
  const made = await report(models, held, { batchSize: 50, runs: 3 });
  expect(made.rows.map(({ name }) => name)).toEqual(["large", "small", "int8"]);
  const answers = Object.values(models).map((model) => {
    const { data } = model.predict(held.x) as Tensor;
    return Array.from({ length: 210 }, (_, i) => {
      const row = Array.from(data.subarray(10 * i, 10 * i + 10));
      return row.indexOf(Math.max(...row));
    });
  });
  for (const [i, model] of Object.values(models).entries()) {
    const row = made.rows[i];
    expect(row.accuracy).toBeCloseTo((await evaluate(model, held, judged)).accuracy, 6);
    expect(row.agreement).toBe(answers[i].filter((answer, j) => answer === answers[0][j]).length / 210);
    const file = save(model);
    expect(row.fileBytes).toBe(file.length);
    const zipped = new Response(new Blob([file as BlobPart]).stream().pipeThrough(new CompressionStream("gzip")));
    const bytes = new Uint8Array(await zipped.arrayBuffer());
    expect(row.gzipBytes).toBe(bytes.length);
    expect(gunzipSync(bytes).equals(file)).toBe(true);
    const { weights, kept, workspace } = model.plan(1).bytes;
    expect(row.memoryBytes).toBe(weights + kept + workspace);
    expect(row.milliseconds).toBeGreaterThan(0);
    expect(Object.keys(row)).not.toContain("error");
  }
  const [a, b, c] = made.rows;
  expect(a.agreement).toBe(1);
  expect(b.agreement).toBeLessThan(1);
  const ofLayers = (filters: number) => ({
    conv: filters * 9 + filters,
    norm: 4 * filters,
    dense: 36 * filters * 10 + 10,
  });
  const count = (filters: number) => Object.values(ofLayers(filters)).reduce((x, y) => x + y, 0);
  expect([a.parameters, b.parameters]).toEqual([count(12), count(3)]);
  expect(c.parameters).toBe(count(12) - ofLayers(12).norm); // folded
  expect(a.nonZero).toBe(count(12));
  expect(c.fileBytes).toBeLessThan(0.5 * a.fileBytes);
});

test("MACs are those of the layers, by whichever kernel, int8 or not", async () => {
  const layers = sequential(
    conv2d(8, 3, { padding: "same" }), // 12 * 12 * 8 * 9 * 3
    conv2d(16, 3, { padding: "same", strides: 2 }), // 6 * 6 * 16 * 9 * 8
    depthwiseConv2d(3, { padding: "same" }), // 6 * 6 * 16 * 9
    conv2d(32, 3, { padding: "same" }), // 6 * 6 * 32 * 9 * 16, by Winograd
    averagePooling2d(2),
    globalAveragePooling2d(),
    dense(5), // 32 * 5
  );
  const float = await build(input([12, 12, 3]), layers);
  const x = tensor(pattern(4 * 12 * 12 * 3), [4, 12, 12, 3]);
  const int8 = await quantize(float, { calibration: x });
  const expected = 12 * 12 * 8 * 27 + 36 * 16 * 72 + 36 * 16 * 9 + 36 * 32 * 144 + 160;
  const { rows } = await report({ float, int8 }, { x }, { runs: 0 });
  expect(rows.map(({ macs }) => macs)).toEqual([expected, expected]);
  expect(float.plan().calls.some(({ kernel }) => kernel.includes("winograd"))).toBe(true);
});

test("zeros are counted", async () => {
  const model = await build(input([4]), dense(3, { kernelInitializer: "ones", name: "d" }));
  const weights = model.weights()["d/kernel"];
  weights.data.fill(0, 0, 5);
  model.setWeights({ "d/kernel": weights });
  const { rows } = await report({ model }, { x: tensor(pattern(8), [2, 4]) }, { runs: 0 });
  expect(rows[0]).toMatchObject({ parameters: 15, nonZero: 7, macs: 12, milliseconds: null });
});

test("models of numbers have errors and differences", async () => {
  const [a, b] = [await build(input([4]), dense(2), { seed: 1 }), await build(input([4]), dense(2), { seed: 2 })];
  const [x, y] = [tensor(pattern(20), [5, 4]), tensor(pattern(10), [5, 2])];
  const { rows } = await report({ a, b }, { x, y }, { runs: 0 });
  const [p, q] = [a, b].map((model) => Array.from((model.predict(x) as Tensor).data));
  const apart = (u: ArrayLike<number>, v: ArrayLike<number>) =>
    Array.from(u, (one, i) => Math.abs(one - v[i])).reduce((s, d) => s + d, 0) / u.length;
  expect(rows[0].error).toBeCloseTo(apart(p, y.data), 12);
  expect(rows[1].error).toBeCloseTo(apart(q, y.data), 12);
  expect(rows.map(({ difference }) => difference)).toEqual([0, apart(p, q)]);
  expect(Object.keys(rows[0])).not.toContain("accuracy");
});

describe("targets of a classifier", () => {
  const made = () => build(input([4]), dense(3, { activation: "softmax" }), { seed: 1 });
  const x = tensor(pattern(24), [6, 4]);
  const labels = [0, 1, 2, 0, 1, 2];

  test("may be labels, a column of them, or one-hot", async () => {
    const model = await made();
    const answers = await report({ model }, { x, y: tensor(labels, [6], "int32") }, { runs: 0 });
    const [{ accuracy }] = answers.rows;
    expect(accuracy).toBeGreaterThan(0);
    const oneHot = labels.flatMap((label) => [0, 1, 2].map((i) => Number(i === label)));
    for (const y of [tensor(labels, [6, 1], "int32"), tensor(labels, [6]), tensor(oneHot, [6, 3])])
      expect((await report({ model }, { x, y }, { runs: 0 })).rows[0].accuracy).toBe(accuracy);
  });

  test("may be 0 and 1 for one probability", async () => {
    const model = await build(input([4]), dense(1, { activation: "sigmoid" }), { seed: 1 });
    const y = tensor([0, 1, 1, 0, 1, 0], [6, 1]);
    const right = Array.from((model.predict(x) as Tensor).data, (p, i) => Number(Number(p > 0.5) === y.data[i]));
    const { rows } = await report({ model }, { x, y }, { runs: 0 });
    expect(rows[0].accuracy).toBe(right.reduce((a, b) => a + b) / 6);
  });

  test("may be missing: then models are only compared", async () => {
    const { rows } = await report({ a: await made(), b: await made() }, { x }, { runs: 0 });
    expect(rows.map(({ accuracy, agreement }) => [accuracy, agreement])).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
  });

  test("may belong to each step of a sequence", async () => {
    const model = await build(input([3, 4]), dense(3, { activation: "softmax" }), { seed: 1 });
    const flat = await made();
    flat.setWeights(model.weights());
    const y = tensor(labels, [2, 3], "int32");
    const steps = await report({ model }, { x: tensor(x.data, [2, 3, 4]), y }, { runs: 0 });
    const rows = await report({ flat }, { x, y: tensor(labels, [6], "int32") }, { runs: 0 });
    expect(steps.rows[0].accuracy).toBe(rows.rows[0].accuracy);
  });
});

test("a dataset of samples or of batches gives what tensors give", async () => {
  const model = await classifier(1, 3);
  const x = held.x.data as Float32Array;
  const samples = dataset(
    Array.from({ length: 210 }, (_, i) => ({
      x: tensor(x.slice(784 * i, 784 * (i + 1)), [28, 28, 1]),
      y: tensor([held.y.data[i]], [], "int32"),
    })),
  );
  const options = { runs: 0, metrics: { samples: (y: Tensor) => y.shape[0] } };
  const expected = await report({ model }, held, options);
  expect(expected.rows[0].metrics).toEqual({ samples: 210 });
  for (const data of [samples, samples.batch(64)])
    expect(JSON.stringify(await report({ model }, data, options))).toBe(JSON.stringify(expected));
});

test("models that take and give int8 are fed integers and judged by what theirs stand for", async () => {
  const float = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(2)), { seed: 1 });
  const [x, y] = [tensor(pattern(80), [20, 4]), tensor(pattern(40), [20, 2])];
  const inside = await quantize(float, { calibration: x });
  const int8 = await quantize(float, { calibration: x, inputs: "int8", outputs: "int8" });
  expect([int8.inputs[0].dtype, int8.outputs[0].dtype]).toEqual(["int8", "int8"]);
  const { rows } = await report({ float, inside, int8 }, { x, y });
  expect(rows[2].difference).toBeCloseTo(rows[1].difference as number, 2);
  expect(rows[2].difference).toBeGreaterThan(0);
  expect(rows[2].difference).toBeLessThan(0.05);
});

test("metrics of one's own see all targets and predictions", async () => {
  const model = await build(input([4]), dense(2), { seed: 1 });
  const [x, y] = [tensor(pattern(20), [5, 4]), tensor(pattern(10), [5, 2])];
  const worst = (a: Tensor, b: Tensor) => Math.max(...Array.from(a.data, (v, i) => Math.abs(v - b.data[i])));
  const made = await report({ model }, { x, y }, { runs: 0, batchSize: 2, metrics: { worst } });
  expect(made.rows[0].metrics.worst).toBeCloseTo(worst(y, model.predict(x) as Tensor), 6);
  expect(String(made)).toContain("worst");
});

test("what a stateful model carries on is not touched", async () => {
  const model = await build(input([3, 2]), sequential(lstm(3, { stateful: true, batchSize: 2 }), dense(1)));
  const x = tensor(pattern(12), [2, 3, 2]);
  model.predict(x);
  const before = model.weights();
  await report({ model }, { x }, { runs: 1 });
  expect(model.weights()).toEqual(before);
});

test("several inputs and outputs: the first output is judged", async () => {
  const [a, b] = [input([3, 4], { name: "a" }), input([3, 4], { name: "b" })];
  const seen = add([a, b]);
  const model = await build([a, b], [dense(2, { name: "first" })(flatten()(seen)), dense(3, { name: "second" })(seen)]);
  const x = [tensor(pattern(24), [2, 3, 4]), tensor(pattern(24), [2, 3, 4])];
  const y = tensor(pattern(4), [2, 2]);
  const other = tensor(pattern(18), [2, 3, 3]);
  const byList = await report({ model }, { x, y: [y, other] }, { runs: 0 });
  const byName = await report({ model }, { x, y: { first: y, second: other } }, { runs: 0 });
  const alone = await report({ model }, { x, y }, { runs: 0 });
  expect(byList.rows[0].error).toBeGreaterThan(0);
  expect(byName).toEqual(byList);
  expect(alone).toEqual(byList);
});

describe("a report", () => {
  const made = async (): Promise<Report> => {
    const model = await build(input([4]), dense(3, { activation: "softmax" }), { seed: 1 });
    const x = tensor(pattern(24), [6, 4]);
    return report({ "the model": model, b: model }, { x, y: tensor([0, 1, 2, 0, 1, 2], [6], "int32") }, { runs: 2 });
  };

  test("is a table as text", async () => {
    const lines = String(await made()).split("\n");
    expect(lines.length).toBe(3);
    expect(lines[0].trim().split(/ {2,}/)).toEqual(
      "model,parameters,non-zero,MACs,file B,gzip B,memory B,accuracy,agreement,ms".split(","),
    );
    expect(lines[1]).toMatch(/^the model +15 +12 +12 +[\d,]+ +\d+ +[\d,]+ +\d+\.\d\d % +100\.00 % +[\d.]+(e-\d+)?$/);
    expect(new Set(lines.map((line) => line.length - line.trimEnd().length))).toEqual(new Set([0]));
  });

  test("is rows as JSON", async () => {
    const rows = JSON.parse(JSON.stringify(await made()));
    expect(rows.length).toBe(2);
    expect(rows[1]).toMatchObject({ name: "b", parameters: 15, agreement: 1, metrics: {} });
  });
});

test.each<[string, unknown[], string]>([
  ["no models", [{}, { x: tensor([[1]]) }], "report: expected models by name, got"],
  ["what is no model", [{ a: 1 }, { x: tensor([[1]]) }], "report: expected a model (from build() or load()), got 1"],
  ["no data", [undefined, undefined], "report: expected data { x, y } or a dataset, got"],
  ["no samples", [undefined, { x: tensor(new Float32Array(0), [0, 2]) }], "expected at least one sample, got none"],
  ["inputs that do not fit", [undefined, { x: tensor([[1, 2, 3]]) }], "expected [batch, 2], got [1, 3]"],
  [
    "too few targets",
    [undefined, { x: tensor([[1, 2]]), y: tensor([1, 0]) }],
    "expected 1 samples in all of x and y, got 2",
  ],
  [
    "targets that do not fit",
    [undefined, { x: tensor([[1, 2]]), y: tensor([[1, 0]]) }],
    "targets for predictions [1, 3]",
  ],
  ["unknown options", [undefined, { x: tensor([[1, 2]]) }, { speed: 1 }], '"speed"'],
  ["runs that are no number", [undefined, { x: tensor([[1, 2]]) }, { runs: -1 }], "runs to be a non-negative integer"],
  [
    "metrics that are names",
    [undefined, { x: tensor([[1, 2]]) }, { metrics: ["mae"] }],
    "metrics to be functions by name",
  ],
])("%s: refused", async (_, [models, data, options], message) => {
  const model = await build(input([2]), dense(3));
  const given = [models ?? { model }, data, options] as Parameters<typeof report>;
  await expect(report(...given)).rejects.toThrow(message);
});

test("models whose outputs differ are refused by name", async () => {
  const [a, b] = [await build(input([2]), dense(3)), await build(input([2]), dense(4))];
  await expect(report({ a, b }, { x: tensor([[1, 2]]) })).rejects.toThrow(
    'report "b": expected outputs [3] as of "a", got [4]',
  );
});
