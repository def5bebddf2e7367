// Optimizers by name.
import { typeError } from "../../errors.js";
import { adafactor } from "./adafactor.js";
import { adadelta, adagrad } from "./adagrad.js";
import { adam, adamax, adamW, nadam } from "./adam.js";
import { lion } from "./lion.js";
import { muon } from "./muon.js";
import type { Optimizer } from "./optimizer.js";
import { rmsprop, sgd } from "./sgd.js";

const byName = { sgd, adam, adamW, rmsprop, adamax, nadam, adagrad, adadelta, adafactor, lion, muon } as const;
export type OptimizerName = keyof typeof byName;

/** The optimizer of a name with its defaults, or the given one. @throws {TypeError} for a name that there is not */
export function resolveOptimizer(given: Optimizer | OptimizerName | undefined, op: string): Optimizer {
  if (typeof given === "object" && given !== null && typeof given.update === "function") return given;
  if (typeof given === "string" && Object.hasOwn(byName, given)) return byName[given]();
  throw typeError({
    op,
    expected: `an optimizer: ${Object.keys(byName).join(", ")}`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}
