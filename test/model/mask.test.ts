// Masks: which layers hand them on, what they do to a loss, and indices that are outside a table.
import { describe, expect, test } from "vitest";
import * as lw from "../../src/index.js";
import { evaluate, fit, trainer } from "../../src/train/index.js";

const { build, embedding, input, load, maskOf, save, sequential, tensor, withMask } = lw;

const tokens = () => embedding(5, 4, { maskZero: true })(input([6], { dtype: "int32" }));

/** What a mask says of some tokens. */
async function read(x: lw.Value, y: lw.Value, ...feeds: lw.Tensor[]): Promise<number[]> {
  const model = await build([x], lw.cast(maskOf(y) as lw.Value, "float32"));
  return [...(model.predict(feeds) as lw.Tensor).data];
}

describe("a mask goes through", () => {
  const layers: [string, lw.Layer][] = [
    ["activation", lw.activation("relu")],
    ["activityRegularization", lw.activityRegularization({ l2: 1 })],
    ["batchNormalization", lw.batchNormalization()],
    ["dense", lw.dense(3)],
    ["dropout", lw.dropout(0.5)],
    ["no dropout", lw.dropout(0)],
    ["gaussianDropout", lw.gaussianDropout(0.5)],
    ["gaussianNoise", lw.gaussianNoise(0.5)],
    ["groupNormalization", lw.groupNormalization({ groups: 2 })],
    ["layerNormalization", lw.layerNormalization()],
    ["prelu", lw.prelu()],
    ["rescaling", lw.rescaling(2)],
    ["rmsNormalization", lw.rmsNormalization()],
    ["sequential", sequential(lw.dense(3), lw.activation("tanh"))],
    ["spatialDropout1d", lw.spatialDropout1d(0.5)],
    ["unitNormalization", lw.unitNormalization()],
    ["masking", lw.masking()],
  ];
  test.each(layers.slice(0, -1))("%s", (_, layer) => {
    const x = tokens();
    expect(maskOf(layer(x))).toBe(maskOf(x));
    expect(maskOf(x)?.shape).toEqual([1, 6]);
  });

  test("but not through flatten, convolution or pooling, nor where there is none", () => {
    for (const layer of [lw.flatten(), lw.conv1d(2, 3), lw.maxPooling1d(), lw.globalAveragePooling1d()])
      expect(maskOf(layer(tokens()))).toBeUndefined();
    expect(maskOf(lw.dense(3)(input([6, 4])))).toBeUndefined();
    expect(maskOf(embedding(5, 4)(input([6], { dtype: "int32" })))).toBeUndefined();
  });
});

describe("the mask of", () => {
  const x = input([4], { dtype: "int32" });
  const ids = tensor([1, 0, 2, 0], [1, 4], "int32");
  const masked = embedding(3, 2, { maskZero: true })(x);
  const plain = embedding(3, 2)(x);
  const other = withMask(plain, lw.equal(lw.cast(x, "float32"), 2));

  test("an embedding is where indices are not 0", async () => expect(await read(x, masked, ids)).toEqual([1, 0, 1, 0]));
  test("masking() is where any number differs, and the others become 0", async () => {
    const z = input([3, 2]);
    const y = lw.masking(7)(z);
    const numbers = tensor([7, 7, 7, 1, 0, 0], [1, 3, 2]);
    expect(await read(z, y, numbers)).toEqual([0, 1, 1]);
    expect([...((await build(z, y)).predict(numbers) as lw.Tensor).data]).toEqual([0, 0, 7, 1, 0, 0]);
  });
  test("a sum is any of both, and none where one has none", async () => {
    expect(await read(x, lw.add([masked, other]), ids)).toEqual([1, 0, 1, 0]);
    expect(await read(x, lw.multiply([other, other]), ids)).toEqual([0, 0, 1, 0]);
    expect(await read(x, lw.average([other, masked]), ids)).toEqual([1, 0, 1, 0]);
    expect(maskOf(lw.add([masked, plain]))).toBeUndefined();
    expect(maskOf(lw.add(masked, lw.dense(2)(masked)))).toBe(maskOf(masked));
    expect(maskOf(lw.maximum(masked, 0))).toBe(maskOf(masked));
    expect(maskOf(lw.add(masked, plain))).toBeUndefined();
    expect(maskOf(lw.add(masked, other))).toBeUndefined();
  });
  test("positions is that of the sequence, so that their sum has it at any batch size", async () => {
    const sum = lw.add(masked, lw.positionEmbedding(9)(masked));
    expect(maskOf(sum)).toBe(maskOf(masked));
    expect(maskOf(lw.positionEmbedding(9)(plain))).toBeUndefined();
    const pooled = await build(x, lw.globalAveragePooling1d()(sum));
    const [rows, two] = [[1, 2, 0, 0], [2, 0, 0, 0]]; // biome-ignore format: short
    const both = pooled.predict(tensor(Int32Array.from([...rows, ...two]), [2, 4])) as lw.Tensor;
    const each = [rows, two].flatMap((row) => [
      ...(pooled.predict(tensor(Int32Array.from(row), [1, 4])) as lw.Tensor).data,
    ]);
    expect([...both.data]).toEqual(each);
    const merged = await build(x, lw.globalAveragePooling1d()(lw.add([masked, lw.positionEmbedding(9)(masked)])));
    merged.setWeights(
      Object.fromEntries(Object.values(pooled.weights()).map((w, i) => [Object.keys(merged.weights())[i], w])),
    );
    expect([...(merged.predict(tensor(Int32Array.from([...rows, ...two]), [2, 4])) as lw.Tensor).data]).toEqual(each);
  });
  test("a concatenation is any along features, one after the other along steps", async () => {
    expect(await read(x, lw.concatenate([masked, other]), ids)).toEqual([1, 0, 1, 0]);
    expect(await read(x, lw.concatenate([other, masked, plain], { axis: 1 }), ids)).toEqual(
      [0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1], // biome-ignore format: short
    );
    expect(maskOf(lw.concatenate([plain, plain]))).toBeUndefined();
    expect(maskOf(lw.concatenate([masked, plain]))).toBeUndefined();
  });
});

test("masks that cannot be are refused", () => {
  const x = input([6, 4]);
  expect(() => withMask(x, input([5], { dtype: "bool" }))).toThrow(
    "mask: expected the first axes of its value, [1, 6, 4], got [1, 5]",
  );
  expect(() => withMask(x, input([6]))).toThrow("mask: expected bool operands, got float32 [1, 6]");
  expect(() => withMask(x, input([6, 4, 1], { dtype: "bool" }))).toThrow("the first axes of its value");
});

test("a mask costs nothing where nobody looks at it, and is in the file", async () => {
  const x = input([6], { dtype: "int32" });
  const of = (maskZero: boolean) => build(x, lw.dense(3)(embedding(5, 4, { maskZero })(x)));
  const [masked, plain] = [await of(true), await of(false)];
  const kernels = (model: lw.Model) => String(model.plan(2)).match(/[fixu]\d+_\w+/g);
  expect(kernels(masked)).toEqual(kernels(plain));
  expect(masked.outputs[0].name).toBe("dense");
  const copy = await load(save(masked));
  expect(maskOf(copy.graph.outputs[0])?.shape).toEqual([1, 6]);
  expect(save(copy)).toEqual(save(masked));
});

describe("a loss of steps", () => {
  const x = tensor([1, 2, 0, 3, 0, 0], [2, 3], "int32");
  const y = tensor([1, 0, 5, 2, 9, 9], [2, 3, 1]);
  const all = async (maskZero: boolean) => {
    const ids = input([3], { dtype: "int32" });
    return build(ids, lw.dense(1, { name: "d" })(embedding(4, 2, { maskZero, name: "e" })(ids)), { seed: 3 });
  };
  /** Squared differences where x is not 0, each times the weight of its sample, divided by how many there are. */
  const expected = (model: lw.Model, weights = [1, 1]) => {
    const p = (model.predict(x) as lw.Tensor).data;
    const steps = [0, 1, 3];
    return steps.reduce((sum, i) => sum + weights[Math.floor(i / 3)] * (p[i] - y.data[i]) ** 2, 0) / steps.length;
  };

  test("is the mean over those that count", async () => {
    const model = await all(true);
    const { loss } = await evaluate(model, { x, y }, { loss: "meanSquaredError" });
    expect(loss).toBeCloseTo(expected(model), 5);
    const { loss: whole } = await evaluate(await all(false), { x, y }, { loss: "meanSquaredError" });
    expect(Math.abs(whole - loss)).toBeGreaterThan(1);
  });

  test("also with sample weights, and for a trainer", async () => {
    const model = await all(true);
    const sampleWeight = [3, 0.5];
    const { loss } = await evaluate(model, { x, y, sampleWeight }, { loss: "meanSquaredError" });
    expect(loss).toBeCloseTo(expected(model, sampleWeight), 5);
    const first = expected(model);
    expect(trainer(model, { loss: "mse", optimizer: "sgd" }).step({ x, y }).loss).toBeCloseTo(first, 5);
  });

  test("moves no weight by a step that is masked", async () => {
    const model = await all(true);
    const before = model.weights()["e/embeddings"].data;
    await fit(model, { x, y }, { loss: "mse", optimizer: "sgd", epochs: 3 });
    const after = model.weights()["e/embeddings"].data;
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect([1, 2, 3].every((row) => after[2 * row] !== before[2 * row])).toBe(true);
  });

  test("is 0 where none counts", async () => {
    const none = tensor(new Int32Array(3), [1, 3]);
    const { loss } = await evaluate(await all(true), { x: none, y: tensor([1, 2, 3], [1, 3, 1]) }, { loss: "mse" });
    expect(loss).toBe(0);
  });

  test("with a softmax is still taken from its scores", async () => {
    const ids = input([3], { dtype: "int32" });
    const model = await build(ids, lw.dense(4, { activation: "softmax" })(embedding(4, 2, { maskZero: true })(ids)));
    const labels = tensor([1, 2, 3, 0, 1, 2], [2, 3], "int32");
    const p = (model.predict(x) as lw.Tensor).data;
    const mean = [0, 1, 3].reduce((sum, i) => sum - Math.log(p[4 * i + labels.data[i]]), 0) / 3;
    const { loss } = await evaluate(model, { x, y: labels }, { loss: "sparseCategoricalCrossentropy" });
    expect(loss).toBeCloseTo(mean, 5);
  });
});

describe("an index outside an embedding", () => {
  const ids = () => input([2, 2], { dtype: "int32", name: "ids" });
  const make = () =>
    build(ids(), sequential(lw.flatten(), embedding(5, 3, { name: "words" }), lw.flatten(), lw.dense(1)));
  const message = 'embedding "words": expected indices in [0, 4], got 5 at position 2 (sample 1)';
  const bad = tensor([0, 1, 2, 3, 4, 0, 5, 0], [2, 2, 2], "int32");

  test("is refused by predict, fit and a session, which then run on", async () => {
    const model = await make();
    expect(() => model.predict(bad)).toThrow(message);
    expect(() => model.predict(tensor([0, 0, -1, 0], [1, 2, 2], "int32"))).toThrow("got -1 at position 2 (sample 0)");
    const y = tensor([1, 2], [2, 1]);
    await expect(fit(model, { x: bad, y }, { loss: "mse", optimizer: "sgd" })).rejects.toThrow(message);
    const session = model.session(2);
    session.inputs[0].set(bad.data);
    expect(() => session.run()).toThrow(message);
    session.inputs[0].fill(4);
    session.run();
    expect([...session.outputs[0]]).toEqual([...(model.predict(new Int32Array(8).fill(4)) as lw.Tensor).data]);
  });

  test("gives zeros where the graph computes it", async () => {
    const x = input([1]);
    const model = await build(x, embedding(5, 2)(lw.cast(x, "int32")));
    expect([...(model.predict(tensor([[7]])) as lw.Tensor).data]).toEqual([0, 0]);
  });
});
