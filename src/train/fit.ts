// Training over epochs: await it for the history, or iterate it for progress per step.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import { permutation } from "../philox.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import type { Callback, FitContext, FitEpoch, FitStep, History, Maybe } from "./callbacks/callback.js";
import { beginning, checkSkipped } from "./checkpoint.js";
import type { Companion } from "./companion.js";
import { checkBatchSize, judgeBatches } from "./evaluate.js";
import { prepareTraining } from "./kernels.js";
import { addUp, type CheckedExamples, checkExamples, checkModel, type Examples, named } from "./objective.js";
import { FitRun } from "./run.js";
import { type Batches, fromDataset, fromMemory, isDataset, open, type TrainingData, until } from "./source.js";
import type { Logs } from "./trainer.js";
import { fitOptions, type TrainerOptions, Training } from "./training.js";
import { type ClassWeight, classWeights } from "./weighting.js";

export interface FitOptions extends TrainerOptions {
  /** The last epoch, counted from 1; default 1. */
  epochs?: number;
  /** Default 32. The last batch of an epoch may be smaller. Batches of a dataset stay as they are. */
  batchSize?: number;
  /** Draw the samples in a new order every epoch; default true. A dataset has its own order. */
  shuffle?: boolean;
  /** Epochs that are done already: training begins with the one after; default 0, or those of the run that is resumed. */
  initialEpoch?: number;
  /** Examples to judge the model by after every epoch, or the share of `data` at its end to keep for that (of a dataset, `split` does). */
  validation?: TrainingData | number;
  callbacks?: readonly Callback[];
  /** What the loss of each sample is multiplied by, [samples]; default `sampleWeight` of the data, or 1. */
  sampleWeight?: Examples["sampleWeight"];
  /** What samples of a class count in the loss, `{ 0: 1, 1: 5 }`; times `sampleWeight`. Not for validation. Default 1 for all. */
  classWeight?: ClassWeight;
  /** Stops between two steps, or while a dataset is waited for; the model keeps what it has learnt. */
  signal?: AbortSignal;
}

/**
 * Trains a model. The same data, options and seed give the same bits in every runtime.
 * @param data samples first: one tensor per input as `x`, one per output as `y` (a list, or by name); or a dataset of examples or batches of them,
 *   `{ x, y }` or `[x, y]`, each checked when its turn comes
 * @returns awaitable for the {@link History}; `for await` gives a {@link FitStep} after each step and may `break`
 * @throws {RangeError} for labels out of range and for numbers that are not finite, in the data or in the loss; {ShapeError} for shapes
 *   that do not fit. After any failure the model is as it was; after an abort or a `break` it keeps the steps done.
 * @example
 * const model = await build(input([2]), dense(2, { activation: "softmax" }));
 * const data = { x: tensor([[0, 1], [1, 0]]), y: tensor([0, 1], [2], "int32") };
 * const { history } = await fit(model, data, { optimizer: "adam", loss: "sparseCategoricalCrossentropy", epochs: 3 });
 * history.loss.length; // 3
 */
export function fit(model: Model, data: TrainingData, options: FitOptions): FitRun {
  return begin(model, data, options, "fit");
}

/** `fit` by another name. @param companion what the training program holds beside the model */
export function begin(
  model: Model,
  data: TrainingData,
  options: FitOptions,
  op: string,
  companion?: Companion,
): FitRun {
  checkModel(model, op);
  checkKeys(op, options, fitOptions satisfies readonly (keyof FitOptions)[]);
  const { epochs = 1, batchSize = 32, callbacks = [], shuffle = true, signal, validation } = options;
  checkBatchSize(batchSize, op);
  const refuse = (expected: string, given: unknown) => typeError({ op, expected, actual: told(given) });
  if (typeof shuffle !== "boolean") throw refuse("shuffle to be true or false", shuffle);
  if (!Array.isArray(callbacks) || callbacks.some((callback) => typeof callback !== "object" || callback === null))
    throw refuse("callbacks to be a list of callbacks", callbacks);
  if (signal !== undefined && typeof signal.throwIfAborted !== "function") throw refuse("an AbortSignal", signal);
  if (validation === null || !["undefined", "number", "object"].includes(typeof validation))
    throw refuse("validation to be examples, a dataset or a share", validation);
  for (const [name, count] of Object.entries({ epochs, initialEpoch: options.initialEpoch ?? 0 })) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw rangeError({ op, expected: `${name} to be a non-negative integer`, actual: String(count) });
  }
  const history: History = { epoch: [], history: {} };
  // What goes wrong later is told from where `fit` was called, as well.
  const called = (new Error().stack ?? "").replace(/^Error\n/, "");
  return new FitRun(history, run(model, data, { ...options, epochs, batchSize, op, companion }, history), called);
}

type Settings = FitOptions & {
  epochs: number;
  batchSize: number;
  op: string;
  companion: Companion | undefined;
};

async function* run(
  model: Model,
  data: TrainingData,
  settings: Settings,
  history: History,
): AsyncGenerator<FitStep, History> {
  const { callbacks = [], signal, epochs } = settings;
  const before = model.weights();
  let training: Training | undefined;
  const watch = stopwatch();
  try {
    training = new Training(model, settings, settings.op, settings.companion);
    await prepareTraining(model);
    const { batches, judged } = prepare(model, data, settings, training);
    const first = settings.initialEpoch ?? training.epochs;
    if (first !== training.epochs) training.begun = undefined;
    const { context, stopped } = control(model, training);
    const tell = async (call: (callback: Callback) => Maybe<void>) => {
      for (const callback of callbacks) {
        const waiting = call(callback);
        if (waiting instanceof Promise) await waiting;
      }
    };
    await tell((callback) => callback.onTrainBegin?.(context));
    let [done, stepsDone] = [0, 0];
    let counted: number | undefined; // steps of the last epoch
    const { objective } = training;
    const logsOf = (sums: readonly number[], count: number): Logs => (count === 0 ? {} : named(objective, sums, count));
    for (let epoch = first + 1; epoch <= epochs && !stopped(); epoch++) {
      await tell((callback) => callback.onEpochBegin?.(epoch, context));
      const start = watch.seconds();
      const begun = beginning(training.begun, objective.numbers);
      const { sums } = begun;
      let [step, seen] = [0, 0];
      for await (const { examples, samples, steps = counted } of until(signal, batches(epoch))) {
        signal?.throwIfAborted();
        if (stopped()) break;
        step++;
        seen += samples.length;
        if (step <= begun.steps) {
          if (step === begun.steps) checkSkipped(seen, begun);
          continue;
        }
        const numbers = training.step(examples, samples);
        addUp(objective, sums, numbers, samples.length);
        const named = Object.fromEntries(sums.map((x, i) => [objective.numbers[i].name, x]));
        training.begun = { steps: step, samples: seen, sums: named };
        done += samples.length;
        stepsDone++;
        const seconds = Math.max(watch.seconds(), 1e-6);
        const left = steps === undefined ? undefined : Math.max(0, (epochs - epoch + 1) * steps - step);
        const secondsLeft = left === undefined ? undefined : (left * seconds) / stepsDone;
        const event = {
          epoch,
          epochs,
          step,
          steps,
          loss: numbers[0],
          logs: logsOf(sums, seen),
          samplesPerSecond: done / seconds,
          secondsLeft,
        };
        await tell((callback) => callback.onTrainBatchEnd?.(event, context));
        await watch.breathe();
        yield event;
      }
      if (step < begun.steps && !stopped()) checkSkipped(seen, begun);
      counted = step;
      let logs = logsOf(sums, seen);
      if (judged) {
        const trained = [...training.trained.weights.values()];
        const values = await judgeBatches(model, judged(1), objective, trained);
        logs = { ...logs, ...Object.fromEntries(Object.entries(values).map(([name, x]) => [`val_${name}`, x])) };
      }
      history.epoch.push(epoch);
      for (const [name, x] of Object.entries(logs)) history.history[name] = [...(history.history[name] ?? []), x];
      training.epochs = epoch;
      training.begun = undefined;
      const { learningRate } = training;
      const end: FitEpoch = { epoch, epochs, logs, learningRate, seconds: watch.seconds() - start };
      await tell((callback) => callback.onEpochEnd?.(end, context));
    }
    training.useAverages();
    await tell((callback) => callback.onTrainEnd?.(history, context));
    return history;
  } catch (error) {
    if (!signal?.aborted) model.setWeights(before);
    throw error;
  } finally {
    training?.free();
  }
}

/** The batches to train on, their samples weighted, and those to judge by. */
function prepare(
  model: Model,
  data: TrainingData,
  settings: Settings,
  { objective, seed }: Training,
): { batches: Batches; judged: Batches | undefined } {
  const { validation, sampleWeight, classWeight, batchSize, shuffle = true, op } = settings;
  const share = typeof validation === "number" ? validation : undefined;
  const own = typeof validation === "object" ? open(model, validation, objective, { batchSize, op }) : undefined;
  const weigh = ({ y, weights }: CheckedExamples) => classWeights(y, classWeight, weights, op);
  if (isDataset(data)) {
    if (share !== undefined)
      throw typeError({ op, expected: "examples as validation (a dataset has split)", actual: String(share) });
    if (sampleWeight !== undefined)
      throw typeError({ op, expected: "sampleWeight in the dataset's elements", actual: "the option" });
    return { batches: fromDataset(model, data, objective, { batchSize, op, weigh }), judged: own };
  }
  const all = checkExamples(model, sampleWeight === undefined ? data : { ...data, sampleWeight }, objective, op);
  const [kept, held] = share === undefined ? [all, undefined] : split(all, share);
  if (kept.count === 0) throw rangeError({ op, expected: "at least one sample", actual: "none" });
  const order = shuffle ? (epoch: number) => permutation(kept.count, seed, epoch) : undefined;
  return {
    batches: fromMemory({ ...kept, weights: weigh(kept) }, batchSize, order),
    judged: held ? fromMemory(held, batchSize) : own,
  };
}

/** What callbacks get, and whether one has asked to stop. */
function control(model: Model, training: Training): { context: FitContext; stopped: () => boolean } {
  let ended = false;
  return {
    stopped: () => ended,
    context: {
      model,
      get learningRate() {
        return training.learningRate;
      },
      set learningRate(rate) {
        training.learningRate = rate;
      },
      get steps() {
        return training.steps;
      },
      stop() {
        ended = true;
      },
      averages: () => training.averages(),
      save: () => training.save(),
    },
  };
}

/** Keeps the last share of the samples apart. */
function split({ x, y, count, weights }: CheckedExamples, share: number): [CheckedExamples, CheckedExamples] {
  if (!(share > 0 && share < 1))
    throw rangeError({ op: "fit", expected: "validation to be a share in (0, 1)", actual: String(share) });
  const at = Math.floor(count * (1 - share));
  const part = (from: number, to: number): CheckedExamples => {
    const cut = ({ data, shape, dtype }: Tensor): Tensor => {
      const size = data.length / count;
      return { data: data.subarray(from * size, to * size), shape: [to - from, ...shape.slice(1)], dtype };
    };
    return { x: x.map(cut), y: y.map(cut), count: to - from, weights: weights.map(cut) };
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
