// Sequences [steps, channels] as images of one row: what layers in one dimension hand to the ops in two. Both views cost nothing.
import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { wantRank } from "../ops/check.js";
import { expandDims, squeeze } from "../ops/shape.js";
import { type Padding, type Pair, paddingCheck } from "../ops/window.js";

/** No padding, TensorFlow's that keeps the size (the odd step after), or steps as [before, after]. */
export type Padding1d = "valid" | "same" | Pair;

/** [batch, steps, channels] as [batch, 1, steps, channels]. @throws {ShapeError} for another rank */
export function asRow(op: string, x: Value): Value {
  wantRank(op, 3, "a sequence [steps, channels]", x);
  return expandDims(x, 1);
}

/** [batch, 1, steps, channels] as [batch, steps, channels]. */
export const asSteps = (y: Value): Value => squeeze(y, 1);

/**
 * What the op in two dimensions is told.
 * @param reach of a kernel, its first to its last step, where `causal` is allowed: all padding stands before, so that no output sees
 * a later step
 * @throws {RangeError} unless the padding is one there is
 */
export function rowPadding(op: string, value: Padding1d | "causal", reach?: number): Padding {
  if (value === "valid" || value === "same") return value;
  const sides: unknown = value === "causal" && reach !== undefined ? [reach - 1, 0] : value;
  const both = [[0, 0], sides];
  if (paddingCheck(both) === undefined) return both as unknown as Padding;
  throw rangeError({
    op,
    expected: `padding "valid", "same"${reach === undefined ? "" : ', "causal"'} or [before, after]`,
    actual: JSON.stringify(value) ?? "nothing",
  });
}

/** Applies an activation while the sequence is a row, where it joins the product before it; a function of the user's sees the sequence. */
export const activatedSteps = (y: Value, act: (x: Value) => Value, given: unknown): Value =>
  typeof given === "function" ? act(asSteps(y)) : asSteps(act(y));
