// lanewise/train: fit, evaluate, trainers, optimizers, losses, metrics and callbacks.
export { type Callback, type FitEpoch, type FitStep, type History, progressBar, type Terminal } from "./callbacks.js";
export { type EvaluateOptions, evaluate } from "./evaluate.js";
export { type FitOptions, fit } from "./fit.js";
export {
  type Loss,
  type LossFunction,
  type LossName,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from "./losses.js";
export { type Metric, type MetricName, sparseCategoricalAccuracy } from "./metrics.js";
export type { Examples } from "./objective.js";
export { type AdamOptions, adam, type Optimizer, type OptimizerName, type SgdOptions, sgd } from "./optimizers.js";
export type { FitRun } from "./run.js";
export { type Logs, type Trainer, type TrainerOptions, trainer } from "./trainer.js";
