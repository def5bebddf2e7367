// lanewise/train: fit, evaluate, trainers, optimizers, schedules, losses, metrics and callbacks.
export {
  type Callback,
  type FitContext,
  type FitEpoch,
  type FitStep,
  type History,
  lambda,
} from "./callbacks/callback.js";
export { type ModelCheckpointOptions, modelCheckpoint } from "./callbacks/checkpoint.js";
export { type CsvLoggerOptions, csvLogger } from "./callbacks/csv.js";
export type { MonitorOptions } from "./callbacks/monitor.js";
export { progressBar, type Terminal } from "./callbacks/progress.js";
export { learningRateScheduler, type ReduceLROnPlateauOptions, reduceLROnPlateau } from "./callbacks/rate.js";
export { type EarlyStoppingOptions, earlyStopping } from "./callbacks/stopping.js";
export type { Clipping } from "./clipping.js";
export { type LearningCurvesOptions, learningCurves } from "./curves.js";
export { type EvaluateOptions, evaluate } from "./evaluate.js";
export { type FitOptions, fit } from "./fit.js";
export type { Freeze } from "./freeze.js";
export { type Gradients, gradients } from "./gradients.js";
export {
  binaryCrossentropy,
  type CrossentropyOptions,
  categoricalCrossentropy,
  type SmoothedCrossentropyOptions,
  sparseCategoricalCrossentropy,
} from "./losses/crossentropy.js";
export { ctc } from "./losses/ctc.js";
export {
  type BinaryFocalOptions,
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  type FocalOptions,
} from "./losses/focal.js";
export { categoricalHinge, hinge, squaredHinge } from "./losses/hinge.js";
export type { Loss, LossFunction } from "./losses/loss.js";
export type { LossName } from "./losses/names.js";
export {
  cosineSimilarity,
  huber,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  poisson,
} from "./losses/regression.js";
export {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from "./metrics/accuracy.js";
export { confusionMatrix, meanIoU } from "./metrics/confusion.js";
export {
  type AucOptions,
  auc,
  type DecisionOptions,
  type F1Options,
  f1Score,
  precision,
  recall,
} from "./metrics/decisions.js";
export type { Metric } from "./metrics/metric.js";
export type { MetricName } from "./metrics/names.js";
export { r2Score } from "./metrics/r2.js";
export type { Examples } from "./objective.js";
export { type AdafactorOptions, adafactor } from "./optimizers/adafactor.js";
export { type AdadeltaOptions, type AdagradOptions, adadelta, adagrad } from "./optimizers/adagrad.js";
export {
  type AdamaxOptions,
  type AdamOptions,
  type AdamWOptions,
  adam,
  adamax,
  adamW,
  type NadamOptions,
  nadam,
} from "./optimizers/adam.js";
export { type LionOptions, lion } from "./optimizers/lion.js";
export { type MuonOptions, muon } from "./optimizers/muon.js";
export type { OptimizerName } from "./optimizers/names.js";
export type { AverageOptions, DecayOptions, Optimizer, OptimizerOptions, Slot } from "./optimizers/optimizer.js";
export { type RmspropOptions, rmsprop, type SgdOptions, sgd } from "./optimizers/sgd.js";
export type { LearningRates } from "./rates.js";
export type { Recompute } from "./recompute.js";
export type { FitRun } from "./run.js";
export {
  type CosineDecayOptions,
  cosineDecay,
  exponentialDecay,
  type PolynomialDecayOptions,
  piecewise,
  polynomialDecay,
  type Schedule,
  warmup,
} from "./schedules.js";
export type { Example, TrainingData } from "./source.js";
export { type Logs, type Trainer, trainer } from "./trainer.js";
export type { TrainerOptions } from "./training.js";
export { type AsLayerOptions, asLayer, type ModelLayer, type TransferOptions, transferWeights } from "./transfer.js";
export type { ClassWeight, SampleWeight } from "./weighting.js";
