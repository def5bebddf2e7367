// Models with several outputs: losses, weights of losses and samples, metrics and targets for each, against numbers worked out by hand.
import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/index.js";
import { build, dense, input, type Model, tensor } from "../../src/index.js";
import { type EvaluateOptions, evaluate, fit, sgd, trainer } from "../../src/train/index.js";

// Outputs a and b are x and 2 x.
const model = (): Promise<Model> => {
  const x = input([1]);
  const twice = { kind: "constant", value: 2 } as const;
  return build(x, [
    dense(1, { name: "a", kernelInitializer: "ones" })(x),
    dense(1, { name: "b", kernelInitializer: twice })(x),
  ]);
};
const x = tensor([[1], [2], [3]]);
const zeros = tensor([[0], [0], [0]]);
const ones = tensor([[1], [1], [1]]);
const data = { x, y: [zeros, ones] };
const MSE_A = (1 + 4 + 9) / 3;
const MSE_B = (1 + 9 + 25) / 3;
const MAE_B = (1 + 3 + 5) / 3;

const rows: [string, EvaluateOptions, Record<string, number>][] = [
  ["one loss for all", { loss: "mse" }, { loss: MSE_A + MSE_B, a_loss: MSE_A, b_loss: MSE_B }],
  ["a loss for each in a list", { loss: ["mse", "mae"] }, { loss: MSE_A + MAE_B, a_loss: MSE_A, b_loss: MAE_B }],
  ["a loss for each by name", { loss: { b: "mae", a: "mse" } }, { loss: MSE_A + MAE_B, a_loss: MSE_A, b_loss: MAE_B }],
  ["a loss for one of them", { loss: { b: "mae" } }, { loss: MAE_B }],
  [
    "weights of losses in a list",
    { loss: "mse", lossWeights: [0.5, 2] },
    { loss: MSE_A / 2 + 2 * MSE_B, a_loss: MSE_A, b_loss: MSE_B },
  ],
  [
    "weights of losses by name",
    { loss: "mse", lossWeights: { a: 3 } },
    { loss: 3 * MSE_A + MSE_B, a_loss: MSE_A, b_loss: MSE_B },
  ],
  ["metrics for all", { loss: { b: "mae" }, metrics: ["mse"] }, { loss: MAE_B, a_mse: MSE_A, b_mse: MSE_B }],
  [
    "metrics by name",
    { loss: { a: "mse" }, metrics: { b: ["mae", "mse"] } },
    { loss: MSE_A, b_mae: MAE_B, b_mse: MSE_B },
  ],
  ["metrics in a list of lists", { loss: { a: "mse" }, metrics: [[], ["mae"]] }, { loss: MSE_A, b_mae: MAE_B }],
  ["one metric by name", { loss: { a: "mse" }, metrics: { b: "mae" } }, { loss: MSE_A, b_mae: MAE_B }],
];

function expectClose(found: Record<string, number>, wanted: Record<string, number>): void {
  expect(Object.keys(found)).toEqual(Object.keys(wanted));
  for (const [name, value] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(value, 5);
}

describe.each(rows)("%s", (_, options, wanted) => {
  test("evaluates and trains as worked out by hand", async () => {
    const m = await model();
    expectClose(await evaluate(m, data, { ...options, batchSize: 2 }), wanted);
    const named = { x, y: { a: zeros, b: ones } };
    expectClose(await evaluate(m, named, options), wanted);
    expectClose(trainer(m, { ...options, optimizer: sgd({ learningRate: 0 }) }).step(data), wanted);
    const { history } = await fit(m, data, { ...options, optimizer: sgd({ learningRate: 0 }), validation: named });
    const both = [...Object.entries(wanted), ...Object.entries(wanted).map(([name, v]) => [`val_${name}`, v] as const)];
    expectClose(Object.fromEntries(Object.entries(history).map(([name, [v]]) => [name, v])), Object.fromEntries(both));
  });
});

test("an output without a loss or metrics needs no targets, and is not trained", async () => {
  const m = await model();
  const before = m.weights();
  trainer(m, { optimizer: "sgd", loss: { b: "mse" } }).step({ x, y: ones });
  const after = m.weights();
  expect(after["a/kernel"]).toEqual(before["a/kernel"]);
  expect(after["b/kernel"]).not.toEqual(before["b/kernel"]);
});

test("weights of losses weigh gradients", async () => {
  const m = await model();
  trainer(m, { optimizer: sgd({ learningRate: 1 }), loss: "mse", lossWeights: { a: 0.25, b: 0 } }).step(data);
  // d/dk mean((k x)^2) = 2 k mean(x^2) = 28 / 3
  expect(m.weights()["a/kernel"].data[0]).toBeCloseTo(1 - (0.25 * 28) / 3, 5);
  expect(m.weights()["b/kernel"].data[0]).toBe(2);
});

const weighted = { a_loss: (1 + 0 + 18) / 3, b_loss: (0 + 27 + 25) / 3 };
test.each([
  ["in a list", [[1, 0, 2], tensor([0, 3, 1])]],
  ["by name", { b: Float32Array.of(0, 3, 1), a: [1, 0, 2] }],
])("weights of samples for each output %s", async (_, sampleWeight) => {
  const m = await model();
  const wanted = { loss: weighted.a_loss + weighted.b_loss, ...weighted };
  expectClose(await evaluate(m, { ...data, sampleWeight }, { loss: "mse" }), wanted);
  const { history } = await fit(m, data, {
    optimizer: sgd({ learningRate: 0 }),
    loss: "mse",
    sampleWeight,
    batchSize: 2,
  });
  expectClose(Object.fromEntries(Object.entries(history).map(([name, [v]]) => [name, v])), wanted);
});

test("weights of samples for one output leave the others as they are; one list serves all", async () => {
  const m = await model();
  const one = await evaluate(m, { ...data, sampleWeight: { a: [1, 0, 2] } }, { loss: "mse" });
  expectClose(one, { loss: weighted.a_loss + MSE_B, a_loss: weighted.a_loss, b_loss: MSE_B });
  const all = await evaluate(m, { ...data, sampleWeight: [1, 0, 2] }, { loss: "mse" });
  expectClose(all, { loss: weighted.a_loss + 17, a_loss: weighted.a_loss, b_loss: (1 + 50) / 3 });
});

test("datasets give targets and weights by name too", async () => {
  const m = await model();
  const elements = [0, 1, 2].map((i) => ({
    x: [i + 1],
    y: { a: [0], b: [1] },
    sampleWeight: { a: [1, 0, 2][i], b: [0, 3, 1][i] },
  }));
  const wanted = { loss: weighted.a_loss + weighted.b_loss, ...weighted };
  expectClose(await evaluate(m, dataset(elements), { loss: "mse" }), wanted);
  expectClose(await evaluate(m, dataset(elements).batch(2), { loss: "mse" }), wanted);
});

test.each<[string, (m: Model) => Promise<unknown>, string]>([
  [
    "a loss for no output",
    (m) => evaluate(m, data, { loss: { c: "mse" } as never }),
    'expected a loss for outputs ("a", "b"), got "c"',
  ],
  ["too few losses", (m) => evaluate(m, data, { loss: ["mse"] }), 'expected a loss for 2 outputs ("a", "b"), got 1'],
  ["no loss at all", (m) => evaluate(m, data, { loss: [undefined, undefined] }), "expected a loss: binaryCrossentropy"],
  [
    "weights that are no numbers",
    (m) => evaluate(m, data, { loss: "mse", lossWeights: { a: Number.NaN } }),
    'evaluate "a": expected lossWeights of finite numbers, got NaN',
  ],
  [
    "metrics of no output",
    (m) => evaluate(m, data, { loss: "mse", metrics: { d: "mae" } as never }),
    'expected metrics for outputs ("a", "b"), got "d"',
  ],
  [
    "targets of no output",
    (m) => evaluate(m, { x, y: { e: ones } }, { loss: "mse" }),
    'expected targets for outputs ("a", "b"), got "e"',
  ],
  [
    "targets that are missing",
    (m) => evaluate(m, { x, y: { a: ones } }, { loss: "mse" }),
    'evaluate "b": expected targets to be a tensor, got nothing',
  ],
  [
    "one tensor for two outputs",
    (m) => evaluate(m, { x, y: ones }, { loss: "mse" }),
    "expected targets for 2 outputs, got 1",
  ],
  [
    "weights of samples of no output",
    (m) => evaluate(m, { ...data, sampleWeight: { f: [1, 1, 1] } }, { loss: "mse" }),
    'expected sampleWeight for outputs ("a", "b"), got "f"',
  ],
])("%s: an error that says so", async (_, run, message) => {
  const m = await model();
  await expect(run(m)).rejects.toThrow(message);
});
