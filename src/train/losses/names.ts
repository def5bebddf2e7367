// Losses by name.
import { typeError } from "../../errors.js";
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from "./crossentropy.js";
import { ctc } from "./ctc.js";
import { binaryFocalCrossentropy, categoricalFocalCrossentropy } from "./focal.js";
import { categoricalHinge, hinge, squaredHinge } from "./hinge.js";
import type { Loss, LossFunction } from "./loss.js";
import {
  cosineSimilarity,
  huber,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  poisson,
} from "./regression.js";

export const losses = {
  binaryCrossentropy: () => binaryCrossentropy(),
  binaryFocalCrossentropy: () => binaryFocalCrossentropy(),
  categoricalCrossentropy: () => categoricalCrossentropy(),
  categoricalFocalCrossentropy: () => categoricalFocalCrossentropy(),
  categoricalHinge,
  cosineSimilarity,
  ctc,
  hinge,
  huber: () => huber(),
  klDivergence,
  logCosh,
  mae: meanAbsoluteError,
  meanAbsoluteError,
  meanSquaredError,
  mse: meanSquaredError,
  poisson,
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy(),
  squaredHinge,
} as const satisfies Record<string, () => Loss>;

/** The camel-case name as Keras spells it, with underscores. */
export type Snake<S extends string> = S extends `${infer A}${infer B}`
  ? A extends Lowercase<A>
    ? `${A}${Snake<B>}`
    : `_${Lowercase<A>}${Snake<B>}`
  : S;
type Name = keyof typeof losses;
/** Names of losses; Keras' own spelling with underscores means the same. */
export type LossName = Name | Snake<Name>;

/** `sparse_categorical_crossentropy` as `sparseCategoricalCrossentropy`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The loss behind a name or a user's function. @throws {TypeError} for a name that there is not */
export function resolveLoss(given: LossName | Loss | LossFunction | undefined, op: string): Loss {
  if (typeof given === "function") return { name: "loss", check: () => {}, of: given };
  if (typeof given === "object" && given !== null && typeof given.of === "function") return given;
  const name = typeof given === "string" ? camelCase(given) : "";
  if (Object.hasOwn(losses, name)) return losses[name as Name]();
  throw typeError({
    op,
    expected: `a loss: ${Object.keys(losses).join(", ")}, or a function of Values`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
