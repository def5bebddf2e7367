// Loss and metrics of a model over examples, without training.
import { checkKeys, rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { inference } from "../passes/inference.js";
import type { Model } from "../program/model.js";
import type { Program } from "../program/program.js";
import { feed } from "./batches.js";
import { prepareTraining, trainingProgram } from "./kernels.js";
import {
  addUp,
  checkModel,
  type Judging,
  judge,
  judgeInputs,
  judgingKey,
  type LossOptions,
  type MetricOptions,
  named,
  type Objective,
  resolveObjective,
} from "./objective.js";
import { penalized } from "./regularization.js";
import { type Batch, open, type TrainingData } from "./source.js";
import type { Logs } from "./trainer.js";
import { fitOptions } from "./training.js";

export interface EvaluateOptions extends LossOptions, MetricOptions {
  /** Default 32; only memory and speed depend on it. */
  batchSize?: number;
}

/** @throws {RangeError} unless the batch size is a positive integer */
export function checkBatchSize(batchSize: number, op: string): void {
  if (Number.isSafeInteger(batchSize) && batchSize >= 1) return;
  throw rangeError({ op, expected: "batchSize to be a positive integer", actual: String(batchSize) });
}

/**
 * Loss and metrics, averaged over all samples.
 * @param data one tensor per input as `x` and per output as `y`, samples first; or a dataset of examples or batches, as for `fit`
 * @returns `{ loss, [metric]: number }`
 * @throws {RangeError} for labels out of range or numbers that are not finite, {ShapeError} for shapes that do not fit
 * @example
 * const model = await build(input([2]), dense(2, { activation: "softmax" }));
 * const data = { x: tensor([[0, 1], [1, 0]]), y: tensor([0, 1], [2], "int32") };
 * const { loss, accuracy } = await evaluate(model, data, { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
 */
export async function evaluate(model: Model, data: TrainingData, options: EvaluateOptions): Promise<Logs> {
  checkModel(model, "evaluate");
  checkKeys("evaluate", options, fitOptions);
  const { batchSize = 32 } = options;
  checkBatchSize(batchSize, "evaluate");
  const objective = resolveObjective(model, options, "evaluate");
  const batches = open(model, data, objective, { batchSize, op: "evaluate" });
  return judgeBatches(model, batches(1), objective, model.trainable);
}

/** Averages over all samples of all batches; `trained` weights may have penalties. */
export async function judgeBatches(
  model: Model,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  objective: Objective,
  trained: readonly Value[],
): Promise<Logs> {
  const sums = objective.numbers.map(() => 0);
  const programs = new Map<string, Program>();
  let count = 0;
  await prepareTraining(model);
  try {
    for await (const { examples, samples } of batches) {
      const { x, y, weights } = examples;
      const key = judgingKey(examples, samples.length);
      if (!programs.has(key) && programs.size === PROGRAMS) release(programs);
      const program = programs.get(key) ?? judgingProgram(model, objective, examples, trained, samples.length);
      programs.set(key, program);
      const { inputs, outputs } = program.layout.graph;
      feed(program, inputs, [...x, ...y, ...weights], samples);
      program.run();
      const numbers = outputs.flatMap((value) => Array.from(program.view(value), Number));
      addUp(objective, sums, numbers, samples.length);
      count += samples.length;
    }
  } finally {
    release(programs);
  }
  return named(objective, sums, count);
}

/** Programs kept, for batches of other sizes. */
const PROGRAMS = 8;

function release(programs: Map<string, Program>): void {
  for (const program of programs.values()) program.free();
  programs.clear();
}

function judgingProgram(
  model: Model,
  objective: Objective,
  examples: Judging,
  trained: readonly Value[],
  batch: number,
): Program {
  const { graph: forward, penalties } = penalized(model.atBatch(batch), trained, inference);
  const { targets, shares } = judgeInputs(objective, examples, batch);
  const outputs = judge(objective, targets, forward.outputs, penalties, shares);
  return trainingProgram(model, { inputs: [...forward.inputs, ...targets, ...shares], outputs, effects: [] });
}
