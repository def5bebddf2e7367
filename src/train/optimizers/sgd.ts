// Gradient descent and RMSprop.
import { make } from "../../graph/value.js";
import { updateOps } from "../../ops/update.js";
import { BELOW_ONE, checkOptions, common, type Optimizer, type OptimizerOptions, within } from "./optimizer.js";

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
