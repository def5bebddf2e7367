// Learning rates of single layers or weights, as shares of the optimizer's.
import { rangeError, told, typeError } from "../errors.js";
import { stateAttrs } from "../ops/leaf.js";
import type { Model } from "../program/model.js";

/** What the learning rate is multiplied by: by name of layers (`dense_1`) or of weights (`dense_1/bias`), or a function of a weight's name. */
export type LearningRates = Readonly<Record<string, number>> | ((name: string) => number);

/**
 * The factor of each weight that can be trained, by name; 1 where nothing is said. A weight's own name counts before that of its layer.
 * @throws {TypeError} for a name that the model does not have; {RangeError} for a factor below 0
 */
export function rateFactors({ names }: Model, given: LearningRates = {}, op: string): ReadonlyMap<string, number> {
  if (typeof given !== "function" && (typeof given !== "object" || given === null || Array.isArray(given)))
    throw typeError({ op, expected: "learningRates by the names of layers or weights", actual: told(given) });
  if (typeof given === "object") {
    const known = [...names.layers.values(), ...names.states.keys()];
    const stray = Object.keys(given).find((name) => !known.includes(name));
    if (stray !== undefined)
      throw typeError({ op, expected: `learningRates of ${known.join(", ")}`, actual: JSON.stringify(stray) });
  }
  const trainable = [...names.states].filter(([, value]) => stateAttrs(value).trainable);
  return new Map(
    trainable.map(([name, { node }]) => {
      const layer = (node.layer && names.layers.get(node.layer)) ?? "";
      const own = (key: string) => (Object.hasOwn(given, key) ? (given as Record<string, number>)[key] : undefined);
      const factor = typeof given === "function" ? given(name) : (own(name) ?? own(layer) ?? 1);
      if (!(Number.isFinite(factor) && factor >= 0))
        throw rangeError({ op, layer: name, expected: "learningRates of at least 0", actual: told(factor) });
      return [name, factor];
    }),
  );
}
