// Ends a run that no longer gets better.
import type { Tensor } from "../../tensor.js";
import type { Callback } from "./callback.js";
import { checkNumbers, type MonitorOptions, monitorOf } from "./monitor.js";

export interface EarlyStoppingOptions extends MonitorOptions {
  /** How much better counts as better; default 0. */
  minDelta?: number;
  /** Epochs without an improvement after which training ends; default 0. */
  patience?: number;
  /** What the number must beat for an epoch to count as an improvement; default nothing. */
  baseline?: number;
  /** At the end, put the weights of the best epoch back; default false. */
  restoreBestWeights?: boolean;
  /** Epochs at the beginning that are not looked at; default 0. */
  startFromEpoch?: number;
}

/**
 * Ends training when a number has not improved for some epochs, as Keras' `EarlyStopping`.
 * @throws {RangeError} for numbers below 0; the run throws {TypeError} when its logs do not have the number
 * @example
 * const callbacks = [earlyStopping({ monitor: "loss", patience: 3, restoreBestWeights: true })];
 */
export function earlyStopping({
  minDelta = 0,
  patience = 0,
  baseline,
  restoreBestWeights = false,
  startFromEpoch = 0,
  ...options
}: EarlyStoppingOptions = {}): Callback {
  checkNumbers("earlyStopping", { patience, startFromEpoch }, { minDelta });
  const monitor = monitorOf("earlyStopping", options);
  let best = monitor.worst;
  let wait = 0;
  let weights: Record<string, Tensor> | undefined;
  return {
    onTrainBegin() {
      [best, wait, weights] = [monitor.worst, 0, undefined];
    },
    onEpochEnd({ epoch, logs }, { model, stop }) {
      if (epoch <= startFromEpoch) return;
      const now = monitor.of(logs);
      if (restoreBestWeights) weights ??= model.weights();
      wait++;
      if (monitor.better(now, best, minDelta)) {
        best = now;
        if (restoreBestWeights) weights = model.weights();
        if (baseline === undefined || monitor.better(now, baseline, minDelta)) wait = 0;
      } else if (wait >= patience && epoch > 1) {
        stop();
      }
    },
    onTrainEnd(_history, { model }) {
      if (weights) model.setWeights(weights);
    },
  };
}
