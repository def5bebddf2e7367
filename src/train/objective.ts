// What a model is trained for and judged by, as values of its graph: a loss and metrics for each of its outputs.
import { rangeError, ShapeError, told, typeError } from "../errors.js";
import { checkValue, type Value } from "../graph/value.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { maximum } from "../ops/comparison.js";
import { input, withBatch } from "../ops/leaf.js";
import { maskOf, withoutMask } from "../ops/mask.js";
import { mean, sum } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import type { Model } from "../program/model.js";
import { sameShape, show, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkFinite } from "./batches.js";
import type { Loss, LossFunction } from "./losses/loss.js";
import { type LossName, resolveLoss } from "./losses/names.js";
import type { Metric } from "./metrics/metric.js";
import { type MetricName, resolveMetric } from "./metrics/names.js";
import { type PerOutput, perOutput } from "./outputs.js";
import { checkWeights, type SampleWeight } from "./weighting.js";

/** Samples with what is to be learnt from them; one tensor per input and per output, samples along the first axis. */
export interface Examples {
  readonly x: Tensor | readonly Tensor[];
  /** For each output that has a loss or metrics: in their order, or by name. */
  readonly y: PerOutput<Tensor>;
  /** What the loss of each sample is multiplied by, [samples]; for all outputs, or for each; default 1. */
  readonly sampleWeight?: PerOutput<SampleWeight> | undefined;
}

/** Checked examples: as many tensors as the model has inputs and judged outputs, all with the same number of samples. */
export interface CheckedExamples {
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly count: number;
  /** float32 [count], where samples are weighted: one for all outputs, or one for each. */
  readonly weights: readonly Tensor[];
}

/** The loss of a model. */
export interface LossOptions {
  /** One for all outputs, one for each in their order, or by name; outputs without one have no part in training. */
  loss: PerOutput<LossName | Loss | LossFunction>;
  /** What each output's loss counts in the sum; default 1. */
  lossWeights?: PerOutput<number>;
}

/** What is computed to be watched. */
export interface MetricOptions {
  /** A list for all outputs; or for each output one or a list, in their order or by name. */
  metrics?: readonly (MetricName | Metric)[] | PerOutput<MetricName | Metric | readonly (MetricName | Metric)[]>;
}

/** What one output is judged by. */
interface Judged {
  /** Its place among the model's outputs. */
  readonly output: number;
  readonly name: string;
  readonly loss: Loss | undefined;
  readonly weight: number;
  readonly metrics: readonly Metric[];
}

/** What a model is judged by: its outputs that have a loss or metrics. */
export interface Objective {
  readonly judged: readonly Judged[];
  /** The numbers that are told, in the order of what `judge` gives; `sums` is how many sums one is made of, 0 for a mean. */
  readonly told: readonly {
    readonly name: string;
    readonly sums: number;
    readonly result?: Metric["result"] | undefined;
  }[];
  /** Each number that `judge` gives: its name, and whether it is a sum over samples instead of a mean. */
  readonly numbers: readonly { readonly name: string; readonly isSum: boolean }[];
}

const isLoss = (x: unknown): boolean =>
  typeof x === "string" || typeof x === "function" || typeof (x as Loss | undefined)?.of === "function";
const isMetric = (x: unknown): boolean => typeof x === "string" || typeof (x as Metric | undefined)?.of === "function";

/** @throws {TypeError} unless it is a model */
export function checkModel(model: unknown, op: string): asserts model is Model {
  if (typeof (model as Model | undefined)?.feeds === "function") return;
  throw typeError({ op, expected: "a model (from build() or load())", actual: told(model) });
}

/** @throws {TypeError} or {RangeError} for losses, weights or metrics that cannot be */
export function resolveObjective(
  model: Model,
  { loss, lossWeights, metrics = [] }: LossOptions & MetricOptions,
  op: string,
): Objective {
  const names = model.outputs.map(({ name }) => name);
  const losses = perOutput(loss, names, { op, what: "a loss", isOne: isLoss });
  const weights = perOutput(lossWeights, names, { op, what: "lossWeights", isOne: (x) => typeof x === "number" });
  const forAll = (x: unknown): boolean => isMetric(x) || (Array.isArray(x) && x.every(isMetric));
  const watched = perOutput(metrics as PerOutput<MetricName | Metric>, names, { op, what: "metrics", isOne: forAll });
  const all = names.map((name, output): Judged => {
    const weight = weights[output] ?? 1;
    if (!Number.isFinite(weight))
      throw rangeError({ op, layer: name, expected: "lossWeights of finite numbers", actual: String(weight) });
    const own = losses[output] === undefined ? undefined : resolveLoss(losses[output], op);
    const list = [watched[output] ?? []].flat();
    return { output, name, loss: own, weight, metrics: list.map((metric) => resolveMetric(metric, op)) };
  });
  const judged = all.filter((one) => one.loss !== undefined || one.metrics.length > 0);
  const lossy = judged.filter((one) => one.loss !== undefined);
  if (lossy.length === 0) resolveLoss(undefined, op); // says which there are
  const prefix = (name: string): string => (names.length > 1 ? `${name}_` : "");
  const told = [
    { name: "loss", sums: 0 },
    ...(lossy.length > 1 ? lossy.map(({ name }) => ({ name: `${name}_loss`, sums: 0 })) : []),
    ...judged.flatMap((one) =>
      one.metrics.map(({ name, result, sums }) => ({
        name: `${prefix(one.name)}${name}`,
        result,
        sums: sums?.([1, ...model.graph.outputs[one.output].shape.slice(1)]) ?? 0,
      })),
    ),
  ];
  const numbers = told.flatMap(({ name, sums }) =>
    sums === 0
      ? [{ name, isSum: false }]
      : Array.from({ length: sums }, (_, i) => ({ name: `${name}/${i}`, isSum: true })),
  );
  return { judged, told, numbers };
}

/** The same where all losses count so much of what they did. */
export const weighed = (objective: Objective, share: number): Objective =>
  share === 1
    ? objective
    : { ...objective, judged: objective.judged.map((one) => ({ ...one, weight: one.weight * share })) };

/** Adds the numbers of a batch of `count` samples to what was added up before. */
export function addUp({ numbers }: Objective, sums: number[], batch: readonly number[], count: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += numbers[i].isSum ? batch[i] : batch[i] * count;
}

/** What is told under its names, of what was added up over `count` samples. */
export function named({ told }: Objective, totals: readonly number[], count: number): Record<string, number> {
  let at = 0;
  return Object.fromEntries(
    told.map(({ name, result, sums }) => {
      const own = sums === 0 ? [totals[at] / count] : totals.slice(at, at + sums);
      at += own.length;
      return [name, result ? result(...own) : own[0]];
    }),
  );
}

/**
 * The loss (outputs' losses times their weights, added up, and penalties), where several outputs have one the loss of each, and the metrics,
 * each one number, or as many as the metric has sums.
 * @param targets one per judged output
 * @param weights none, one for all outputs or one per judged output, [batch]; they multiply the loss of each sample, and the mean stays
 *   one over the number of samples, as in Keras. Where an output has a mask and the loss a number for each step, those that are masked have no
 *   part in it: the mean is one over the steps that count. Metrics are over all steps, as in Keras.
 */
export function judge(
  { judged }: Objective,
  targets: readonly Value[],
  predictions: readonly Value[],
  penalties: readonly Value[] = [],
  weights: readonly Value[] = [],
): Value[] {
  const losses = judged.flatMap(({ loss, output }, i) => {
    if (loss === undefined) return [];
    const value = loss.of(targets[i], loss.masks ? predictions[output] : withoutMask(predictions[output]));
    checkValue(value, loss.name);
    return [mean(weigh(loss, unmasked(value, maskOf(predictions[output])), weights[i] ?? weights[0]))];
  });
  const shares = judged.filter(({ loss }) => loss).map(({ weight }) => weight);
  const parts = losses.map((loss, i) => (shares[i] === 1 ? loss : mul(loss, shares[i])));
  const watched = judged.flatMap(({ metrics, output }, i) =>
    metrics.map((metric) => {
      const value = metric.of(targets[i], withoutMask(predictions[output]));
      return metric.sums ? sum(value, allButLast(value)) : mean(value);
    }),
  );
  return [[...parts, ...penalties].reduce((a, b) => add(a, b)), ...(losses.length > 1 ? losses : []), ...watched];
}

const allButLast = ({ shape }: Value): number[] => shape.slice(1).map((_, axis) => axis);

/** Numbers of steps, 0 where the mask is false and the others larger, so that their mean is that of the steps that count. */
export function unmasked(losses: Value, mask: Value | undefined): Value {
  const rank = mask?.shape.length ?? 0;
  if (mask === undefined || !sameShape(losses.shape.slice(0, rank), mask.shape)) return losses;
  const counts = cast(mask, "float32");
  const share = div(sizeOf(mask.shape), maximum(sum(counts), 1));
  return mul(mul(losses, reshape(counts, [...mask.shape, ...losses.shape.slice(rank).map(() => 1)])), share);
}

function weigh({ name }: Loss, losses: Value, weights: Value | undefined): Value {
  if (weights === undefined) return losses;
  const [batch, ...rest] = losses.shape;
  if (batch === weights.shape[0]) return mul(losses, reshape(weights, [batch, ...rest.map(() => 1)]));
  const expected = `a loss for each of the ${weights.shape[0]} samples, so that they can be weighted`;
  throw new ShapeError({ op: name, expected, actual: show(losses.shape) });
}

/** Inputs of a program that take the targets of one batch, and the weights of its samples. */
export function judgeInputs({ judged }: Objective, { y, weights }: Judging, batch: number) {
  return {
    targets: y.map(({ shape, dtype }, i) =>
      withBatch(input(shape.slice(1), { dtype: judged[i].loss?.target ?? dtype }), batch),
    ),
    shares: weights.map(() => withBatch(input([]), batch)),
  };
}

/** What of examples a program depends on, beside their number. */
export type Judging = Pick<CheckedExamples, "y" | "weights">;

/** The same for examples of which one program serves all. */
export const judgingKey = ({ y, weights }: Judging, batch: number): string =>
  JSON.stringify([batch, weights.length, ...y.map(({ shape, dtype }) => [dtype, ...shape.slice(1)])]);

const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
const isTensor = (x: unknown): boolean => ArrayBuffer.isView((x as Tensor | undefined)?.data);
const isWeights = (x: unknown): boolean =>
  isTensor(x) || ArrayBuffer.isView(x) || (Array.isArray(x) && x.every((one) => typeof one === "number"));

/**
 * Checks examples against a model and what it is judged by: counts, shapes, labels in range, finite numbers.
 * @throws {ShapeError}, {RangeError} or {TypeError} that says which sample is wrong
 */
export function checkExamples(model: Model, data: Examples, { judged }: Objective, op: string): CheckedExamples {
  if (typeof data !== "object" || data === null)
    throw typeError({ op, expected: "data { x, y } or a dataset", actual: told(data) });
  const x = model.feeds(data.x as Tensor, op);
  const count = x[0].shape[0];
  const names = judged.map(({ name }) => name);
  const y = targetsOf(data.y, model, judged, op).map((target, i) => {
    const { name: layer, output, loss } = judged[i];
    if (!isTensor(target) || !Array.isArray(target?.shape)) {
      const actual = target === undefined ? "nothing" : told(target);
      throw typeError({ op, layer, expected: "targets to be a tensor", actual });
    }
    if (target.shape[0] !== count)
      throw new ShapeError({ op, layer, expected: `targets for ${count} samples`, actual: String(target.shape[0]) });
    checkFinite(target, op, `targets of "${layer}"`);
    loss?.check(target, model.outputs[output].shape);
    return target;
  });
  x.forEach((input, i) => {
    checkFinite(input, op, `input "${model.inputs[i].name}"`);
  });
  const { sampleWeight } = data;
  if (sampleWeight === undefined || sampleWeight === null) return { x, y, count, weights: [] };
  const one = [sampleWeight, (sampleWeight as readonly unknown[]).length === 1 && (sampleWeight as [unknown])[0]];
  const shared = one.find(isWeights) as SampleWeight | undefined;
  const several = sampleWeight as Record<string, SampleWeight>;
  const given = shared ? [shared] : perOutput(several, names, { op, what: "sampleWeight", isOne: () => false });
  return { x, y, count, weights: given.map((each) => checkWeights(each ?? ones(count), count, op)) };
}

/** One per judged output; a list may have entries for all of the model's outputs, too. */
function targetsOf(
  y: PerOutput<Tensor>,
  model: Model,
  judged: readonly Judged[],
  op: string,
): readonly (Tensor | undefined)[] {
  const named = judged.map(({ name }) => name);
  if (isTensor(y) || ArrayBuffer.isView(y) || y === undefined || y === null) {
    if (judged.length === 1) return [(y ?? undefined) as Tensor | undefined];
    throw new ShapeError({ op, expected: `targets for ${judged.length} outputs`, actual: y ? "1" : "none" });
  }
  if (Array.isArray(y) && y.length === model.outputs.length) return judged.map(({ output }) => y[output]);
  if (Array.isArray(y) && y.length !== judged.length)
    throw new ShapeError({ op, expected: `targets for ${judged.length} outputs`, actual: String(y.length) });
  const names = Array.isArray(y) ? named : model.outputs.map(({ name }) => name);
  const given = perOutput<Tensor>(y, names, { op, what: "targets", isOne: () => false });
  return judged.map(({ name }) => given[names.indexOf(name)]);
}
