// Distillation: its loss and gradient against float64, what it leaves alone, and what it is for.
import { describe, expect, test } from "vitest";
import { type DistillOptions, distill, quantize } from "../../src/compress/index.js";
import { dataset, digits } from "../../src/data/index.js";
import {
  batchNormalization,
  build,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  input,
  type Layer,
  lstm,
  type Model,
  sequential,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.js";
import { dequantizeLinear, quantizedSoftmax, quantizeLinear } from "../../src/ops/quantized/index.js";
import { adam, evaluate, fit, lambda, sgd, sparseCategoricalCrossentropy } from "../../src/train/index.js";

type Row = readonly number[];

/** Numbers of a fixed pattern in [-1, 1). */
const pattern = (n: number, step = 7919): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * step + 17) % 1009) / 504.5 - 1);

const x = tensor(pattern(6 * 4), [6, 4]);
const labels = tensor([0, 1, 2, 2, 1, 0], [6], "int32");
const data = { x, y: labels };
const crossentropy = "sparseCategoricalCrossentropy" as const;

/** Predictions as rows, in batches of 1: nothing here depends on the training program. */
const rowsOf = (model: Model, output = 0): Row[] => {
  const { data, shape } = [model.predict(x)].flat()[output];
  const n = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => Array.from(data.subarray(i * n, (i + 1) * n)));
};

const softmax = (z: Row): number[] => {
  const e = z.map((v) => Math.exp(v - Math.max(...z)));
  const all = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / all);
};
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const mean = (list: Row): number => list.reduce((a, b) => a + b, 0) / list.length;
const kl = (p: Row, q: Row): number => p.reduce((sum, v, i) => sum + v * Math.log(v / q[i]), 0);

/** T^2 KL of rows of scores. */
const soft = (t: readonly Row[], s: readonly Row[], T: number): number =>
  T * T * mean(t.map((row, i) => kl(softmax(row.map((v) => v / T)), softmax(s[i].map((v) => v / T)))));
const hard = (s: readonly Row[]): number => mean(s.map((row, i) => -Math.log(softmax(row)[labels.data[i]])));

const still = { optimizer: sgd({ learningRate: 0 }), batchSize: 6, shuffle: false } as const;
const lossOf = async (teacher: Model, student: Model, options: DistillOptions, given: object = data) =>
  (await distill(teacher, student, given as typeof data, options)).history.loss[0];

const classes = (layers: Layer, seed: number) => build(input([4]), layers, { seed });
const scores = (seed: number, units = 5) =>
  classes(sequential(dense(units, { activation: "tanh", name: "hidden" }), dense(3, { name: "scores" })), seed);
/** The same weights, with a softmax at the end. */
const probabilities = async (seed: number, units = 5) => {
  const hidden = dense(units, { activation: "tanh", name: "hidden" });
  return classes(sequential(hidden, dense(3, { name: "scores", activation: "softmax" })), seed);
};
const fromLogits = sparseCategoricalCrossentropy({ fromLogits: true });

describe("the loss is alpha T^2 KL + (1 - alpha) loss", () => {
  test.each<[number, number]>([
    [1, 0.5],
    [4, 0.9],
    [0.5, 1],
    [20, 0.1],
  ])("temperature %d, alpha %d, softmax or scores at either end", async (temperature, alpha) => {
    const [t, s] = [rowsOf(await scores(1)), rowsOf(await scores(2))];
    const expected = alpha * soft(t, s, temperature) + (1 - alpha) * hard(s);
    for (const teacher of [await scores(1), await probabilities(1)]) {
      const options = { ...still, temperature, alpha };
      const ofScores = await lossOf(teacher, await scores(2), { ...options, loss: fromLogits });
      expect(ofScores).toBeCloseTo(expected, 5);
      const own = { ...options, loss: crossentropy, fromLogits: true };
      expect(await lossOf(teacher, await probabilities(2), own)).toBeCloseTo(expected, 5);
    }
  });

  test("probabilities that no softmax of the model made are as good", async () => {
    const teacher = await probabilities(1);
    const calibration = x;
    const small = await quantize(teacher, { calibration }); // ends in a softmax, after int8
    const [q, shares] = [
      { scale: 2 ** -5, zeroPoint: 3 },
      { scale: 2 ** -8, zeroPoint: -128 },
    ];
    const end = { input: q, quantization: shares };
    const scored = (v: Value) => quantizeLinear(dense(3, { name: "d" })(v), q);
    const byTable = await classes((v) => dequantizeLinear(quantizedSoftmax(scored(v), end), shares), 3);
    const s = rowsOf(await scores(2));
    for (const taught of [small, byTable]) {
      const logs = rowsOf(taught).map((row) => row.map((v) => Math.log(Math.max(v, 1e-7))));
      const expected = 0.9 * soft(logs, s, 4) + 0.1 * hard(s);
      expect(await lossOf(taught, await probabilities(2), { ...still, loss: crossentropy })).toBeCloseTo(expected, 4);
    }
  });

  test("a teacher of integers is given integers, and what it gives stands for floats", async () => {
    const [q, shares] = [
      { scale: 2 ** -6, zeroPoint: 3 },
      { scale: 2 ** -8, zeroPoint: -128 },
    ];
    const made = (of: Value) => quantizedSoftmax(of, { input: q, quantization: shares });
    const teacher = await build(input([3], { dtype: "int8", quantization: q }), made);
    const x = tensor(pattern(18), [6, 3]);
    const student = await build(input([3]), dense(3, { name: "d" }));
    const integers = Int8Array.from(x.data, (v) => Math.min(127, Math.round(v / q.scale) + 3));
    const predicted = (teacher.predict(tensor(integers, [6, 3])) as Tensor).data;
    const logs = Array.from(predicted, (v) => Math.log(Math.max((v + 128) * shares.scale, 1e-7)));
    const s = Array.from((student.predict(x) as Tensor).data);
    const inRows = (all: Row) => Array.from({ length: 6 }, (_, i) => all.slice(3 * i, 3 * i + 3));
    const expected = soft(inRows(logs), inRows(s), 4);
    const options = { ...still, loss: fromLogits, alpha: 1 };
    expect(await lossOf(teacher, student, options, { x, y: labels })).toBeCloseTo(expected, 4);
  });

  test("labels each by itself, and numbers", async () => {
    const [t, s] = [rowsOf(await scores(1)), rowsOf(await scores(2))];
    const y = tensor(
      Float32Array.from(pattern(18), (v) => Number(v > 0)),
      [6, 3],
    );
    const T = 3;
    const both = (z: number) => [sigmoid(z / T), 1 - sigmoid(z / T)];
    const ofLabels = T * T * mean(t.flatMap((row, i) => row.map((v, j) => kl(both(v), both(s[i][j])))));
    const made = (seed: number) =>
      classes(sequential(dense(5, { activation: "tanh", name: "hidden" }), dense(3, { activation: "sigmoid" })), seed);
    const binary = { ...still, loss: "binaryCrossentropy" as const, temperature: T, alpha: 1 };
    expect(await lossOf(await made(1), await made(2), binary, { x, y })).toBeCloseTo(ofLabels, 5);
    const squares = mean(t.flatMap((row, i) => row.map((v, j) => (v - s[i][j]) ** 2)));
    const numbers = { ...still, loss: "meanSquaredError" as const, temperature: T, alpha: 1 };
    expect(await lossOf(await scores(1), await scores(2), numbers, { x, y })).toBeCloseTo(squares, 5);
  });

  test("features count beta times their mean squared difference", async () => {
    const features = [["hidden", "hidden"]] as const;
    const [teacher, student] = [await scores(1), await scores(2)];
    const hidden = async (seed: number) =>
      rowsOf(await classes(dense(5, { activation: "tanh", name: "hidden" }), seed)).flat();
    const [t, s] = [await hidden(1), await hidden(2)];
    const difference = mean(t.map((v, i) => (v - s[i]) ** 2));
    const plain = { ...still, loss: fromLogits, temperature: 2, alpha: 0.3 };
    const without = await lossOf(teacher, student, plain);
    expect(await lossOf(teacher, student, { ...plain, features, beta: 7 })).toBeCloseTo(without + 7 * difference, 5);
  });

  test("penalties count in full, weights of samples in the labels' part alone", async () => {
    const penalized = (seed: number) =>
      classes(
        sequential(
          dense(5, { activation: "tanh", name: "hidden", kernelRegularizer: "l2" }),
          dense(3, { name: "scores" }),
        ),
        seed,
      );
    const options = { ...still, loss: fromLogits, temperature: 2, alpha: 0.25 };
    const [teacher, student] = [await scores(1), await penalized(2)];
    const squares = Array.from(student.weights()["hidden/kernel"].data).reduce((sum, v) => sum + v * v, 0);
    const [t, s] = [rowsOf(teacher), rowsOf(student)];
    const expected = 0.25 * soft(t, s, 2) + 0.01 * squares;
    const sampleWeight = [0, 0, 0, 0, 0, 0];
    expect(await lossOf(teacher, student, { ...options, sampleWeight })).toBeCloseTo(expected, 5);
    const classWeight = { 0: 2, 1: 2, 2: 2 };
    expect(await lossOf(teacher, student, { ...options, classWeight })).toBeCloseTo(expected + 1.5 * hard(s), 5);
  });

  test("every output has a teacher; steps that are masked have none", async () => {
    const made = async (seed: number) => {
      const tokens = input([4], { dtype: "int32" });
      const sequence = lstm(3, { returnSequences: true })(embedding(5, 2, { maskZero: true })(tokens));
      const [a, b] = [dense(2, { name: "a", activation: "softmax" }), dense(1, { name: "b" })];
      return build(tokens, [a(sequence), b(lstm(2)(sequence))], { seed });
    };
    const tokens = tensor([1, 2, 0, 0, 3, 4, 1, 0], [2, 4], "int32");
    const y = { a: tensor([0, 1, 0, 1, 1, 1, 0, 0], [2, 4], "int32"), b: tensor([[1], [2]]) };
    const [teacher, student] = [await made(1), await made(2)];
    const [t, s] = [teacher, student].map((model) => (model.predict(tokens) as Tensor[]).map(({ data }) => [...data]));
    const counted = [0, 1, 4, 5, 6];
    const row = (all: number[], i: number) => all.slice(2 * i, 2 * i + 2);
    const expected =
      mean(counted.map((i) => kl(row(t[0], i), row(s[0], i)))) + mean(t[1].map((v, i) => (v - s[1][i]) ** 2));
    const loss = { a: crossentropy, b: "mse" as const };
    const options = { ...still, loss, alpha: 1, temperature: 1 };
    expect(await lossOf(teacher, student, options, { x: tokens, y })).toBeCloseTo(expected, 5);
  });
});

test("one step follows the gradient, through a projection of features too", async () => {
  const features = [["hidden", "hidden"]] as const;
  const options = { loss: fromLogits, temperature: 3, alpha: 0.7, features, beta: 2, batchSize: 6, shuffle: false };
  const teacher = await scores(1, 7);
  const student = await scores(2);
  const before = student.weights();
  await distill(teacher, student, data, { ...options, optimizer: sgd({ learningRate: 1 }) });
  const after = student.weights();
  let checked = 0;
  for (const [name, { data: numbers, shape }] of Object.entries(before)) {
    for (let i = 0; i < numbers.length; i += 3) {
      const at = async (step: number) => {
        const moved = Float32Array.from(numbers);
        moved[i] += step;
        student.setWeights({ ...before, [name]: tensor(moved, shape) });
        return lossOf(teacher, student, { ...options, optimizer: sgd({ learningRate: 0 }) });
      };
      const slope = ((await at(1e-2)) - (await at(-1e-2))) / 2e-2;
      expect(numbers[i] - after[name].data[i], `${name}[${i}]`).toBeCloseTo(slope, 3);
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(10);
});

describe("beside the student", () => {
  test("the teacher predicts, and stays what it was", async () => {
    const layers = sequential(dense(8), batchNormalization(), dropout(0.5), dense(3, { activation: "softmax" }));
    const teacher = await classes(layers, 1);
    await fit(teacher, data, { optimizer: "adam", loss: crossentropy, epochs: 5 });
    const [weights, predicted] = [teacher.weights(), rowsOf(teacher)];
    const student = await scores(2);
    const logs = predicted.map((row) => row.map(Math.log));
    const expected = 0.9 * soft(logs, rowsOf(student), 4) + 0.1 * hard(rowsOf(student));
    expect(await lossOf(teacher, student, { ...still, loss: fromLogits })).toBeCloseTo(expected, 5);
    await distill(teacher, student, data, { optimizer: "adam", loss: fromLogits, epochs: 3 });
    expect(teacher.weights()).toEqual(weights);
  });

  test("without a part of the teacher it is fit, bit for bit", async () => {
    const options = { optimizer: "adam", loss: fromLogits, epochs: 3, batchSize: 4, metrics: ["accuracy"] } as const;
    const [a, b] = [await scores(2), await scores(2)];
    const expected = await fit(a, data, options);
    const actual = await distill(await scores(1), b, data, { ...options, alpha: 0 });
    expect(actual).toEqual(expected);
    expect(b.weights()).toEqual(a.weights());
  });

  test("validation judges the student alone, by its own loss", async () => {
    const student = await scores(2);
    const judged = { loss: fromLogits, metrics: ["accuracy"] } as const;
    const run = await distill(await scores(1), student, data, { ...judged, optimizer: "adam", validation: data });
    const { loss, accuracy } = await evaluate(student, data, judged);
    expect([run.history.val_loss[0], run.history.val_accuracy[0]]).toEqual([loss, accuracy]);
    expect(run.history.loss[0]).not.toBeCloseTo(loss, 3);
  });

  test("a dataset gives the bits that tensors give; recomputation changes none", async () => {
    const options = { optimizer: "adam", loss: fromLogits, epochs: 2, shuffle: false, batchSize: 2 } as const;
    const features = [["hidden", "hidden"]] as const;
    const samples = Array.from({ length: 6 }, (_, i) => ({
      x: tensor(x.data.slice(4 * i, 4 * i + 4) as Float32Array, [4]),
      y: tensor([labels.data[i]], [], "int32"),
    }));
    const made: Record<string, Tensor>[] = [];
    for (const [given, more] of [
      [data, {}],
      [dataset(samples), {}],
      [data, { recompute: true }],
    ] as const) {
      const student = await scores(2);
      await distill(await scores(1, 7), student, given, { ...options, ...more, features });
      made.push(student.weights());
    }
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
  });

  test("projections are trained along and dropped, and a run with them goes on from a checkpoint bit for bit", async () => {
    const options = {
      optimizer: adam({ learningRate: 0.03, useEma: true, emaMomentum: 0.5 }),
      loss: fromLogits,
      batchSize: 4,
      features: [["hidden", "hidden"]] as const,
    };
    const teacher = await scores(1, 7);
    const [whole, half, rest] = [await scores(2), await scores(2), await scores(3)];
    const names = Object.keys(whole.weights());
    const { history } = await distill(teacher, whole, data, { ...options, epochs: 40, alpha: 0 });
    expect(Object.keys(whole.weights())).toEqual(names);
    expect(history.loss[39]).toBeLessThan(0.8 * history.loss[0]);

    let saved: Uint8Array | undefined;
    let averages: string[] = [];
    const keep = lambda({
      onEpochEnd: ({ epoch }, context) => {
        if (epoch !== 20) return;
        saved = context.save();
        averages = Object.keys(context.averages());
        context.stop();
      },
    });
    await distill(teacher, half, data, { ...options, epochs: 40, alpha: 0, callbacks: [keep] });
    expect(averages.sort()).toEqual([...names].sort());
    await distill(teacher, rest, data, { ...options, epochs: 40, alpha: 0, resume: saved });
    expect(rest.weights()).toEqual(whole.weights());
  });

  test("memory is given back", async () => {
    const [teacher, student] = [await scores(1, 300), await scores(2)];
    const options = { optimizer: "adam", loss: fromLogits, features: [["hidden", "hidden"]] as const } as const;
    await distill(teacher, student, data, options);
    const bytes = student.plan().memory;
    for (let i = 0; i < 5; i++) await distill(teacher, student, data, options);
    expect(student.plan().memory).toBe(bytes);
  });

  test("after a failure the student is as it was", async () => {
    const [teacher, student] = [await scores(1, 7), await scores(2)];
    const before = student.weights();
    const options = { loss: fromLogits, features: [["hidden", "hidden"]] as const, epochs: 200 };
    const run = distill(teacher, student, data, { ...options, optimizer: sgd({ learningRate: 1e30 }) });
    await expect(run).rejects.toThrow(/distill.*expected a finite loss at step/);
    expect(student.weights()).toEqual(before);
  });
});

test("a student of a tenth of the parameters beats the same one trained alone, over 3 seeds: few labels, many images", async () => {
  const { count, labelled } = { count: 1600, labelled: 160 };
  const judged = { loss: crossentropy, metrics: ["accuracy"] } as const;
  const [all, other] = [digits({ count, seed: 1 }), digits({ count: 1000, seed: 2 })];
  const convolutions = (first: number, second: number, units: number) =>
    sequential(
      conv2d(first, 3, { strides: 2, activation: "relu" }),
      conv2d(second, 3, { strides: 2, activation: "relu" }),
      flatten(),
      ...(units > 0 ? [dense(units, { activation: "relu" })] : []),
      dense(10, { activation: "softmax" }),
    );
  const made = (seed: number, ...sizes: [number, number, number]) =>
    build(input([28, 28, 1]), convolutions(...sizes), { seed });
  const teacher = await made(0, 16, 32, 64);
  await fit(teacher, all, { ...judged, optimizer: "adam", epochs: 5 });
  const parametersOf = (model: Model) =>
    Object.values(model.weights()).reduce((sum, weight) => sum + weight.data.length, 0);

  const few = {
    x: tensor(all.x.data.slice(0, labelled * 784), [labelled, 28, 28, 1]),
    y: tensor(all.y.data.slice(0, labelled), [labelled], "int32"),
  };
  const sampleWeight = Float32Array.from({ length: count }, (_, i) => Number(i < labelled));
  const results: { alone: number; taught: number }[] = [];
  for (const seed of [1, 2, 3]) {
    const [alone, taught] = [await made(seed, 8, 8, 0), await made(seed, 8, 8, 0)];
    expect(parametersOf(alone)).toBeLessThanOrEqual(parametersOf(teacher) / 10);
    // As many steps for the one as for the other.
    await fit(alone, few, { ...judged, optimizer: "adam", seed, epochs: 60 });
    await distill(teacher, taught, { ...all, sampleWeight }, { ...judged, optimizer: "adam", seed, epochs: 6 });
    const accuracy = async (model: Model) => (await evaluate(model, other, judged)).accuracy;
    results.push({ alone: await accuracy(alone), taught: await accuracy(taught) });
  }
  const of = (which: "alone" | "taught") => mean(results.map((each) => each[which]));
  for (const { alone, taught } of results) expect(taught).toBeGreaterThan(alone);
  expect(of("taught")).toBeGreaterThan(of("alone") + 0.05);
});

describe("refusals", () => {
  test.each<[string, Partial<DistillOptions>, string]>([
    ["a temperature of 0", { temperature: 0 }, "distill: expected temperature above 0, got 0"],
    ["a share above 1", { alpha: 1.5 }, "distill: expected alpha in [0, 1], got 1.5"],
    ["a share that is none", { alpha: "half" as never }, 'expected alpha in [0, 1], got "half"'],
    ["a negative beta", { beta: -1 }, "expected beta of at least 0, got -1"],
    ["features that are no pairs", { features: ["hidden"] as never }, "expected features to be pairs of layers"],
    ["a layer that the teacher lacks", { features: [["h", "hidden"]] }, 'expected a layer of hidden, scores, got "h"'],
    ["a layer that the student lacks", { features: [["hidden", "h"]] }, 'expected a layer of hidden, scores, got "h"'],
    ["unknown options", { heat: 1 } as never, '"heat"'],
    ["what fit refuses", { epochs: -1 }, "distill: expected epochs to be a non-negative integer, got -1"],
  ])("%s", async (_, options, message) => {
    const [teacher, student] = [await scores(1), await scores(2)];
    const start = () => distill(teacher, student, data, { optimizer: "adam", loss: fromLogits, ...options });
    expect(start).toThrow(message);
  });

  test("models and features that do not fit", async () => {
    const [teacher, student] = [await scores(1), await scores(2)];
    const options = { optimizer: "adam", loss: fromLogits } as const;
    const of = (inputs: number, layers: Layer) => build(input([inputs]), layers);
    expect(() => distill({} as Model, student, data, options)).toThrow("expected a model");
    const others = await of(4, dense(2));
    expect(() => distill(others, student, data, options)).toThrow(
      "distill: expected a teacher with the student's outputs ([3]), got [2]",
    );
    const wider = await of(5, dense(3));
    expect(() => distill(wider, student, data, options)).toThrow(
      "distill: expected a teacher with the student's inputs ([4]), got [5]",
    );
    const image = await build(input([4, 4, 1]), sequential(conv2d(2, 3, { name: "c" }), flatten(), dense(3)));
    const small = await build(input([4, 4, 1]), sequential(conv2d(2, 2, { name: "c" }), flatten(), dense(3)));
    const features = [["c", "c"]] as const;
    const images = { x: tensor(pattern(32), [2, 4, 4, 1]), y: tensor([0, 1], [2], "int32") };
    expect(() => distill(image, small, images, { ...options, features })).toThrow(
      'distill "c": expected a float32 feature of the student that is like the teacher\'s "c" [2, 2, 2] but for the last axis, got float32 [3, 3, 2]',
    );
    expect(teacher.weights()).toEqual((await scores(1)).weights());
  });
});
