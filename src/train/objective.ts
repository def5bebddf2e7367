// What a model is trained for and judged by, as values of its graph: one loss, and metrics.
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add } from "../ops/arithmetic.js";
import { input, withBatch } from "../ops/leaf.js";
import { mean } from "../ops/reduce.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { checkFinite } from "./batches.js";
import type { Loss } from "./losses.js";
import type { Metric } from "./metrics.js";

/** Samples with what is to be learnt from them; one tensor per input and per output, samples along the first axis. */
export interface Examples {
  readonly x: Tensor | readonly Tensor[];
  readonly y: Tensor | readonly Tensor[];
}

/** Checked examples: as many tensors as the model has inputs and outputs, all with the same number of samples. */
export interface CheckedExamples {
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly count: number;
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

/** The loss (summed over outputs) and the metrics of predictions, each one number. */
export function judge({ loss, metrics }: Objective, targets: readonly Value[], predictions: readonly Value[]): Value[] {
  const losses = predictions.map((prediction, i) => mean(loss.of(targets[i], prediction)));
  const watched = predictions.flatMap((prediction, i) =>
    metrics.map((metric) => mean(metric.of(targets[i], prediction))),
  );
  return [losses.reduce((a, b) => add(a, b)), ...watched];
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
  return { x, y, count };
}
