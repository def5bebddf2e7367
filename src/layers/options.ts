// Checks for the numbers that layers take, on the user's own line.
import { rangeError, told } from "../errors.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { type Padding, paddingCheck } from "../ops/window.js";

/** @throws {RangeError} unless `value` is a whole number of at least 1 */
export function positive(op: string, what: string, value: unknown): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw rangeError({ op, expected: `${what} to be a positive integer`, actual: told(value) });
}

/** A positive integer for both axes, or one for each. @throws {RangeError} for anything else */
export function positivePair(op: string, what: string, value: unknown): readonly [number, number] {
  const both: unknown = Array.isArray(value) ? value : [value, value];
  const list = both as unknown[];
  if (list.length === 2 && list.every((n) => Number.isSafeInteger(n) && (n as number) >= 1))
    return list as [number, number];
  throw rangeError({
    op,
    expected: `${what} to be a positive integer or two`,
    actual: JSON.stringify(value) ?? "nothing",
  });
}

/** @throws {RangeError} unless the padding is one there is */
export function padding(op: string, value: unknown): asserts value is Padding {
  const expected = paddingCheck(value);
  if (expected === undefined) return;
  throw rangeError({ op, expected: `padding ${expected}`, actual: JSON.stringify(value) ?? "nothing" });
}

/** The options of layers that have a kernel and a bias. */
export const regularizerOptions = ["kernelRegularizer", "biasRegularizer", "activityRegularizer"] as const;

type RegularizerOptions = { [K in (typeof regularizerOptions)[number]]?: RegularizerName | Regularizer | undefined };

/** @throws {TypeError} for a regularizer that there is not */
export function regularizers(op: string, options: RegularizerOptions) {
  return {
    ofKernel: resolveRegularizer(options.kernelRegularizer, op),
    ofBias: resolveRegularizer(options.biasRegularizer, op),
    ofOutput: resolveRegularizer(options.activityRegularizer, op),
  };
}
