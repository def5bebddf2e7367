import { describe, expect, test } from "vitest";
import { build, dense, input, load, relu, ShapeError, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { cnn } from "../cnn.js";

const image = (count: number): Float32Array =>
  Float32Array.from({ length: count * 784 }, (_, i) => ((i * 37) % 101) / 100);

describe("predict", () => {
  test("gives each sample of a batch what it gives the sample alone, bit for bit, at any batch size", async () => {
    const model = await cnn();
    const all = model.predict(tensor(image(7), [7, 28, 28, 1])) as Tensor;
    expect(all.shape).toEqual([7, 10]);
    for (const size of [1, 2, 3, 5]) {
      const part = model.predict(tensor(image(size), [size, 28, 28, 1])) as Tensor;
      expect(part.data).toEqual(all.data.slice(0, size * 10));
    }
  });

  test("takes bare numbers and works out the batch", async () => {
    const model = await cnn();
    expect((model.predict(image(3)) as Tensor).shape).toEqual([3, 10]);
  });

  test("takes integers for a float32 input", async () => {
    const model = await build(input([3]), dense(2));
    const ints = model.predict(tensor(Uint8Array.of(1, 2, 250), [1, 3])) as Tensor;
    expect(ints.data).toEqual((model.predict(Float32Array.of(1, 2, 250)) as Tensor).data);
  });

  test("gives an empty result for an empty batch", async () => {
    const model = await cnn();
    expect((model.predict(new Float32Array(0)) as Tensor).shape).toEqual([0, 10]);
  });

  test("stays right when more batch sizes come than programs are kept", async () => {
    const model = await build(input([5]), sequential(dense(4, { activation: "relu" }), dense(3)));
    const x = Float32Array.from({ length: 5 * 30 }, (_, i) => Math.sin(i));
    const alone = Array.from({ length: 30 }, (_, i) => [...(model.predict(x.slice(i * 5, i * 5 + 5)) as Tensor).data]);
    for (let size = 30; size >= 1; size--) {
      expect([...(model.predict(x.slice(0, size * 5)) as Tensor).data]).toEqual(alone.slice(0, size).flat());
    }
  });

  test("keeps its memory flat over many batch sizes", async () => {
    const model = await build(input([64]), dense(64));
    for (let size = 1; size <= 40; size++) model.predict(new Float32Array(64 * size));
    const before = model.plan(40).memory;
    for (let round = 0; round < 5; round++)
      for (let size = 1; size <= 40; size++) model.predict(new Float32Array(64 * size));
    expect(model.plan(40).memory).toBe(before);
  });

  test("several inputs and outputs go in and come out as lists", async () => {
    const a = input([2], { name: "a" });
    const b = input([3], { name: "b" });
    const shared = relu(a);
    const model = await build([a, b], [dense(1, { name: "left" })(shared), dense(2, { name: "right" })(b)]);
    const results = model.predict([new Float32Array(8), new Float32Array(12)]) as Tensor[];
    expect(results.map(({ shape }) => shape)).toEqual([
      [4, 1],
      [4, 2],
    ]);
    expect(model.inputs.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(model.outputs.map(({ name }) => name)).toEqual(["left", "right"]);
  });
});

describe("wrong input", () => {
  test.each([
    ["a wrong rank", () => tensor(image(1), [28, 28, 1]), "[batch, 28, 28, 1], got [28, 28, 1]"],
    [
      "a wrong channel count",
      () => tensor(new Float32Array(784 * 3), [1, 28, 28, 3]),
      "[batch, 28, 28, 1], got [1, 28, 28, 3]",
    ],
    [
      "numbers that fill no sample",
      () => new Float32Array(783),
      "a multiple of 784 numbers for [batch, 28, 28, 1], got 783",
    ],
  ])("%s is told with what was expected", async (_, make, message) => {
    const model = await cnn();
    expect(() => model.predict(make())).toThrow(ShapeError);
    expect(() => model.predict(make())).toThrow(message);
  });

  test("other things than numbers are a TypeError", async () => {
    const model = await cnn();
    expect(() => model.predict([1, 2, 3] as never)).toThrow(TypeError);
    expect(() => model.predict(new Float64Array(784) as never)).toThrow("Float64Array");
  });
});

describe("session", () => {
  test("computes what predict computes, without copies, and is not disturbed by other programs", async () => {
    const model = await cnn();
    const session = model.session(2);
    session.inputs[0].set(image(2));
    model.predict(new Float32Array(784 * 64)); // grows the memory, which detaches views
    session.run();
    const expected = model.predict(image(2)) as Tensor;
    expect(session.outputs[0]).toEqual(expected.data);
    session.run();
    expect(session.outputs[0]).toEqual(expected.data);
  });

  test("sees new weights", async () => {
    const model = await build(input([2]), dense(1, { useBias: false }));
    const session = model.session();
    model.setWeights({ "dense/kernel": tensor([[2], [3]]) });
    session.inputs[0].set([10, 1]);
    session.run();
    expect(session.outputs[0]).toEqual(Float32Array.of(23));
  });
});

describe("weights", () => {
  test("are named by layer and Keras' own names", async () => {
    const model = await build(
      input([4]),
      sequential(dense(3), dense(3, { name: "head" }), dense(2, { useBias: false })),
    );
    expect(Object.keys(model.weights())).toEqual([
      "dense/kernel",
      "dense/bias",
      "head/kernel",
      "head/bias",
      "dense_1/kernel",
    ]);
  });

  test("begin as glorotUniform kernels within their limit and zero biases, different for another seed", async () => {
    const [a, again, b] = [await cnn({ seed: 1 }), await cnn({ seed: 1 }), await cnn({ seed: 2 })].map((model) =>
      model.weights(),
    );
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
    const limit = Math.sqrt(6 / (3 * 3 * 32 + 3 * 3 * 64));
    const kernel = a["conv2/kernel"].data;
    expect(Math.max(...kernel)).toBeLessThanOrEqual(limit);
    expect(Math.max(...kernel)).toBeGreaterThan(0.99 * limit);
    expect(Math.min(...kernel)).toBeLessThan(-0.99 * limit);
    expect(Math.abs(Array.from(kernel).reduce((sum, x) => sum + x, 0) / kernel.length)).toBeLessThan(limit / 50);
    expect(a["conv2/bias"].data.every((x) => x === 0)).toBe(true);
  });

  test("that do not fit change nothing", async () => {
    const model = await build(input([2]), dense(2));
    const before = model.weights();
    const good = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(() => model.setWeights({ "dense/kernel": good, "dense/bias": tensor([1, 2, 3]) })).toThrow(
      'setWeights "dense/bias": expected [2], got [3]',
    );
    expect(() => model.setWeights({ "dense/kernel": good, "dense/gamma": tensor([1]) })).toThrow(RangeError);
    expect(() => model.setWeights({ "dense/bias": tensor([1, 2], [2], "int32") })).toThrow(TypeError);
    expect(model.weights()).toEqual(before);
  });
});

describe("a shared layer", () => {
  test("has one set of weights", async () => {
    const twice = dense(3, { name: "twice" });
    const x = input([3]);
    const model = await build(x, twice(twice(x)));
    expect(Object.keys(model.weights())).toEqual(["twice/kernel", "twice/bias"]);
  });

  test("refuses an input that its weights do not fit", () => {
    const layer = dense(3, { name: "twice" });
    layer(input([3]));
    expect(() => layer(input([4]))).toThrow(
      'dense "twice": expected an input that fits the shared kernel [3, 3], got one for [4, 3]',
    );
  });
});

test("a clone has the same weights in a memory of its own", async () => {
  const model = await cnn();
  const copy = model.clone();
  expect(copy.weights()).toEqual(model.weights());
  copy.setWeights({ "logits/bias": tensor(new Float32Array(10).fill(1)) });
  expect(model.weights()["logits/bias"].data[0]).toBe(0);
});

test("a plan prints every kernel call with shapes and addresses, and the memory map", async () => {
  const model = await cnn();
  const plan = model.plan(4);
  const text = String(plan);
  expect(plan.calls.filter(({ once }) => !once).map(({ kernel }) => kernel)).toEqual([
    "f32_conv2d",
    "f32_max_pool2d",
    "f32_conv2d_3x3_winograd",
    "f32_max_pool2d",
    "f32_gemm",
    "f32_gemm",
    "f32_softmax",
  ]);
  for (const { kernel, args } of plan.calls) expect(text).toContain(`${kernel}(${args.join(", ")})`);
  for (const region of plan.regions) expect(text).toContain(`${region.name}`);
  expect(text).toMatch(/input\[4, 28, 28, 1\]@\d+/);
});

test("a summary has Keras' columns and counts", async () => {
  const text = (await cnn()).summary();
  expect(text).toContain("conv2 (conv2d)");
  expect(text).toContain("(None, 11, 11, 64)");
  expect(text).toContain("Total params: 121,930");
});

test("a batch that memory cannot hold is refused before it runs, and the model works on", async () => {
  const model = await cnn();
  expect(() => model.plan(2 ** 20)).toThrow(RangeError);
  expect((model.predict(image(1)) as Tensor).shape).toEqual([1, 10]);
});

test("kernels may be brought along, as bytes or compiled", async () => {
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(new URL("../../build/kernels.scalar.wasm", import.meta.url));
  const plain = await build(input([9]), dense(5));
  for (const kernels of [bytes, await WebAssembly.compile(bytes)]) {
    const model = await build(input([9]), dense(5), { kernels });
    const x = Float32Array.from({ length: 9 }, (_, i) => i / 7);
    expect((model.predict(x) as Tensor).data).toEqual((plain.predict(x) as Tensor).data);
    expect((await load(save(model), { kernels })).weights()).toEqual(model.weights());
  }
});
