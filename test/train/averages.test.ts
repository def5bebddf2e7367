// Moving averages of weights, accumulation of gradients and learning rates of single layers, with any optimizer.
import { expect, test } from "vitest";
import {
  build,
  dense,
  dropout,
  input,
  type Model,
  mul,
  sequential,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { adam, cosineDecay, type FitOptions, fit, type Optimizer, sgd, trainer } from "../../src/train/index.js";
import { classifier, loss, points } from "./points.js";

const data = points(96);
const xs = [
  [1, -2, 0.5],
  [0.3, 0.1, -4],
  [-1, 2, 3],
  [0.2, -0.4, 0.7],
];
const start = [0.5, -1.5, 2];

async function linear(): Promise<Model> {
  const model = await build(input([3]), dense(1, { useBias: false, name: "d" }));
  model.setWeights({ "d/kernel": tensor(Float32Array.from(start), [3, 1]) });
  return model;
}

const kernel = (weights: Record<string, Tensor>) => Array.from(weights["d/kernel"].data);

function expectNear(actual: readonly number[], wanted: readonly number[]): void {
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - wanted[i]), `${i}: ${x} for ${wanted[i]}`).toBeLessThan(1e-5);
  });
}

test("the average is the weight after the first update, then moves by 1 - emaMomentum, and may overwrite it", async () => {
  for (const frequency of [undefined, 2]) {
    const model = await linear();
    const ema = { useEma: true, emaMomentum: 0.7, ...(frequency && { emaOverwriteFrequency: frequency }) };
    const { step, averages } = trainer(model, {
      optimizer: sgd({ learningRate: 0.1, ...ema }),
      loss: (_, p) => sum(p),
    });
    expect(averages()).toEqual(model.weights());
    let [w, average] = [[...start], [...start]];
    xs.forEach((x, t) => {
      step({ x: tensor([x]), y: tensor([[0]]) });
      w = w.map((v, i) => v - 0.1 * x[i]);
      average = w.map((v, i) => (t === 0 ? v : 0.7 * average[i] + 0.3 * v));
      if (frequency && (t + 1) % frequency === 0) w = [...average];
      expectNear(kernel(averages()), average);
      expectNear(kernel(model.weights()), w);
    });
  }
});

test("fit puts the averages in the place of the weights at its end", async () => {
  const options = { optimizer: adam({ useEma: true }), loss, epochs: 3 } as const;
  const model = await classifier();
  let [averages, weights]: Record<string, Tensor>[] = [{}, {}];
  await fit(model, data, {
    ...options,
    callbacks: [
      {
        onEpochEnd(_, context) {
          averages = context.averages();
          weights = context.model.weights();
        },
        onTrainEnd(_, context) {
          expect(context.model.weights()).toEqual(averages);
        },
      },
    ],
  });
  expect(weights).not.toEqual(averages);
  expect(model.weights()).toEqual(averages);
});

test("averages of an optimizer that keeps none are an error", async () => {
  const { averages } = trainer(await linear(), { optimizer: "sgd", loss: "mse" });
  expect(averages).toThrow("trainer: expected an optimizer with useEma: true, got one without");
});

const optimizers: [string, () => Optimizer][] = [
  ["sgd", () => sgd({ learningRate: 0.1, momentum: 0.9, gradientAccumulationSteps: 3 })],
  ["clipped adam", () => adam({ learningRate: 0.05, globalClipNorm: 0.1, gradientAccumulationSteps: 3 })],
];
test.each(optimizers)("%s: three accumulated batches are one of three times the size", async (_, make) => {
  const [parts, whole] = [await linear(), await linear()];
  const loss = (y: Parameters<typeof mul>[0], p: Parameters<typeof mul>[0]) => mul(p, y);
  const optimizer = make();
  const few = trainer(parts, { optimizer, loss });
  const { accumulation: _none, ...plain } = optimizer;
  const many = trainer(whole, { optimizer: plain as Optimizer, loss });
  for (let update = 0; update < 4; update++) {
    const rows = [0, 1, 2].map((i) => xs[(update + i) % 4].map((x) => x * (i + 1)));
    const before = parts.weights();
    rows.forEach((row, i) => {
      if (i > 0) expect(parts.weights()).toEqual(before);
      few.step({ x: tensor([row]), y: tensor([[1 + update]]) });
    });
    many.step({ x: tensor(rows), y: tensor([[1 + update], [1 + update], [1 + update]]) });
    expect(parts.weights()).not.toEqual(before);
    expectNear(kernel(parts.weights()), kernel(whole.weights()));
  }
  expect(few.steps).toBe(12);
});

test("a run with averages and accumulation goes on after any batch, bit for bit", async () => {
  const options = (): Partial<FitOptions> => ({
    optimizer: adam({
      learningRate: cosineDecay(0.05, 20),
      useEma: true,
      emaMomentum: 0.8,
      emaOverwriteFrequency: 2,
      gradientAccumulationSteps: 2,
    }),
    epochs: 3,
    batchSize: 20, // five batches an epoch: the third begins in the middle of an update
    seed: 4,
  });
  const steps: Uint8Array[] = [];
  const whole = await classifier(0.3);
  await fit(whole, data, {
    ...options(),
    loss,
    callbacks: [
      {
        onTrainBatchEnd(_, context) {
          steps.push(context.save());
        },
      },
    ],
  } as FitOptions);
  expect(steps).toHaveLength(15);
  for (const resume of [steps[0], steps[6], steps[9], steps[13]]) {
    const model = await classifier(0.3);
    model.initialize(77);
    await fit(model, data, { ...options(), loss, resume } as FitOptions);
    expect(model.weights()).toEqual(whole.weights());
  }
});

const twoLayers = () =>
  build(input([4]), sequential(dense(5, { name: "a" }), dropout(0.1), dense(3, { name: "b" })), { seed: 2 });

test("learning rates of layers and weights: the update is that of the optimizer at that rate", async () => {
  const batch = { x: tensor([[1, 2, 3, 4]]), y: tensor([[1, 0, -1]]) };
  /** Weights after two steps, the second from the same weights as the first. */
  const after = async (learningRate: number, learningRates?: FitOptions["learningRates"]) => {
    const model = await twoLayers();
    const given = learningRates === undefined ? {} : { learningRates };
    trainer(model, { optimizer: adam({ learningRate, epsilon: 0.1 }), loss: "mse", ...given }).step(batch);
    return model.weights();
  };
  const [whole, tenth, third] = [await after(0.1), await after(0.1 * 0.1), await after(0.1 * 0.3)];
  const mixed = await after(0.1, { a: 0.1, "a/bias": 0.3 });
  expect(mixed).toEqual({ ...whole, "a/kernel": tenth["a/kernel"], "a/bias": third["a/bias"] });
  expect(mixed["a/kernel"]).not.toEqual(whole["a/kernel"]);
  expect(await after(0.1, (name) => (name.startsWith("a/k") ? 0.1 : name === "a/bias" ? 0.3 : 1))).toEqual(mixed);
  const initial = (await twoLayers()).weights();
  expect(await after(0.1, { a: 0 })).toEqual({
    ...whole,
    "a/kernel": initial["a/kernel"],
    "a/bias": initial["a/bias"],
  });
});

test.each<[string, unknown, string]>([
  [
    "a layer that there is not",
    { c: 1 },
    'fit: expected learningRates of a, b, dropout, a/kernel, a/bias, b/kernel, b/bias, got "c"',
  ],
  ["a negative factor", { "b/bias": -1 }, 'fit "b/bias": expected learningRates of at least 0, got -1'],
  ["a number", 0.1, "fit: expected learningRates by the names of layers or weights, got 0.1"],
  ["a function of no number", () => "0", "expected learningRates of at least 0"],
  ["nothing that moves", () => 0, "fit: the model has no weights to train: all 4 are frozen"],
])("learningRates: %s", async (_, learningRates, message) => {
  const run = async () =>
    fit(await twoLayers(), { x: tensor([[1, 2, 3, 4]]), y: tensor([[1, 0, -1]]) }, {
      optimizer: "sgd",
      loss: "mse",
      learningRates,
    } as FitOptions);
  await expect(run()).rejects.toThrow(message);
});

test.each<[string, () => unknown, string]>([
  [
    "one step",
    () => sgd({ gradientAccumulationSteps: 1 }),
    "gradientAccumulationSteps to be an integer of at least 2, got 1",
  ],
  [
    "a momentum above 1",
    () => adam({ useEma: true, emaMomentum: 1.5 }),
    "adam: expected emaMomentum in [0, 1], got 1.5",
  ],
  ["a momentum of nothing", () => adam({ emaMomentum: 0.5 }), "useEma: true with options of the average, got 0.5"],
  ["a frequency of 0", () => adam({ useEma: true, emaOverwriteFrequency: 0 }), "an integer of at least 1, got 0"],
])("optimizers refuse %s", (_, make, message) => {
  expect(make).toThrow(message);
});

test("the programs of a step plan less memory than gradients kept to the end would take", async () => {
  const model = await build(input([256]), sequential(...Array.from({ length: 8 }, () => dense(256))));
  const { step } = trainer(model, { optimizer: sgd(), loss: "mse" });
  step({ x: tensor(new Float32Array(256), [1, 256]), y: tensor(new Float32Array(256), [1, 256]) });
  const gradients = 8 * 256 * 257 * 4;
  expect(model.store.workspace.bytes).toBeLessThan(gradients / 2);
});
