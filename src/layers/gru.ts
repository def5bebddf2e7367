// The gated recurrent unit.
import { add } from "../ops/arithmetic.js";
import { cellOps } from "../ops/cells.js";
import { unstack } from "../ops/concat.js";
import { pad } from "../ops/pad.js";
import { slice } from "../ops/slice.js";
import { type GatedOptions, type Recurrent, recurrentLayer } from "./recurrent.js";

export interface GruOptions extends GatedOptions {
  /** Whether the reset gate acts after the product with the recurrent weights, as in cuDNN and PyTorch, or before; default true. */
  resetAfter?: boolean;
}

/**
 * The gated recurrent unit (Cho and others 2014), step by step, as Keras' `GRU`. Weights: `kernel` [features, 3 units],
 * `recurrent_kernel` [units, 3 units], in the order update gate, reset gate, candidate, and `bias`: with `resetAfter` [2, 3 units], of the
 * input and of the states, else [3 units].
 * @param units size of the state
 * @returns a layer from float32 [batch, steps, features] to the last state [batch, units], or all of them; steps that are masked leave the
 *   state as it is
 * @throws {RangeError} when `units` is no positive integer; {UnsupportedError} for an activation that the kernels do not have
 * @example
 * gru(16)(input([20, 3])).shape; // [1, 16]
 */
export function gru<const O extends GruOptions>(units: number, options: O = {} as O): Recurrent<O> {
  const { resetAfter = true } = options;
  return recurrentLayer(
    {
      kind: "gru",
      op: cellOps.gru,
      width: 3,
      states: 1,
      resetAfter,
      biased(product, bias) {
        if (!resetAfter) return { z: add(product, bias([3 * units])) };
        const [given, own] = unstack(bias([2, 3 * units]), 0);
        // What the gates add is the same before the product as after; the candidate's is multiplied by the reset gate.
        const ofGates = pad(slice(own, [0], [2 * units]), [[0, units]]);
        return { z: add(product, add(given, ofGates)), bias: slice(own, [2 * units], [units]) };
      },
    },
    units,
    options,
    ["resetAfter", "recurrentActivation"],
  );
}
