// Adafactor: of a matrix, mean squares by row and by column instead of one for each weight.
import type { Value } from "../../graph/value.js";
import { pow } from "../../numbers.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { maximum } from "../../ops/comparison.js";
import { mean } from "../../ops/reduce.js";
import { expandDims } from "../../ops/shape.js";
import { sqrt, square } from "../../ops/unary.js";
import {
  assign,
  checkOptions,
  common,
  type DecayOptions,
  decayed,
  decayOf,
  type Optimizer,
  type OptimizerOptions,
  within,
} from "./optimizer.js";

export interface AdafactorOptions extends OptimizerOptions, DecayOptions {
  /** Of step t, the share 1 - t^beta2Decay of the old mean squares is kept; default -0.8. */
  beta2Decay?: number;
  /** Added to squares of gradients; default 1e-30. */
  epsilon1?: number;
  /** The least size that a weight counts with; default 1e-3. */
  epsilon2?: number;
  /** The highest root mean square of a step, before the rate; default 1. */
  clipThreshold?: number;
}

/**
 * Adafactor (Shazeer and Stern 2018), as Keras' `Adafactor`: w -= min(rate, 1 / sqrt(t)) max(epsilon2, rms(w)) u / max(1, rms(u) /
 * clipThreshold) with u = g / sqrt(v). Where a weight has two axes or more, v of its last two is r / mean(r) times c, with r and c moving means
 * of squares along them: the states of a matrix [m, n] are m + n numbers.
 * @param options.learningRate default 0.001
 * @throws {RangeError} for a negative rate, epsilon or decay, a beta2Decay above 0, or a threshold that is not above 0
 * @example
 * const optimizer = adafactor({ learningRate: 0.01 });
 */
export function adafactor(given: AdafactorOptions = {}): Optimizer {
  const own = ["beta2Decay", "epsilon1", "epsilon2", "clipThreshold", "weightDecay", "excludeFromWeightDecay"];
  checkOptions("adafactor", given, ...own);
  const { beta2Decay = -0.8, epsilon1 = 1e-30, epsilon2 = 1e-3, clipThreshold = 1, ...options } = given;
  within("adafactor", "beta2Decay", beta2Decay, -Number.MAX_VALUE, 0);
  within("adafactor", "epsilon1", epsilon1, 0, Number.MAX_VALUE);
  within("adafactor", "epsilon2", epsilon2, 0, Number.MAX_VALUE);
  within("adafactor", "clipThreshold", clipThreshold, Number.MIN_VALUE, Number.MAX_VALUE);
  const decay = decayOf("adafactor", options);
  return {
    ...common("adafactor", 0.001, options),
    slots: (shape) =>
      shape.length < 2
        ? [{ name: "velocity" }]
        : [
            { name: "rows", shape: shape.slice(0, -1) },
            { name: "columns", shape: [...shape.slice(0, -2), shape[shape.length - 1]] },
          ],
    scalars(step, rate) {
      const fresh = pow(step, beta2Decay);
      return [Math.min(rate, 1 / Math.sqrt(step)), 1 - fresh, fresh, rate];
    },
    update(before, gradient, slots, [rho, kept, fresh, rate], name) {
      const weight = decayed(before, rate, decay(name));
      const squares = add(square(gradient), epsilon1);
      const moved = slots.map((slot, i) =>
        add(mul(slot, kept), mul(slots.length < 2 ? squares : mean(squares, i === 0 ? -1 : -2), fresh)),
      );
      const [rows, columns] = moved;
      const velocity =
        columns === undefined
          ? rows
          : mul(expandDims(div(rows, mean(rows, -1, { keepDims: true })), -1), expandDims(columns, -2));
      const direction = div(gradient, sqrt(velocity));
      const bounded = div(direction, maximum(div(rms(direction), clipThreshold), 1));
      const next = sub(weight, mul(bounded, mul(maximum(rms(weight), epsilon2), rho)));
      return [assign(before, next), ...slots.map((slot, i) => assign(slot, moved[i]))];
    },
  };
}

const rms = (x: Value): Value => sqrt(mean(square(x)));
