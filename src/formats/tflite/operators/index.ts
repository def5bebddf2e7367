// TensorFlow Lite's operators in ours: a rule each, from what the file says to Values.

import type { TfliteGraph, TfliteOperator } from "../schema.js";
import { conversionRules } from "./conversion.js";
import { imageRules } from "./images.js";
import { indexingRules } from "./indexing.js";
import { int16Rules } from "./int16.js";
import { logicRules } from "./logic.js";
import { lstmRules } from "./lstm.js";
import { movementRules } from "./movement.js";
import { pointwiseRules } from "./pointwise.js";
import { poolingRules } from "./pooling.js";
import { productRules } from "./products.js";
import { reductionRules } from "./reduction.js";
import { rnnRules } from "./rnn.js";
import type { Rule, Rules } from "./rule.js";
import { shapeRules } from "./shapes.js";
import { svdfRules } from "./svdf.js";
import { transposedRules } from "./transposed.js";
import { variableRules } from "./variables.js";

const tables: readonly Rules[] = [
  conversionRules,
  imageRules,
  indexingRules,
  int16Rules,
  logicRules,
  lstmRules,
  movementRules,
  pointwiseRules,
  poolingRules,
  productRules,
  reductionRules,
  rnnRules,
  svdfRules,
  shapeRules,
  transposedRules,
  variableRules,
];

/** The rules for an operator: each for types of its own. */
export const rulesFor = (name: string): readonly Rule[] =>
  tables.flatMap((table) => (Object.hasOwn(table, name) ? [table[name]] : []));

/** The one for an operator's types, if there is one. */
export const ruleFor = ({ name, inputs, outputs }: TfliteOperator, { tensors }: TfliteGraph): Rule | undefined =>
  rulesFor(name).find(({ types, typed = 0 }) => {
    const [from, to] = [tensors[inputs[typed]]?.type, tensors[outputs[0]]?.type];
    return types.some(([a, b]) => a === from && b === to);
  });
