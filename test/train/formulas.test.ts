// The optimizers that are graphs, step by step against their formulas in float64, as Keras 3 has them: a matrix and a vector whose gradients
// are known.
import { expect, test } from "vitest";
import { build, conv2d, dense, input, mul, sum, tensor } from "../../src/index.js";
import {
  adadelta,
  adafactor,
  adagrad,
  adamax,
  lion,
  muon,
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

interface MuonRule {
  readonly lr: number;
  readonly momentum: number;
  readonly steps: number;
  readonly nesterov: boolean;
  /** What the step is multiplied by, of a matrix [3, 2]. */
  readonly size: number;
}

/** Of the matrix with its columns as vectors: X -> a X + (b X X^T + c (X X^T)^2) X on its transpose [2, 3]; Adam of the bias. */
const ruleOfMuon =
  ({ lr, momentum, steps, nesterov, size }: MuonRule): Rule =>
  (w, g, s, t, shape) => {
    if (shape.length !== 2) return ruleOfAdam(lr, 0.9, 0.999, 1e-7)(w, g, s, t, shape);
    const [rows, columns] = shape;
    s.m = g.map((x, i) => momentum * (s.m?.[i] ?? 0) + x);
    const ahead = nesterov ? g.map((x, i) => x + momentum * s.m[i]) : s.m;
    let x = Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => ahead[i * columns + j]));
    const norm = sqrt(ahead.reduce((sum, v) => sum + v * v, 0)) + 1e-7;
    const product = (a: Numbers[], b: Numbers[]) =>
      a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
    x = x.map((row) => row.map((v) => v / norm));
    for (let step = 0; step < steps; step++) {
      const gram = product(
        x,
        x[0].map((_, j) => x.map((row) => row[j])),
      );
      const squared = product(gram, gram);
      const mixed = gram.map((row, i) => row.map((v, j) => -4.775 * v + 2.0315 * squared[i][j]));
      const turned = product(mixed, x);
      x = x.map((row, i) => row.map((v, j) => 3.4445 * v + turned[i][j]));
    }
    return g.map((_, i) => -lr * size * x[i % columns][Math.floor(i / columns)]);
  };

const ruleOfAdam =
  (lr: number, b1: number, b2: number, e: number): Rule =>
  (_, g, s, t) => {
    const [m, v] = [
      moving(s, "m", g, b1),
      moving(
        s,
        "v",
        g.map((x) => x * x),
        b2,
      ),
    ];
    return m.map((x, i) => ((-lr * sqrt(1 - b2 ** t)) / (1 - b1 ** t)) * (x / (sqrt(v[i]) + e)));
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
    "muon by default",
    "muon",
    decaying(0.001 * 0.004, ruleOfMuon({ lr: 0.001, momentum: 0.95, steps: 5, nesterov: true, size: sqrt(3) * 0.2 })),
  ],
  [
    "muon",
    muon({
      learningRate: 0.1,
      weightDecay: 0,
      adamWeightDecay: 0,
      momentum: 0.5,
      nsSteps: 3,
      nesterov: false,
      rmsRate: null,
    }),
    ruleOfMuon({ lr: 0.1, momentum: 0.5, steps: 3, nesterov: false, size: 1 }),
  ],
  [
    "muon with an excluded layer",
    muon({ learningRate: 0.1, excludeLayers: ["d/"], adamLrRatio: 0.5, adamWeightDecay: 0.2, adamBeta1: 0.8 }),
    decaying(0.1 * 0.2, ruleOfAdam(0.05, 0.8, 0.999, 1e-7)),
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

test("muon takes kernels of convolutions for matrices on request, embeddings only when told", async () => {
  const slots = (optimizer: Optimizer, shape: number[], name: string) =>
    (optimizer.slots as (shape: number[], name: string) => readonly { name: string }[])(shape, name).map(
      (slot) => slot.name,
    );
  const adam = ["momentum", "velocity"];
  expect(slots(muon(), [3, 3, 4, 8], "conv2d/kernel")).toEqual(adam);
  expect(slots(muon({ convolutions: true }), [3, 3, 4, 8], "conv2d/kernel")).toEqual(["momentum"]);
  expect(slots(muon(), [9, 4], "embedding/embeddings")).toEqual(adam);
  expect(slots(muon({ excludeEmbeddings: false }), [9, 4], "embedding/embeddings")).toEqual(["momentum"]);
  const model = await build(input([6, 6, 2]), conv2d(4, 3, { name: "c" }), { seed: 3 });
  const before = model.weights()["c/kernel"].data;
  const optimizer = muon({
    learningRate: 1,
    weightDecay: 0,
    convolutions: true,
    nsSteps: 12,
    muonA: 1.5,
    muonB: -0.5,
    muonC: 0,
  });
  const { step } = trainer(model, { optimizer, loss: (y, p) => sum(mul(y, p)) });
  const numbers = Float32Array.from({ length: 128 }, (_, i) => ((i * 37) % 11) - 5);
  step({ x: tensor(numbers.slice(0, 72), [1, 6, 6, 2]), y: tensor(numbers.slice(0, 64), [1, 4, 4, 4]) });
  // The step is an orthogonal matrix [18, 4] times sqrt(18) 0.2: its columns have that length, and meet at right angles.
  const now = model.weights()["c/kernel"].data;
  for (let j = 0; j < 4; j++)
    for (let k = 0; k <= j; k++) {
      let sum = 0;
      for (let i = 0; i < 18; i++) sum += (before[i * 4 + j] - now[i * 4 + j]) * (before[i * 4 + k] - now[i * 4 + k]);
      expect(abs(sum - (j === k ? 18 * 0.04 : 0)), `columns ${j} and ${k}`).toBeLessThan(1e-3);
    }
});

test.each<[string, () => unknown, string]>([
  ["steps that are no number", () => muon({ nsSteps: 2.5 }), "muon: expected nsSteps in [1, 100]"],
  ["layers in a text", () => muon({ excludeLayers: "d" as never }), "excludeLayers to be a list of names"],
  ["another library's option", () => muon({ ns_steps: 5 } as never), 'got "ns_steps"'],
  ["a beta of 1", () => lion({ beta2: 1 }), "lion: expected beta2 in [0, "],
  ["a beginning below 0", () => adagrad({ initialAccumulatorValue: -1 }), "adagrad: expected initialAccumulatorValue"],
  ["a threshold of 0", () => adafactor({ clipThreshold: 0 }), "adafactor: expected clipThreshold"],
  ["a decay below 0", () => nadam({ weightDecay: -1 }), "nadam: expected weightDecay"],
  ["exclusions that are no list", () => adamax({ excludeFromWeightDecay: "bias" as never }), "to be a list"],
  ["an option of another", () => adadelta({ beta1: 0.9 } as never), "beta1"],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});
