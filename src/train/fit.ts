// Training over epochs: await it for the history, or iterate it for progress per step.
import { rangeError } from "../errors.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { permutation } from "./batches.js";
import type { Callback, FitEpoch, FitStep, History } from "./callbacks.js";
import { checkBatchSize, judgeExamples } from "./evaluate.js";
import { type CheckedExamples, checkExamples, type Examples } from "./objective.js";
import { FitRun } from "./run.js";
import { type Logs, type TrainerOptions, Training } from "./trainer.js";

export interface FitOptions extends TrainerOptions {
  /** Default 1. */
  epochs?: number;
  /** Default 32. The last batch of an epoch may be smaller. */
  batchSize?: number;
  /** Draw the samples in a new order every epoch; default true. */
  shuffle?: boolean;
  /** Of shuffling and dropout; default 0. */
  seed?: number;
  /** Examples to judge the model by after every epoch, or the share of `data` at its end to keep for that. */
  validation?: Examples | number;
  callbacks?: readonly Callback[];
  /** Stops between two steps; the model keeps what it has learnt. */
  signal?: AbortSignal;
}

/**
 * Trains a model. The same data, options and seed give the same bits in every runtime.
 * @param data samples first: one tensor per input as `x`, one per output as `y`
 * @returns awaitable for the {@link History}; `for await` gives a {@link FitStep} after each step and may `break`
 * @throws {RangeError} for labels out of range and for numbers that are not finite, in the data or in the loss; {ShapeError} for shapes
 *   that do not fit. After any failure the model is as it was; after an abort or a `break` it keeps the steps done.
 * @example
 * const model = await build(input([2]), dense(2, { activation: "softmax" }));
 * const data = { x: tensor([[0, 1], [1, 0]]), y: tensor([0, 1], [2], "int32") };
 * const { history } = await fit(model, data, { optimizer: "adam", loss: "sparseCategoricalCrossentropy", epochs: 3 });
 * history.loss.length; // 3
 */
export function fit(model: Model, data: Examples, options: FitOptions): FitRun {
  const { epochs = 1, batchSize = 32 } = options;
  checkBatchSize(batchSize, "fit");
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw rangeError({ op: "fit", expected: "epochs to be a non-negative integer", actual: String(epochs) });
  }
  const history: History = { epoch: [], history: {} };
  return new FitRun(history, run(model, data, { ...options, epochs, batchSize }, history));
}

type Settings = FitOptions & { epochs: number; batchSize: number };

async function* run(
  model: Model,
  data: Examples,
  { shuffle = true, seed = 0, callbacks = [], signal, validation, epochs, batchSize, ...options }: Settings,
  history: History,
): AsyncGenerator<FitStep, History> {
  const before = model.weights();
  const training = new Training(model, { ...options, seed }, "fit");
  const watch = stopwatch();
  try {
    const all = checkExamples(model, data, training.objective, "fit");
    const [examples, held] = typeof validation === "number" ? split(all, validation) : [all, undefined];
    const judged =
      held ??
      (validation === undefined || typeof validation === "number"
        ? undefined
        : checkExamples(model, validation, training.objective, "fit"));
    if (examples.count === 0) throw rangeError({ op: "fit", expected: "at least one sample", actual: "none" });
    const steps = Math.ceil(examples.count / batchSize);
    for (const callback of callbacks) callback.onTrainBegin?.();
    let done = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = shuffle
        ? permutation(examples.count, seed, epoch)
        : Uint32Array.from({ length: examples.count }, (_, i) => i);
      const start = watch.seconds();
      const sums = training.names.map(() => 0);
      let logs: Logs = {};
      for (let step = 1; step <= steps; step++) {
        signal?.throwIfAborted();
        const samples = order.subarray((step - 1) * batchSize, step * batchSize);
        const numbers = training.step(examples.x, examples.y, samples);
        checkLoss(numbers[0], training.steps);
        const seen = (step - 1) * batchSize + samples.length;
        numbers.forEach((x, i) => {
          sums[i] += x * samples.length;
        });
        logs = Object.fromEntries(training.names.map((name, i) => [name, sums[i] / seen]));
        done += samples.length;
        const samplesPerSecond = done / Math.max(watch.seconds(), 1e-6);
        const secondsLeft = (epochs * examples.count - done) / samplesPerSecond;
        const event = { epoch, epochs, step, steps, loss: numbers[0], logs, samplesPerSecond, secondsLeft };
        for (const callback of callbacks) callback.onTrainBatchEnd?.(event);
        await watch.breathe();
        yield event;
      }
      if (judged) {
        const values = judgeExamples(model, judged, training.objective, batchSize);
        logs = { ...logs, ...Object.fromEntries(Object.entries(values).map(([name, x]) => [`val_${name}`, x])) };
      }
      history.epoch.push(epoch);
      for (const [name, x] of Object.entries(logs)) history.history[name] = [...(history.history[name] ?? []), x];
      const end: FitEpoch = { epoch, epochs, logs, seconds: watch.seconds() - start };
      for (const callback of callbacks) callback.onEpochEnd?.(end);
    }
    for (const callback of callbacks) callback.onTrainEnd?.(history);
    return history;
  } catch (error) {
    if (!signal?.aborted) model.setWeights(before);
    throw error;
  } finally {
    training.free();
  }
}

function checkLoss(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw rangeError({
    op: "fit",
    expected: "a finite loss",
    actual: `${loss} at step ${step}; a smaller learning rate may help`,
  });
}

/** Keeps the last share of the samples apart. */
function split({ x, y, count }: CheckedExamples, share: number): [CheckedExamples, CheckedExamples] {
  if (!(share > 0 && share < 1))
    throw rangeError({ op: "fit", expected: "validation to be a share in (0, 1)", actual: String(share) });
  const at = Math.floor(count * (1 - share));
  const part = (from: number, to: number): CheckedExamples => {
    const cut = ({ data, shape, dtype }: Tensor): Tensor => {
      const size = data.length / count;
      return { data: data.subarray(from * size, to * size), shape: [to - from, ...shape.slice(1)], dtype };
    };
    return { x: x.map(cut), y: y.map(cut), count: to - from };
  };
  return [part(0, at), part(at, count)];
}

/** Time since it was made, and pauses so that timers, signals and pages get their turn. */
function stopwatch() {
  const start = performance.now();
  let rested = start;
  return {
    seconds: () => (performance.now() - start) / 1000,
    async breathe() {
      if (performance.now() - rested < 50) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      rested = performance.now();
    },
  };
}
