// A recurrent layer in both directions.
import { rangeError, told, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { concat } from "../ops/concat.js";
import { flip } from "../ops/slice.js";
import type { LayerOptions } from "./layer.js";
import { merge } from "./merge.js";
import type { Recurrent, RecurrentCall, RecurrentOptions } from "./recurrent.js";

const modes = {
  concat: (a: Value, b: Value) => concat([a, b], -1),
  sum: (a: Value, b: Value) => add(a, b),
  mul: (a: Value, b: Value) => mul(a, b),
  ave: (a: Value, b: Value) => mul(add(a, b), 0.5),
} as const;

export interface BidirectionalOptions extends LayerOptions {
  /** How both outputs become one; default `concat`, along the features. */
  mergeMode?: keyof typeof modes;
  /** The layer for the other direction, with `goBackwards`; default one like the first. */
  backwardLayer?: Recurrent;
}

/**
 * A recurrent layer and another one like it from the last step to the first, as Keras' `Bidirectional`; the second one's outputs are put in
 * the order of the steps again. Weights are those of two layers, `forward_lstm` and `backward_lstm`. Steps that are masked give 0 in sequences.
 * @param layer `simpleRNN`, `lstm` or `gru`, whose options both have; it is not used itself
 * @returns a layer as that one; with `returnState` the states of the first direction come first, as in `initialState`
 * @throws {TypeError} for other layers; {RangeError} for a mergeMode that there is not, or two layers that do not go in opposite directions
 * @example
 * bidirectional(lstm(16, { returnSequences: true }))(input([20, 3])).shape; // [1, 20, 32]
 */
export function bidirectional<O extends RecurrentOptions>(
  layer: Recurrent<O>,
  { mergeMode = "concat", backwardLayer, name, ...others }: BidirectionalOptions = {},
): (x: Value, call?: RecurrentCall) => ReturnType<Recurrent<O>> {
  const op = "bidirectional";
  for (const given of backwardLayer ? [layer, backwardLayer] : [layer])
    if (typeof given?.again !== "function")
      throw typeError({ op, expected: "a recurrent layer: simpleRNN, lstm or gru", actual: told(given) });
  if (!Object.hasOwn(modes, mergeMode))
    throw rangeError({
      op,
      expected: `mergeMode to be one of ${Object.keys(modes).join(", ")}`,
      actual: told(mergeMode),
    });
  const { goBackwards = false, returnSequences = false, returnState = false } = layer.options;
  if (backwardLayer && (backwardLayer.options.goBackwards ?? false) === goBackwards)
    throw rangeError({
      op,
      expected: "a backwardLayer with goBackwards other than the layer's",
      actual: told(goBackwards),
    });
  const direction = (word: string, of: Recurrent, backwards: boolean): Recurrent => {
    const own = of.options.name ?? (name && of.kind);
    const full = own && `${name ? `${name}/` : ""}${word}_${own}`;
    const changes = { goBackwards: backwards, zeroOutputForMask: returnSequences, ...(full && { name: full }) };
    return of.again(word, changes);
  };
  const forward = direction("forward", layer as Recurrent, goBackwards);
  const backward = direction("backward", backwardLayer ?? (layer as Recurrent), !goBackwards);
  return (x, { initialState } = {}) => {
    const initial = initialState === undefined ? undefined : [initialState].flat();
    const half = (initial?.length ?? 0) / 2;
    const [there, back] = [forward, backward].map((of, i) =>
      [of(x, initial && { initialState: initial.slice(i * half, (i + 1) * half) })].flat(),
    );
    const y = merge(
      op,
      [there[0], back[0]],
      { name, ...others },
      [],
      ([a, b]) => modes[mergeMode](a, returnSequences ? flip(b, 1) : b),
      ([mask]) => mask,
    );
    return (returnState ? [y, ...there.slice(1), ...back.slice(1)] : y) as ReturnType<Recurrent<O>>;
  };
}
