// Adam and its kin: moving means of gradients over those of their squares.
import { make } from "../../graph/value.js";
import { power } from "../../numbers.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { maximum } from "../../ops/comparison.js";
import { abs, sqrt, square } from "../../ops/unary.js";
import { updateOps } from "../../ops/update.js";
import {
  assign,
  BELOW_ONE,
  blend,
  checkOptions,
  common,
  type DecayOptions,
  decayed,
  decayOf,
  type Optimizer,
  type OptimizerOptions,
  within,
} from "./optimizer.js";

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

/** What Adam and its kin share. */
export function adamFacts(name: string, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, ...options }: AdamOptions) {
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

export interface AdamWOptions extends AdamOptions, DecayOptions {
  /** Share of each weight that is taken off at each step, times the learning rate; default 0.004. */
  weightDecay?: number;
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
  const { weightDecay = 0.004, excludeFromWeightDecay, ...options } = given;
  const decay = decayOf("adamW", { weightDecay, excludeFromWeightDecay });
  const { attrs, alpha, ...rest } = adamFacts("adamW", options);
  return {
    ...rest,
    scalars: (step, learningRate) => [alpha(step, learningRate), learningRate],
    update: (weight, gradient, [m, v], [rate, learningRate], name) =>
      (decay(name) === 0
        ? make(updateOps.adam, [weight, gradient, m, v, rate], attrs)
        : make(updateOps.adamW, [weight, gradient, m, v, rate, learningRate], { ...attrs, decay: decay(name) })
      ).outputs[0],
  };
}

export interface AdamaxOptions extends AdamOptions, DecayOptions {}

/**
 * Adamax (Kingma and Ba 2015, section 7.1), as Keras' `Adamax`: Adam by the largest gradient instead of the mean square. With
 * u = max(beta2 u, |g|): w -= rate / (1 - beta1^t) m / (u + epsilon).
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate, epsilon or decay, or a beta outside [0, 1)
 * @example
 * const optimizer = adamax({ learningRate: 0.002 });
 */
export function adamax(options: AdamaxOptions = {}): Optimizer {
  checkOptions("adamax", options, "beta1", "beta2", "epsilon", "weightDecay", "excludeFromWeightDecay");
  const { attrs, alpha: _, ...rest } = adamFacts("adamax", options);
  const { beta1, beta2, epsilon } = attrs;
  const decay = decayOf("adamax", options);
  return {
    ...rest,
    slots: ["momentum", "norm"],
    scalars: (step, learningRate) => [learningRate / (1 - power(beta1, step)), learningRate],
    update(weight, gradient, [m, u], [alpha, rate], name) {
      const mean = blend(m, gradient, beta1);
      const norm = maximum(mul(u, beta2), abs(gradient));
      const step = div(mul(mean, alpha), add(norm, epsilon));
      return [assign(weight, sub(decayed(weight, rate, decay(name)), step)), assign(m, mean), assign(u, norm)];
    },
  };
}

export interface NadamOptions extends AdamOptions, DecayOptions {}

/**
 * Adam with Nesterov momentum (Dozat 2015), as Keras' `Nadam`. With u_t = beta1 (1 - 0.96^t / 2) and U_t the product of u_1 to u_t:
 * w -= rate (u_(t+1) m / (1 - U_(t+1)) + (1 - u_t) g / (1 - U_t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate, epsilon or decay, or a beta outside [0, 1)
 * @example
 * const optimizer = nadam({ learningRate: 0.002, beta1: 0.95 });
 */
export function nadam(options: NadamOptions = {}): Optimizer {
  checkOptions("nadam", options, "beta1", "beta2", "epsilon", "weightDecay", "excludeFromWeightDecay");
  const { attrs, alpha: _, ...rest } = adamFacts("nadam", options);
  const { beta1, beta2, epsilon } = attrs;
  const decay = decayOf("nadam", options);
  const u = (t: number): number => beta1 * (1 - 0.5 * power(0.96, t));
  return {
    ...rest,
    scalars(t, rate) {
      const product = schedule(beta1, t);
      const ofMean = (rate * u(t + 1)) / (1 - product * u(t + 1));
      return [ofMean, (rate * (1 - u(t))) / (1 - product), 1 / (1 - power(beta2, t)), rate];
    },
    update(weight, gradient, [m, v], [ofMean, ofGradient, correction, rate], name) {
      const [mean, squares] = [blend(m, gradient, beta1), blend(v, square(gradient), beta2)];
      const ahead = add(mul(mean, ofMean), mul(gradient, ofGradient));
      const step = div(ahead, add(sqrt(mul(squares, correction)), epsilon));
      return [assign(weight, sub(decayed(weight, rate, decay(name)), step)), assign(m, mean), assign(v, squares)];
    },
  };
}

/** Below this, 1 - U is 1. */
const NOTHING = 2 ** -54;

/** The product of beta1 (1 - 0.96^i / 2) for i from 1 to t, in that order; 0 once it makes no difference to 1. */
function schedule(beta1: number, t: number): number {
  let [product, decay] = [1, 1];
  for (let i = 1; i <= t; i++) {
    decay *= 0.96;
    product *= beta1 * (1 - 0.5 * decay);
    if (product < NOTHING) return 0;
  }
  return product;
}
