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

/** What all optimizers take. */
export interface OptimizerOptions extends Clipping {
  /** A number, or a schedule from the step (from 0) to the rate. */
  learningRate?: number | Schedule;
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

/** @throws {TypeError} for options that are none, or that this optimizer does not have */
export function checkOptions(op: string, options: object, ...own: string[]): void {
  checkKeys(op, options, ["learningRate", "clipValue", "clipNorm", "globalClipNorm", ...own]);
}

/** What is the same for all: the rate as a schedule, checked clipping. */
export function common(
  name: string,
  defaultRate: number,
  { learningRate = defaultRate, ...options }: OptimizerOptions,
) {
  const { clipValue, clipNorm, globalClipNorm } = options;
  const clipping = { clipValue, clipNorm, globalClipNorm };
  checkClipping(name, clipping);
  return { name, learningRate: asSchedule(learningRate, name), clipping };
}

/** Which share of the weight of a name is taken off, times the rate. @throws for a decay below 0 or names that are no list */
export function decayOf(
  op: string,
  { weightDecay = 0, excludeFromWeightDecay = [] }: DecayOptions,
): (name: string) => number {
  if (!Array.isArray(excludeFromWeightDecay))
    throw typeError({
      op,
      expected: "excludeFromWeightDecay to be a list",
      actual: told(excludeFromWeightDecay),
    });
  within(op, "weightDecay", weightDecay, 0, Number.MAX_VALUE);
  return (name) => (excludeFromWeightDecay.some((part) => name.includes(part)) ? 0 : weightDecay);
}

/** The weight as an update finds it: w - rate decay w. */
export const decayed = (weight: Value, rate: Value, decay: number): Value =>
  decay === 0 ? weight : sub(weight, mul(weight, mul(rate, decay)));

export { assign } from "../../ops/assign.js";

/** share * old + (1 - share) * now. */
export const blend = (old: Value, now: Value, share: number): Value => add(mul(old, share), mul(now, 1 - share));
