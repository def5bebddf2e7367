// Batch normalization as a part of models: folded at inference, statistics moved by training; and layers around it.
import { expect, test } from "vitest";
import {
  activation,
  add,
  averagePooling2d,
  batchNormalization,
  build,
  conv1d,
  conv2d,
  dense,
  depthwiseConv1d,
  depthwiseConv2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  input,
  type Layer,
  layerNormalization,
  load,
  type Model,
  maxPooling2d,
  save,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { trainer } from "../../src/train/index.js";
import { numbers } from "../oracle/array.js";

const random = (shape: number[], seed: number, low = -1, high = 1): Tensor =>
  tensor(Float32Array.from(numbers(shape, seed, low, high).data), shape);

/** What runs for every batch. */
const kernels = (model: Model): string[] =>
  model
    .plan()
    .calls.filter(({ once }) => !once)
    .map(({ kernel }) => kernel);

/** Gives every weight numbers of its own; variances positive ones. */
function scramble(model: Model): void {
  const weights = Object.entries(model.weights()).map(([name, { shape }], i) => {
    const [low, high] = name.endsWith("moving_variance") ? [0.2, 3] : [-1, 1];
    return [name, random([...shape], i + 1, low, high)];
  });
  model.setWeights(Object.fromEntries(weights));
}

const nearly = (actual: Tensor, expected: ArrayLike<number>, tolerance = 2e-6): void => {
  const size = Math.max(...Array.from(expected, Math.abs));
  Array.from(expected).forEach((x, i) => {
    expect(Math.abs(actual.data[i] - x), `element ${i}`).toBeLessThanOrEqual(tolerance * size);
  });
};

const products: [string, Layer, number[], string][] = [
  ["conv2d", conv2d(5, 3, { name: "a" }), [6, 6, 4], "f32_conv2d"],
  ["conv2d without bias", conv2d(5, 3, { name: "a", useBias: false }), [6, 6, 4], "f32_conv2d"],
  ["conv2d in groups", conv2d(6, 3, { name: "a", groups: 2 }), [6, 6, 4], "f32_conv2d_grouped"],
  ["depthwiseConv2d", depthwiseConv2d(3, { name: "a" }), [6, 6, 5], "f32_depthwise_conv2d"],
  ["dense", dense(5, { name: "a" }), [7], "f32_gemm"],
  ["conv1d", conv1d(5, 3, { name: "a" }), [9, 4], "f32_conv2d"],
  ["conv1d without bias", conv1d(5, 3, { name: "a", useBias: false }), [9, 4], "f32_conv2d"],
  ["depthwiseConv1d", depthwiseConv1d(3, { name: "a" }), [9, 5], "f32_depthwise_conv2d"],
];

test.each(products)(
  "batch normalization after %s is one product, the same numbers",
  async (_, product, shape, kernel) => {
    const normalize = batchNormalization({ name: "bn" });
    const model = await build(input(shape), sequential(product, normalize, activation("relu")));
    scramble(model);
    expect(kernels(model)).toEqual([kernel]);
    const plain = await build(input(shape), product);
    plain.setWeights(Object.fromEntries(Object.entries(model.weights()).filter(([name]) => name.startsWith("a/"))));
    const x = random([3, ...shape], 99);
    const before = plain.predict(x) as Tensor;
    const channels = before.shape[before.shape.length - 1];
    const weights = model.weights();
    const of = (name: string, i: number): number => weights[`bn/${name}`].data[i % channels];
    const expected = Array.from(before.data, (y, i) => {
      const scale = of("gamma", i) / Math.sqrt(of("moving_variance", i) + 1e-3);
      return Math.max(0, (y - of("moving_mean", i)) * scale + of("beta", i));
    });
    nearly(model.predict(x) as Tensor, expected, 5e-6);
  },
);

test("a folded model follows its weights", async () => {
  const model = await build(input([4]), sequential(dense(2, { name: "a" }), batchNormalization({ name: "bn" })));
  scramble(model);
  const x = random([2, 4], 5);
  const first = model.predict(x) as Tensor;
  model.setWeights({ "bn/gamma": tensor([0, 0]), "bn/beta": tensor([3, 4]) });
  const second = model.predict(x) as Tensor;
  expect([...first.data]).not.toEqual([...second.data]);
  expect([...second.data]).toEqual([3, 4, 3, 4]);
});

test("a result that somebody else reads is not folded away", async () => {
  const x = input([5, 5, 2]);
  const y = conv2d(3, 3, { name: "a" })(x);
  const model = await build(x, [y, batchNormalization({ name: "bn" })(y)]);
  scramble(model);
  const alone = await build(input([5, 5, 2]), conv2d(3, 3, { name: "a" }));
  const { "a/kernel": kernel, "a/bias": bias } = model.weights();
  alone.setWeights({ "a/kernel": kernel, "a/bias": bias });
  const image = random([1, 5, 5, 2], 8);
  expect((model.predict(image) as Tensor[])[0].data).toEqual((alone.predict(image) as Tensor).data);
});

test("training moves the statistics by the batch, and leaves them when the layer is frozen", async () => {
  const build1 = () =>
    build(input([3]), sequential(batchNormalization({ name: "bn", momentum: 0.75 }), dense(1, { name: "out" })));
  const x = tensor([
    [1, 2, 3],
    [3, 2, -1],
  ]);
  const y = tensor([[0], [1]]);
  const model = await build1();
  trainer(model, { optimizer: "sgd", loss: "mse" }).step({ x, y });
  nearly(model.weights()["bn/moving_mean"], [0.5, 0.5, 0.25]);
  nearly(model.weights()["bn/moving_variance"], [0.75 + 0.25, 0.75, 0.75 + 0.25 * 4]);
  const frozen = await build1();
  trainer(frozen, { optimizer: "sgd", loss: "mse", freeze: "bn" }).step({ x, y });
  expect([...frozen.weights()["bn/moving_mean"].data]).toEqual([0, 0, 0]);
  expect([...frozen.weights()["bn/gamma"].data]).toEqual([1, 1, 1]);
});

test("a layer used twice moves its statistics twice, one after the other", async () => {
  const x = input([1]);
  const normalize = batchNormalization({ name: "bn", momentum: 0.5 });
  const model = await build(x, dense(1, { name: "out" })(add(normalize(x), normalize(add(x, 10)))));
  trainer(model, { optimizer: "sgd", loss: "mse" }).step({ x: tensor([[1], [3]]), y: tensor([[0], [0]]) });
  nearly(model.weights()["bn/moving_mean"], [0.5 * (0.5 * 2) + 0.5 * 12]);
  nearly(model.weights()["bn/moving_variance"], [0.5 * (0.5 * 1 + 0.5 * 1) + 0.5 * 1]);
});

test("save and load keep all of it", async () => {
  const x = input([9, 8, 4]);
  const layers = sequential(
    conv2d(8, 3, { groups: 2, padding: [[1, 2], [0, 1]], useBias: false }), // biome-ignore format: a pair of pairs
    batchNormalization({ scale: false }),
    activation("relu"),
    depthwiseConv2d(3, { depthMultiplier: 2, padding: "same", strides: 2 }),
    batchNormalization({ center: false }),
    averagePooling2d(2, { padding: "same" }),
    layerNormalization({ axis: [-2, -1] }),
    globalAveragePooling2d(),
    layerNormalization({ center: false }),
  );
  const model = await build(x, layers);
  scramble(model);
  const image = random([2, 9, 8, 4], 3);
  const copy = await load(save(model));
  expect(Object.keys(copy.weights())).toEqual(Object.keys(model.weights()));
  expect(copy.predict(image)).toEqual(model.predict(image));
});

test("weights have Keras' names, and moving statistics are not trained", async () => {
  const model = await build(
    input([4, 4, 3]),
    sequential(
      depthwiseConv2d(2, { name: "dw" }),
      batchNormalization({ name: "bn" }),
      layerNormalization({ name: "ln" }),
    ),
  );
  expect(Object.keys(model.weights()).sort()).toEqual(
    [
      "dw/depthwise_kernel",
      "dw/bias",
      "bn/gamma",
      "bn/beta",
      "bn/moving_mean",
      "bn/moving_variance",
      "ln/gamma",
      "ln/beta",
    ].sort(),
  );
  expect(model.trainable).toHaveLength(6);
  expect([...model.weights()["bn/moving_variance"].data]).toEqual([1, 1, 1]);
});

test("global pooling keeps its axes on request", () => {
  const x = input([4, 5, 3]);
  expect(globalAveragePooling2d()(x).shape).toEqual([1, 3]);
  expect(globalAveragePooling2d({ keepdims: true })(x).shape).toEqual([1, 1, 1, 3]);
  expect(globalMaxPooling2d()(x).shape).toEqual([1, 3]);
  expect(globalMaxPooling2d({ keepdims: true })(x).shape).toEqual([1, 1, 1, 3]);
});

test.each([
  ["groups that do not divide filters", () => conv2d(5, 3, { groups: 2 }), "filters in 2 equal groups"],
  [
    "groups that do not divide channels",
    () => conv2d(4, 3, { groups: 2 })(input([8, 8, 3])),
    "channels in 2 equal groups",
  ],
  ["padding of another form", () => conv2d(4, 3, { padding: [1, 1] as never }), "[[top, bottom], [left, right]]"],
  [
    "negative padding",
    () =>
      maxPooling2d(3, {
        padding: [
          [0, 0],
          [0, -1],
        ],
      }),
    "[[top, bottom], [left, right]]",
  ],
  [
    "padding as large as the window",
    () =>
      maxPooling2d(2, {
        padding: [
          [2, 0],
          [0, 0],
        ],
      })(input([4, 4, 1])),
    "padding smaller than the window",
  ],
  ["a momentum above 1", () => batchNormalization({ momentum: 1.5 }), "momentum in [0, 1]"],
  ["a negative epsilon", () => layerNormalization({ epsilon: -1 }), "epsilon"],
  ["channels along the batch", () => batchNormalization({ axis: 0 })(input([3, 4, 4])), "but 0, the batch, got 0"],
  [
    "a batch to normalise over",
    () => layerNormalization({ axis: [0, 1] })(input([3, 4])),
    "but 0, the batch, got [0,1]",
  ],
  ["no axes", () => layerNormalization({ axis: [] })(input([3, 4])), "but 0, the batch, got []"],
  ["an axis that there is not", () => layerNormalization({ axis: 5 })(input([3, 4])), "axes in"],
  ["an unknown option", () => batchNormalization({ momentun: 0.9 } as never), '"momentun"'],
])("%s: an error that says so", (_, make, message) => {
  expect(make).toThrow(message);
});
