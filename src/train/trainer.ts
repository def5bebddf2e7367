// Training steps: forward, loss, backward and update as one program per batch size, driven by hand or by `fit`.
import { rangeError, UnsupportedError } from "../errors.js";
import type { Graph, Value } from "../graph/value.js";
import { argument, state } from "../ops/leaf.js";
import { gradients } from "../passes/grad.js";
import { training } from "../passes/training.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import type { Tensor } from "../tensor.js";
import { feed } from "./batches.js";
import { type Loss, type LossFunction, type LossName, resolveLoss } from "./losses.js";
import { type Metric, type MetricName, resolveMetric } from "./metrics.js";
import { checkExamples, type Examples, judge, judgeNames, type Objective, targetInputs } from "./objective.js";
import { type Optimizer, type OptimizerName, resolveOptimizer } from "./optimizers.js";

export interface TrainerOptions {
  optimizer: Optimizer | OptimizerName;
  loss: LossName | Loss | LossFunction;
  metrics?: readonly (MetricName | Metric)[];
  /** Of dropout; default 0. */
  seed?: number;
}

/** Loss and metrics by name. */
export type Logs = Record<string, number>;

/** Drives a model's training program by hand. */
export interface Trainer {
  /** One update with one batch; what it returns was computed before the update. */
  step(batch: Examples): Logs & { loss: number };
}

/** The optimizer's states and the programs that use them; `fit` and `trainer` stand on it. */
export class Training {
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly names: readonly string[];
  /** Steps done. */
  steps = 0;
  readonly #model: Model;
  readonly #seed: number;
  readonly #rate = argument("rate");
  readonly #slots: ReadonlyMap<Value, readonly Value[]>;
  readonly #programs = new Map<string, Program>();

  constructor(model: Model, { optimizer, loss, metrics = [], seed = 0 }: TrainerOptions, op: string) {
    this.#model = model;
    this.#seed = seed;
    this.optimizer = resolveOptimizer(optimizer);
    this.objective = { loss: resolveLoss(loss, op), metrics: metrics.map((metric) => resolveMetric(metric, op)) };
    this.names = judgeNames(model, this.objective);
    if (model.trainable.length === 0) throw new UnsupportedError(`${op}: the model has no weights to train`);
    const zeros = { kind: "constant", value: 0 } as const;
    this.#slots = new Map(
      model.trainable.map((w) => [w, this.optimizer.slots.map((name) => state(name, w.shape, zeros, false))]),
    );
    for (const slot of [...this.#slots.values()].flat()) {
      model.store.add(slot);
      model.store.initialize(slot, 0, 0);
    }
  }

  /**
   * Trains on some of the samples: copies them into the program's inputs and runs it.
   * @param x checked inputs; @param y checked targets; @param samples which of them
   * @returns loss and metrics, in the order of `names`
   */
  step(x: readonly Tensor[], y: readonly Tensor[], samples: Uint32Array): number[] {
    const program = this.program(samples.length, y);
    const { inputs, outputs } = program.layout.graph;
    feed(program, inputs, [...x, ...y], samples);
    const step = this.steps + 1;
    program.setArgument("rng", [this.#seed | 0, Math.floor(this.#seed / 2 ** 32) | 0, step]);
    program.setArgument("rate", [this.optimizer.rate(step)]);
    program.run();
    this.steps = step;
    return outputs.map((value) => program.view(value)[0]);
  }

  /** The program of one training step for a batch size. */
  program(batch: number, y: readonly Tensor[]): Program {
    const key = JSON.stringify([batch, ...y.map(({ shape, dtype }) => [dtype, ...shape.slice(1)])]);
    const program = this.#programs.get(key) ?? new Program(this.#model.store, this.#graph(batch, y));
    this.#programs.set(key, program);
    return program;
  }

  #graph(batch: number, y: readonly Tensor[]): Graph {
    const forward = training(this.#model.atBatch(batch));
    const targets = targetInputs(this.objective, y, batch);
    const outputs = judge(this.objective, targets, forward.outputs);
    const weights = [...this.#slots.keys()];
    const effects = gradients(outputs[0], weights).flatMap((gradient, i) => {
      const slots = this.#slots.get(weights[i]) as readonly Value[];
      return gradient ? [this.optimizer.update(weights[i], gradient, slots, this.#rate)] : [];
    });
    return { inputs: [...forward.inputs, ...targets], outputs, effects: [...forward.effects, ...effects] };
  }

  /** Gives the memory of states and programs back. */
  free(): void {
    for (const program of this.#programs.values()) program.free();
    for (const slot of [...this.#slots.values()].flat()) this.#model.store.remove(slot);
  }
}

/**
 * The training program of a model, one step at a time, for loops of one's own. Its optimizer states live as long as the model.
 * @param options.optimizer, options.loss, options.metrics as for `fit`
 * @example
 * const model = await build(input([4]), dense(3, { activation: "softmax" }));
 * const { step } = trainer(model, { optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
 * const { loss } = step({ x: tensor([[1, 2, 3, 4]]), y: tensor([2], [1], "int32") });
 */
export function trainer(model: Model, options: TrainerOptions): Trainer {
  const training = new Training(model, options, "trainer");
  return {
    step(batch) {
      const { x, y, count } = checkExamples(model, batch, training.objective, "trainer");
      if (count === 0) throw rangeError({ op: "trainer", expected: "at least one sample", actual: "none" });
      const numbers = training.step(
        x,
        y,
        Uint32Array.from({ length: count }, (_, i) => i),
      );
      return Object.fromEntries(training.names.map((name, i) => [name, numbers[i]])) as Logs & { loss: number };
    },
  };
}
