// Training steps: forward, loss, backward, clipping and update as one program per batch size; the optimizer's states between them.
import { rangeError, typeError } from "../errors.js";
import { apply, type Graph, type Node, type Value } from "../graph/value.js";
import { topological } from "../graph/walk.js";
import { add, div } from "../ops/arithmetic.js";
import { argument, state, stateAttrs } from "../ops/leaf.js";
import { updateOps } from "../ops/update.js";
import { gradients } from "../passes/grad.js";
import { training } from "../passes/training.js";
import { lower } from "../program/lower.js";
import type { Model } from "../program/model.js";
import { layout } from "../program/plan.js";
import { Plan } from "../program/print.js";
import { optimize, type Program } from "../program/program.js";
import type { Tensor } from "../tensor.js";
import { feed } from "./batches.js";
import { type Begun, type RunState, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Clipping, checkClipping, clipGradients } from "./clipping.js";
import type { Companion } from "./companion.js";
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
  weighed,
} from "./objective.js";
import { type OptimizerName, resolveOptimizer } from "./optimizers/names.js";
import { assign, type Optimizer, type Slot, slotsOf } from "./optimizers/optimizer.js";
import { type LearningRates, rateFactors } from "./rates.js";
import { checkRecompute, type Recompute, recompute } from "./recompute.js";
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
  /**
   * What the learning rate of layers or weights is multiplied by, `{ conv2d: 0.1, "dense/bias": 2 }`, or a function of a weight's name; 0 is
   * the same as `freeze`. Default 1 for all.
   */
  learningRates?: LearningRates;
  /**
   * Compute results of the forward pass again on the way back instead of keeping them: less memory for more time, and the same bits. `true`
   * saves most, `"auto"` costs little, a list names layers; `trainer().plan()` tells what it saves. Default false.
   */
  recompute?: Recompute;
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
  "learningRates",
  "recompute",
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

/** What stands beside a weight. */
interface Beside {
  /** What its learning rate is multiplied by. */
  readonly factor: number;
  readonly slots: readonly Value[];
  readonly average: Value | undefined;
  /** The sum of gradients since the last update. */
  readonly accumulator: Value | undefined;
}

const statesOf = ({ slots, average, accumulator }: Beside): Value[] =>
  [...slots, average, accumulator].flatMap((value) => value ?? []);

/** How many batch sizes keep their programs. */
const PROGRAMS = 8;

/** The optimizer's states and the programs that use them; `fit` and `trainer` stand on it. */
export class Training {
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly trained: Trained;
  readonly seed: number;
  /** Batches done. */
  steps = 0;
  /** Epochs done; `fit` counts them. */
  epochs = 0;
  /** What of the next epoch is done, likewise. */
  begun: Begun | undefined;
  readonly #op: string;
  readonly #model: Model;
  readonly #clipping: Clipping | undefined;
  readonly #recompute: Recompute;
  /** In place of the optimizer's learning rate, once it was set. */
  #learningRate: number | undefined;
  /** By the name of the weight. */
  readonly #beside: ReadonlyMap<string, Beside>;
  readonly #companion: Companion | undefined;
  /** What the optimizer takes from memory, by the factor of the learning rate. */
  readonly #scalars: ReadonlyMap<number, readonly Value[]>;
  readonly #programs = new Map<string, Program>();

  /** @throws whatever is wrong with the options; then nothing stays allocated and no weight has changed */
  constructor(model: Model, options: TrainerOptions, op: string, companion?: Companion) {
    const { optimizer, seed, clipNorm, freeze, learningRates, recompute: again = false, resume } = options;
    this.#model = model;
    this.#op = op;
    this.optimizer = resolveOptimizer(optimizer, op);
    this.objective = resolveObjective(model, options, op);
    const factors = rateFactors(model, learningRates, op);
    const own = trainedWeights(model, freeze, op, (name) => factors.get(name) === 0);
    this.trained = { ...own, weights: new Map([...own.weights, ...(companion?.trained ?? [])]) };
    this.#companion = companion;
    checkRecompute(model, again, op);
    this.#recompute = again;
    if (clipNorm !== undefined) checkClipping(op, { clipNorm });
    this.#clipping = clipNorm === undefined ? this.optimizer.clipping : { globalClipNorm: clipNorm };
    const { average, accumulation = 1 } = this.optimizer;
    const zeros = ({ name, shape, initial }: Required<Slot>): Value =>
      state(name, shape, { kind: "constant", value: initial }, false);
    this.#beside = new Map(
      [...this.trained.weights].map(([name, { shape }]) => [
        name,
        {
          factor: factors.get(name) ?? 1,
          slots: slotsOf(this.optimizer, shape, name).map(zeros),
          average: average && zeros({ name: "average", shape, initial: 0 }),
          accumulator: accumulation > 1 ? zeros({ name: "gradient_accumulator", shape, initial: 0 }) : undefined,
        },
      ]),
    );
    const count = this.optimizer.scalars(1, 0).length;
    const used = new Set([...this.#beside.values()].map(({ factor }) => factor));
    this.#scalars = new Map(
      [...used].map((factor) => [factor, Array.from({ length: count }, (_, i) => argument(scalarName(i, factor)))]),
    );
    const saved = resume === undefined ? undefined : readCheckpoint(resume, this.optimizer.name, this.#states());
    this.seed = seed ?? saved?.run.seed ?? 0;
    if (!(Number.isSafeInteger(this.seed) && this.seed >= 0))
      throw rangeError({ op, expected: "seed to be an integer in [0, 2^53)", actual: String(seed) });
    try {
      this.#own().forEach((value, stream) => {
        model.store.add(value);
        model.store.initialize(value, this.seed, stream);
      });
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
    const step = this.steps + 1;
    const { accumulation = 1 } = this.optimizer;
    const updates = step % accumulation === 0;
    const program = this.program(samples.length, examples, updates);
    const { inputs, outputs } = program.layout.graph;
    feed(program, inputs, [...x, ...y, ...weights], samples);
    program.setArgument("rng", [this.seed | 0, Math.floor(this.seed / 2 ** 32) | 0, step]);
    for (const factor of updates ? this.#scalars.keys() : []) {
      this.optimizer.scalars(step / accumulation, this.learningRate * factor).forEach((number, i) => {
        program.setArgument(scalarName(i, factor), [number]);
      });
    }
    const lossOf = () => program.view(outputs[0])[0];
    if (!program.run(() => Number.isFinite(lossOf()))) throw lossError(this.#op, this.#model, program, lossOf(), step);
    this.steps = step;
    const numbers = outputs.flatMap((value) => Array.from(program.view(value), Number));
    if (updates) this.#updated();
    return numbers;
  }

  /** Updates done. */
  get updates(): number {
    return Math.floor(this.steps / (this.optimizer.accumulation ?? 1));
  }

  /** What follows an update: the sums of gradients begin anew, and so do averages after the first. */
  #updated(): void {
    const { store } = this.#model;
    for (const [name, { average, accumulator }] of this.#beside) {
      if (accumulator) store.view(accumulator).fill(0);
      if (average && this.updates === 1) store.view(average).set(store.view(this.trained.weights.get(name) as Value));
    }
    const { overwriteFrequency = Number.POSITIVE_INFINITY } = this.optimizer.average ?? {};
    if (this.updates % overwriteFrequency === 0) this.useAverages();
  }

  /** Puts the averages in the place of the weights, where there are any. */
  useAverages(): void {
    const { store } = this.#model;
    for (const [name, { average }] of this.updates === 0 ? [] : this.#beside)
      if (average) store.write(this.trained.weights.get(name) as Value, store.view(average));
  }

  /** All weights by name, those that are trained as their averages. @throws {TypeError} when the optimizer keeps none */
  averages(): Record<string, Tensor> {
    const { average } = this.optimizer;
    if (!average) throw typeError({ op: this.#op, expected: "an optimizer with useEma: true", actual: "one without" });
    const kept = this.updates === 0 ? [] : [...this.#beside].filter(([name]) => this.#model.names.states.has(name));
    const own = kept.map(([name, beside]) => [name, this.#model.store.read(beside.average as Value)]);
    return { ...this.#model.weights(), ...Object.fromEntries(own) };
  }

  /** The program of one training step for a batch size: one that updates the weights, or adds the gradients up. */
  program(batch: number, examples: Judging, updates = true): Program {
    const key = `${updates} ${judgingKey(examples, batch)}`;
    const program = this.#programs.get(key) ?? this.#newProgram(batch, examples, updates);
    this.#programs.delete(key);
    this.#programs.set(key, program);
    if (this.#programs.size > PROGRAMS) {
      const [oldest, stale] = this.#programs.entries().next().value as [string, Program];
      stale.free();
      this.#programs.delete(oldest);
    }
    return program;
  }

  #newProgram(batch: number, examples: Judging, updates: boolean): Program {
    const { graph, own } = this.#graph(batch, examples, updates);
    const how = this.#recompute;
    const last = (made: Graph) => (how === false ? made : recompute(made, own, this.#model, how));
    return trainingProgram(this.#model, graph, last);
  }

  /** The kernel calls and the memory of a step with such a batch. */
  plan(batch: number, examples: Judging): Plan {
    const { name, store, names } = this.#model;
    const program = this.program(batch, examples);
    const title = `${name}, training, batch ${batch}`;
    if (this.#recompute === false) return new Plan(program, store, names, title);
    const whole = layout(optimize(this.#graph(batch, examples, true).graph));
    const [now, before] = [program.layout.workspace, whole.workspace];
    const more = program.calls.each.length - lower(whole).each.length;
    const less = Math.round((100 * (before - now)) / Math.max(before, 1));
    const note = `recomputed: ${more} kernel calls more, workspace ${now} B instead of ${before} B (${less} % less)`;
    return new Plan(program, store, names, title, note);
  }

  /** The graph of a step, and how many of its effects are the forward pass's own. */
  #graph(batch: number, examples: Judging, updates: boolean): { graph: Graph; own: number } {
    const { weights, frozen } = this.trained;
    const list = [...weights.values()];
    const defined = this.#model.atBatch(batch);
    const count = defined.outputs.length;
    const terms = this.#companion?.terms(defined) ?? [];
    const whole = { ...defined, outputs: [...defined.outputs, ...terms] };
    const { graph: forward, penalties } = penalized(whole, list, (graph) => training(graph, frozen));
    const { targets, shares } = judgeInputs(this.objective, examples, batch);
    const more = [...penalties, ...forward.outputs.slice(count)];
    const { share = 1 } = this.#companion ?? {};
    const outputs = judge(weighed(this.objective, share), targets, forward.outputs.slice(0, count), more, shares);
    const plain = gradients(outputs[0], list);
    if (!plain.some(Boolean)) {
      const actual = "one that depends on none of them";
      throw typeError({ op: this.#op, expected: "a loss of the weights that are trained", actual });
    }
    // Each weight is updated as soon as the way back has met it, so that its gradient is not kept.
    const near = nearestFirst(plain);
    const made = updates
      ? this.#updates(plain)
      : this.#sums(plain).map((sums) => sums.map(([sum, next]) => assign(sum, next)));
    const effects = [...forward.effects, ...near.flatMap((i) => made[i])];
    const graph = { inputs: [...forward.inputs, ...targets, ...shares], outputs, effects };
    // One factor of all gradients needs them all before.
    const all = updates && this.#clipping?.globalClipNorm !== undefined;
    const order = all ? { order: near.map((i) => plain[i] as Value) } : {};
    return { graph: { ...graph, ...order }, own: forward.effects.length };
  }

  /** Of each weight the sum of its gradients, and what it is with that of this batch. */
  #sums(gradients: readonly (Value | undefined)[]): [sum: Value, next: Value][][] {
    return [...this.#beside.values()].map(({ accumulator }, i) => {
      const gradient = gradients[i];
      return gradient && accumulator ? [[accumulator, add(gradient, accumulator)]] : [];
    });
  }

  /** Updates of each weight, its slots and its average by the gradients, or by the mean of those that were added up. */
  #updates(plain: readonly (Value | undefined)[]): Value[][] {
    const { accumulation = 1, average } = this.optimizer;
    const sums = this.#sums(plain);
    const means = plain.map((gradient, i) => (sums[i].length > 0 ? div(sums[i][0][1], accumulation) : gradient));
    const clipped = clipGradients(means, this.#clipping);
    return [...this.#beside].map(([name, { factor, slots, average: moving }], i) => {
      const [gradient, weight] = [clipped[i], this.trained.weights.get(name) as Value];
      if (!gradient) return [];
      const scalars = this.#scalars.get(factor) as readonly Value[];
      const effects = [this.optimizer.update(weight, gradient, slots, scalars, name)].flat();
      return moving && average
        ? [...effects, apply(updateOps.average, [moving, effects[0]], { momentum: average.momentum })]
        : effects;
    });
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
    const slots = [...this.#beside].flatMap(([weight, beside]) =>
      statesOf(beside).map((value): [string, Value] => [
        `${this.optimizer.name}/${weight}/${stateAttrs(value).name}`,
        value,
      ]),
    );
    return new Map([...this.#model.names.states, ...(this.#companion?.trained ?? []), ...slots]);
  }

  /** States that are in the model's memory while it is trained. */
  #own(): Value[] {
    const { fixed = [], trained = new Map<string, Value>() } = this.#companion ?? {};
    return [...[...this.#beside.values()].flatMap(statesOf), ...fixed, ...trained.values()];
  }

  /** Gives the memory of states and programs back. */
  free(): void {
    for (const program of this.#programs.values()) program.free();
    this.#programs.clear();
    for (const value of this.#own()) this.#model.store.remove(value);
  }
}

const scalarName = (i: number, factor: number): string => `scalar_${i}${factor === 1 ? "" : `_${factor}`}`;

/** Positions of values by how many nodes lead to them at most: gradients in the order in which the way back meets them. */
function nearestFirst(values: readonly (Value | undefined)[]): number[] {
  const present = values.flatMap((value, i) => (value ? [{ i, node: value.node }] : []));
  const depths = new Map<Node, number>();
  for (const node of topological(values.flatMap((value) => value ?? [])))
    depths.set(node, Math.max(0, ...node.inputs.map((input) => (depths.get(input.node) as number) + 1)));
  const depth = ({ node }: { node: Node }) => depths.get(node) as number;
  return present.sort((a, b) => depth(a) - depth(b)).map(({ i }) => i);
}
