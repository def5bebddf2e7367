// Metrics by name.
import { typeError } from "../../errors.js";
import { camelCase, type LossName, losses, type Snake } from "../losses/names.js";
import { cosine } from "../losses/regression.js";
import {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from "./accuracy.js";
import { meanIoU } from "./confusion.js";
import { auc, f1Score, precision, recall } from "./decisions.js";
import { like, type Metric } from "./metric.js";
import { r2Score } from "./r2.js";

/** The mean of sum(t p) / (|t| |p|): what the loss of this name is the negative of. */
const similarity = (): Metric => ({
  name: "cosineSimilarity",
  of: (yTrue, yPred) => cosine(like(yTrue, yPred, "cosineSimilarity"), yPred),
});

const metrics = {
  acc: accuracy,
  accuracy,
  auc: () => auc(),
  binaryAccuracy: () => binaryAccuracy(),
  categoricalAccuracy,
  cosineSimilarity: similarity,
  f1: () => f1Score(),
  f1Score: () => f1Score(),
  meanIoU,
  precision: () => precision(),
  r2: r2Score,
  r2Score,
  recall: () => recall(),
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy: () => sparseTopKCategoricalAccuracy(),
  topKCategoricalAccuracy: () => topKCategoricalAccuracy(),
} as const satisfies Record<string, () => Metric>;
type Name = keyof typeof metrics;
/** Names of metrics, those of losses among them; Keras' own spelling with underscores means the same. */
export type MetricName = Name | Snake<Name> | LossName;

/** The metric behind a name, called as it was asked for. @throws {TypeError} for a name that there is not */
export function resolveMetric(given: MetricName | Metric, op: string): Metric {
  if (typeof given === "object" && given !== null && typeof given.of === "function") return given;
  const name = camelCase(String(given));
  if (Object.hasOwn(metrics, name)) return { ...metrics[name as Name](), name: String(given) };
  if (Object.hasOwn(losses, name)) return { ...losses[name as keyof typeof losses](), name: String(given) };
  throw typeError({
    op,
    expected: `a metric: ${[...Object.keys(metrics), ...Object.keys(losses)].join(", ")}`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
