import { describe, expect, test } from "vitest";
import {
  build,
  conv2d,
  dense,
  dropout,
  flatten,
  input,
  matmul,
  maxPooling2d,
  relu,
  reshape,
  sequential,
  tensor,
  type Value,
} from "../../src/index.js";

describe("mistakes are found on the user's own line", () => {
  const cases: [string, () => unknown, string][] = [
    [
      "a wrong channel count for a shared filter",
      () => {
        const stem = conv2d(16, 3, { name: "stem" });
        stem(input([28, 28, 3]));
        return stem(input([28, 28, 1]));
      },
      'conv2d "stem": expected an input that fits the shared kernel [3, 3, 3, 16], got one for [3, 3, 1, 16]',
    ],
    [
      "a wrong rank",
      () => conv2d(8, 3, { name: "stem" })(input([28, 28])),
      'conv2d "stem": expected an image [height, width, channels], rank 4 with the batch, got rank 3 (input [28, 28])',
    ],
    [
      "a window larger than the image",
      () => maxPooling2d(3)(input([2, 2, 1])),
      "maxPooling2d: expected an image of at least [3, 3], got [2, 2] (input [2, 2, 1])",
    ],
    [
      "inner sizes that differ",
      () => matmul(input([3]), input([3])),
      "matmul: expected inner sizes that agree, got 3 and 1",
    ],
    [
      "a reshape that loses numbers",
      () => reshape(input([4]), [-1, 3]),
      "reshape: expected 4 elements, as in [1, 4], got [-1, 3]",
    ],
    ["no positive number of units", () => dense(0), "dense: expected units to be a positive integer, got 0"],
    [
      "a stride of 0",
      () => conv2d(4, 3, { strides: 0 }),
      "conv2d: expected strides to be a positive integer or two, got 0",
    ],
    [
      "a padding that there is not",
      () => conv2d(4, 3, { padding: "full" as never }),
      'conv2d: expected padding "valid", "same" or [[top, bottom], [left, right]] in [0, 1048576], got "full"',
    ],
    ["a dropout rate of 1", () => dropout(1), "dropout: expected a rate in [0, 1), got 1"],
    [
      "an unknown activation",
      () => dense(4, { activation: "sinus" as never }),
      'softplus, softsign, swish, tanh, got "sinus"',
    ],
    [
      "an unknown option",
      () => dense(4, { actvation: "relu" } as never),
      'dense: expected options activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, activityRegularizer, name, got "actvation"',
    ],
    [
      "an unknown initializer",
      () => dense(4, { kernelInitializer: "xavier" as never })(input([2])),
      "dense: expected an initializer of zeros",
    ],
    [
      "a host tensor for a value",
      () => relu(tensor([1, 2]) as unknown as Value),
      "relu: expected a Value (from input() or a layer), got a host tensor",
    ],
    [
      "a layer for a value",
      () => relu(dense(3) as unknown as Value),
      "relu: expected a Value (from input() or a layer), got a function (a layer that was not applied?)",
    ],
    [
      "a value for a layer",
      () => sequential(dense(1), input([1]) as never),
      "sequential: expected a layer as argument 2",
    ],
    ["a negative dimension", () => input([-1]), "input: expected a shape of at most 8 non-negative integers, got [-1]"],
    ["a ragged list", () => tensor([[1, 2], [3]]), "tensor: expected nested arrays of one shape"],
    [
      "numbers that do not fill a shape",
      () => tensor([1, 2, 3], [2, 2]),
      "tensor: expected 4 elements for shape [2, 2], got 3",
    ],
  ];
  test.each(cases)("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("facts come with the error", () => {
    try {
      conv2d(8, 3, { name: "stem" })(input([28, 28]));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        name: "ShapeError",
        op: "conv2d",
        layer: "stem",
        actual: "rank 3 (input [28, 28])",
      });
    }
  });
});

describe("build refuses", () => {
  test("two layers of one name", async () => {
    const layers = sequential(dense(3, { name: "a" }), dense(3, { name: "a" }));
    await expect(build(input([3]), layers)).rejects.toThrow('expected one layer of each name, got two named "a"');
  });
  test("an output whose input is not listed", async () => {
    const other = input([7]);
    await expect(build(input([3]), dense(1)(other))).rejects.toThrow(
      "expected all inputs that the outputs need, got none for input [7]",
    );
  });
  test("inputs that are no inputs", async () => {
    await expect(build(relu(input([3])), dense(1))).rejects.toThrow(
      "expected inputs made by input(), got the result of relu",
    );
  });
  test("options that cannot be", async () => {
    for (const threads of [0, 1.5, -2, "all" as never])
      await expect(build(input([3]), dense(1), { threads })).rejects.toThrow(
        `expected threads to be a positive integer or "auto", got ${threads}`,
      );
    await expect(build(input([3]), dense(1), { seed: -1 })).rejects.toThrow("seed");
  });
});

test("automatic names go round the user's", async () => {
  const model = await build(input([4]), sequential(dense(2), dense(2, { name: "dense" }), flatten(), dense(2)));
  expect(Object.keys(model.weights()).filter((name) => name.endsWith("kernel"))).toEqual([
    "dense_1/kernel",
    "dense/kernel",
    "dense_2/kernel",
  ]);
});
