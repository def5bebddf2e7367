// Sums, means and the like over axes.
import type { Value } from "../../../graph/value.js";
import { max, min, prod } from "../../../ops/extremum.js";
import { quantizedMean } from "../../../ops/quantized/pool.js";
import { argMax, mean, sum } from "../../../ops/reduce.js";
import type { Operator } from "../importer.js";
import { axesOf, FLOAT, type Rule, type Rules, rule } from "./rule.js";

function reduced(of: (x: Value, axes: readonly number[], options: { keepDims: boolean }) => Value): Rule {
  return rule((o) => of(o.input(0), axesOf(o, 1), { keepDims: o.byte(0) !== 0 }), FLOAT);
}

function averaged(o: Operator): Value {
  const [axes, keepDims] = [axesOf(o, 1), o.byte(0) !== 0];
  if (!o.isQuantized) return mean(o.input(0), axes, { keepDims });
  return quantizedMean(o.input(0), { axes, keepDims, input: o.of(0), quantization: o.quantization });
}

export const reductionRules: Rules = {
  ARG_MAX: rule((o) => argMax(o.input(0), o.importer.integers(o.at(1))[0] ?? -1), ["float32", "int32"]),
  MEAN: rule(averaged),
  REDUCE_MAX: reduced(max),
  REDUCE_MIN: reduced(min),
  REDUCE_PROD: reduced(prod),
  SUM: reduced(sum),
};
