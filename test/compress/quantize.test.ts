// Post-training quantization against the float model it comes from.
import { describe, expect, test } from "vitest";
import { quantize, sensitivity } from "../../src/compress/index.js";
import { digits } from "../../src/data/index.js";
import * as layers from "../../src/index.js";
import { build, input, load, type Model, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/index.js";
import { evaluate, fit } from "../../src/train/index.js";

const { activation, averagePooling2d, batchNormalization, conv2d, dense, depthwiseConv2d, flatten } = layers;

/** Numbers of a fixed pattern in [-1, 1). */
const numbers = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);

const images = (count: number): Tensor => tensor(numbers(count * 8 * 8 * 3), [count, 8, 8, 3]);

/** Squared error of int8 over the squares of float. */
function loss(a: Tensor, b: Tensor): number {
  let [error, all] = [0, 0];
  a.data.forEach((v, i) => {
    error += (v - b.data[i]) ** 2;
    all += v ** 2;
  });
  return error / all;
}

/** Branches, a normalization with statistics of its own, a depthwise layer, pooling, and a function that stays float. */
async function network(): Promise<Model> {
  const x = input([8, 8, 3]);
  const a = batchNormalization()(conv2d(8, 3, { padding: "same", useBias: false })(x));
  const b = depthwiseConv2d(3, { padding: "same" })(activation("relu")(a));
  const sum = activation("relu")(layers.add([activation("relu")(a), batchNormalization()(b)]));
  const y = dense(5)(layers.globalAveragePooling2d()(averagePooling2d(2)(sum)));
  const model = await build(x, [y, activation("tanh")(y)]);
  const weights = model.weights();
  for (const [name, { shape }] of Object.entries(weights)) {
    const some = numbers(shape.reduce((p, d) => p * d, 1));
    if (name.includes("atch"))
      model.setWeights({
        [name]: tensor(
          some.map((v) => 1 + v / 2),
          shape,
        ),
      });
  }
  return model;
}

test("every layer of a network with branches becomes int8, and the outputs stay near", async () => {
  const model = await network();
  const x = images(40);
  const small = await quantize(model, { calibration: x });
  const kernels = Object.entries(small.weights()).filter(([name]) => name.endsWith("/kernel"));
  expect(kernels.map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
    "conv2d/kernel int8",
    "depthwiseConv2d/kernel int8",
    "dense/kernel int8",
  ]);
  const [expected, actual] = [model, small].map((each) => each.predict(x) as Tensor[]);
  expected.forEach((y, i) => {
    expect(loss(y, actual[i])).toBeLessThan(1e-3);
    expect(loss(y, actual[i])).toBeGreaterThan(0);
  });
  const again = await load(save(small), { layers: int8Ops });
  expect((again.predict(x) as Tensor[]).map(({ data }) => data)).toEqual(actual.map(({ data }) => data));
});

test("layers in skip stay float, all of them give the float model's outputs", async () => {
  const model = await network();
  const [x, skip] = [images(3), ["conv2d", "depthwiseConv2d", "dense"]];
  const same = await quantize(model, { calibration: x, skip });
  const [expected, actual] = [model, same].map((each) => (each.predict(x) as Tensor[]).map(({ data }) => data));
  expect(actual).toEqual(expected);
  const some = await quantize(model, { calibration: x, skip: ["dense"] });
  expect(some.weights()["dense/kernel"].dtype).toBe("float32");
});

test("sensitivity names the layer whose channels int8 cannot hold", async () => {
  const model = await build(
    input([6]),
    sequential(dense(6, { name: "a" }), dense(6, { name: "b" }), dense(2, { name: "c" })),
  );
  // One weight per channel hides the others of "b".
  const kernel = numbers(36).map((v, i) => (i < 6 ? 4000 : v));
  const zero = numbers(36).map((v, i) => (i % 6 === 0 ? 0 : v));
  model.setWeights({ "a/kernel": tensor(zero, [6, 6]), "b/kernel": tensor(kernel, [6, 6]) });
  const found = await sensitivity(model, tensor(numbers(60), [10, 6]));
  expect(found.map(({ layer }) => layer).sort()).toEqual(["a", "b", "c"]);
  expect(found[0].layer).toBe("b");
  expect(found[0].error).toBeGreaterThan(10 * found[1].error);
});

test("a CNN for digits: as right, at most 27 % of the bytes", async () => {
  const [train, test] = [digits({ count: 3000, seed: 1 }), digits({ count: 4000, seed: 2 })];
  const model = await build(
    input([28, 28, 1]),
    sequential(
      conv2d(16, 3, { activation: "relu" }),
      layers.maxPooling2d(2),
      conv2d(32, 3, { activation: "relu" }),
      layers.maxPooling2d(2),
      flatten(),
      dense(128, { activation: "relu" }),
      dense(10, { activation: "softmax" }),
    ),
  );
  const loss = "sparseCategoricalCrossentropy" as const;
  await fit(model, train, { epochs: 2, optimizer: "adam", loss, batchSize: 32 });
  const small = await quantize(model, { calibration: train.x, method: "movingAverage" });
  const judged = { loss, metrics: ["accuracy"] as const };
  const [float, int8] = [await evaluate(model, test, judged), await evaluate(small, test, judged)];
  expect(float.accuracy).toBeGreaterThan(0.8);
  // 0.2 points of 4000 samples.
  expect(Math.round(4000 * Math.abs(int8.accuracy - float.accuracy))).toBeLessThanOrEqual(8);
  expect(save(small).length).toBeLessThanOrEqual(0.27 * save(model).length);
});

test("inputs and outputs in int8 are what the conversions of floats would have made of them", async () => {
  const model = await network();
  const x = images(20);
  const [outside, inside] = [
    await quantize(model, { calibration: x }),
    await quantize(model, { calibration: x, inputs: "int8", outputs: "int8" }),
  ];
  const [{ dtype, quantization: q }] = inside.inputs;
  expect(dtype).toBe("int8");
  expect(inside.outputs.map((spec) => spec.dtype)).toEqual(["int8", "int8"]);
  const { scale, zeroPoint } = q as { scale: number; zeroPoint: number };
  const ints = Int8Array.from(x.data, (v) => Math.min(Math.max(Math.round(v / scale) + zeroPoint, -128), 127));
  const [first, second] = inside.predict(tensor(ints, [...x.shape])) as Tensor[];
  const real = ({ data }: Tensor, i: number) => {
    const { scale, zeroPoint } = inside.outputs[i].quantization as { scale: number; zeroPoint: number };
    return Float32Array.from(data, (v) => Math.fround((v - zeroPoint) * Math.fround(scale)));
  };
  const [expected, functions] = outside.predict(x) as Tensor[];
  expect(real(first, 0)).toEqual(expected.data);
  // tanh in steps of 1/128 where it was float.
  expect(inside.outputs[1].quantization).toEqual({ scale: 1 / 128, zeroPoint: 0 });
  real(second, 1).forEach((v, i) => {
    expect(Math.abs(v - functions.data[i])).toBeLessThanOrEqual(1 / 256 + 1 / 128);
  });
  const again = await load(save(inside), { layers: int8Ops });
  expect(again.inputs).toEqual(inside.inputs);
  expect(again.outputs).toEqual(inside.outputs);
});

describe("refusals", () => {
  const made = () => build(input([4]), sequential(dense(3, { name: "d" })));
  const x = tensor([[1, 2, 3, 4]]);

  test("calibration", async () => {
    const model = await made();
    await expect(quantize(model, { calibration: tensor([[1, 2]]) })).rejects.toThrow(
      /quantize.*\[batch, 4\], got \[1, 2\]/,
    );
    await expect(quantize(model, { calibration: tensor(new Float32Array(0), [0, 4]) })).rejects.toThrow(
      "expected at least one sample of calibration, got none",
    );
    await expect(quantize(model, { calibration: tensor(new Float32Array(8), [2, 4]) })).rejects.toThrow(
      "expected calibration that varies, got only 0",
    );
    await expect(quantize(model, { calibration: tensor([[1, 2, 3, Number.NaN]]) })).rejects.toThrow("finite");
    await expect(quantize(model, { calibration: 3 as never })).rejects.toThrow(TypeError);
  });

  test("what is quantized already, names and methods that are none", async () => {
    const model = await made();
    const small = await quantize(model, { calibration: x });
    await expect(quantize(small, { calibration: x })).rejects.toThrow("quantized already");
    await expect(quantize(model, { calibration: x, percentile: 20 })).rejects.toThrow(
      "percentile in (50, 100], got 20",
    );
    await expect(quantize(model, { calibration: x, inputs: "uint8" as never })).rejects.toThrow("inputs to be float32");
    await expect(quantize(model, { calibration: x, skip: "d" as never })).rejects.toThrow("skip to be a list of names");
    await expect(quantize(model, { calibration: x, skip: ["e"] })).rejects.toThrow('expected layers of d, got "e"');
    await expect(quantize(model, { calibration: x, method: "best" as never })).rejects.toThrow(
      "minMax, movingAverage, percentile, mse",
    );
  });
});
