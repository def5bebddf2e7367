// int8 weights under floats: what is stored, how near it is, and what rows of integers cost.
import { expect, test } from "vitest";
import { quantize } from "../../src/compress/index.js";
import * as l from "../../src/index.js";
import { build, input, load, type Model, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/index.js";

/** Numbers of a fixed pattern in [-1, 1). */
const numbers = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);

const error = (expected: Tensor, actual: Tensor): number => {
  let [off, all] = [0, 0];
  expected.data.forEach((v, i) => {
    off += (v - actual.data[i]) ** 2;
    all += v ** 2;
  });
  return off / all;
};

const network = (): Promise<Model> =>
  build(
    input([12, 12, 3]),
    sequential(
      l.conv2d(16, 3, { activation: "relu", padding: "same" }),
      l.batchNormalization(),
      l.depthwiseConv2d(3, { activation: "relu6", depthMultiplier: 2 }),
      l.separableConv2d(8, 3, { activation: "gelu" }),
      l.flatten(),
      l.dense(64, { activation: "relu" }),
      l.dense(10, { activation: "softmax", useBias: false, name: "last" }),
    ),
  );

const x = tensor(numbers(5 * 12 * 12 * 3), [5, 12, 12, 3]);

test.each([
  ["float32", 3e-5],
  ["dynamic", 3e-4],
] as const)("activations %s: weights are int8, outputs near those of floats", async (activations, most) => {
  const model = await network();
  const small = await quantize(model, { activations });
  const weights = small.weights();
  expect(
    Object.entries(weights)
      .filter(([name]) => name.endsWith("kernel"))
      .map(([name, { dtype }]) => `${name} ${dtype}`),
  ).toEqual([
    "conv2d/kernel int8",
    "depthwiseConv2d/kernel int8",
    "separableConv2d/depthwise_kernel int8",
    "separableConv2d/pointwise_kernel int8",
    "dense/kernel int8",
    "last/kernel int8",
  ]);
  const [expected, actual] = [model.predict(x) as Tensor, small.predict(x) as Tensor];
  expect(error(expected, actual)).toBeLessThan(most);
  expect(error(expected, actual)).toBeGreaterThan(0);
  expect(String(small.plan())).toContain(activations === "dynamic" ? "i8_gemm_dynamic" : "f32_i8_gemm");
  const again = await load(save(small), { layers: int8Ops });
  expect((again.predict(x) as Tensor).data).toEqual(actual.data);
  // Of a batch each row is by itself.
  const [first] = [0].map((i) => small.predict(tensor(x.data.slice(i * 432, (i + 1) * 432), [1, 12, 12, 3])) as Tensor);
  expect(first.data).toEqual(actual.data.slice(0, 10));
  await expect(quantize(small, { activations })).rejects.toThrow("quantized already");
});

test("a file with int8 weights has a fourth of the bytes, whatever the activations", async () => {
  const model = await build(input([256]), sequential(l.dense(256), l.dense(256)));
  for (const activations of ["float32", "dynamic"] as const)
    expect(save(await quantize(model, { activations })).length).toBeLessThan(0.27 * save(model).length);
});

test("layers in skip keep their floats; a row of zeros is its bias", async () => {
  const model = await build(input([8]), sequential(l.dense(8, { name: "a" }), l.dense(3, { name: "b" })));
  model.setWeights({ "b/bias": tensor([1, 2, 3]) });
  const small = await quantize(model, { activations: "dynamic", skip: ["a"] });
  expect(Object.entries(small.weights()).map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
    "a/kernel float32",
    "a/bias float32",
    "b/kernel int8",
    "b/scale float32",
    "b/bias float32",
  ]);
  expect([...(small.predict(tensor(new Float32Array(8), [1, 8])) as Tensor).data]).toEqual([1, 2, 3]);
});

test("options that such a model has no use for are refused", async () => {
  const model = await build(input([4]), l.dense(3));
  await expect(quantize(model, { activations: "int4" as never })).rejects.toThrow("int8, float32 or dynamic");
  await expect(quantize(model, { weights: "int4" as never })).rejects.toThrow('weights to be "int8"');
  await expect(quantize(model, { activations: "float32", equalize: true })).rejects.toThrow(
    "equalize with activations",
  );
  await expect(quantize(model, {})).rejects.toThrow("calibration to be a tensor");
  await expect(quantize(model, { calibration: tensor([[1, 2, 3, 4]]), typo: 1 } as never)).rejects.toThrow('"typo"');
});
