// What an optimizer is: which states each weight needs beside it, the numbers that change from step to step, and the update as nodes.
// Those that people use most are kernels of one pass (../../ops/update.ts); the others are graphs of elementwise ops, which need no bytes
// in the module. Formulas are Keras 3's.
import { checkKeys, rangeError, told, typeError } from "../../errors.js";
import type { Value } from "../../graph/value.js";
import { add, mul, sub } from "../../ops/arithmetic.js";
import type { Shape } from "../../shape.js";
import { type Clipping, checkClipping } from "../clipping.js";
import { asSchedule, type Schedule } from "../schedules.js";

/** A state beside a weight. */
export interface Slot {
  readonly name: string;
  /** Default that of the weight. */
  readonly shape?: Shape;
  /** What it is filled with at first; default 0. */
  readonly initial?: number;
}

export interface Optimizer {
  readonly name: string;
  /** The states beside each weight: their names where all are of its shape and zero at first, or what they are for each weight. */
  readonly slots: readonly string[] | ((weight: Shape, name: string) => readonly Slot[]);
  /** The learning rate of each step. */
  readonly learningRate: Schedule;
  /** How gradients are bounded before the update; default not at all. */
  readonly clipping?: Clipping;
  /** The moving average of weights that is kept beside them; default none. */
  readonly average?: { readonly momentum: number; readonly overwriteFrequency?: number | undefined } | undefined;
  /** How many batches' gradients make one update; default 1. */
  readonly accumulation?: number | undefined;
  /** The numbers that the update of step `step` (from 1) takes from memory, given its learning rate. */
  scalars(step: number, learningRate: number): readonly number[];
  /**
   * Writes the weight of that name and its slots; `scalars` are in memory as `scalars()` gave them.
   * @returns the effects: the first is the weight after the step
   */
  update(
    weight: Value,
    gradient: Value,
    slots: readonly Value[],
    scalars: readonly Value[],
    name: string,
  ): Value | readonly Value[];
}

/** A moving average of the weights, as in Keras. */
export interface AverageOptions {
  /**
   * Keep a moving average of each weight that is trained: at the end of `fit` it takes the weight's place. `averages()` of a trainer or of a
   * callback's context has it before. Default false.
   */
  useEma?: boolean;
  /** Share of the old average that is kept at each update; the first update sets it to the weight. Default 0.99. */
  emaMomentum?: number;
  /** After so many updates the average takes the weight's place during training, too; default never. */
  emaOverwriteFrequency?: number;
}

/** What all optimizers take. */
export interface OptimizerOptions extends Clipping, AverageOptions {
  /** A number, or a schedule from the step (from 0) to the rate. */
  learningRate?: number | Schedule;
  /**
   * Add up the gradients of so many batches, and update once with their mean; at least 2. Schedules count batches, as in Keras, everything else
   * of an optimizer counts updates. What is left over at the end is not applied. Default: every batch is an update.
   */
  gradientAccumulationSteps?: number;
}

/** What those take that decay weights by themselves. */
export interface DecayOptions {
  /** Share of each weight that is taken off at each step, times the learning rate; default none. */
  weightDecay?: number;
  /** Weights whose names contain one of these are not decayed, as Keras' `exclude_from_weight_decay(var_names)`. */
  excludeFromWeightDecay?: readonly string[];
}

/** The states beside one weight. */
export const slotsOf = ({ slots }: Optimizer, weight: Shape, name: string): Required<Slot>[] =>
  (typeof slots === "function" ? slots(weight, name) : slots.map((slot): Slot => ({ name: slot }))).map((slot) => ({
    shape: weight,
    initial: 0,
    ...slot,
  }));

/** @throws {RangeError} unless it is a number in [low, high] */
export function within(op: string, what: string, value: number, low: number, high: number): void {
  if (typeof value === "number" && value >= low && value <= high) return;
  throw rangeError({ op, expected: `${what} in [${low}, ${high}]`, actual: told(value) });
}

/** The largest number of float32 below 1. */
export const BELOW_ONE = 1 - 2 ** -24;

const COMMON = [
  "learningRate",
  "clipValue",
  "clipNorm",
  "globalClipNorm",
  "useEma",
  "emaMomentum",
  "emaOverwriteFrequency",
  "gradientAccumulationSteps",
] as const satisfies (keyof OptimizerOptions)[];

/** @throws {TypeError} for options that are none, or that this optimizer does not have */
export function checkOptions(op: string, options: object, ...own: string[]): void {
  checkKeys(op, options, [...COMMON, ...own]);
}

/** What is the same for all: the rate as a schedule, checked clipping, averages and accumulation. */
export function common(
  name: string,
  defaultRate: number,
  { learningRate = defaultRate, ...options }: OptimizerOptions,
) {
  const { clipValue, clipNorm, globalClipNorm } = options;
  const clipping = { clipValue, clipNorm, globalClipNorm };
  checkClipping(name, clipping);
  const { gradientAccumulationSteps: accumulation } = options;
  if (accumulation !== undefined) checkCount(name, "gradientAccumulationSteps", accumulation, 2);
  return {
    name,
    learningRate: asSchedule(learningRate, name),
    clipping,
    average: averageOf(name, options),
    accumulation,
  };
}

function averageOf(op: string, { useEma = false, emaMomentum, emaOverwriteFrequency }: AverageOptions) {
  if (typeof useEma !== "boolean")
    throw typeError({ op, expected: "useEma to be true or false", actual: told(useEma) });
  if (!useEma) {
    const stray = emaMomentum === undefined ? emaOverwriteFrequency : emaMomentum;
    if (stray === undefined) return undefined;
    throw typeError({ op, expected: "useEma: true with options of the average", actual: told(stray) });
  }
  const momentum = emaMomentum ?? 0.99;
  within(op, "emaMomentum", momentum, 0, 1);
  if (emaOverwriteFrequency !== undefined) checkCount(op, "emaOverwriteFrequency", emaOverwriteFrequency, 1);
  return { momentum, overwriteFrequency: emaOverwriteFrequency };
}

function checkCount(op: string, what: string, count: number, least: number): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  throw rangeError({ op, expected: `${what} to be an integer of at least ${least}`, actual: told(count) });
}

/** @throws {TypeError} unless it is a list of texts */
export function checkNames(op: string, what: string, names: unknown): void {
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return;
  throw typeError({ op, expected: `${what} to be a list of names`, actual: told(names) });
}

/** Which share of the weight of a name is taken off, times the rate. @throws for a decay below 0 or names that are no list */
export function decayOf(
  op: string,
  { weightDecay = 0, excludeFromWeightDecay = [] }: DecayOptions,
): (name: string) => number {
  checkNames(op, "excludeFromWeightDecay", excludeFromWeightDecay);
  within(op, "weightDecay", weightDecay, 0, Number.MAX_VALUE);
  return (name) => (excludeFromWeightDecay.some((part) => name.includes(part)) ? 0 : weightDecay);
}

/** The weight as an update finds it: w - rate decay w. */
export const decayed = (weight: Value, rate: Value, decay: number): Value =>
  decay === 0 ? weight : sub(weight, mul(weight, mul(rate, decay)));

export { assign } from "../../ops/assign.js";

/** share * old + (1 - share) * now. */
export const blend = (old: Value, now: Value, share: number): Value => add(mul(old, share), mul(now, 1 - share));
