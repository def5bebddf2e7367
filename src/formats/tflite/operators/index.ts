// TensorFlow Lite's operators in ours: a rule each, from what the file says to Values.
import { conversionRules } from "./conversion.js";
import { movementRules } from "./movement.js";
import { pointwiseRules } from "./pointwise.js";
import { poolingRules } from "./pooling.js";
import { productRules } from "./products.js";
import { reductionRules } from "./reduction.js";
import type { Rule, Rules } from "./rule.js";

const tables: readonly Rules[] = [
  conversionRules,
  movementRules,
  pointwiseRules,
  poolingRules,
  productRules,
  reductionRules,
];

/** The rule for an operator, if there is one. */
export const ruleFor = (name: string): Rule | undefined => tables.find((table) => Object.hasOwn(table, name))?.[name];
