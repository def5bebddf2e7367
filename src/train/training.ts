// Training steps: forward, loss, backward, clipping and update as one program per batch size; the optimizer's states between them.
import { rangeError, typeError } from "../errors.js";
import type { Graph, Value } from "../graph/value.js";
import { argument, state, stateAttrs } from "../ops/leaf.js";
import { gradients } from "../passes/grad.js";
import { training } from "../passes/training.js";
import type { Model } from "../program/model.js";
import type { Program } from "../program/program.js";
import type { Tensor } from "../tensor.js";
import { feed } from "./batches.js";
import { type Begun, type RunState, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Clipping, checkClipping, clipGradients } from "./clipping.js";
import { lossError } from "./diagnose.js";
import { type Freeze, type Trained, trainedWeights } from "./freeze.js";
import { trainingProgram } from "./kernels.js";
import {
  type CheckedExamples,
  type Judging,
  judge,
  judgeInputs,
  judgingKey,
  type LossOptions,
  type MetricOptions,
  type Objective,
  resolveObjective,
} from "./objective.js";
import { type OptimizerName, resolveOptimizer } from "./optimizers/names.js";
import { type Optimizer, slotsOf } from "./optimizers/optimizer.js";
import { penalized } from "./regularization.js";

export interface TrainerOptions extends LossOptions, MetricOptions {
  optimizer: Optimizer | OptimizerName;
  /** Of dropout (and of shuffling in `fit`); default 0, or that of the run that is resumed. */
  seed?: number;
  /** Highest norm over all gradients together, in place of the optimizer's own clipping; default none. */
  clipNorm?: number;
  /**
   * What is not trained: names of layers (`dense_1`) or of weights (`dense_1/bias`), or a function that says so of such a name. Batch
   * normalization of which nothing is trained uses its moving statistics and leaves them alone.
   */
  freeze?: Freeze;
  /** A checkpoint (of `trainer().save()`, or of a callback's `context.save()`) to go on from, bit for bit. */
  resume?: Uint8Array;
}

export const trainerOptions = [
  "optimizer",
  "loss",
  "lossWeights",
  "metrics",
  "seed",
  "clipNorm",
  "freeze",
  "resume",
] as const satisfies (keyof TrainerOptions)[];

/** Those of `fit`; `evaluate` takes the same object, and reads what concerns it. */
export const fitOptions = [
  ...trainerOptions,
  "epochs",
  "batchSize",
  "shuffle",
  "initialEpoch",
  "validation",
  "callbacks",
  "sampleWeight",
  "classWeight",
  "signal",
] as const;

/** How many batch sizes keep their programs. */
const PROGRAMS = 8;

/** The optimizer's states and the programs that use them; `fit` and `trainer` stand on it. */
export class Training {
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly trained: Trained;
  readonly seed: number;
  /** Steps done. */
  steps = 0;
  /** Epochs done; `fit` counts them. */
  epochs = 0;
  /** What of the next epoch is done, likewise. */
  begun: Begun | undefined;
  readonly #op: string;
  readonly #model: Model;
  readonly #clipping: Clipping | undefined;
  /** In place of the optimizer's learning rate, once it was set. */
  #learningRate: number | undefined;
  readonly #scalars: readonly Value[];
  /** Slots by the name of their weight. */
  readonly #slots: ReadonlyMap<string, readonly Value[]>;
  readonly #programs = new Map<string, Program>();

  /** @throws whatever is wrong with the options; then nothing stays allocated and no weight has changed */
  constructor(model: Model, options: TrainerOptions, op: string) {
    const { optimizer, seed, clipNorm, freeze, resume } = options;
    this.#model = model;
    this.#op = op;
    this.optimizer = resolveOptimizer(optimizer, op);
    this.objective = resolveObjective(model, options, op);
    this.trained = trainedWeights(model, freeze, op);
    if (clipNorm !== undefined) checkClipping(op, { clipNorm });
    this.#clipping = clipNorm === undefined ? this.optimizer.clipping : { globalClipNorm: clipNorm };
    this.#scalars = this.optimizer.scalars(1, 0).map((_, i) => argument(`scalar_${i}`));
    this.#slots = new Map(
      [...this.trained.weights].map(([name, { shape }]) => [
        name,
        slotsOf(this.optimizer, shape, name).map((slot) =>
          state(slot.name, slot.shape, { kind: "constant", value: slot.initial }, false),
        ),
      ]),
    );
    const saved = resume === undefined ? undefined : readCheckpoint(resume, this.optimizer.name, this.#states());
    this.seed = seed ?? saved?.run.seed ?? 0;
    if (!(Number.isSafeInteger(this.seed) && this.seed >= 0))
      throw rangeError({ op, expected: "seed to be an integer in [0, 2^53)", actual: String(seed) });
    try {
      for (const slot of [...this.#slots.values()].flat()) {
        model.store.add(slot);
        model.store.initialize(slot, 0, 0);
      }
    } catch (error) {
      this.free();
      throw error;
    }
    if (saved) this.#restore(saved.run, saved.tensors);
  }

  /** Of the next step. */
  get learningRate(): number {
    return this.#learningRate ?? this.optimizer.learningRate(this.steps);
  }

  set learningRate(rate: number) {
    if (!(Number.isFinite(rate) && rate >= 0))
      throw rangeError({ op: this.#op, expected: "a learning rate of at least 0", actual: String(rate) });
    this.#learningRate = rate;
  }

  /**
   * Trains on some of the samples: copies them into the program's inputs and runs it.
   * @param samples which of the checked examples
   * @returns the objective's numbers, from before the update
   * @throws {RangeError} when the loss is not finite: it names the first number that is not, and the weights are as before the step
   */
  step(examples: CheckedExamples, samples: Uint32Array): number[] {
    const { x, y, weights } = examples;
    const program = this.program(samples.length, examples);
    const { inputs, outputs } = program.layout.graph;
    feed(program, inputs, [...x, ...y, ...weights], samples);
    const step = this.steps + 1;
    program.setArgument("rng", [this.seed | 0, Math.floor(this.seed / 2 ** 32) | 0, step]);
    this.optimizer.scalars(step, this.learningRate).forEach((number, i) => {
      program.setArgument(`scalar_${i}`, [number]);
    });
    const lossOf = () => program.view(outputs[0])[0];
    if (!program.run(() => Number.isFinite(lossOf()))) throw lossError(this.#op, this.#model, program, lossOf(), step);
    this.steps = step;
    return outputs.flatMap((value) => Array.from(program.view(value), Number));
  }

  /** The program of one training step for a batch size. */
  program(batch: number, examples: Judging): Program {
    const key = judgingKey(examples, batch);
    const program = this.#programs.get(key) ?? trainingProgram(this.#model, this.#graph(batch, examples));
    this.#programs.delete(key);
    this.#programs.set(key, program);
    if (this.#programs.size > PROGRAMS) {
      const [oldest, stale] = this.#programs.entries().next().value as [string, Program];
      stale.free();
      this.#programs.delete(oldest);
    }
    return program;
  }

  #graph(batch: number, examples: Judging): Graph {
    const { weights, frozen } = this.trained;
    const list = [...weights.values()];
    const { graph: forward, penalties } = penalized(this.#model.atBatch(batch), list, (graph) =>
      training(graph, frozen),
    );
    const { targets, shares } = judgeInputs(this.objective, examples, batch);
    const outputs = judge(this.objective, targets, forward.outputs, penalties, shares);
    const clipped = clipGradients(gradients(outputs[0], list), this.#clipping);
    if (!clipped.some(Boolean)) {
      const actual = "one that depends on none of them";
      throw typeError({ op: this.#op, expected: "a loss of the weights that are trained", actual });
    }
    const effects = [...weights].flatMap(([name, weight], i) => {
      const gradient = clipped[i];
      const slots = this.#slots.get(name) as readonly Value[];
      return gradient ? [this.optimizer.update(weight, gradient, slots, this.#scalars, name)].flat() : [];
    });
    return {
      inputs: [...forward.inputs, ...targets, ...shares],
      outputs,
      effects: [...forward.effects, ...effects],
    };
  }

  /** Everything that a run needs to go on, as the bytes of a safetensors file. */
  save(): Uint8Array {
    const { store } = this.#model;
    const tensors = [...this.#states()].map(([name, value]) => [name, store.read(value)] as const);
    const { name: optimizer } = this.optimizer;
    const { steps, epochs, seed, begun } = this;
    return writeCheckpoint(
      { optimizer, steps, epochs, seed, learningRate: this.#learningRate, begun },
      Object.fromEntries(tensors),
    );
  }

  #restore({ steps, epochs, learningRate, begun }: RunState, tensors: ReadonlyMap<string, Tensor>): void {
    for (const [name, value] of this.#states()) this.#model.store.write(value, (tensors.get(name) as Tensor).data);
    this.steps = steps;
    this.epochs = epochs;
    this.begun = begun;
    this.#learningRate = learningRate;
  }

  /** All that a checkpoint holds: the model's weights, and the optimizer's states as `<optimizer>/<weight>/<slot>`. */
  #states(): Map<string, Value> {
    const slots = [...this.#slots].flatMap(([weight, values]) =>
      values.map((value): [string, Value] => [`${this.optimizer.name}/${weight}/${stateAttrs(value).name}`, value]),
    );
    return new Map([...this.#model.names.states, ...slots]);
  }

  /** Gives the memory of states and programs back. */
  free(): void {
    for (const program of this.#programs.values()) program.free();
    this.#programs.clear();
    for (const slot of [...this.#slots.values()].flat()) this.#model.store.remove(slot);
  }
}
