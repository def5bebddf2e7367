// Layers that share their names with ops, and those that take features as they are.
import { expect, test } from "vitest";
import {
  type Activation,
  build,
  categoryEncoding,
  dense,
  elu,
  input,
  leakyRelu,
  load,
  normalization,
  relu,
  reshape,
  save,
  sequential,
  softmax,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { fit } from "../../src/train/index.js";

const numbers = (y: Tensor | Tensor[]) => [...(y as Tensor).data];

test("of a Value the op, of options or nothing the layer, also where it is handed on", () => {
  const x = input([2, 3]);
  for (const f of [relu, leakyRelu, elu, softmax] as Activation<object>[]) {
    expect(f(x).shape).toEqual([1, 2, 3]);
    expect(f()(x).shape).toEqual([1, 2, 3]);
    expect(f({ name: "mine" })(x).node.layer).toMatchObject({ name: "mine" });
  }
  expect([x, x].map(relu).map(({ shape }) => shape)).toEqual([x.shape, x.shape]);
  expect(reshape(x, [-1, 6]).shape).toEqual([1, 6]);
  expect(sequential(relu, softmax(), reshape([3, 2], { name: "turned" }))(x).shape).toEqual([1, 3, 2]);
});

test("the default slope is Keras' function's as an op, and its layer's as a layer", async () => {
  const x = input([1]);
  const model = await build(x, [leakyRelu(x), leakyRelu()(x)]);
  const slopes = (model.predict(tensor([[-1]])) as Tensor[]).map(numbers);
  expect(slopes).toEqual([[Math.fround(-0.2)], [Math.fround(-0.3)]]);
});

test.each<[string, () => unknown, string]>([
  ["a negative maxValue", () => relu({ maxValue: -1 }), "relu: expected maxValue to be a number of at least 0, got -1"],
  ["a slope that is none", () => leakyRelu({ negativeSlope: "x" as never }), 'negativeSlope to be a number, got "x"'],
  ["an option there is not", () => elu({ slope: 1 } as never), 'elu: expected options alpha, name, got "slope"'],
  [
    "a host tensor",
    () => relu(tensor([1]) as never),
    "relu: expected a Value (from input() or a layer), got a host tensor",
  ],
  ["a layer", () => softmax(dense(2) as never), "got a function (a layer that was not applied?)"],
  ["a softmax over the batch", () => softmax({ axis: 0 })(input([3])), "axes of [1, 3] but 0, the batch, got 0"],
  ["a shape that does not fit", () => reshape([4])(input([3])), "reshape: expected 3 elements, as in [3], got [4]"],
  ["a -1 that does not fit", () => reshape([2, -1])(input([3])), "expected 3 elements, as in [3], got [2, -1]"],
  ["two of -1", () => reshape([-1, -1]), "a shape of at most 8 non-negative integers"],
  ["only a mean", () => normalization({ mean: 1 }), "both mean and variance, or neither, got mean"],
  [
    "a negative variance",
    () => normalization({ mean: 1, variance: -1 }),
    "variance to be finite numbers of at least 0",
  ],
  [
    "a mean too many",
    () => normalization({ mean: [1, 2], variance: 1 })(input([3])),
    "one mean, or one for each of [3], got 2",
  ],
  ["a batch as axis", () => normalization({ axis: 0 })(input([3])), "axes of [1, 3] but 0, the batch, got 0"],
  ["no samples", () => normalization().adapt(tensor(new Float32Array(0), [0, 2])), "at least one sample to adapt to"],
  [
    "a NaN",
    () => normalization().adapt(tensor([[1], [Number.NaN]])),
    "finite numbers to adapt to, got NaN (element 1)",
  ],
  ["text", () => normalization().adapt("x" as never), 'adapt of a tensor [samples, ...], got "x"'],
  ["no tokens", () => categoryEncoding(0), "numTokens to be a positive integer, got 0"],
  ["floats", () => categoryEncoding(3)(input([2])), 'an input of whole numbers, { dtype: "int32" }, got float32'],
  [
    "another mode",
    () => categoryEncoding(3, { outputMode: "tfIdf" as never }),
    'multiHot, oneHot or count, got "tfIdf"',
  ],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});

test("normalization measures, keeps what it measured in the file, and training leaves it alone", async () => {
  const x = tensor([
    [1, 5],
    [3, 5],
    [8, 5],
  ]);
  const scale = normalization();
  scale.adapt(x);
  scale.adapt(x); // measures anew
  const model = await build(input([2]), sequential(scale, dense(1)));
  const weights = model.weights();
  expect(numbers(weights["normalization/mean"])).toEqual([4, 5]);
  expect(numbers(weights["normalization/variance"])).toEqual([Math.fround(26 / 3), 0]);
  await fit(model, { x, y: tensor([[1], [2], [3]]) }, { optimizer: "sgd", loss: "meanSquaredError", epochs: 2 });
  expect(numbers(model.weights()["normalization/mean"])).toEqual([4, 5]);
  expect(model.weights()["dense/kernel"].data).not.toEqual(weights["dense/kernel"].data);
  const again = await load(save(model));
  expect(numbers(again.predict(x))).toEqual(numbers(model.predict(x)));
  expect(() => scale.adapt(x)).toThrow("expected adapt before the layer is applied (or setWeights of the model)");
});

test("normalization over other axes, over all, and of pixels", async () => {
  const x = tensor(new Uint8Array([0, 2, 4, 6, 10, 12, 14, 16]), [2, 2, 2]);
  const made = async (axis: number | number[] | null) => {
    const scale = normalization({ axis });
    scale.adapt(x);
    const model = await build(input([2, 2], { dtype: "uint8" }), scale);
    const { mean, variance } = Object.fromEntries(
      Object.entries(model.weights()).map(([name, w]) => [name.split("/")[1], w]),
    );
    const y = numbers(model.predict(x));
    const average = y.reduce((a, b) => a + b, 0) / 8;
    return { mean: [mean.shape, numbers(mean)], variance: numbers(variance), average };
  };
  expect(await made(1)).toMatchObject({ mean: [[2], [6, 10]], variance: [26, 26] });
  expect(await made([1, 2])).toMatchObject({
    mean: [
      [2, 2],
      [5, 7, 9, 11],
    ],
    variance: [25, 25, 25, 25],
  });
  const all = await made(null);
  expect(all).toMatchObject({ mean: [[], [8]], variance: [30] });
  expect(Math.abs(all.average)).toBeLessThan(1e-6);
});

test("a layer adapted to other features is refused", () => {
  const scale = normalization();
  scale.adapt(tensor([[1, 2]]));
  expect(() => scale(input([3]))).toThrow("normalization: expected features [2], as in adapt, got [3]");
});

test("categories are encoded in Keras' three ways; what is missing has no place", async () => {
  const x = tensor(Int32Array.from([0, 2, 2, 1, -1, 3]), [2, 3]);
  const made = async (outputMode: "multiHot" | "oneHot" | "count") => {
    const y = (await build(input([3], { dtype: "int32" }), categoryEncoding(3, { outputMode }))).predict(x) as Tensor;
    return [y.shape, numbers(y)];
  };
  expect(await made("multiHot")).toEqual([[2, 3], [1, 0, 1, 0, 1, 0]]); // biome-ignore format: rows
  expect(await made("count")).toEqual([[2, 3], [1, 0, 2, 0, 1, 0]]); // biome-ignore format: rows
  expect(await made("oneHot")).toEqual([[2, 3, 3], [1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]]); // biome-ignore format: rows
  expect(categoryEncoding(3, { outputMode: "oneHot" })(input([1], { dtype: "int32" })).shape).toEqual([1, 3]);
  expect(categoryEncoding(3)(input([], { dtype: "int32" })).shape).toEqual([1, 3]);
});
