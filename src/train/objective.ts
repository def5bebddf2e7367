// What a model is trained for and judged by, as values of its graph: one loss, and metrics.
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { input, withBatch } from "../ops/leaf.js";
import { mean } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import type { Model } from "../program/model.js";
import { show } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkFinite } from "./batches.js";
import type { Loss } from "./losses/loss.js";
import type { Metric } from "./metrics.js";
import { checkWeights, type SampleWeight } from "./weighting.js";

/** Samples with what is to be learnt from them; one tensor per input and per output, samples along the first axis. */
export interface Examples {
  readonly x: Tensor | readonly Tensor[];
  readonly y: Tensor | readonly Tensor[];
  /** What the loss of each sample is multiplied by, [samples]; default 1. */
  readonly sampleWeight?: SampleWeight | undefined;
}

/** Checked examples: as many tensors as the model has inputs and outputs, all with the same number of samples. */
export interface CheckedExamples {
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly count: number;
  /** float32 [count], where samples are weighted. */
  readonly weights?: Tensor | undefined;
}

/** What a model is judged by. */
export interface Objective {
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Names of the numbers that an objective gives, in the order of `judge`. */
export function judgeNames(model: Model, { metrics }: Objective): string[] {
  const several = model.outputs.length > 1;
  const named = model.outputs.flatMap((output) =>
    metrics.map((metric) => (several ? `${output.name}_${metric.name}` : metric.name)),
  );
  return ["loss", ...named];
}

/** What is told of the mean over all samples of the number at position `i` of `judge`: itself, or what its metric makes of it. */
export function told({ metrics }: Objective, i: number, mean: number): number {
  const result = i === 0 ? undefined : metrics[(i - 1) % metrics.length].result;
  return result ? result(mean) : mean;
}

/**
 * The loss (summed over outputs, penalties added) and the metrics of predictions, each one number.
 * @param weights [batch] multiplies the loss of each sample; the mean stays one over the number of samples, as in Keras
 */
export function judge(
  { loss, metrics }: Objective,
  targets: readonly Value[],
  predictions: readonly Value[],
  penalties: readonly Value[] = [],
  weights?: Value,
): Value[] {
  const losses = predictions.map((prediction, i) => mean(weigh(loss, loss.of(targets[i], prediction), weights)));
  const watched = predictions.flatMap((prediction, i) =>
    metrics.map((metric) => mean(metric.of(targets[i], prediction))),
  );
  return [[...losses, ...penalties].reduce((a, b) => add(a, b)), ...watched];
}

function weigh({ name }: Loss, losses: Value, weights: Value | undefined): Value {
  if (weights === undefined) return losses;
  const [batch, ...rest] = losses.shape;
  if (batch === weights.shape[0]) return mul(losses, reshape(weights, [batch, ...rest.map(() => 1)]));
  const expected = `a loss for each of the ${weights.shape[0]} samples, so that they can be weighted`;
  throw new ShapeError({ op: name, expected, actual: show(losses.shape) });
}

/** Inputs of a program that take the targets of one batch. */
export const targetInputs = ({ loss }: Objective, y: readonly Tensor[], batch: number): Value[] =>
  y.map(({ shape, dtype }) => withBatch(input(shape.slice(1), { dtype: loss.target ?? dtype }), batch));

/**
 * Checks examples against a model and a loss: counts, shapes, labels in range, finite numbers.
 * @throws {ShapeError}, {RangeError} or {TypeError} that says which sample is wrong
 */
export function checkExamples(model: Model, data: Examples, { loss }: Objective, op: string): CheckedExamples {
  const x = model.feeds(data?.x as Tensor, op);
  const y = (Array.isArray(data.y) ? data.y : [data.y]) as readonly Tensor[];
  if (y.length !== model.outputs.length) {
    throw new ShapeError({ op, expected: `targets for ${model.outputs.length} outputs`, actual: String(y.length) });
  }
  const count = x[0].shape[0];
  y.forEach((target, i) => {
    if (target?.shape?.[0] !== count) {
      throw new ShapeError({
        op,
        layer: model.outputs[i].name,
        expected: `targets for ${count} samples`,
        actual: String(target?.shape?.[0]),
      });
    }
    checkFinite(target, op, `targets of "${model.outputs[i].name}"`);
    loss.check(target, model.outputs[i].shape);
  });
  x.forEach((input, i) => {
    checkFinite(input, op, `input "${model.inputs[i].name}"`);
  });
  return { x, y, count, weights: checkWeights(data.sampleWeight, count, op) };
}
