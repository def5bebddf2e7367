// Transfer learning: parts of trained models in new ones, weights by name, and models of inputs of different types.
import { describe, expect, test } from "vitest";
import {
  batchNormalization,
  build,
  concatenate,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling2d,
  input,
  load,
  type Model,
  mul,
  parameter,
  rescaling,
  save,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { asLayer, fit, trainer, transferWeights } from "../../src/train/index.js";

const numbers = (count: number, salt = 0) =>
  Float32Array.from({ length: count }, (_, i) => (((i + salt) * 7919) % 1013) / 1013 - 0.5);

const trunk = () => [
  conv2d(4, 3, { name: "stem", useBias: false }),
  batchNormalization({ name: "norm" }),
  dropout(0.2),
  globalAveragePooling2d(),
];

/** A small image model, trained for two steps. */
async function base(): Promise<Model> {
  const model = await build(input([8, 8, 2]), sequential(...trunk(), dense(3, { activation: "softmax" })), { seed: 4 });
  const data = {
    x: tensor(numbers(16 * 128), [16, 8, 8, 2]),
    y: tensor(Int32Array.from({ length: 16 }, (_, i) => i % 3)),
  };
  await fit(model, data, { optimizer: "adam", loss: "sparseCategoricalCrossentropy", batchSize: 8 });
  return model;
}

const images = tensor(numbers(5 * 128, 3), [5, 8, 8, 2]);

describe("asLayer", () => {
  test("of a whole model predicts what the model does", async () => {
    const model = await base();
    const other = await build(input([8, 8, 2]), asLayer(model));
    expect(other.predict(images)).toEqual(model.predict(images));
    expect(other.weights()).toEqual(model.weights());
    expect(other.summary()).toContain("stem");
  });

  test("up to a layer begins with copies of the weights, which are the new model's own", async () => {
    const model = await base();
    const before = model.weights();
    const features = asLayer(model, { to: "globalAveragePooling2d" });
    expect(features.layers).toEqual(["stem", "norm", "dropout", "globalAveragePooling2d"]);
    const next = await build(input([8, 8, 2]), sequential(features, dense(2)), { seed: 8 });
    expect(Object.keys(next.weights())).toEqual([...Object.keys(before).slice(0, 5), "dense/kernel", "dense/bias"]);
    expect(next.weights()["stem/kernel"]).toEqual(before["stem/kernel"]);
    await fit(next, { x: images, y: tensor(numbers(10), [5, 2]) }, { optimizer: "sgd", loss: "mse" });
    expect(next.weights()["stem/kernel"]).not.toEqual(before["stem/kernel"]);
    expect(model.weights()).toEqual(before);
  });

  test("frozen, it stays what it was, moving statistics too, while the rest is trained", async () => {
    const features = asLayer(await base(), { to: "globalAveragePooling2d" });
    const next = await build(input([8, 8, 2]), sequential(features, dense(2, { name: "head" })));
    const before = next.weights();
    const data = { x: images, y: tensor(numbers(10), [5, 2]) };
    await fit(next, data, { optimizer: "sgd", loss: "mse", freeze: features.layers });
    for (const [name, value] of Object.entries(next.weights()))
      if (name.startsWith("head")) expect(value).not.toEqual(before[name]);
      else expect(value).toEqual(before[name]);
    // fine-tuning: all of it, the base at a hundredth of the rate
    const learningRates = Object.fromEntries(features.layers.map((name) => [name, 0.01]));
    await fit(next, data, { optimizer: "sgd", loss: "mse", learningRates });
    expect(next.weights()["stem/kernel"]).not.toEqual(before["stem/kernel"]);
  });

  test("applied twice shares its weights, and a name tells several models apart", async () => {
    const [a, b] = [await base(), await base()];
    const left = asLayer(a, { to: "globalAveragePooling2d", name: "left" });
    const right = asLayer(b, { to: "globalAveragePooling2d", name: "right" });
    const [x, y] = [input([8, 8, 2]), input([8, 8, 2])];
    const model = await build([x, y], concatenate([left(x), left(y), right(y)]));
    const names = Object.keys(model.weights());
    expect(names.filter((name) => name.endsWith("stem/kernel"))).toEqual(["left/stem/kernel", "right/stem/kernel"]);
    const z = model.predict([images, images]) as Tensor;
    expect(z.data.slice(0, 4)).toEqual(z.data.slice(4, 8));
  });

  test("takes images of another size where its layers do", async () => {
    const features = asLayer(await base(), { to: "globalAveragePooling2d" });
    expect(features(input([20, 12, 2])).shape).toEqual([1, 4]);
    expect(() => features(input([20, 12, 3]))).toThrow("expected 2 input channels");
  });

  test("of a model of several inputs, with a weight of no layer", async () => {
    const [p, q] = [input([3]), input([3])];
    const sum = mul(parameter([3], "ones", { name: "scale" }), dense(3, { name: "d" })(p));
    const model = await build([p, q], [sum, dense(2, { name: "e" })(concatenate([sum, q]))]);
    const layer = asLayer(model, { to: "e", name: "old" });
    const [r, s] = [input([3]), input([3])];
    const next = await build([r, s], layer([r, s]));
    expect(Object.keys(next.weights())).toContain("old/scale");
    const x = [tensor(numbers(6), [2, 3]), tensor(numbers(6, 9), [2, 3])];
    expect(next.predict(x)).toEqual((model.predict(x) as Tensor[])[1]);
    expect(() => layer(r)).toThrow('asLayer "old": expected 2 inputs, got 1');
  });

  test("a model made of it saves, loads, clones and trains to the same bits", async () => {
    const make = async () =>
      build(input([8, 8, 2]), sequential(asLayer(await base(), { to: "norm" }), flatten(), dense(2)));
    const model = await make();
    const loaded = await load(save(model));
    expect(loaded.predict(images)).toEqual(model.predict(images));
    expect(model.clone().weights()).toEqual(model.weights());
    const run = (which: Model) => {
      trainer(which, { optimizer: "adam", loss: "mse" }).step({ x: images, y: tensor(numbers(10), [5, 2]) });
      return which.weights();
    };
    expect(run(loaded)).toEqual(run(model));
  });

  test("refuses layers that there are not, and inputs that do not fit", async () => {
    const model = await base();
    expect(() => asLayer(model, { to: "stern" })).toThrow(
      'asLayer: expected a layer of stem, norm, dropout, globalAveragePooling2d, dense, got "stern"',
    );
    expect(() => asLayer(model)(input([8]))).toThrow("asLayer: expected float32 [1, 8, 8, 2], got float32 [1, 8]");
    expect(() => asLayer(model)(input([8, 8, 2], { dtype: "int32" }))).toThrow("got int32 [1, 8, 8, 2]");
    const x = input([2]);
    const shared = dense(2, { name: "twice" });
    const several = await build(x, [shared(x), shared(shared(x))]);
    expect(() => asLayer(several)).toThrow("asLayer: expected the layer to end with");
    expect(() => asLayer(several, { to: "twice" })).toThrow(
      'asLayer: expected a layer with one result, got 2 of "twice"',
    );
  });
});

describe("transferWeights", () => {
  const pair = async (units = 3) => [
    await build(input([4]), sequential(dense(5, { name: "a" }), dense(3, { name: "b" })), { seed: 1 }),
    await build(input([4]), sequential(dense(5, { name: "a" }), dense(units, { name: "b" }), dense(2, { name: "c" })), {
      seed: 2,
    }),
  ];

  test("copies what both have, and only that", async () => {
    const [from, to] = await pair();
    const before = to.weights();
    expect(transferWeights(from, to)).toEqual(["a/kernel", "a/bias", "b/kernel", "b/bias"]);
    expect(to.weights()).toEqual({ ...before, ...from.weights() });
  });

  test("of some layers, or of weights by name", async () => {
    const [from, to] = await pair(7);
    const before = to.weights();
    expect(transferWeights(from.weights(), to, { layers: ["a"] })).toEqual(["a/kernel", "a/bias"]);
    expect(to.weights()["b/kernel"]).toEqual(before["b/kernel"]);
    expect(transferWeights(from, to, { skipMismatch: true })).toEqual(["a/kernel", "a/bias"]);
  });

  test("tells of all weights that do not fit, and changes nothing", async () => {
    const [from, to] = await pair(7);
    const before = to.weights();
    expect(() => transferWeights(from, to)).toThrow(
      "transferWeights: expected b/kernel [5, 7], b/bias [7], got b/kernel [5, 3], b/bias [3]",
    );
    expect(() => transferWeights({ x: tensor([1]) }, to)).toThrow(
      "expected weights of names that the model has (a/kernel, ",
    );
    expect(() => transferWeights(from, to, { layers: ["a", "c"] })).toThrow(
      'layers with weights in both models, got "c"',
    );
    expect(to.weights()).toEqual(before);
  });
});

test("inputs of different types in one model: categories, numbers and images, with arrays of inputs", async () => {
  const [kind, size, image] = [
    input([2], { dtype: "int32", name: "kind" }),
    input([3], { name: "size" }),
    input([6, 6, 1], { name: "image" }),
  ];
  const parts = [
    flatten()(embedding(5, 4)(kind)),
    dense(4, { activation: "relu" })(size),
    globalAveragePooling2d()(conv2d(4, 3, { activation: "relu" })(rescaling(1 / 255)(image))),
  ];
  const model = await build([kind, size, image], dense(3, { activation: "softmax" })(concatenate(parts)), { seed: 1 });
  const count = 60;
  const kinds = Int32Array.from({ length: count * 2 }, (_, i) => (i * 13) % 5);
  const x = [
    tensor(kinds, [count, 2]),
    tensor(numbers(count * 3), [count, 3]),
    tensor(
      Uint8Array.from({ length: count * 36 }, (_, i) => (i * 37) % 256),
      [count, 6, 6, 1],
    ),
  ];
  const y = tensor(Int32Array.from({ length: count }, (_, i) => kinds[2 * i] % 3));
  const options = {
    optimizer: "adam",
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
    epochs: 60,
  } as const;
  const { history } = await fit(model, { x, y }, { ...options, batchSize: 10, validation: 0.2 });
  expect(history.accuracy.at(-1)).toBeGreaterThan(0.9);
  expect(history.val_loss).toHaveLength(60);
  const wrong = [
    tensor(
      kinds.map((k) => k + 1),
      [count, 2],
    ),
    x[1],
    x[2],
  ];
  await expect(Promise.resolve(fit(model, { x: wrong, y }, options))).rejects.toThrow("embedding");
  await expect(Promise.resolve(fit(model, { x: [x[1], x[1], x[2]], y }, options))).rejects.toThrow(
    '"kind": expected int32',
  );
});
