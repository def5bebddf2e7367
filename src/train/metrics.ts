// Metrics: numbers that people watch. Each is a function of Values, averaged over all samples.
import { typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { matches } from "../ops/loss.js";
import { argMax } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import { camelCase } from "./losses.js";

export interface Metric {
  readonly name: string;
  /** Per sample or more; averaged. */
  readonly of: (yTrue: Value, yPred: Value) => Value;
  /** What is told of the mean over all samples; default the mean itself. */
  readonly result?: (mean: number) => number;
}

/**
 * Share of samples whose largest prediction is at the integer label; the first one counts where several are largest.
 * @example
 * const metric = sparseCategoricalAccuracy();
 */
export function sparseCategoricalAccuracy(): Metric {
  return {
    name: "sparseCategoricalAccuracy",
    of: (yTrue, yPred) => matches(argMax(yPred), reshape(yTrue, yPred.shape.slice(0, -1))),
  };
}

const byName = { accuracy: sparseCategoricalAccuracy, sparseCategoricalAccuracy } as const;
type Name = keyof typeof byName;
export type MetricName = Name | "sparse_categorical_accuracy" | "acc";

/** The metric behind a name, called as it was asked for. @throws {TypeError} for a name that there is not */
export function resolveMetric(given: MetricName | Metric, op: string): Metric {
  if (typeof given === "object" && given !== null && typeof given.of === "function") return given;
  const name = given === "acc" ? "accuracy" : camelCase(String(given));
  if (Object.hasOwn(byName, name)) return { ...byName[name as Name](), name: String(given) };
  throw typeError({
    op,
    expected: `a metric: ${Object.keys(byName).join(", ")}`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
