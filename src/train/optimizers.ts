// Optimizers: which states each weight needs beside it, the numbers that change from step to step, and the update as a node.
// Formulas are Keras 3's.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import { make, type Value } from "../graph/value.js";
import { updateOps } from "../ops/update.js";
import { type Clipping, checkClipping } from "./clipping.js";
import { power } from "./numbers.js";
import { asSchedule, type Schedule } from "./schedules.js";

export interface Optimizer {
  readonly name: string;
  /** Names of the states beside each weight, of its shape, zero at first. */
  readonly slots: readonly string[];
  /** The learning rate of each step. */
  readonly learningRate: Schedule;
  /** How gradients are bounded before the update; default not at all. */
  readonly clipping?: Clipping;
  /** The numbers that the update of step `step` (from 1) takes from memory, given its learning rate. */
  scalars(step: number, learningRate: number): readonly number[];
  /** Writes the weight of that name and its slots; `scalars` are in memory as `scalars()` gave them. */
  update(weight: Value, gradient: Value, slots: readonly Value[], scalars: readonly Value[], name: string): Value;
}

/** What all optimizers take. */
export interface OptimizerOptions extends Clipping {
  /** A number, or a schedule from the step (from 0) to the rate. */
  learningRate?: number | Schedule;
}

function within(op: string, what: string, value: number, low: number, high: number): void {
  if (typeof value === "number" && value >= low && value <= high) return;
  throw rangeError({ op, expected: `${what} in [${low}, ${high}]`, actual: told(value) });
}

const BELOW_ONE = 1 - 2 ** -24;

/** @throws {TypeError} for options that are none, or that this optimizer does not have */
function checkOptions(op: string, options: object, ...own: string[]): void {
  checkKeys(op, options, ["learningRate", "clipValue", "clipNorm", "globalClipNorm", ...own]);
}

/** What is the same for all: the rate as a schedule, checked clipping. */
function common(name: string, defaultRate: number, { learningRate = defaultRate, ...options }: OptimizerOptions) {
  const { clipValue, clipNorm, globalClipNorm } = options;
  const clipping = { clipValue, clipNorm, globalClipNorm };
  checkClipping(name, clipping);
  return { name, learningRate: asSchedule(learningRate, name), clipping };
}

export interface SgdOptions extends OptimizerOptions {
  /** Default 0: plain gradient descent. */
  momentum?: number;
  /** Default false. */
  nesterov?: boolean;
}

/**
 * Gradient descent, with momentum on request, as Keras' `SGD`.
 * @param options.learningRate default 0.01
 * @throws {RangeError} for a negative rate or a momentum outside [0, 1]
 * @example
 * const optimizer = sgd({ learningRate: cosineDecay(0.1, 1000), momentum: 0.9, nesterov: true });
 */
export function sgd(given: SgdOptions = {}): Optimizer {
  checkOptions("sgd", given, "momentum", "nesterov");
  const { momentum = 0, nesterov = false, ...options } = given;
  within("sgd", "momentum", momentum, 0, 1);
  return {
    ...common("sgd", 0.01, options),
    slots: momentum === 0 ? [] : ["momentum"],
    scalars: (_, learningRate) => [learningRate],
    update: (weight, gradient, [velocity], [rate]) =>
      (momentum === 0
        ? make(updateOps.sgd, [weight, gradient, rate])
        : make(updateOps.sgdMomentum, [weight, gradient, velocity, rate], { momentum, nesterov })
      ).outputs[0],
  };
}

export interface AdamOptions extends OptimizerOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

/**
 * Adam (Kingma and Ba 2015) in Keras' form: w -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon).
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate or epsilon, or a beta outside [0, 1)
 * @example
 * const optimizer = adam({ learningRate: 0.002, globalClipNorm: 1 });
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions("adam", options, "beta1", "beta2", "epsilon");
  const { attrs, alpha, ...rest } = adamFacts("adam", options);
  return {
    ...rest,
    scalars: (step, learningRate) => [alpha(step, learningRate)],
    update: (weight, gradient, [m, v], [rate]) =>
      make(updateOps.adam, [weight, gradient, m, v, rate], attrs).outputs[0],
  };
}

function adamFacts(name: string, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, ...options }: AdamOptions) {
  within(name, "beta1", beta1, 0, BELOW_ONE);
  within(name, "beta2", beta2, 0, BELOW_ONE);
  within(name, "epsilon", epsilon, 0, Number.MAX_VALUE);
  return {
    ...common(name, 0.001, options),
    slots: ["momentum", "velocity"],
    attrs: { beta1, beta2, epsilon },
    alpha: (step: number, learningRate: number) =>
      (learningRate * Math.sqrt(1 - power(beta2, step))) / (1 - power(beta1, step)),
  };
}

export interface AdamWOptions extends AdamOptions {
  /** Share of each weight that is taken off at each step, times the learning rate; default 0.004. */
  weightDecay?: number;
  /** Weights whose names contain one of these are not decayed, as Keras' `exclude_from_weight_decay(var_names)`. */
  excludeFromWeightDecay?: readonly string[];
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as Keras' `AdamW`: w -= rate weightDecay w before the step of Adam, for
 * every weight that is trained, biases too unless they are excluded.
 * @param options.learningRate default 0.001
 * @throws {RangeError} as `adam`, and for a negative decay
 * @example
 * const optimizer = adamW({ weightDecay: 0.01, excludeFromWeightDecay: ["bias", "gamma", "beta"] });
 */
export function adamW(given: AdamWOptions = {}): Optimizer {
  checkOptions("adamW", given, "beta1", "beta2", "epsilon", "weightDecay", "excludeFromWeightDecay");
  const { weightDecay = 0.004, excludeFromWeightDecay = [], ...options } = given;
  if (!Array.isArray(excludeFromWeightDecay))
    throw typeError({
      op: "adamW",
      expected: "excludeFromWeightDecay to be a list",
      actual: told(excludeFromWeightDecay),
    });
  within("adamW", "weightDecay", weightDecay, 0, Number.MAX_VALUE);
  const { attrs, alpha, ...rest } = adamFacts("adamW", options);
  const kept = (name: string) => excludeFromWeightDecay.some((part) => name.includes(part));
  return {
    ...rest,
    scalars: (step, learningRate) => [alpha(step, learningRate), learningRate],
    update: (weight, gradient, [m, v], [rate, learningRate], name) =>
      (kept(name)
        ? make(updateOps.adam, [weight, gradient, m, v, rate], attrs)
        : make(updateOps.adamW, [weight, gradient, m, v, rate, learningRate], { ...attrs, decay: weightDecay })
      ).outputs[0],
  };
}

export interface RmspropOptions extends OptimizerOptions {
  /** Share of the old mean square that is kept; default 0.9. */
  rho?: number;
  /** Default 0. */
  momentum?: number;
  /** Default 1e-7. */
  epsilon?: number;
  /** Divide by the estimated standard deviation instead of the root mean square; default false. */
  centered?: boolean;
}

/**
 * RMSprop as Keras' `RMSprop`: w -= rate g / sqrt(v + epsilon), with v a moving mean of squares.
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate or epsilon, a rho outside [0, 1) or a momentum outside [0, 1]
 * @example
 * const optimizer = rmsprop({ momentum: 0.9, centered: true });
 */
export function rmsprop(given: RmspropOptions = {}): Optimizer {
  checkOptions("rmsprop", given, "rho", "momentum", "epsilon", "centered");
  const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false, ...options } = given;
  within("rmsprop", "rho", rho, 0, BELOW_ONE);
  within("rmsprop", "momentum", momentum, 0, 1);
  within("rmsprop", "epsilon", epsilon, 0, Number.MAX_VALUE);
  const heavy = momentum > 0;
  const plain = centered ? updateOps.rmspropCentered : updateOps.rmsprop;
  const moving = centered ? updateOps.rmspropCenteredMomentum : updateOps.rmspropMomentum;
  return {
    ...common("rmsprop", 0.001, options),
    slots: ["velocity", ...(centered ? ["average_gradient"] : []), ...(heavy ? ["momentum"] : [])],
    scalars: (_, learningRate) => [learningRate],
    update: (weight, gradient, slots, [rate]) =>
      make(heavy ? moving : plain, [weight, gradient, rate, ...slots], {
        rho,
        epsilon,
        ...(heavy ? { momentum } : {}),
      }).outputs[0],
  };
}

const byName = { sgd, adam, adamW, rmsprop } as const;
export type OptimizerName = keyof typeof byName;

/** The optimizer of a name with its defaults, or the given one. @throws {TypeError} for a name that there is not */
export function resolveOptimizer(given: Optimizer | OptimizerName | undefined, op: string): Optimizer {
  if (typeof given === "object" && given !== null && typeof given.update === "function") return given;
  if (typeof given === "string" && Object.hasOwn(byName, given)) return byName[given]();
  throw typeError({
    op,
    expected: `an optimizer: ${Object.keys(byName).join(", ")}`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
