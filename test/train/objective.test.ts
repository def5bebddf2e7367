// What is added to and multiplied into a loss: penalties, weights of samples and classes; and what is left out: frozen weights.
import { describe, expect, test } from "vitest";
import {
  batchNormalization,
  build,
  conv2d,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  input,
  l1,
  l1l2,
  l2,
  layerNormalization,
  load,
  type Model,
  mul,
  parameter,
  prelu,
  save,
  sequential,
  sum,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.js";
import { evaluate, fit, sgd, sparseCategoricalCrossentropy, trainer } from "../../src/train/index.js";
import { classifier, loss, points } from "./points.js";

const numbers = (model: Model, name: string) => Array.from((model.weights()[name] as Tensor).data);

describe("regularizers", () => {
  const model = () =>
    build(
      input([2]),
      dense(2, {
        name: "d",
        kernelRegularizer: l1l2({ l1: 0.1, l2: 0.2 }),
        biasRegularizer: "l2",
        activityRegularizer: l1(0.3),
        biasInitializer: "ones",
      }),
      { seed: 4 },
    );
  const data = {
    x: tensor([
      [1, 2],
      [3, -1],
      [0.5, 0.25],
    ]),
    y: tensor([
      [0, 0],
      [1, 1],
      [0, 1],
    ]),
  };

  /** The loss as Keras adds it up, in float64. */
  function expected(m: Model): number {
    const y = Array.from((m.predict(data.x) as Tensor).data);
    const mse = y.reduce((s, p, i) => s + (p - data.y.data[i]) ** 2, 0) / 6;
    const kernel = numbers(m, "d/kernel").reduce((s, w) => s + 0.1 * Math.abs(w) + 0.2 * w * w, 0);
    const bias = numbers(m, "d/bias").reduce((s, w) => s + 0.01 * w * w, 0);
    return mse + kernel + bias + (0.3 * y.reduce((s, p) => s + Math.abs(p), 0)) / 3;
  }

  test("are part of the loss of training, evaluation and validation", async () => {
    const m = await model();
    const wanted = expected(m);
    expect((await evaluate(m, data, { loss: "mse" })).loss).toBeCloseTo(wanted, 5);
    const { history } = await fit(m, data, { optimizer: sgd({ learningRate: 0.1 }), loss: "mse", validation: data });
    expect(history.loss[0]).toBeCloseTo(wanted, 5);
    expect(history.val_loss[0]).toBeCloseTo(expected(m), 5);
  });

  test("have gradients: a step of descent is the difference of the losses", async () => {
    const m = await model();
    const before = m.weights();
    const { step } = trainer(m, { optimizer: sgd({ learningRate: 1 }), loss: "mse" });
    step(data);
    const after = m.weights();
    m.setWeights(before);
    for (const name of ["d/kernel", "d/bias"]) {
      before[name].data.forEach((w, i) => {
        const moved = (by: number) => {
          const changed = before[name].data.slice() as Float32Array;
          changed[i] = w + by;
          m.setWeights({ [name]: tensor(changed, before[name].shape) });
          const value = expected(m);
          m.setWeights(before);
          return value;
        };
        const gradient = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        expect(w - after[name].data[i], `${name}[${i}]`).toBeCloseTo(gradient, 2);
      });
    }
  });

  test("are saved and loaded with the model, and do not act in predictions", async () => {
    const m = await model();
    const copy = await load(save(m));
    expect((await evaluate(copy, data, { loss: "mse" })).loss).toBe((await evaluate(m, data, { loss: "mse" })).loss);
    expect(String(m.plan(3))).not.toContain("abs");
  });

  test("belong to conv2d too", async () => {
    const m = await build(
      input([3, 3, 1]),
      sequential(conv2d(1, 3, { kernelRegularizer: l2(0.5), useBias: false, kernelInitializer: "ones" }), flatten()),
    );
    const zeros = { x: tensor(new Float32Array(9), [1, 3, 3, 1]), y: tensor([[0]]) };
    expect((await evaluate(m, zeros, { loss: "mse" })).loss).toBeCloseTo(4.5, 6);
  });

  const alpha = (value: number) => ({ kind: "constant", value }) as const;
  test.each<[string, () => Promise<Model>, number]>([
    [
      "depthwiseConv2d",
      () =>
        build(
          input([2, 2, 1]),
          sequential(
            depthwiseConv2d(2, {
              depthMultiplier: 3,
              depthwiseInitializer: alpha(2),
              biasInitializer: alpha(-1),
              depthwiseRegularizer: l2(0.5),
              biasRegularizer: l1(0.25),
              activityRegularizer: l1(0.125),
            }),
            flatten(),
          ),
        ),
      0.5 * 12 * 4 + 0.25 * 3 + 0.125 * 3,
    ],
    [
      "batchNormalization",
      () =>
        build(
          input([4]),
          batchNormalization({
            gammaInitializer: alpha(3),
            betaInitializer: alpha(-2),
            gammaRegularizer: l2(0.5),
            betaRegularizer: l1(0.25),
          }),
        ),
      0.5 * 4 * 9 + 0.25 * 4 * 2,
    ],
    [
      "layerNormalization",
      () =>
        build(
          input([4]),
          layerNormalization({
            gammaInitializer: alpha(3),
            betaInitializer: alpha(-2),
            gammaRegularizer: l1(0.5),
            betaRegularizer: l1l2({ l1: 1, l2: 0.25 }),
          }),
        ),
      0.5 * 4 * 3 + 4 * (2 + 0.25 * 4),
    ],
    [
      "prelu",
      () => build(input([4]), prelu({ alphaInitializer: alpha(-0.5), alphaRegularizer: l1l2({ l1: 2, l2: 4 }) })),
      4 * (2 * 0.5 + 4 * 0.25),
    ],
    [
      "a parameter",
      async () => {
        const x = input([4]);
        return build(x, mul(x, parameter([4], alpha(0.5), { regularizer: "l2" })));
      },
      0.01 * 4 * 0.25,
    ],
  ])("of %s are those worked out by hand", async (_, make, penalty) => {
    const m = await make();
    const x = tensor(new Float32Array(8), [2, ...m.inputs[0].shape]);
    const y = m.predict(x) as Tensor;
    const [here, again] = [m, await load(save(m))];
    // against its own predictions a model loses nothing but its penalties
    expect((await evaluate(here, { x, y }, { loss: "mse" })).loss).toBeCloseTo(penalty, 5);
    expect((await evaluate(again, { x, y }, { loss: "mse" })).loss).toBeCloseTo(penalty, 5);
  });

  test("of frozen weights are left out", async () => {
    const m = await model();
    const { step } = trainer(m, { optimizer: "sgd", loss: "mse", freeze: "d/kernel" });
    const kernel = numbers(m, "d/kernel").reduce((s, w) => s + 0.1 * Math.abs(w) + 0.2 * w * w, 0);
    const wanted = expected(m) - kernel;
    expect(step(data).loss).toBeCloseTo(wanted, 5);
  });

  test.each<[string, () => unknown, string]>([
    ["a negative factor", () => l1(-1), "l1: expected a regularizer { l1, l2 } with numbers of at least 0"],
    [
      "an unknown name",
      () => dense(1, { kernelRegularizer: "l3" as never }),
      "dense: expected a regularizer of l1, l2",
    ],
  ])("refuse %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe("weights of samples", () => {
  const data = { x: tensor([[1], [2], [3]]), y: tensor([[0], [0], [0]]) };
  const model = () => build(input([1]), dense(1, { kernelInitializer: "ones" }));

  test("multiply the losses; the mean is still over the number of samples, as in Keras", async () => {
    const m = await model();
    const weighted = await evaluate(m, { ...data, sampleWeight: [1, 0, 2] }, { loss: "mse", metrics: ["mae"] });
    expect(weighted.loss).toBeCloseTo((1 + 0 + 18) / 3, 5);
    expect(weighted.mae).toBeCloseTo(2, 5);
    const options = { optimizer: sgd({ learningRate: 0 }), loss: "mse", sampleWeight: [1, 0, 2] } as const;
    const { history } = await fit(m, data, { ...options, batchSize: 2, validation: 1 / 3, shuffle: false });
    expect(history.loss[0]).toBeCloseTo(1 / 2, 5);
    expect(history.val_loss[0]).toBeCloseTo(18, 5);
  });

  test("of 0 leave a sample without influence", async () => {
    const [a, b] = [await classifier(), await classifier()];
    const all = points(40);
    const half = { x: tensor(all.x.data.slice(0, 80), [20, 4]), y: tensor(all.y.data.slice(0, 20)) };
    const weights = Float32Array.from({ length: 40 }, (_, i) => (i < 20 ? 2 : 0));
    const weighted = trainer(a, { optimizer: "sgd", loss }).step({ ...all, sampleWeight: weights });
    expect(weighted.loss).toBeCloseTo(trainer(b, { optimizer: "sgd", loss }).step(half).loss, 5);
    const [one, two] = [a.weights(), b.weights()];
    for (const [name, { data }] of Object.entries(one))
      for (let i = 0; i < data.length; i++) expect(data[i]).toBeCloseTo(two[name].data[i], 5);
  });

  test("of classes come from labels, sparse or one-hot, and multiply those of samples", async () => {
    const m = await classifier();
    const all = points(30);
    const classWeight = { 0: 2, 2: 0.5 };
    const of = (label: number) => [2, 1, 0.5][label];
    const sampleWeight = Float32Array.from({ length: 30 }, (_, i) => 1 + i / 10);
    const product = Float32Array.from(sampleWeight, (w, i) => w * of(all.y.data[i]));
    const wanted = (await evaluate(m, { ...all, sampleWeight: product }, { loss })).loss;
    const options = { optimizer: sgd({ learningRate: 0 }), classWeight, sampleWeight } as const;
    const sparse = await fit(m, all, { ...options, loss });
    expect(sparse.history.loss[0]).toBeCloseTo(wanted, 5);
    const hot = tensor(
      Float32Array.from({ length: 90 }, (_, i) => Number(all.y.data[Math.floor(i / 3)] === i % 3)),
      [30, 3],
    );
    const oneHot = await fit(m, { x: all.x, y: hot }, { ...options, loss: "categoricalCrossentropy" });
    expect(oneHot.history.loss[0]).toBeCloseTo(wanted, 5);
  });

  test.each<[string, object, string]>([
    ["too few", { sampleWeight: [1, 2] }, "expected sampleWeight [3], got [2]"],
    ["negative", { sampleWeight: [1, -2, 1] }, "got -2 (sample 1)"],
    ["negative of a class", { classWeight: { 1: -1 } }, "classWeight of class 1"],
    [
      "of a loss that is one number",
      { sampleWeight: [1, 1, 1], loss: (_: Value, p: Value) => sum(p) },
      "a loss for each of the 3 samples",
    ],
  ])("are refused when they are %s", async (_, options, message) => {
    const run = fit(await model(), data, { optimizer: "sgd", loss: "mse", ...options });
    await expect(Promise.resolve(run)).rejects.toThrow(message);
  });
});

describe("freezing", () => {
  const make = () =>
    build(
      input([4]),
      sequential(
        dense(5, { name: "base", activation: "relu" }),
        dropout(0.2),
        dense(3, { name: "head", activation: "softmax" }),
      ),
    );

  test.each<[string, Parameters<typeof fit>[2]["freeze"], string[]]>([
    ["a layer", "base", ["base/kernel", "base/bias"]],
    ["a weight", ["head/bias"], ["head/bias"]],
    ["what a function says", (name) => name.endsWith("kernel"), ["base/kernel", "head/kernel"]],
  ])("of %s leaves it as it is", async (_, freeze, still) => {
    const model = await make();
    const before = model.weights();
    await fit(model, points(40), { optimizer: "adam", loss, freeze });
    for (const [name, values] of Object.entries(model.weights()))
      if (still.includes(name)) expect(values, name).toEqual(before[name]);
      else expect(values, name).not.toEqual(before[name]);
  });

  test("of everything, or of what there is not, is refused", async () => {
    const model = await make();
    const memory = model.plan().memory;
    const run = (freeze: string[]) => fit(model, points(8), { optimizer: "adam", loss, freeze });
    await expect(Promise.resolve(run(["base", "head"]))).rejects.toThrow(
      "fit: the model has no weights to train: all 4 are frozen",
    );
    await expect(Promise.resolve(run(["bse"]))).rejects.toThrow("expected layers or weights to freeze of base, ");
    expect(model.plan().memory).toBe(memory);
  });

  test("of batch normalization uses its moving statistics and leaves them", async () => {
    const model = await build(
      input([4]),
      sequential(dense(5, { name: "base" }), batchNormalization({ name: "norm" }), dense(3, { name: "head" })),
    );
    const before = model.weights();
    const options = { optimizer: "sgd", loss: sparseCategoricalCrossentropy({ fromLogits: true }) } as const;
    const data = points(16);
    const { loss: inferred } = await evaluate(model, data, options);
    expect(trainer(model, { ...options, freeze: "norm" }).step(data).loss).toBeCloseTo(inferred, 5);
    const after = model.weights();
    for (const name of ["gamma", "beta", "moving_mean", "moving_variance"])
      expect(after[`norm/${name}`]).toEqual(before[`norm/${name}`]);
    trainer(model, options).step(data);
    expect(model.weights()["norm/moving_mean"]).not.toEqual(before["norm/moving_mean"]);
  });

  test("does not compute what it does not need", async () => {
    const { Training } = await import("../../src/train/training.js");
    const model = await make();
    const kernels = (freeze: string[]) =>
      new Training(model, { optimizer: "adam", loss, freeze }, "test")
        .program(8, { y: [points(8).y], weights: [] })
        .calls.each.map(({ kernel }) => kernel as string);
    expect(kernels([]).filter((kernel) => kernel === "f32_adam")).toHaveLength(4);
    expect(kernels(["base"]).filter((kernel) => kernel === "f32_adam")).toHaveLength(2);
    expect(kernels(["base"])).not.toContain("f32_relu_grad");
  });
});

test("programs of many batch sizes do not pile up in memory", async () => {
  const model = await classifier();
  const { step } = trainer(model, { optimizer: "adam", loss });
  const { Training } = await import("../../src/train/training.js");
  const training = new Training(model, { optimizer: "sgd", loss }, "test");
  for (let batch = 400; batch > 380; batch--) training.program(batch, { y: [points(8).y], weights: [] });
  const { memory } = model.plan();
  for (let batch = 380; batch > 0; batch--) training.program(batch, { y: [points(8).y], weights: [] });
  expect(model.plan().memory).toBe(memory);
  expect(step(points(8)).loss).toBeGreaterThan(0);
});
