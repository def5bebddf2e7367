// Normalisation over axes that are not the last: the same bits as with the axes moved by hand, and what the definition says.
import { expect, test } from "vitest";
import {
  batchNormalization,
  build,
  conv2d,
  dense,
  flatten,
  input,
  type Layer,
  layerNormalization,
  load,
  type Model,
  permute,
  save,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { gradients, trainer } from "../../src/train/index.js";
import { fill, numbers } from "../oracle/array.js";
import { moments } from "../oracle/norm.js";

const SHAPE = [3, 4, 5];
const random = (shape: number[], seed: number, low = -1, high = 1): Tensor =>
  tensor(Float32Array.from(numbers(shape, seed, low, high).data), shape);
const x = random([6, ...SHAPE], 1);
const y = random([6, 2], 2);

function scramble(model: Model): void {
  const weights = Object.entries(model.weights()).map(([name, { shape }], i) => [
    name,
    random([...shape], i + 3, name.endsWith("moving_variance") ? 0.2 : -1, 2),
  ]);
  model.setWeights(Object.fromEntries(weights));
}

const normal = (layer: Layer): Promise<Model> =>
  build(input(SHAPE, { name: "x" }), sequential(layer, flatten(), dense(2, { activation: "softsign", name: "out" })));

const pairs: [string, Layer, Layer, back: Layer, moved: Layer][] = [
  [
    "batchNormalization along axis 1",
    batchNormalization({ name: "n", axis: 1, momentum: 0.5 }),
    permute([2, 3, 1]),
    permute([3, 1, 2]),
    batchNormalization({ name: "n", momentum: 0.5 }),
  ],
  [
    "batchNormalization along axis -2",
    batchNormalization({ name: "n", axis: -2, momentum: 0.5 }),
    permute([1, 3, 2]),
    permute([1, 3, 2]),
    batchNormalization({ name: "n", momentum: 0.5 }),
  ],
  [
    "layerNormalization over axis 1",
    layerNormalization({ name: "n", axis: 1 }),
    permute([2, 3, 1]),
    permute([3, 1, 2]),
    layerNormalization({ name: "n" }),
  ],
  [
    "layerNormalization over axes 1 and 3",
    layerNormalization({ name: "n", axis: [3, 1] }),
    permute([2, 1, 3]),
    permute([2, 1, 3]),
    layerNormalization({ name: "n", axis: [-2, -1] }),
  ],
];

test.each(pairs)("%s trains and differentiates as with its axes moved by hand", async (_, layer, to, back, moved) => {
  const [one, other] = [await normal(layer), await normal(sequential(to, moved, back))];
  scramble(one);
  other.setWeights(one.weights());
  for (const model of [one, other]) {
    const { step } = trainer(model, { optimizer: "sgd", loss: "mse" });
    for (let i = 0; i < 3; i++) step({ x, y });
  }
  expect(one.weights()).toEqual(other.weights());
  const of = { of: "out", wrt: ["x", "n/gamma", "n/beta"] };
  const [found, wanted] = [gradients(one, of)(x), gradients(other, of)(x)];
  for (const name of of.wrt) {
    expect(found[name].shape).toEqual(wanted[name].shape);
    const size = Math.max(...Array.from(wanted[name].data, Math.abs));
    expect(size).toBeGreaterThan(0);
    // at inference a scale and a shift are applied where the channels are: their gradients are other sums
    found[name].data.forEach((v, i) => {
      expect(Math.abs(v - wanted[name].data[i]), `${name}[${i}]`).toBeLessThanOrEqual(1e-6 * size);
    });
  }
  expect(one.predict(x)).toEqual(other.predict(x));
  expect((await load(save(one))).predict(x)).toEqual(one.predict(x));
});

test("batchNormalization along axis 2 predicts what the definition says, and moves no number for it", async () => {
  const model = await build(input(SHAPE), batchNormalization({ name: "n", axis: 2 }));
  scramble(model);
  const w = model.weights();
  const expected = fill(x.shape, (b, i, j, k) => {
    const of = (name: string) => w[`n/${name}`].data[j];
    const value = x.data[((b * 3 + i) * 4 + j) * 5 + k];
    return ((value - of("moving_mean")) / Math.sqrt(of("moving_variance") + 1e-3)) * of("gamma") + of("beta");
  });
  (model.predict(x) as Tensor).data.forEach((v, i) => {
    expect(v).toBeCloseTo(expected.data[i], 5);
  });
  expect(String(model.plan())).not.toContain("strided_copy");
});

test("layerNormalization over axes 1 and 3 predicts what the definition says", async () => {
  const model = await build(input(SHAPE), layerNormalization({ name: "n", axis: [1, -1] }));
  scramble(model);
  const { "n/gamma": gamma, "n/beta": beta } = model.weights();
  expect(gamma.shape).toEqual([3, 5]);
  const value = (b: number, i: number, j: number, k: number) => x.data[((b * 3 + i) * 4 + j) * 5 + k];
  const expected = fill(x.shape, (b, i, j, k) => {
    const [mean, variance] = moments(Array.from({ length: 15 }, (_, n) => value(b, Math.floor(n / 5), j, n % 5)));
    return ((value(b, i, j, k) - mean) / Math.sqrt(variance + 1e-3)) * gamma.data[i * 5 + k] + beta.data[i * 5 + k];
  });
  (model.predict(x) as Tensor).data.forEach((v, i) => {
    expect(v).toBeCloseTo(expected.data[i], 5);
  });
});

test("channels that are not last are not folded into the product before", async () => {
  const model = await build(
    input([6, 6, 5]),
    sequential(conv2d(5, 1, { name: "a" }), batchNormalization({ name: "n", axis: 2 })),
  );
  const plain = await build(input([6, 6, 5]), conv2d(5, 1, { name: "a" }));
  model.setWeights({ "n/gamma": random([6], 4) });
  plain.setWeights({ "a/kernel": model.weights()["a/kernel"] });
  const image = random([2, 6, 6, 5], 9);
  const before = plain.predict(image) as Tensor;
  const gamma = model.weights()["n/gamma"].data;
  (model.predict(image) as Tensor).data.forEach((v, i) => {
    expect(v).toBeCloseTo((before.data[i] * gamma[Math.floor(i / 5) % 6]) / Math.sqrt(1.001), 5);
  });
});
