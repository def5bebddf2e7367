// Whether any or all of several truth values hold.
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes } from "../shape.js";
import { type ReduceOptions, reduction } from "./reduce.js";

// No gradient ever reaches a truth value, so that of these is never asked for.
export const logicalOps = {
  any: reduction("any", "u8_any", ({ dy }) => dy, "bool"),
  all: reduction("all", "u8_all", ({ dy }) => dy, "bool"),
};

/**
 * Whether any element over axes is true; false of none.
 * @param x bool
 * @param axes default all; negative axes count from the end
 * @throws {TypeError} unless `x` is bool; {RangeError} for an axis that it does not have
 * @example
 * any(greater(input([3, 4]), 0), -1).shape; // [1, 3]
 */
export function any(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "any");
  return apply(logicalOps.any, [x], { axes: normalizeAxes(axes, x.shape.length, "any"), keepDims });
}

/**
 * Whether all elements over axes are true; true of none. See {@link any}.
 * @example
 * all(greater(input([3, 4]), 0), [1, 2]).shape; // [1]
 */
export function all(x: Value, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "all");
  return apply(logicalOps.all, [x], { axes: normalizeAxes(axes, x.shape.length, "all"), keepDims });
}
