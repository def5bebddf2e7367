// Lion: steps of one size, by the sign alone.
import { mul, sub } from "../../ops/arithmetic.js";
import { sign } from "../../ops/unary.js";
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

export interface LionOptions extends OptimizerOptions, DecayOptions {
  /** Share of the momentum in the step; default 0.9. */
  beta1?: number;
  /** Share of the old momentum that is kept; default 0.99. */
  beta2?: number;
}

/**
 * Lion (Chen and others 2023), as Keras' `Lion`: w -= rate sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g. Rates are 3 to
 * 10 times smaller than those of AdamW, decays as many times larger.
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate or decay, or a beta outside [0, 1)
 * @example
 * const optimizer = lion({ learningRate: 1e-4, weightDecay: 0.1, excludeFromWeightDecay: ["bias"] });
 */
export function lion(given: LionOptions = {}): Optimizer {
  checkOptions("lion", given, "beta1", "beta2", "weightDecay", "excludeFromWeightDecay");
  const { beta1 = 0.9, beta2 = 0.99, ...options } = given;
  within("lion", "beta1", beta1, 0, BELOW_ONE);
  within("lion", "beta2", beta2, 0, BELOW_ONE);
  const decay = decayOf("lion", options);
  return {
    ...common("lion", 0.001, options),
    slots: ["momentum"],
    scalars: (_, learningRate) => [learningRate],
    update(weight, gradient, [m], [rate], name) {
      const step = mul(sign(blend(m, gradient, beta1)), rate);
      return [assign(weight, sub(decayed(weight, rate, decay(name)), step)), assign(m, blend(m, gradient, beta2))];
    },
  };
}
