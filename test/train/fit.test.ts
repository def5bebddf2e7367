import { describe, expect, test } from "vitest";
import { digits } from "../../src/data/index.js";
import { build, dense, dropout, input, type Model, sequential, type Tensor, tensor } from "../../src/index.js";
import { adam, evaluate, type FitStep, fit, progressBar, sgd, trainer } from "../../src/train/index.js";
import { cnn } from "../cnn.js";

const loss = "sparseCategoricalCrossentropy";
const classifier = (rate = 0): Promise<Model> =>
  build(input([4]), sequential(dense(16, { activation: "relu" }), dropout(rate), dense(3, { activation: "softmax" })), {
    seed: 1,
  });

/** Points whose class is the largest of their first three coordinates. */
function points(count: number) {
  const data = Float32Array.from({ length: count * 4 }, (_, i) => ((i * 7919 + 13) % 1009) / 1009);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const row = [...data.subarray(i * 4, i * 4 + 3)];
    return row.indexOf(Math.max(...row));
  });
  return { x: tensor(data, [count, 4]), y: tensor(labels) };
}

describe("fit", () => {
  test("learns, and its history has the losses and metrics of every epoch", async () => {
    const model = await classifier();
    const data = points(300);
    const { epoch, history } = await fit(model, data, {
      optimizer: adam({ learningRate: 0.02 }),
      loss,
      metrics: ["accuracy"],
      epochs: 20,
    });
    expect(epoch).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(Object.keys(history)).toEqual(["loss", "accuracy"]);
    expect(history.loss[19]).toBeLessThan(history.loss[0] / 2);
    expect((await evaluate(model, data, { loss, metrics: ["accuracy"] })).accuracy).toBeGreaterThan(0.9);
  });

  test("trains a CNN on the built-in digits", async () => {
    const model = await cnn();
    const { history } = await fit(model, digits({ count: 480, seed: 1 }), {
      optimizer: "adam",
      loss,
      metrics: ["accuracy"],
      epochs: 3,
    });
    expect(history.accuracy[2]).toBeGreaterThan(0.5);
  });

  test("takes every sample once an epoch, the last smaller batch included", async () => {
    const model = await classifier();
    const steps: FitStep[] = [];
    for await (const step of fit(model, points(70), { optimizer: "sgd", loss, epochs: 2, batchSize: 32 }))
      steps.push(step);
    expect(steps.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(steps[0]).toMatchObject({ epochs: 2, steps: 3 });
  });

  test("averages an epoch's loss over samples, not over batches", async () => {
    const model = await classifier();
    const data = points(40);
    const all = await evaluate(model, data, { loss, metrics: ["accuracy"], batchSize: 7 });
    const { history } = await fit(model, data, {
      optimizer: sgd({ learningRate: 0 }),
      loss,
      metrics: ["accuracy"],
      batchSize: 32,
    });
    expect(history.loss[0]).toBeCloseTo(all.loss, 6);
    expect(history.accuracy[0]).toBeCloseTo(all.accuracy, 6);
  });

  test("is the same, bit for bit, for the same seed, with dropout and shuffling; and not for another", async () => {
    const run = async (seed: number) => {
      const model = await classifier(0.5);
      await fit(model, points(90), { optimizer: "adam", loss, epochs: 2, seed });
      return model.weights();
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
  });

  test("without shuffling does what a trainer does by hand", async () => {
    const data = points(64);
    const [a, b] = [await classifier(), await classifier()];
    await fit(a, data, { optimizer: "adam", loss, shuffle: false });
    const { step } = trainer(b, { optimizer: "adam", loss });
    for (const [from, to] of [
      [0, 32],
      [32, 64],
    ]) {
      step({ x: tensor(data.x.data.slice(from * 4, to * 4), [32, 4]), y: tensor(data.y.data.slice(from, to)) });
    }
    expect(a.weights()).toEqual(b.weights());
  });

  test("judges by validation data after every epoch", async () => {
    const model = await classifier();
    const held = points(50);
    const { history } = await fit(model, points(64), {
      optimizer: "adam",
      loss,
      metrics: ["accuracy"],
      epochs: 2,
      validation: held,
    });
    const now = await evaluate(model, held, { loss, metrics: ["accuracy"] });
    expect(history.val_loss).toHaveLength(2);
    expect([history.val_loss[1], history.val_accuracy[1]]).toEqual([now.loss, now.accuracy]);
  });

  test("keeps the last share of the data for validation", async () => {
    const model = await classifier();
    const steps: FitStep[] = [];
    for await (const step of fit(model, points(100), { optimizer: "sgd", loss, validation: 0.36, batchSize: 16 }))
      steps.push(step);
    expect(steps).toHaveLength(4);
  });

  test("takes Keras' spelling of names", async () => {
    const model = await classifier();
    await fit(model, points(32), {
      optimizer: "adam",
      loss: "sparse_categorical_crossentropy",
      metrics: ["sparse_categorical_accuracy"],
    });
  });

  test("takes a loss written as a function of values", async () => {
    const { mean, mul, sub } = await import("../../src/index.js");
    const model = await build(input([2]), dense(1));
    const x = tensor([
      [0, 1],
      [1, 0],
      [1, 1],
      [0, 0],
    ]);
    const y = tensor([[1], [2], [3], [0]]);
    const own = await fit(
      model,
      { x, y },
      { optimizer: sgd({ learningRate: 0.3 }), epochs: 300, loss: (t, p) => mean(mul(sub(p, t), sub(p, t))) },
    );
    expect(own.history.loss[299]).toBeLessThan(1e-4);
    expect((model.predict(x) as Tensor).data[2]).toBeCloseTo(3, 1);
  });
});

describe("a fit that fails leaves the model as it was", () => {
  const nan = () => {
    const { x, y } = points(64);
    x.data[50 * 4 + 1] = Number.NaN;
    return { x, y };
  };
  const cases: [string, (model: Model) => PromiseLike<unknown>, string][] = [
    [
      "a label out of range",
      (model) => fit(model, { ...points(64), y: tensor(new Int32Array(64).fill(3, 40)) }, { optimizer: "sgd", loss }),
      "expected integer labels in [0, 2], got 3 (sample 40)",
    ],
    [
      "a fractional label",
      (model) => fit(model, { ...points(2), y: tensor([0.5, 1]) }, { optimizer: "sgd", loss }),
      "got 0.5 (sample 0)",
    ],
    [
      "NaN in the data",
      (model) => fit(model, nan(), { optimizer: "sgd", loss }),
      'expected finite numbers in input "input" [64, 4], got NaN (sample 50)',
    ],
    [
      "labels of another count",
      (model) => fit(model, { ...points(64), y: tensor(new Int32Array(63)) }, { optimizer: "sgd", loss }),
      "expected targets for 64 samples, got 63",
    ],
    [
      "labels of another shape",
      (model) => fit(model, { ...points(4), y: tensor(new Int32Array(8), [4, 2]) }, { optimizer: "sgd", loss }),
      "expected labels [4] for predictions [4, 3], got [4, 2]",
    ],
    [
      "inputs of another shape",
      (model) =>
        fit(
          model,
          { x: tensor(new Float32Array(10), [2, 5]), y: tensor([0, 1], [2], "int32") },
          { optimizer: "sgd", loss },
        ),
      'fit "input": expected [batch, 4], got [2, 5]',
    ],
    [
      "no samples",
      (model) =>
        fit(
          model,
          { x: tensor(new Float32Array(0), [0, 4]), y: tensor(new Int32Array(0)) },
          { optimizer: "sgd", loss },
        ),
      "expected at least one sample, got none",
    ],
    [
      "a loss that grows beyond all bounds",
      (model) => fit(model, points(64), { optimizer: sgd({ learningRate: 1e30 }), loss, epochs: 9 }),
      "expected a finite loss",
    ],
    [
      "a callback that throws",
      (model) =>
        fit(model, points(64), {
          optimizer: "adam",
          loss,
          callbacks: [
            {
              onEpochEnd: () => {
                throw new Error("own");
              },
            },
          ],
        }),
      "own",
    ],
    [
      "an unknown optimizer",
      (model) => fit(model, points(8), { optimizer: "adan" as never, loss }),
      'an optimizer: sgd, adam, adamW, rmsprop, adamax, nadam, adagrad, adadelta, adafactor, lion, muon, got "adan"',
    ],
    [
      "an unknown loss",
      (model) => fit(model, points(8), { optimizer: "sgd", loss: "crossentropy" as never }),
      'got "crossentropy"',
    ],
    [
      "an unknown metric",
      (model) => fit(model, points(8), { optimizer: "sgd", loss, metrics: ["f2" as never] }),
      'got "f2"',
    ],
  ];
  test.each(cases)("%s", async (_, run, message) => {
    const model = await classifier();
    const before = model.weights();
    await expect(Promise.resolve(run(model))).rejects.toThrow(message);
    expect(model.weights()).toEqual(before);
    await fit(model, points(32), { optimizer: "adam", loss });
    expect(model.weights()).not.toEqual(before);
  });

  test("options that cannot be are refused at once", async () => {
    const model = await classifier();
    expect(() => fit(model, points(8), { optimizer: "sgd", loss, epochs: -1 })).toThrow(RangeError);
    expect(() => fit(model, points(8), { optimizer: "sgd", loss, batchSize: 0 })).toThrow("batchSize");
  });
});

describe("a fit that is stopped keeps what it has learnt", () => {
  test("by a signal", async () => {
    const model = await classifier();
    const before = model.weights();
    const controller = new AbortController();
    const stop = { onTrainBatchEnd: ({ step }: FitStep) => step === 3 && controller.abort(new Error("enough")) };
    const run = fit(model, points(320), {
      optimizer: "adam",
      loss,
      epochs: 50,
      signal: controller.signal,
      callbacks: [stop as never],
    });
    await expect(Promise.resolve(run)).rejects.toThrow("enough");
    expect(model.weights()).not.toEqual(before);
    const three = await classifier();
    let steps = 0;
    for await (const _ of fit(three, points(320), { optimizer: "adam", loss, epochs: 50 })) if (++steps === 3) break;
    expect(model.weights()).toEqual(three.weights());
  });

  test("by leaving the loop; the run then resolves", async () => {
    const model = await classifier();
    const run = fit(model, points(64), { optimizer: "adam", loss, epochs: 3, batchSize: 32 });
    for await (const { epoch, step } of run) if (epoch === 2 && step === 1) break;
    expect((await run).epoch).toEqual([1]);
  });

  test("memory stays flat over many runs", async () => {
    const model = await classifier();
    const data = points(40);
    await fit(model, data, { optimizer: "adam", loss });
    const before = model.plan().memory;
    for (let i = 0; i < 30; i++) await fit(model, data, { optimizer: "adam", loss });
    expect(model.plan().memory).toBe(before);
  });
});

describe("the progress bar", () => {
  test("shows step, loss, metrics, speed and time left on a terminal", async () => {
    let shown = "";
    const stream = {
      isTTY: true,
      columns: 200,
      write: (text: string) => {
        shown += text;
      },
    };
    await fit(await classifier(), points(64), {
      optimizer: "adam",
      loss,
      metrics: ["accuracy"],
      epochs: 2,
      callbacks: [progressBar({ stream, interval: 0 })],
    });
    expect(shown).toMatch(
      /epoch 1\/2 \[#+-*\] 1\/2 {2}loss \d\.\d{4} {2}accuracy \d\.\d{4} {2}\d+ samples\/s {2}\d+:\d\d left/,
    );
    expect(shown.endsWith("\n")).toBe(true);
  });

  test("is quiet elsewhere", async () => {
    let shown = "";
    const stream = {
      isTTY: false,
      write: (text: string) => {
        shown += text;
      },
    };
    await fit(await classifier(), points(64), { optimizer: "adam", loss, callbacks: [progressBar({ stream })] });
    expect(shown).toBe("");
  });
});

test("a training step is one program: no call but its own runs between two steps", async () => {
  const model = await classifier(0.5);
  const { Training } = await import("../../src/train/training.js");
  const training = new Training(model, { optimizer: "adam", loss }, "test");
  const { y } = points(8);
  const program = training.program(8, { y: [y], weights: [] });
  const kernels = program.calls.each.map(({ kernel }) => kernel);
  expect(kernels.filter((kernel) => kernel === "f32_adam")).toHaveLength(4);
  expect(kernels).toContain("f32_sparse_softmax_cross_entropy");
  expect(kernels.filter((kernel) => kernel === "f32_dropout")).toHaveLength(2);
  expect(program.calls.once.map(({ kernel }) => kernel)).not.toContain("f32_gemm_pack"); // weights change at every step
});
