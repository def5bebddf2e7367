// Training one step at a time, for loops of one's own.
import { checkKeys, rangeError } from "../errors.js";
import type { Model } from "../program/model.js";
import type { Plan } from "../program/print.js";
import type { Tensor } from "../tensor.js";
import { checkExamples, checkModel, type Examples, named } from "./objective.js";
import { type TrainerOptions, Training, trainerOptions } from "./training.js";

/** Loss and metrics by name. */
export type Logs = Record<string, number>;

/** Drives a model's training program by hand. */
export interface Trainer {
  /**
   * One update with one batch; what it returns was computed before the update.
   * @throws {RangeError} when the loss is not finite: it names the first number that is not, and the weights are as before the step
   */
  step(batch: Examples): Logs & { loss: number };
  /** Of the next step; setting it puts a fixed rate in the place of the optimizer's own. */
  learningRate: number;
  /** Steps done, those of a run that was resumed among them. */
  readonly steps: number;
  /** The kernel calls and the memory of a step with such a batch; `String(plan)` is a table, which tells what `recompute` saves. */
  plan(batch: Examples): Plan;
  /**
   * All weights by name, those that are trained as the moving averages that an optimizer with `useEma` keeps: for `model.setWeights`.
   * @throws {TypeError} when the optimizer keeps none
   */
  averages(): Record<string, Tensor>;
  /** Weights, optimizer states, step count and seed as a safetensors file, for `resume`. */
  save(): Uint8Array;
}

/**
 * The training program of a model, one step at a time, for loops of one's own. Its optimizer states live as long as the model.
 * @param options as for `fit`; `resume` takes what `save` gave, and the run goes on as if it had never stopped, bit for bit
 * @throws {TypeError} or {RangeError} for options that cannot be, {FormatError} for a checkpoint that does not fit
 * @example
 * const model = await build(input([4]), dense(3, { activation: "softmax" }));
 * const options = { optimizer: "adam", loss: "sparseCategoricalCrossentropy" };
 * const { step, save } = trainer(model, options);
 * const { loss } = step({ x: tensor([[1, 2, 3, 4]]), y: tensor([2], [1], "int32") });
 * const later = trainer(model, { ...options, resume: save() });
 * later.steps; // 1
 */
export function trainer(model: Model, options: TrainerOptions): Trainer {
  checkModel(model, "trainer");
  checkKeys("trainer", options, trainerOptions);
  const training = new Training(model, options, "trainer");
  return {
    step(batch) {
      const examples = checkExamples(model, batch, training.objective, "trainer");
      if (examples.count === 0) throw rangeError({ op: "trainer", expected: "at least one sample", actual: "none" });
      const all = Uint32Array.from({ length: examples.count }, (_, i) => i);
      const numbers = training.step(examples, all);
      training.begun = undefined; // this was no step of an epoch
      return named(training.objective, numbers, 1) as Logs & { loss: number };
    },
    get learningRate() {
      return training.learningRate;
    },
    set learningRate(rate) {
      training.learningRate = rate;
    },
    get steps() {
      return training.steps;
    },
    plan(batch) {
      const examples = checkExamples(model, batch, training.objective, "trainer");
      return training.plan(examples.count, examples);
    },
    averages: () => training.averages(),
    save: () => training.save(),
  };
}
