// Pruning of channels: the graph gets smaller, everywhere that it must, and what had no part in the results is not missed.
import { describe, expect, test } from "vitest";
import { prune } from "../../src/compress/index.js";
import { digits } from "../../src/data/index.js";
import * as layers from "../../src/index.js";
import {
  build,
  conv2d,
  dense,
  flatten,
  input,
  load,
  type Model,
  save,
  sequential,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.js";
import { evaluate, fit } from "../../src/train/index.js";

const { add, batchNormalization, concatenate, depthwiseConv2d, dropout, globalAveragePooling2d, maxPooling2d, relu } =
  layers;

const numbers = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);
const shapesOf = (model: Model): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(model.weights()).map(([name, { shape }]) => [name, shape]));

/** Makes every other output channel of a layer nothing: weights, bias and what its normalization adds. */
function silence(model: Model, ...names: string[]): void {
  const weights = model.weights();
  for (const name of names) {
    const { data, shape } = weights[name];
    const n = shape[shape.length - 1];
    model.setWeights({ [name]: tensor(data.map((w, i) => ((i % n) % 2 ? 0 : w)) as Float32Array, [...shape]) });
  }
}

/** Predictions of a model and of what is left of it are the same but for rounding. */
function expectSame(model: Model, small: Model, batch = 3): void {
  const size = model.inputs[0].shape.reduce((p, d) => p * d, 1);
  const [a, b] = [model, small].map((each) => (each.predict(numbers(batch * size)) as Tensor).data);
  expect(b).toHaveLength(a.length);
  for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 5);
}

describe("channels that make nothing are not missed", () => {
  test("from a convolution through normalization, pooling and flattening into a dense layer", async () => {
    const model = await build(
      input([8, 8, 3]),
      sequential(
        conv2d(8, 3, { name: "a" }),
        batchNormalization({ name: "n" }),
        layers.activation("relu"),
        maxPooling2d(2),
        dropout(0.2),
        flatten(),
        dense(6, { name: "b", activation: "relu" }),
        dense(4, { name: "c", activation: "softmax" }),
      ),
      { seed: 2 },
    );
    silence(model, "a/kernel", "b/kernel");
    const before = save(model);
    const small = await prune(model, { sparsity: 0.5, structure: "channel" });
    expect(shapesOf(small)).toEqual({
      "a/kernel": [3, 3, 3, 4],
      "a/bias": [4],
      "n/gamma": [4],
      "n/beta": [4],
      "n/moving_mean": [4],
      "n/moving_variance": [4],
      "b/kernel": [36, 3],
      "b/bias": [3],
      "c/kernel": [3, 4],
      "c/bias": [4],
    });
    expectSame(model, small);
    expect(save(model)).toEqual(before);
    const copy = await load(save(small));
    expect(copy.predict(numbers(192))).toEqual(small.predict(numbers(192)));
    expect(save(copy)).toEqual(save(small));
  });

  test("in branches that a sum ties together, with a depthwise convolution and a view between", async () => {
    const x = input([6, 6, 2]);
    const stem = relu(conv2d(8, 3, { name: "stem", padding: "same" })(x));
    const deep = relu(depthwiseConv2d(3, { name: "deep", padding: "same" })(stem));
    const branch = conv2d(8, 1, { name: "branch" })(deep);
    const sum = relu(add([stem, branch]));
    const y = dense(5, { name: "out" })(globalAveragePooling2d()(sum));
    const model = await build(x, y, { seed: 4 });
    silence(model, "stem/kernel", "branch/kernel");
    const small = await prune(model, { sparsity: { stem: 0.5 }, structure: "channel" });
    const shapes = shapesOf(small);
    expect(["stem/kernel", "deep/depthwise_kernel", "branch/kernel", "out/kernel"].map((name) => shapes[name])).toEqual(
      [
        [3, 3, 2, 4],
        [3, 3, 4, 1],
        [1, 1, 4, 4],
        [4, 5],
      ],
    );
    expectSame(model, small);
  });

  test("in branches that are joined, each with channels of its own", async () => {
    const x = input([5, 5, 2]);
    const a = conv2d(4, 3, { name: "a", padding: "same", activation: "relu" })(x);
    const b = conv2d(6, 1, { name: "b", activation: "relu" })(x);
    const y = dense(3, { name: "out" })(flatten()(concatenate([a, b])));
    const model = await build(x, y, { seed: 6 });
    silence(model, "a/kernel", "b/kernel");
    const small = await prune(model, { sparsity: 0.5, structure: "channel" });
    const shapes = shapesOf(small);
    expect([shapes["a/kernel"], shapes["b/kernel"], shapes["out/kernel"]]).toEqual([
      [3, 3, 2, 2],
      [1, 1, 2, 3],
      [125, 3],
    ]);
    expectSame(model, small);
  });

  test("of a model that is pruned in blocks already: masks get smaller too", async () => {
    const model = await build(
      input([16]),
      sequential(dense(16, { activation: "relu" }), dense(12, { activation: "relu" }), dense(2)),
    );
    const blocks = await prune(model, { sparsity: 0.5, scope: "layer" });
    silence(blocks, "dense/kernel", "dense_1/kernel");
    const small = await prune(blocks, { sparsity: 0.5, structure: "channel" });
    expect(shapesOf(small)["dense_1/kernel"]).toEqual([8, 6]);
    expectSame(blocks, small);
  });
});

describe("what stays", () => {
  test("is at least one channel of each layer", async () => {
    const model = await build(
      input([6]),
      sequential(dense(5, { activation: "relu" }), dense(4, { activation: "relu" }), dense(2)),
    );
    const small = await prune(model, { sparsity: 1, structure: "channel" });
    expect(Object.values(shapesOf(small))).toEqual([[6, 1], [1], [1, 1], [1], [1, 2], [2]]);
  });

  test("are the channels of the largest norm, and all where layers are compared", async () => {
    const model = await build(
      input([6]),
      sequential(dense(5, { activation: "relu" }), dense(20, { activation: "relu" }), dense(2)),
      { seed: 9 },
    );
    const data = model.weights()["dense/kernel"].data as Float32Array;
    const norm = (j: number) => data.filter((_, i) => i % 5 === j).reduce((sum, w) => sum + w * w, 0);
    const order = [0, 1, 2, 3, 4].sort((a, b) => norm(b) - norm(a));
    const small = await prune(model, { sparsity: { dense: 0.6 }, structure: "channel" });
    const kept = order.slice(0, 2).sort((a, b) => a - b);
    expect(small.weights()["dense/kernel"].data).toEqual(data.filter((_, i) => kept.includes(i % 5)));
    const global = shapesOf(await prune(model, { sparsity: 0.4, structure: "channel", scope: "global" }));
    expect(global["dense/kernel"][1] + global["dense_1/kernel"][1]).toBe(15);
  });

  test("are layers whose channels are all needed; naming one is an error", async () => {
    const model = await build(input([6]), sequential(dense(5), layers.layerNormalization(), dense(4), dense(2)));
    const small = await prune(model, { sparsity: 0.5, structure: "channel" });
    expect(shapesOf(small)).toMatchObject({
      "dense/kernel": [6, 5],
      "dense_1/kernel": [5, 2],
      "dense_2/kernel": [2, 2],
    });
    const named = (name: string) => prune(model, { sparsity: { [name]: 0.5 }, structure: "channel" });
    await expect(named("dense")).rejects.toThrow('prune: "dense/kernel" cannot lose channels');
    await expect(named("dense_2")).rejects.toThrow("its results are outputs, or an op needs all of them");
    const one = await build(input([6]), dense(5));
    await expect(prune(one, { sparsity: 0.5, structure: "channel" })).rejects.toThrow("no layer can lose channels");
  });

  test("is refused with weights that are not finite, or a schedule", async () => {
    const model = await build(input([6]), sequential(dense(5), dense(4)));
    const structure = "channel";
    const finetune = {
      data: { x: tensor(numbers(6), [1, 6]), y: tensor(numbers(4), [1, 4]) },
      optimizer: "sgd",
      loss: "meanSquaredError",
    } as const;
    await expect(prune(model, { sparsity: 0.5, structure, finetune, schedule: {} })).rejects.toThrow(
      "a schedule with finetune, of weights",
    );
    const { data, shape } = model.weights()["dense/kernel"];
    data[3] = Number.POSITIVE_INFINITY;
    model.setWeights({ "dense/kernel": tensor(data, [...shape]) });
    await expect(prune(model, { sparsity: 0.5, structure })).rejects.toThrow(
      'prune "dense/kernel": expected finite weights',
    );
  });
});

test("half the channels of a network on drawn digits, fine-tuned, do as well", async () => {
  const options = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
  const x = input([28, 28, 1]);
  const block = (filters: number, y: Value) =>
    relu(batchNormalization()(conv2d(filters, 3, { strides: 2, useBias: false })(y)));
  const y = dense(10, { activation: "softmax" })(flatten()(block(16, block(12, x))));
  const model = await build(x, y, { seed: 1 });
  const [train, judged] = [digits({ count: 1500, seed: 1 }), digits({ count: 500, seed: 2 })];
  await fit(model, train, { ...options, optimizer: "adam", epochs: 2 });
  const small = await prune(model, {
    sparsity: 0.5,
    structure: "channel",
    finetune: { data: train, ...options, optimizer: "adam", epochs: 2 },
  });
  expect(shapesOf(small)["conv2d_1/kernel"]).toEqual([3, 3, 6, 8]);
  const [a, b] = await Promise.all([model, small].map((each) => evaluate(each, judged, options)));
  expect(b.accuracy).toBeGreaterThan(a.accuracy - 0.03);
});
