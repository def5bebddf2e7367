// The optimizers that are graphs, step by step against their formulas in float64, as Keras 3 has them: a matrix and a vector whose gradients
// are known.
import { expect, test } from "vitest";
import { build, dense, input, mul, sum, tensor } from "../../src/index.js";
import {
  adadelta,
  adafactor,
  adagrad,
  adamax,
  lion,
  nadam,
  type Optimizer,
  type OptimizerName,
  trainer,
} from "../../src/train/index.js";

type Numbers = number[];
/** Step t (from 1) of a weight of that shape: what is added to it. `s` keeps its states. */
type Rule = (w: Numbers, g: Numbers, s: Record<string, Numbers>, t: number, shape: number[]) => Numbers;

const kernel = [0.5, -1.5, 2, 0.25, -0.75, 1.25]; // [3, 2]
const bias = [0.125, -0.5];
const xs = [
  [1, -2, 0.5],
  [0.3, 0.1, -4],
  [-1, 2, 3],
  [0.2, -0.4, 0.7],
];
const ys = [
  [0.5, -1],
  [2, 0.25],
  [-0.3, 1.5],
  [1, 1],
];

/** Kernel and bias after the steps: the loss is the sum of y (x kernel + bias), so gradients are x y and y. */
async function run(optimizer: Optimizer | OptimizerName): Promise<Numbers> {
  const model = await build(input([3]), dense(2, { name: "d" }));
  model.setWeights({ "d/kernel": tensor(Float32Array.from(kernel), [3, 2]), "d/bias": tensor(bias) });
  const { step } = trainer(model, { optimizer, loss: (y, p) => sum(mul(y, p)) });
  xs.forEach((x, i) => {
    step({ x: tensor([x]), y: tensor([ys[i]]) });
  });
  const weights = model.weights();
  return [...weights["d/kernel"].data, ...weights["d/bias"].data];
}

function expected(rule: Rule): Numbers {
  const weights: [Numbers, number[], (i: number) => Numbers][] = [
    [[...kernel], [3, 2], (i) => xs[i].flatMap((x) => ys[i].map((y) => x * y))],
    [[...bias], [2], (i) => ys[i]],
  ];
  return weights.flatMap(([w, shape, gradient]) => {
    const s: Record<string, Numbers> = {};
    xs.forEach((_, i) => {
      const step = rule(w, gradient(i), s, i + 1, shape);
      step.forEach((d, j) => {
        w[j] += d;
      });
    });
    return w;
  });
}

const { sqrt, max, min, abs, sign } = Math;
const mean = (list: Numbers): number => list.reduce((a, b) => a + b, 0) / list.length;
const rms = (list: Numbers): number => sqrt(mean(list.map((x) => x * x)));
/** s[name] = share * old (0 at first) + (1 - share) * now. */
const moving = (s: Record<string, Numbers>, name: string, now: Numbers, share: number): Numbers => {
  s[name] = now.map((x, i) => share * (s[name]?.[i] ?? 0) + (1 - share) * x);
  return s[name];
};

const ruleOfAdamax =
  (lr: number, b1: number, b2: number, e: number): Rule =>
  (_, g, s, t) => {
    const m = moving(s, "m", g, b1);
    s.u = g.map((x, i) => max(b2 * (s.u?.[i] ?? 0), abs(x)));
    return m.map((x, i) => ((-lr / (1 - b1 ** t)) * x) / (s.u[i] + e));
  };

const ruleOfNadam =
  (lr: number, b1: number, b2: number, e: number): Rule =>
  (_, g, s, t) => {
    const u = (k: number) => b1 * (1 - 0.5 * 0.96 ** k);
    s.product = [(s.product?.[0] ?? 1) * u(t)];
    const [product] = s.product;
    const m = moving(s, "m", g, b1);
    const squares = g.map((x) => x * x);
    const v = moving(s, "v", squares, b2);
    return g.map((x, i) => {
      const ahead = (u(t + 1) * m[i]) / (1 - product * u(t + 1)) + ((1 - u(t)) * x) / (1 - product);
      return (-lr * ahead) / (sqrt(v[i] / (1 - b2 ** t)) + e);
    });
  };

const ruleOfAdagrad =
  (lr: number, initial: number, e: number): Rule =>
  (_, g, s) => {
    s.a = g.map((x, i) => (s.a?.[i] ?? initial) + x * x);
    return g.map((x, i) => (-lr * x) / sqrt(s.a[i] + e));
  };

const ruleOfAdadelta =
  (lr: number, rho: number, e: number): Rule =>
  (_, g, s) => {
    const squares = g.map((x) => x * x);
    const v = moving(s, "v", squares, rho);
    const d = g.map((x, i) => (sqrt((s.x?.[i] ?? 0) + e) / sqrt(v[i] + e)) * x);
    const steps = d.map((x) => x * x);
    moving(s, "x", steps, rho);
    return d.map((x) => -lr * x);
  };

const ruleOfLion =
  (lr: number, b1: number, b2: number): Rule =>
  (_, g, s) => {
    const step = g.map((x, i) => -lr * sign(b1 * (s.m?.[i] ?? 0) + (1 - b1) * x));
    moving(s, "m", g, b2);
    return step;
  };

const ruleOfAdafactor =
  (lr: number, power: number, e2: number, threshold: number): Rule =>
  (w, g, s, t, [rows, columns]) => {
    const share = 1 - t ** power;
    const squares = g.map((x) => x * x + 1e-30);
    let v = columns === undefined ? moving(s, "v", squares, share) : [];
    if (columns !== undefined) {
      const row = (i: number) => squares.slice(i * columns, (i + 1) * columns);
      const column = (j: number) => squares.filter((_, i) => i % columns === j);
      const ofRows = Array.from({ length: rows }, (_, i) => mean(row(i)));
      const ofColumns = Array.from({ length: columns }, (_, j) => mean(column(j)));
      const [r, c] = [moving(s, "r", ofRows, share), moving(s, "c", ofColumns, share)];
      v = g.map((_, i) => (r[Math.floor(i / columns)] / mean(r)) * c[i % columns]);
    }
    const u = g.map((x, i) => x / sqrt(v[i]));
    const scale = (max(e2, rms(w)) * min(lr, 1 / sqrt(t))) / max(1, rms(u) / threshold);
    return u.map((x) => -scale * x);
  };

/** A rule after w -= lr * decay * w. */
const decaying =
  (rate: number, rule: Rule): Rule =>
  (w, g, s, t, shape) => {
    const kept = w.map((x) => x * (1 - rate));
    return rule(kept, g, s, t, shape).map((d, i) => d - rate * w[i]);
  };

test.each<[string, Optimizer | OptimizerName, Rule]>([
  ["adamax by default", "adamax", ruleOfAdamax(0.001, 0.9, 0.999, 1e-7)],
  ["adamax", adamax({ learningRate: 0.1, beta1: 0.7, beta2: 0.8, epsilon: 0.1 }), ruleOfAdamax(0.1, 0.7, 0.8, 0.1)],
  ["nadam by default", "nadam", ruleOfNadam(0.001, 0.9, 0.999, 1e-7)],
  ["nadam", nadam({ learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.1 }), ruleOfNadam(0.1, 0.8, 0.9, 0.1)],
  ["adagrad by default", "adagrad", ruleOfAdagrad(0.001, 0.1, 1e-7)],
  ["adagrad", adagrad({ learningRate: 0.1, initialAccumulatorValue: 0.5, epsilon: 0.2 }), ruleOfAdagrad(0.1, 0.5, 0.2)],
  ["adadelta by default", "adadelta", ruleOfAdadelta(0.001, 0.95, 1e-7)],
  ["adadelta", adadelta({ learningRate: 1, rho: 0.8, epsilon: 0.01 }), ruleOfAdadelta(1, 0.8, 0.01)],
  ["lion by default", "lion", ruleOfLion(0.001, 0.9, 0.99)],
  ["lion", lion({ learningRate: 0.1, beta1: 0.5, beta2: 0.6 }), ruleOfLion(0.1, 0.5, 0.6)],
  ["adafactor by default", "adafactor", ruleOfAdafactor(0.001, -0.8, 1e-3, 1)],
  [
    "adafactor, with its own rate at last",
    adafactor({ learningRate: 0.6, beta2Decay: -0.5, epsilon2: 1.2, clipThreshold: 0.8 }),
    ruleOfAdafactor(0.6, -0.5, 1.2, 0.8),
  ],
  [
    "adafactor with decay",
    adafactor({ learningRate: 0.1, weightDecay: 0.2 }),
    decaying(0.1 * 0.2, ruleOfAdafactor(0.1, -0.8, 1e-3, 1)),
  ],
  [
    "nadam with decay",
    nadam({ learningRate: 0.1, weightDecay: 0.2 }),
    decaying(0.1 * 0.2, ruleOfNadam(0.1, 0.9, 0.999, 1e-7)),
  ],
  [
    "lion with decay but of the bias",
    lion({ learningRate: 0.1, weightDecay: 0.2, excludeFromWeightDecay: ["bias"] }),
    (w, g, s, t, shape) => decaying(shape.length > 1 ? 0.1 * 0.2 : 0, ruleOfLion(0.1, 0.9, 0.99))(w, g, s, t, shape),
  ],
])("%s follows Keras' formula in float64", async (_, optimizer, rule) => {
  const actual = await run(optimizer);
  const wanted = expected(rule);
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((x, i) => {
    expect(abs(x - wanted[i]), `${i}: ${x} for ${wanted[i]}`).toBeLessThan(2e-6);
  });
});

test("adafactor keeps as many numbers as a matrix has rows and columns", async () => {
  const model = await build(input([3]), dense(2, { name: "d" }));
  const { save } = trainer(model, { optimizer: "adafactor", loss: "mse" });
  const text = new TextDecoder().decode(save());
  expect(text).toContain('"adafactor/d/kernel/rows":{"dtype":"F32","shape":[3]');
  expect(text).toContain('"adafactor/d/kernel/columns":{"dtype":"F32","shape":[2]');
  expect(text).toContain('"adafactor/d/bias/velocity":{"dtype":"F32","shape":[2]');
});

test.each<[string, () => unknown, string]>([
  ["a beta of 1", () => lion({ beta2: 1 }), "lion: expected beta2 in [0, "],
  ["a beginning below 0", () => adagrad({ initialAccumulatorValue: -1 }), "adagrad: expected initialAccumulatorValue"],
  ["a threshold of 0", () => adafactor({ clipThreshold: 0 }), "adafactor: expected clipThreshold"],
  ["a decay below 0", () => nadam({ weightDecay: -1 }), "nadam: expected weightDecay"],
  ["exclusions that are no list", () => adamax({ excludeFromWeightDecay: "bias" as never }), "to be a list"],
  ["an option of another", () => adadelta({ beta1: 0.9 } as never), "beta1"],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});
