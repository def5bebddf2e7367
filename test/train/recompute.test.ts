// Recomputation: the same bits from less memory.
import { describe, expect, test } from "vitest";
import {
  activation,
  add,
  averagePooling2d,
  batchNormalization,
  build,
  conv2d,
  dense,
  dropout,
  flatten,
  gaussianNoise,
  globalAveragePooling2d,
  input,
  type Model,
  sequential,
  tensor,
  type Value,
} from "../../src/index.js";
import { type Recompute, sgd, type TrainerOptions, trainer } from "../../src/train/index.js";

const numbers = (count: number, salt: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i + salt) * 7919) % 1013) / 1013 - 0.5);

const deep = () =>
  build(
    input([48]),
    sequential(
      ...Array.from({ length: 16 }, (_, i) =>
        sequential(dense(48, { activation: i % 2 ? "gelu" : "tanh" }), dropout(0.1)),
      ),
      dense(4),
    ),
    { seed: 3 },
  );

function residual(): Promise<Model> {
  const x = input([16, 16, 3]);
  const conv = (y: Value) =>
    activation("relu")(batchNormalization()(conv2d(8, 3, { padding: "same", useBias: false })(y)));
  let y = conv(x);
  for (let i = 0; i < 6; i++) y = activation("relu")(add(y, conv(gaussianNoise(0.1)(conv(y)))));
  return build(x, dense(4)(globalAveragePooling2d()(averagePooling2d(2)(y))), { seed: 5 });
}

const flat = () =>
  build(
    input([12, 12, 2]),
    sequential(conv2d(6, 3, { activation: "relu", name: "c" }), flatten(), dense(4, { name: "d" })),
  );

interface Run {
  readonly make: () => Promise<Model>;
  readonly shape: readonly number[];
}
const models: Record<string, Run> = {
  "sixteen dense layers with dropout": { make: deep, shape: [48] },
  "residual blocks with normalization and noise": { make: residual, shape: [16, 16, 3] },
};

/** Losses and weights of three steps, and the plan of one. */
async function train({ make, shape }: Run, recompute?: Recompute, more: Partial<TrainerOptions> = {}) {
  const model = await make();
  const optimizer = sgd({ learningRate: 0.05, momentum: 0.9 });
  const options = {
    optimizer,
    loss: "mse",
    seed: 9,
    ...more,
    ...(recompute === undefined ? {} : { recompute }),
  } as const;
  const { step, plan } = trainer(model, options);
  const size = shape.reduce((a, b) => a * b, 1);
  const batch = (i: number) => ({
    x: tensor(numbers(16 * size, i), [16, ...shape]),
    y: tensor(numbers(64, i + 5), [16, 4]),
  });
  const losses = [0, 1, 2].map((i) => step(batch(i)).loss);
  return { losses, weights: model.weights(), plan: plan(batch(0)), model };
}

describe.each(Object.entries(models))("%s", (_, run) => {
  test.each<[Recompute, Partial<TrainerOptions>]>([
    [true, {}],
    ["auto", {}],
    [true, { optimizer: sgd({ gradientAccumulationSteps: 3, useEma: true }) }],
  ])("recompute %s gives the same bits and plans less memory %#", async (recompute, more) => {
    const whole = await train(run, undefined, more);
    const less = await train(run, recompute, more);
    expect(less.losses).toEqual(whole.losses);
    expect(less.weights).toEqual(whole.weights);
    const share = recompute === true ? 0.6 : 0.95;
    expect(less.plan.bytes.workspace).toBeLessThan(share * whole.plan.bytes.workspace);
    expect(less.plan.calls.length).toBeGreaterThan(whole.plan.calls.length);
    const [now, before] = [less.plan.bytes.workspace, whole.plan.bytes.workspace];
    expect(String(less.plan)).toContain(`workspace ${now} B instead of ${before} B (`);
    expect(String(whole.plan)).not.toContain("recomputed");
  });
});

test("a norm over all gradients keeps these, and the rest is computed again", async () => {
  const run = models["residual blocks with normalization and noise"];
  const whole = await train(run, undefined, { clipNorm: 0.1 });
  const less = await train(run, true, { clipNorm: 0.1 });
  expect(less.weights).toEqual(whole.weights);
  expect(less.plan.bytes.workspace).toBeLessThan(0.6 * whole.plan.bytes.workspace);
});

test("the memory of a deep network grows with the square root of its depth", async () => {
  const workspace = async (depth: number, recompute: boolean) => {
    const make = () =>
      build(
        input([48]),
        sequential(...Array.from({ length: depth }, () => dense(24, { activation: "tanh" })), dense(4)),
      );
    return (await train({ make, shape: [48] }, recompute)).plan.bytes.workspace;
  };
  const [few, many] = [await workspace(16, true), await workspace(64, true)];
  const [fewKept, manyKept] = [await workspace(16, false), await workspace(64, false)];
  expect(manyKept / fewKept).toBeGreaterThan(2.8);
  expect(many / few).toBeLessThan(2.5);
});

test("only the layers that are named are computed again", async () => {
  const run: Run = models["residual blocks with normalization and noise"];
  const whole = await train(run);
  const names = [...whole.model.names.layers.values()].filter((name) => /^(activation|batchNorm)/.test(name));
  const less = await train(run, names);
  expect(less.weights).toEqual(whole.weights);
  expect(less.plan.bytes.workspace).toBeLessThan(whole.plan.bytes.workspace);
  const calls = (plan: typeof whole.plan, layer: string) => plan.calls.filter((call) => call.layer === layer).length;
  const middle = "batchNormalization_3";
  expect(names).toContain(middle);
  expect(calls(less.plan, middle)).toBe(calls(whole.plan, middle) + 1);
  expect(calls(less.plan, "conv2d_1")).toBe(calls(whole.plan, "conv2d_1"));
});

test("where nothing is saved nothing is computed again", async () => {
  const whole = await train({ make: flat, shape: [12, 12, 2] });
  const same = await train({ make: flat, shape: [12, 12, 2] }, true);
  expect(same.weights).toEqual(whole.weights);
  expect(same.plan.bytes.workspace).toBeLessThanOrEqual(whole.plan.bytes.workspace);
});

test.each<[unknown, string]>([
  [["e"], 'trainer: expected layers to recompute of c, d, flatten, got "e"'],
  ["yes", 'trainer: expected recompute to be true, "auto" or a list of layers, got "yes"'],
])("recompute %s is refused", async (recompute, message) => {
  const model = await flat();
  expect(() => trainer(model, { optimizer: "sgd", loss: "mse", recompute: recompute as Recompute })).toThrow(message);
});
