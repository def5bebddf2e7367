// A run that is stopped, saved and resumed is the run that never stopped, bit for bit.
import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/index.js";
import type { Model } from "../../src/index.js";
import {
  adafactor,
  adagrad,
  adam,
  adamW,
  type Callback,
  cosineDecay,
  type FitOptions,
  fit,
  modelCheckpoint,
  nadam,
  rmsprop,
  sgd,
  trainer,
} from "../../src/train/index.js";
import { classifier, loss, points } from "./points.js";

const data = points(90);
const optimizers = {
  "sgd with Nesterov momentum": () => sgd({ learningRate: cosineDecay(0.1, 12), momentum: 0.9, nesterov: true }),
  adam: () => adam({ learningRate: 0.01 }),
  "adamW with clipping": () => adamW({ globalClipNorm: 0.5 }),
  "adafactor with decay": () => adafactor({ learningRate: 0.1, weightDecay: 0.01 }),
  adagrad: () => adagrad({ learningRate: 0.1 }),
  nadam: () => nadam({ learningRate: 0.01 }),
  "centered rmsprop with momentum": () => rmsprop({ momentum: 0.5, centered: true }),
};

/** Trains, and gives the weights and the checkpoint of every epoch. */
async function run(model: Model, options: Partial<FitOptions>) {
  const checkpoints: Uint8Array[] = [];
  const keep = modelCheckpoint(
    (bytes) => {
      checkpoints.push(bytes);
    },
    { contents: "training" },
  );
  const callbacks = [...(options.callbacks ?? []), keep];
  const { epoch, history } = await fit(model, data, { optimizer: "adam", loss, ...options, callbacks });
  return { weights: model.weights(), checkpoints, epoch, history };
}

describe.each(Object.entries(optimizers))("%s", (_, make) => {
  test("fit goes on where it was, with dropout and shuffling", async () => {
    const whole = await run(await classifier(0.4), { optimizer: make(), epochs: 4, seed: 7 });
    const half = await run(await classifier(0.4), { optimizer: make(), epochs: 2, seed: 7 });
    const other = await classifier(0.4);
    other.initialize(99); // the checkpoint has the weights
    const rest = await run(other, { optimizer: make(), epochs: 4, resume: half.checkpoints[1] });
    expect(rest.epoch).toEqual([3, 4]);
    expect(rest.weights).toEqual(whole.weights);
    expect(rest.history.loss).toEqual(whole.history.loss.slice(2));
    expect(rest.checkpoints[1]).toEqual(whole.checkpoints[3]);
  });
});

describe("a run that is stopped in the middle of an epoch", () => {
  const options = { epochs: 3, seed: 5, batchSize: 16, metrics: ["accuracy"], validation: 0.2 } as const;
  /** Checkpoints of every step, and of every epoch. */
  async function every(more: Partial<FitOptions> = {}, model?: Model) {
    const steps: Uint8Array[] = [];
    const onTrainBatchEnd: Callback["onTrainBatchEnd"] = (_, { save }) => {
      steps.push(save());
    };
    const result = await run(model ?? (await classifier(0.4)), {
      ...options,
      ...more,
      callbacks: [{ onTrainBatchEnd }],
    });
    return { ...result, steps };
  }

  test("goes on after any step with the same bits: weights, logs and checkpoints", async () => {
    const whole = await every();
    expect(whole.steps).toHaveLength(15); // 72 samples in batches of 16: the last one of an epoch has 8
    for (const [i, resume] of whole.steps.entries()) {
      const other = await classifier(0.4);
      other.initialize(99);
      const rest = await every({ resume, seed: undefined }, other);
      const epoch = Math.floor(i / 5);
      expect(rest.weights, `step ${i + 1}`).toEqual(whole.weights);
      expect(rest.epoch).toEqual([1, 2, 3].slice(epoch));
      for (const [name, values] of Object.entries(whole.history))
        expect(rest.history[name], name).toEqual(values.slice(epoch));
      expect(rest.steps).toEqual(whole.steps.slice(i + 1));
      expect(rest.checkpoints).toEqual(whole.checkpoints.slice(epoch));
    }
  });

  test("goes on after an abort, and with a dataset", async () => {
    const elements = Array.from({ length: 50 }, (_, i) => ({
      x: Array.from(data.x.data.subarray(i * 4, i * 4 + 4)),
      y: data.y.data[i],
    }));
    const source = dataset(elements).shuffle(3);
    const learn = (model: Model, more: Partial<FitOptions>) =>
      fit(model, source, { optimizer: "adam", loss, epochs: 2, batchSize: 8, ...more });
    const whole = await classifier(0.4);
    const { history } = await learn(whole, {});
    const [model, stop] = [await classifier(0.4), new AbortController()];
    let resume: Uint8Array | undefined;
    const halt: Callback = {
      onTrainBatchEnd({ epoch, step }, { save }) {
        if (epoch !== 2 || step !== 4) return;
        resume = save();
        stop.abort();
      },
    };
    await expect(Promise.resolve(learn(model, { callbacks: [halt], signal: stop.signal }))).rejects.toThrow();
    const rest = await learn(model, { resume });
    expect(model.weights()).toEqual(whole.weights());
    expect(rest.history.loss).toEqual(history.loss.slice(1));
  });

  test("refuses other batches and other metrics, and begins an epoch anew where one is named", async () => {
    const { steps } = await every();
    await expect(every({ resume: steps[7], batchSize: 10 })).rejects.toThrow(
      "resume: expected the data and batchSize of the run, 48 samples in 3 steps, got 30",
    );
    await expect(every({ resume: steps[7], batchSize: 40 })).rejects.toThrow("48 samples in 3 steps, got 72");
    await expect(every({ resume: steps[7], metrics: ["mse"] as never })).rejects.toThrow(
      "resume: expected the loss and metrics of the run (loss, accuracy), got mse",
    );
    const again = await every({ resume: steps[7], initialEpoch: 2 });
    expect(again.epoch).toEqual([3]);
    expect(again.steps).toHaveLength(5);
  });
});

test("a trainer goes on where it was", async () => {
  const options = { optimizer: "adam", loss, seed: 3 } as const;
  const [a, b] = [await classifier(0.4), await classifier(0.4)];
  const one = trainer(a, options);
  for (let i = 0; i < 6; i++) one.step(data);
  let two = trainer(b, options);
  for (let i = 0; i < 6; i++) {
    two.step(data);
    two = trainer(b, { ...options, resume: two.save() });
  }
  expect(two.steps).toBe(6);
  expect(b.weights()).toEqual(a.weights());
  expect(two.save()).toEqual(one.save());
});

test("a learning rate that was set by hand goes on too", async () => {
  const model = await classifier();
  const first = trainer(model, { optimizer: "sgd", loss });
  first.learningRate = 0.123;
  expect(trainer(model, { optimizer: "sgd", loss, resume: first.save() }).learningRate).toBe(0.123);
});

test("initialEpoch skips epochs and their shuffles", async () => {
  const { epoch } = await run(await classifier(), { epochs: 5, initialEpoch: 3 });
  expect(epoch).toEqual([4, 5]);
});

describe("a checkpoint that does not fit is refused, and leaves everything as it was", () => {
  const cases: [string, (bytes: Uint8Array) => Partial<FitOptions>, string][] = [
    [
      "of another optimizer",
      (resume) => ({ resume, optimizer: "sgd" }),
      "resume: expected a run of sgd, got one of adam",
    ],
    ["cut off", (resume) => ({ resume: resume.subarray(0, resume.length - 4) }), "safetensors"],
    ["no checkpoint", () => ({ resume: new Uint8Array(3) }), "safetensors"],
    ["no bytes", () => ({ resume: "file" as never }), "resume: expected the bytes of a checkpoint, got string"],
    ["of other weights", (resume) => ({ resume, freeze: "dense" }), "belongs to nothing that is trained here"],
  ];
  test.each(cases)("%s", async (_, options, message) => {
    const { checkpoints } = await run(await classifier(), { epochs: 1 });
    const model = await classifier();
    const before = model.weights();
    const memory = model.plan().memory;
    for (let i = 0; i < 3; i++)
      await expect(run(model, { epochs: 2, ...options(checkpoints[0]) })).rejects.toThrow(message);
    expect(model.weights()).toEqual(before);
    expect(model.plan().memory).toBe(memory);
  });
});

test("a checkpoint is a safetensors file with slots beside the weights", async () => {
  const { readSafetensors } = await import("../../src/formats/safetensors.js");
  const stop: Callback = { onTrainBatchEnd: (_, { stop }) => stop() };
  const { checkpoints } = await run(await classifier(), { epochs: 9, callbacks: [stop] });
  expect(checkpoints).toHaveLength(1);
  const { tensors, metadata } = readSafetensors(checkpoints[0]);
  expect(Object.keys(tensors)).toContain("dense/kernel");
  expect(tensors["adam/dense/kernel/momentum"].shape).toEqual([4, 16]);
  expect(JSON.parse(metadata["lanewise.training"])).toEqual({
    version: 1,
    optimizer: "adam",
    steps: 1,
    epochs: 1,
    seed: 0,
  });
});
