// Optimizers through a model whose gradient is known: one dense layer on one sample with an error of our own. Formulas are Keras 3's.
import { describe, expect, test } from "vitest";
import { build, dense, input, type Model, sum, type Tensor, tensor } from "../../src/index.js";
import { adam, adamW, type Optimizer, rmsprop, sgd, trainer } from "../../src/train/index.js";

const start = [0.5, -1.5, 2];
const model = async (): Promise<Model> => {
  const made = await build(input([3]), dense(1, { useBias: false, name: "d" }));
  made.setWeights({ "d/kernel": tensor(Float32Array.from(start), [3, 1]) });
  return made;
};

/** Weights after steps with the given gradients: the loss is the prediction, so the gradient is x. */
async function run(optimizer: Optimizer, gradients: number[][], options = {}): Promise<number[]> {
  const made = await model();
  const { step } = trainer(made, { optimizer, loss: (_, p) => sum(p), ...options });
  for (const g of gradients) step({ x: tensor([g]), y: tensor([[0]]) });
  return Array.from((made.weights()["d/kernel"] as Tensor).data);
}

const gradients = [
  [1, -2, 0.5],
  [0.3, 0.1, -4],
  [-1, 2, 3],
];

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]), `${i}: ${x} for ${expected[i]}`).toBeLessThan(2e-6);
  });
}

describe("optimizers follow Keras' formulas in float64", () => {
  test("a learning rate may be a schedule, whose first step is 0", async () => {
    const steps: number[] = [];
    const learningRate = (step: number) => {
      steps.push(step);
      return 0.1 / (step + 1);
    };
    const w = [...start];
    gradients.forEach((g, t) => {
      g.forEach((d, i) => {
        w[i] -= (0.1 / (t + 1)) * d;
      });
    });
    expectNear(await run(sgd({ learningRate }), gradients), w);
    expect([...new Set(steps)]).toEqual([0, 1, 2]);
  });

  test.each([[true], [false]])("adamW, excluded %s", async (excluded) => {
    const [lr, decay, b1, b2, e] = [0.05, 0.1, 0.8, 0.9, 1e-7];
    const optimizer = adamW({
      learningRate: lr,
      weightDecay: decay,
      beta1: b1,
      beta2: b2,
      excludeFromWeightDecay: excluded ? ["kernel"] : [],
    });
    const [w, m, v] = [[...start], [0, 0, 0], [0, 0, 0]];
    gradients.forEach((g, t) => {
      for (let i = 0; i < 3; i++) {
        if (!excluded) w[i] -= w[i] * decay * lr;
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] ** 2;
        w[i] -= (((lr * Math.sqrt(1 - b2 ** (t + 1))) / (1 - b1 ** (t + 1))) * m[i]) / (Math.sqrt(v[i]) + e);
      }
    });
    expectNear(await run(optimizer, gradients), w);
  });

  test.each([
    [0, false],
    [0.7, false],
    [0, true],
    [0.7, true],
  ])("rmsprop with momentum %s, centered %s", async (momentum, centered) => {
    const [lr, rho, e] = [0.02, 0.8, 1e-7];
    const [w, v, a, m] = [[...start], [0, 0, 0], [0, 0, 0], [0, 0, 0]];
    for (const g of gradients) {
      for (let i = 0; i < 3; i++) {
        v[i] = rho * v[i] + (1 - rho) * g[i] ** 2;
        a[i] = rho * a[i] + (1 - rho) * g[i];
        m[i] = momentum * m[i] + (lr * g[i]) / Math.sqrt(v[i] - (centered ? a[i] ** 2 : 0) + e);
        w[i] -= m[i];
      }
    }
    expectNear(await run(rmsprop({ learningRate: lr, rho, momentum, centered }), gradients), w);
  });

  const norm = (list: number[]) => Math.sqrt(list.reduce((s, x) => s + x * x, 0));
  const scaled = (limit: number) => (g: number[]) => g.map((x) => (x * limit) / Math.max(norm(g), limit));
  test.each<[string, object, (g: number[]) => number[]]>([
    ["clipValue", { clipValue: 0.4 }, (g) => g.map((x) => Math.min(Math.max(x, -0.4), 0.4))],
    ["clipNorm", { clipNorm: 1.5 }, scaled(1.5)],
    ["globalClipNorm", { globalClipNorm: 100 }, (g) => g],
  ])("%s", async (_, options, clip) => {
    const w = [...start];
    for (const g of gradients.map(clip)) for (let i = 0; i < 3; i++) w[i] -= 0.1 * g[i];
    expectNear(await run(sgd({ learningRate: 0.1, ...options }), gradients), w);
  });

  test("clipNorm of fit and trainer is over all gradients together", async () => {
    const two = await build(input([2]), dense(1, { name: "d", kernelInitializer: "zeros" }));
    const { step } = trainer(two, { optimizer: sgd({ learningRate: 1 }), loss: (_, p) => sum(p), clipNorm: 1 });
    step({ x: tensor([[2, 2]]), y: tensor([[0]]) });
    // gradients [2, 2] of the kernel and [1] of the bias: a norm of 3 together
    expectNear(Array.from(two.weights()["d/kernel"].data), [-2 / 3, -2 / 3]);
    expectNear(Array.from(two.weights()["d/bias"].data), [-1 / 3]);
  });
});

describe("optimizers refuse what cannot be", () => {
  test.each<[string, () => unknown, string]>([
    ["two limits", () => adam({ clipNorm: 1, clipValue: 1 }), "adam: expected at most one of clipValue, clipNorm and"],
    ["a limit of 0", () => sgd({ clipValue: 0 }), "clipValue to be a number above 0, got 0"],
    ["a negative decay", () => adamW({ weightDecay: -1 }), "weightDecay"],
    ["a negative rate", () => rmsprop({ learningRate: -1 }), "rmsprop: expected learningRate"],
    ["a rho of 1", () => rmsprop({ rho: 1 }), "rho"],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test("a weight that is frozen is left alone, decay and all", async () => {
  const x = input([2]);
  const [a, b] = [dense(1, { name: "a" })(x), dense(1, { name: "b" })(x)];
  const made = await build(x, [a, b]);
  const before = made.weights();
  const { step } = trainer(made, { optimizer: "adamW", loss: (_, p) => sum(p), freeze: "b" });
  step({ x: tensor([[1, 2]]), y: [tensor([[0]]), tensor([[0]])] });
  expect(made.weights()["b/kernel"]).toEqual(before["b/kernel"]);
  expect(made.weights()["a/kernel"]).not.toEqual(before["a/kernel"]);
});
