// A report on models side by side: what they are made of, what they take, and what they are worth on the same data.
import { checkKeys, rangeError, ShapeError, told, typeError } from "../errors.js";
import { stateAttrs } from "../ops/leaf.js";
import { asReal } from "../ops/quantized/data.js";
import type { Model } from "../program/model.js";
import { show } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkBatchSize } from "../train/evaluate.js";
import { checkModel } from "../train/objective.js";
import type { TrainingData } from "../train/source.js";
import { agreementOf, classesOf, differenceOf, type Truth, truthOf } from "./answers.js";
import { latencies } from "./latency.js";
import { batchesOf, fedTo, joined, part } from "./samples.js";
import { type Sizes, sizesOf } from "./sizes.js";
import { table } from "./table.js";

export interface ReportOptions {
  /** Samples that go through at a time; default 32. */
  batchSize?: number;
  /** Measurements of which the latency is the median; default 50. 0 measures none. */
  runs?: number;
  /** More columns: numbers of all targets and predictions [samples, ...], by name. Default none. */
  metrics?: Readonly<Record<string, (yTrue: Tensor, yPred: Tensor) => number>>;
}

/** What is told of one model. */
export interface ReportRow extends Sizes {
  readonly name: string;
  /** Share of samples whose class is right; of classifiers. */
  readonly accuracy?: number;
  /** Share of samples that get the class which the first model gives; of classifiers. */
  readonly agreement?: number;
  /** Mean absolute difference from the targets; of other models. */
  readonly error?: number;
  /** The same from the first model. */
  readonly difference?: number;
  /** By name, those that were asked for. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of one prediction of one sample, the median; null where the clock stands still. */
  readonly milliseconds: number | null;
}

/** `String(report)` is a table; `JSON.stringify(report)` gives its rows. */
export class Report {
  /** @param rows one for each model, in the order they were given */
  constructor(readonly rows: readonly ReportRow[]) {}

  toJSON(): readonly ReportRow[] {
    return this.rows;
  }

  toString(): string {
    return table(this.rows);
  }
}

/**
 * Compares models, such as one and what pruning, distillation and quantization made of it: parameters, work, bytes, planned memory, accuracy,
 * agreement with the first of them, latency. Inputs of quantized models are given integers, and their results taken as what they stand for.
 * @param models by name, all with inputs and outputs of the same shapes
 * @param data one tensor per input as `x` and per output as `y`, samples first, or a dataset of samples or batches. The first output is judged:
 *   as classes where targets are labels, one-hot, or 0 and 1 for one probability; else as numbers. Without `y` models are compared with the
 *   first one alone.
 * @throws {TypeError} for no models; {ShapeError} for data that does not fit one of them; {RangeError} for no samples
 * @example
 * const float = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3, { activation: "softmax" })));
 * const data = { x: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]), y: tensor([0, 1], [2], "int32") };
 * const int8 = await quantize(float, { calibration: data.x });
 * const { rows } = await report({ float, int8 }, data);
 * rows[1].parameters; // 67
 */
export async function report(
  models: Readonly<Record<string, Model>>,
  data: TrainingData | { readonly x: Tensor | readonly Tensor[] },
  options: ReportOptions = {},
): Promise<Report> {
  const op = "report";
  if (typeof models !== "object" || models === null || Object.keys(models).length === 0)
    throw typeError({ op, expected: "models by name", actual: told(models) });
  for (const model of Object.values(models)) checkModel(model, op);
  checkKeys(op, options, ["batchSize", "runs", "metrics"]);
  const { batchSize = 32, runs = 50, metrics = {} } = options;
  checkBatchSize(batchSize, op);
  if (!(Number.isSafeInteger(runs) && runs >= 0))
    throw rangeError({ op, expected: "runs to be a non-negative integer", actual: told(runs) });
  if (typeof metrics !== "object" || metrics === null || Object.values(metrics).some((f) => typeof f !== "function"))
    throw typeError({ op, expected: "metrics to be functions by name", actual: told(metrics) });

  // What a stateful model carries on is not the caller's.
  const names = Object.keys(models);
  const all = Object.values(models).map((model) => (isStateful(model) ? model.clone() : model));
  const outputs: Tensor[][] = all.map(() => []);
  const targets: Tensor[] = [];
  let sample: readonly Tensor[] | undefined;
  for await (const { x, y } of batchesOf(all[0], data as TrainingData, batchSize, op)) {
    sample ??= x.map((each) => part(each, 0, 1));
    if (y) targets.push(y);
    all.forEach((model, i) => {
      outputs[i].push(asReal([model.predict(fedTo(model, x))].flat()[0], model.outputs[0]));
    });
  }
  if (sample === undefined) throw rangeError({ op, expected: "at least one sample", actual: "none" });
  const one = sample;
  const predictions = outputs.map(joined);
  const wrong = predictions.findIndex(({ data }) => data.length !== predictions[0].data.length);
  if (wrong > 0) {
    const [expected, actual] = [predictions[0], predictions[wrong]].map(({ shape }) => show(shape.slice(1)));
    throw new ShapeError({ op, layer: names[wrong], expected: `outputs ${expected} as of "${names[0]}"`, actual });
  }
  const y = targets.length > 0 ? joined(targets) : undefined;
  const truth = y && truthOf(y, predictions[0]);
  const times =
    runs > 0
      ? latencies(
          all.map((model) => ({ model, feeds: fedTo(model, one) })),
          runs,
        )
      : [];
  const rows = all.map(
    async (model, i): Promise<ReportRow> => ({
      name: names[i],
      ...(await sizesOf(model)),
      ...judged(truth, predictions[i], predictions[0]),
      metrics: Object.fromEntries(y ? Object.entries(metrics).map(([name, f]) => [name, f(y, predictions[i])]) : []),
      milliseconds: times[i] ?? null,
    }),
  );
  return new Report(await Promise.all(rows));
}

const isStateful = ({ names }: Model): boolean =>
  [...names.states.values()].some((value) => stateAttrs(value).carried === true);

function judged(truth: Truth | undefined, predicted: Tensor, first: Tensor): Partial<ReportRow> {
  const isClassifier = truth ? "classes" in truth : (first.shape.at(-1) ?? 1) > 1;
  if (!isClassifier) {
    const error = truth && "numbers" in truth ? { error: differenceOf(predicted.data, truth.numbers) } : {};
    return { ...error, difference: differenceOf(predicted.data, first.data) };
  }
  const classes = classesOf(predicted);
  const accuracy = truth && "classes" in truth ? { accuracy: agreementOf(classes, truth.classes) } : {};
  return { ...accuracy, agreement: agreementOf(classes, classesOf(first)) };
}
