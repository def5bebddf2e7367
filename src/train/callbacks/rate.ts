// Changes the learning rate while a model trains.
import { rangeError } from "../../errors.js";
import type { Callback } from "./callback.js";
import { checkFunction, checkNumbers, type MonitorOptions, monitorOf } from "./monitor.js";

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by; default 0.1. */
  factor?: number;
  /** Epochs without an improvement after which it is; default 10. */
  patience?: number;
  /** How much better counts as better; default 0.0001. */
  minDelta?: number;
  /** Epochs after a reduction in which nothing is counted; default 0. */
  cooldown?: number;
  /** Default 0. */
  minLearningRate?: number;
}

/**
 * Reduces the learning rate when a number has not improved for some epochs, as Keras' `ReduceLROnPlateau`.
 * @throws {RangeError} for a factor outside (0, 1) or numbers below 0; the run throws {TypeError} when its logs do not have the number
 * @example
 * const callbacks = [reduceLROnPlateau({ monitor: "loss", factor: 0.5, patience: 2 })];
 */
export function reduceLROnPlateau({
  factor = 0.1,
  patience = 10,
  minDelta = 1e-4,
  cooldown = 0,
  minLearningRate = 0,
  ...options
}: ReduceLROnPlateauOptions = {}): Callback {
  if (!(factor > 0 && factor < 1))
    throw rangeError({ op: "reduceLROnPlateau", expected: "a factor in (0, 1)", actual: String(factor) });
  checkNumbers("reduceLROnPlateau", { patience, cooldown }, { minDelta, minLearningRate });
  const monitor = monitorOf("reduceLROnPlateau", options);
  let [best, wait, cooling] = [monitor.worst, 0, 0];
  return {
    onTrainBegin() {
      [best, wait, cooling] = [monitor.worst, 0, 0];
    },
    onEpochEnd({ logs }, context) {
      const now = monitor.of(logs);
      if (cooling > 0) {
        cooling--;
        wait = 0;
      }
      if (monitor.better(now, best, minDelta)) {
        [best, wait] = [now, 0];
      } else if (cooling === 0 && ++wait >= patience && context.learningRate > minLearningRate) {
        context.learningRate = Math.max(context.learningRate * factor, minLearningRate);
        [cooling, wait] = [cooldown, 0];
      }
    },
  };
}

/**
 * Sets the learning rate before every epoch, as Keras' `LearningRateScheduler`. For a rate that changes from step to step give the optimizer
 * a schedule instead.
 * @param schedule from the epoch (from 0, as in Keras) and the rate before it to the rate
 * @example
 * const callbacks = [learningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate * 0.9))];
 */
export function learningRateScheduler(schedule: (epoch: number, learningRate: number) => number): Callback {
  checkFunction("learningRateScheduler", schedule);
  return {
    onEpochBegin(epoch, context) {
      context.learningRate = schedule(epoch - 1, context.learningRate);
    },
  };
}
