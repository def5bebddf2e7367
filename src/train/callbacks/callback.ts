// What can be done while a model trains: functions that `fit` calls, and what it tells them.
import { checkKeys } from "../../errors.js";
import type { Model } from "../../program/model.js";
import type { Tensor } from "../../tensor.js";
import type { Logs } from "../trainer.js";

/** The run itself: what a callback can do to it. */
export interface FitContext {
  readonly model: Model;
  /** Of the next step; setting it puts a fixed rate in the place of the optimizer's own. */
  learningRate: number;
  /** Steps done, those of a run that was resumed among them. */
  readonly steps: number;
  /** Ends training after this step; validation and the end of the epoch still come. */
  stop(): void;
  /**
   * All weights by name, those that are trained as the moving averages that an optimizer with `useEma` keeps.
   * @throws {TypeError} when the optimizer keeps none
   */
  averages(): Record<string, Tensor>;
  /**
   * Everything the run needs to go on, for the option `resume`: at the end of a step or of an epoch. With the same data and options, all
   * that follows is the same, bit for bit.
   */
  save(): Uint8Array;
}

/** Where a training run is, after each step. */
export interface FitStep {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Step within the epoch, from 1. */
  readonly step: number;
  /** Of the epoch; undefined in the first epoch of a dataset that does not know its size. */
  readonly steps: number | undefined;
  /** Loss of this batch, before its update. */
  readonly loss: number;
  /** Loss and metrics, averaged over the epoch so far. */
  readonly logs: Logs;
  readonly samplesPerSecond: number;
  /** Estimated, of the whole run; undefined where `steps` is. */
  readonly secondsLeft: number | undefined;
}

/** The end of an epoch: averages over its batches, and `val_` numbers where there is validation. */
export interface FitEpoch {
  readonly epoch: number;
  readonly epochs: number;
  readonly logs: Logs;
  /** Of the next step. */
  readonly learningRate: number;
  readonly seconds: number;
}

/** Numbers of every epoch, by name, as Keras' `History`. */
export interface History {
  readonly epoch: number[];
  readonly history: Record<string, number[]>;
}

/** Waited for where it is a promise. */
export type Maybe<T> = T | Promise<T>;

/** Any of these; an error thrown by one fails the run. They are called in the order in which they are given. */
export interface Callback {
  onTrainBegin?(context: FitContext): Maybe<void>;
  /** @param epoch from 1 */
  onEpochBegin?(epoch: number, context: FitContext): Maybe<void>;
  onTrainBatchEnd?(step: FitStep, context: FitContext): Maybe<void>;
  onEpochEnd?(epoch: FitEpoch, context: FitContext): Maybe<void>;
  /** Also after {@link FitContext.stop}, but not after an abort, a `break` or an error. */
  onTrainEnd?(history: History, context: FitContext): Maybe<void>;
}

/**
 * A callback of functions, as Keras' `LambdaCallback`; a plain object of them is one too.
 * @throws {TypeError} for a name that is none of a callback's
 * @example
 * const losses: number[] = [];
 * const callbacks = [lambda({ onEpochEnd: ({ logs }) => { losses.push(logs.loss); } })];
 */
export function lambda(functions: Callback): Callback {
  checkKeys("lambda", functions, [
    "onTrainBegin",
    "onEpochBegin",
    "onTrainBatchEnd",
    "onEpochEnd",
    "onTrainEnd",
  ] satisfies (keyof Callback)[]);
  return functions;
}
