// The fully recurrent layer.
import type { Value } from "../graph/value.js";
import { add } from "../ops/arithmetic.js";
import { cellOps } from "../ops/cells.js";
import { type Recurrent, type RecurrentOptions, recurrentLayer } from "./recurrent.js";

/**
 * h = activation(x kernel + h recurrent_kernel + bias), step by step, as Keras' `SimpleRNN`. Weights: `kernel` [features, units],
 * `recurrent_kernel` [units, units], `bias` [units].
 * @param units size of the state
 * @returns a layer from float32 [batch, steps, features] to the last state [batch, units], or all of them; steps that are masked leave the
 *   state as it is
 * @throws {RangeError} when `units` is no positive integer; {UnsupportedError} for an activation that the kernels do not have
 * @example
 * simpleRNN(16)(input([20, 3])).shape; // [1, 16]
 */
export const simpleRNN = <const O extends RecurrentOptions>(units: number, options: O = {} as O): Recurrent<O> =>
  recurrentLayer(
    {
      kind: "simpleRNN",
      op: cellOps.simpleRNN,
      width: 1,
      states: 1,
      biased: (product: Value, bias) => ({ z: add(product, bias([units])) }),
    },
    units,
    options,
    [],
  );
