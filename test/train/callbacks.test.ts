import { describe, expect, test } from "vitest";
import { load, type Model, type Tensor } from "../../src/index.js";
import {
  type Callback,
  csvLogger,
  earlyStopping,
  type FitContext,
  type FitEpoch,
  fit,
  lambda,
  learningRateScheduler,
  modelCheckpoint,
  reduceLROnPlateau,
  sgd,
} from "../../src/train/index.js";
import { classifier, loss, points } from "./points.js";

/** Feeds a callback epochs that say what a test wants, and tells what it did. */
async function play(callback: Callback, values: readonly number[], { monitor = "val_loss", rate = 1 } = {}) {
  const rates: number[] = [];
  const restored: unknown[] = [];
  let stopped = 0;
  let now = 0;
  const context = {
    model: {
      weights: () => ({ of: now }),
      setWeights: (weights: unknown) => restored.push(weights),
    } as unknown as Model,
    learningRate: rate,
    steps: 0,
    stop() {
      stopped ||= now;
    },
    averages: () => ({}),
    save: () => new Uint8Array(),
  } satisfies FitContext;
  await callback.onTrainBegin?.(context);
  for (const [i, value] of values.entries()) {
    now = i + 1;
    await callback.onEpochBegin?.(now, context);
    const logs = { [monitor]: value };
    const epoch: FitEpoch = { epoch: now, epochs: 99, logs, learningRate: context.learningRate, seconds: 1 };
    await callback.onEpochEnd?.(epoch, context);
    rates.push(context.learningRate);
    if (stopped) break;
  }
  await callback.onTrainEnd?.({ epoch: [], history: {} }, context);
  return { stopped, rates, restored };
}

describe("earlyStopping", () => {
  test.each<[string, Parameters<typeof earlyStopping>[0], number[], number]>([
    ["after `patience` epochs without improvement", { patience: 2 }, [3, 2, 2.5, 2.1, 1], 4],
    ["not at the first epoch", { patience: 0 }, [3, 4], 2],
    ["when the improvement is too small", { patience: 1, minDelta: 0.5 }, [3, 2.8, 1], 2],
    ["when more is better", { monitor: "val_accuracy", patience: 1 }, [0.5, 0.6, 0.6, 0.9], 3],
    ["never while it improves", { patience: 1 }, [5, 4, 3, 2], 0],
    ["at the baseline", { patience: 2, baseline: 1 }, [3, 2, 1.5, 1.6, 1.7], 4],
    ["from an epoch on", { patience: 1, startFromEpoch: 2 }, [1, 2, 3, 4], 4],
    ["as the mode says", { patience: 1, mode: "max" }, [1, 2, 1], 3],
  ])("stops %s", async (_, options, values, expected) => {
    expect((await play(earlyStopping(options), values, options)).stopped).toBe(expected);
  });

  test("puts the weights of the best epoch back", async () => {
    const callback = earlyStopping({ patience: 2, restoreBestWeights: true });
    expect((await play(callback, [3, 1, 2, 2])).restored).toEqual([{ of: 2 }]);
    expect((await play(callback, [1, 2, 2])).restored).toEqual([{ of: 1 }]); // used again, begins anew
  });

  test("ends a fit, and its weights are those of the best epoch", async () => {
    const model = await classifier();
    const best: Record<string, Tensor>[] = [];
    const keep = lambda({ onEpochEnd: ({ epoch }, { model: m }) => void (epoch === 1 && best.push(m.weights())) });
    const rise = learningRateScheduler((epoch) => (epoch === 0 ? 0.01 : 20));
    const stop = earlyStopping({ monitor: "loss", patience: 2, restoreBestWeights: true });
    const { epoch } = await fit(model, points(64), {
      optimizer: "sgd",
      loss,
      epochs: 50,
      callbacks: [rise, keep, stop],
    });
    expect(epoch.length).toBeLessThan(50);
    expect(model.weights()).toEqual(best[0]);
  });

  test("says which numbers there are when it is to watch another", async () => {
    const run = fit(await classifier(), points(8), { optimizer: "sgd", loss, callbacks: [earlyStopping()] });
    await expect(Promise.resolve(run)).rejects.toThrow(
      'earlyStopping: expected a number to monitor of loss, got "val_loss" (give fit validation)',
    );
  });
});

describe("reduceLROnPlateau", () => {
  test.each<[string, Parameters<typeof reduceLROnPlateau>[0], number[], number[]]>([
    ["after patience", { factor: 0.5, patience: 2 }, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25]],
    ["not while it improves", { factor: 0.5, patience: 1 }, [3, 2, 1], [1, 1, 1]],
    ["waits while cooling down", { factor: 0.5, patience: 1, cooldown: 2 }, [3, 3, 3, 3, 3], [1, 0.5, 0.5, 0.25, 0.25]],
    [
      "not below the least rate",
      { factor: 0.1, patience: 1, minLearningRate: 0.05 },
      [3, 3, 3, 3],
      [1, 0.1, 0.05, 0.05],
    ],
  ])("%s", async (_, options, values, expected) => {
    expect((await play(reduceLROnPlateau(options), values)).rates).toEqual(expected);
  });
  test("refuses a factor that does not reduce", () => {
    expect(() => reduceLROnPlateau({ factor: 1 })).toThrow("a factor in (0, 1)");
  });
});

test("learningRateScheduler gets epochs from 0 and the rate before, and the rate is used", async () => {
  const model = await classifier();
  const before = model.weights();
  const seen: [number, number][] = [];
  const rates: number[] = [];
  await fit(model, points(32), {
    optimizer: sgd({ learningRate: 0.5 }),
    loss,
    epochs: 3,
    callbacks: [
      learningRateScheduler((epoch, rate) => {
        seen.push([epoch, rate]);
        return 0;
      }),
      { onEpochEnd: ({ learningRate }) => void rates.push(learningRate) },
    ],
  });
  expect(seen).toEqual([
    [0, 0.5],
    [1, 0],
    [2, 0],
  ]);
  expect(rates).toEqual([0, 0, 0]);
  expect(model.weights()).toEqual(before);
});

describe("modelCheckpoint", () => {
  test("gives the bytes of every epoch's model to a function and waits for it", async () => {
    const model = await classifier();
    const files: Uint8Array[] = [];
    const order: string[] = [];
    const keep = modelCheckpoint(async (bytes, { epoch }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      files.push(bytes);
      order.push(`saved ${epoch}`);
    });
    const mark = lambda({ onEpochBegin: (epoch) => void order.push(`epoch ${epoch}`) });
    await fit(model, points(32), { optimizer: "adam", loss, epochs: 2, callbacks: [keep, mark] });
    expect(order).toEqual(["epoch 1", "saved 1", "epoch 2", "saved 2"]);
    expect((await load(files[1])).weights()).toEqual(model.weights());
    expect((await load(files[0])).weights()).not.toEqual(model.weights());
  });

  test("keeps the best only", async () => {
    const saved: number[] = [];
    const note = (_: Uint8Array, { epoch }: FitEpoch) => void saved.push(epoch);
    const save = modelCheckpoint(note, { saveBestOnly: true, contents: "training" });
    await play(save, [3, 4, 2, 2, 1]);
    expect(saved).toEqual([1, 3, 5]);
    saved.length = 0;
    await play(modelCheckpoint(note, { saveBestOnly: true, contents: "training", initialValueThreshold: 2.5 }), [3, 2]);
    expect(saved).toEqual([2]);
  });
});

test("csvLogger writes a header and a line per epoch", async () => {
  let table = "";
  const write = (text: string) => {
    table += text;
  };
  const model = await classifier();
  const options = { optimizer: sgd({ learningRate: 0.25 }), loss, metrics: ["accuracy"], validation: 0.5 } as const;
  const { history } = await fit(model, points(32), { ...options, epochs: 2, callbacks: [csvLogger(write)] });
  const [head, one, two, rest] = table.split("\n");
  expect(head).toBe("epoch,learning_rate,accuracy,loss,val_accuracy,val_loss");
  expect(one).toBe(
    ["1", "0.25", ...["accuracy", "loss", "val_accuracy", "val_loss"].map((k) => history[k][0])].join(","),
  );
  expect(two.startsWith("2,0.25,")).toBe(true);
  expect(rest).toBe("");
  table = "";
  await fit(model, points(32), { ...options, callbacks: [csvLogger(write, { append: true, separator: ";" })] });
  expect(table).toMatch(/^1;0\.25;[^\n]+\n$/);
});

describe("a callback", () => {
  test("may stop training within an epoch, whose end still comes", async () => {
    const calls: string[] = [];
    const callback: Callback = {
      onTrainBegin: () => void calls.push("train"),
      onEpochBegin: (epoch) => void calls.push(`epoch ${epoch}`),
      onTrainBatchEnd({ step }, { stop, steps }) {
        calls.push(`step ${step} of ${steps}`);
        if (steps === 4) stop();
      },
      onEpochEnd: ({ epoch }) => void calls.push(`end ${epoch}`),
      onTrainEnd: ({ epoch }) => void calls.push(`done ${epoch}`),
    };
    await fit(await classifier(), points(96), { optimizer: "sgd", loss, epochs: 9, callbacks: [callback] });
    const first = ["train", "epoch 1", "step 1 of 1", "step 2 of 2", "step 3 of 3", "end 1"];
    expect(calls).toEqual([...first, "epoch 2", "step 1 of 4", "end 2", "done 1,2"]);
  });

  test("that fails later, in a promise, fails the run, and the weights are as before", async () => {
    const model = await classifier();
    const before = model.weights();
    const fail = lambda({ onEpochEnd: async () => Promise.reject(new Error("disk full")) });
    const run = fit(model, points(32), { optimizer: "adam", loss, callbacks: [fail] });
    await expect(Promise.resolve(run)).rejects.toThrow("disk full");
    expect(model.weights()).toEqual(before);
  });
});
