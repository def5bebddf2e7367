// The long short-term memory.
import { UnsupportedError } from "../errors.js";
import { add } from "../ops/arithmetic.js";
import { cellOps } from "../ops/cells.js";
import { type Initializer, resolveInitializer } from "../ops/initializer.js";
import { type GatedOptions, type Recurrent, recurrentLayer } from "./recurrent.js";

export interface LstmOptions extends GatedOptions {
  /** Whether the bias of the forget gate begins with 1 (Jozefowicz and others 2015); default true. */
  unitForgetBias?: boolean;
}

/**
 * The long short-term memory (Hochreiter and Schmidhuber 1997), step by step, as Keras' `LSTM`. Weights: `kernel` [features, 4 units],
 * `recurrent_kernel` [units, 4 units], `bias` [4 units], in the order input gate, forget gate, candidate, output gate. Its states are h
 * and c, in this order.
 * @param units size of each state
 * @returns a layer from float32 [batch, steps, features] to the last state h [batch, units], or those of all steps; steps that are masked
 *   leave the states as they are
 * @throws {RangeError} when `units` is no positive integer; {UnsupportedError} for an activation that the kernels do not have, or a random
 *   `biasInitializer` with `unitForgetBias`
 * @example
 * lstm(16, { returnSequences: true })(input([20, 3])).shape; // [1, 20, 16]
 * const [y, h, c] = lstm(16, { returnState: true })(input([20, 3]));
 */
export function lstm<const O extends LstmOptions>(units: number, options: O = {} as O): Recurrent<O> {
  const { unitForgetBias = true, biasInitializer = "zeros" } = options;
  const first = resolveInitializer(biasInitializer, [4 * units], "lstm");
  const withOnes = (): Initializer => {
    if (first.kind === "constant") return { kind: "parts", values: [first.value, 1, first.value, first.value] };
    throw new UnsupportedError("lstm: expected a constant biasInitializer with unitForgetBias; set that to false", [
      "lstm",
    ]);
  };
  const initializer = unitForgetBias && options.useBias !== false ? withOnes() : first;
  return recurrentLayer(
    {
      kind: "lstm",
      op: cellOps.lstm,
      width: 4,
      states: 2,
      biased: (product, bias) => ({ z: add(product, bias([4 * units], initializer)) }),
    },
    units,
    options,
    ["unitForgetBias", "recurrentActivation"],
  );
}
