// Adagrad and Adadelta: steps by all squares so far, and by moving means of squares of gradients and of steps.
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { sqrt, square } from "../../ops/unary.js";
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

export interface AdagradOptions extends OptimizerOptions, DecayOptions {
  /** What the sum of squares begins with; default 0.1. */
  initialAccumulatorValue?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

/**
 * Adagrad (Duchi and others 2011), as Keras' `Adagrad`: w -= rate g / sqrt(a + epsilon), with a the sum of all squares so far.
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate, epsilon, decay or beginning
 * @example
 * const optimizer = adagrad({ learningRate: 0.1 });
 */
export function adagrad(given: AdagradOptions = {}): Optimizer {
  checkOptions("adagrad", given, "initialAccumulatorValue", "epsilon", "weightDecay", "excludeFromWeightDecay");
  const { initialAccumulatorValue: initial = 0.1, epsilon = 1e-7, ...options } = given;
  within("adagrad", "initialAccumulatorValue", initial, 0, Number.MAX_VALUE);
  within("adagrad", "epsilon", epsilon, 0, Number.MAX_VALUE);
  const decay = decayOf("adagrad", options);
  return {
    ...common("adagrad", 0.001, options),
    slots: () => [{ name: "accumulator", initial }],
    scalars: (_, learningRate) => [learningRate],
    update(weight, gradient, [accumulator], [rate], name) {
      const squares = add(accumulator, square(gradient));
      const step = div(mul(gradient, rate), sqrt(add(squares, epsilon)));
      return [assign(weight, sub(decayed(weight, rate, decay(name)), step)), assign(accumulator, squares)];
    },
  };
}

export interface AdadeltaOptions extends OptimizerOptions, DecayOptions {
  /** Share of the old mean squares that is kept; default 0.95. */
  rho?: number;
  /** Default 1e-7. */
  epsilon?: number;
}

/**
 * Adadelta (Zeiler 2012), as Keras' `Adadelta`: w -= rate d with d = sqrt(x + epsilon) / sqrt(v + epsilon) g, where v is the moving mean of
 * squares of gradients and x that of d before this step.
 * @param options.learningRate default 0.001; 1 is the paper's
 * @throws {RangeError} for a negative rate, epsilon or decay, or a rho outside [0, 1)
 * @example
 * const optimizer = adadelta({ learningRate: 1, rho: 0.9 });
 */
export function adadelta(given: AdadeltaOptions = {}): Optimizer {
  checkOptions("adadelta", given, "rho", "epsilon", "weightDecay", "excludeFromWeightDecay");
  const { rho = 0.95, epsilon = 1e-7, ...options } = given;
  within("adadelta", "rho", rho, 0, BELOW_ONE);
  within("adadelta", "epsilon", epsilon, 0, Number.MAX_VALUE);
  const decay = decayOf("adadelta", options);
  return {
    ...common("adadelta", 0.001, options),
    slots: ["accumulated_grad", "accumulated_delta_var"],
    scalars: (_, learningRate) => [learningRate],
    update(weight, gradient, [v, x], [rate], name) {
      const squares = blend(v, square(gradient), rho);
      const delta = div(mul(sqrt(add(x, epsilon)), gradient), sqrt(add(squares, epsilon)));
      const next = sub(decayed(weight, rate, decay(name)), mul(delta, rate));
      return [assign(weight, next), assign(v, squares), assign(x, blend(x, square(delta), rho))];
    },
  };
}
