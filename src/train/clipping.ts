// Bounds for gradients, applied before the update.
import { rangeError, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { clip, maximum } from "../ops/comparison.js";
import { sum } from "../ops/reduce.js";
import { sqrt } from "../ops/unary.js";

/** At most one of the three, as in Keras. */
export interface Clipping {
  /** Each number of each gradient within [-clipValue, clipValue]. */
  readonly clipValue?: number | undefined;
  /** Each weight's gradient scaled down to a norm of at most `clipNorm`. */
  readonly clipNorm?: number | undefined;
  /** All gradients scaled by one factor, so that the norm over all of them is at most `globalClipNorm`. */
  readonly globalClipNorm?: number | undefined;
}

/** @throws {RangeError} for a limit that is not above 0; {TypeError} for more than one limit */
export function checkClipping(op: string, clipping: Clipping): void {
  const given = Object.entries(clipping).filter(([, limit]) => limit !== undefined);
  for (const [what, limit] of given) {
    if (!(Number.isFinite(limit) && limit > 0))
      throw rangeError({ op, expected: `${what} to be a number above 0`, actual: String(limit) });
  }
  if (given.length > 1) {
    const actual = given.map(([what]) => what).join(" and ");
    throw typeError({ op, expected: "at most one of clipValue, clipNorm and globalClipNorm", actual });
  }
}

/** Gradients within their bounds; a factor is limit / max(norm, limit), as in Keras. */
export function clipGradients(
  gradients: readonly (Value | undefined)[],
  { clipValue, clipNorm, globalClipNorm }: Clipping = {},
): (Value | undefined)[] {
  const each = (f: (gradient: Value) => Value) => gradients.map((gradient) => gradient && f(gradient));
  if (clipValue !== undefined) return each((g) => clip(g, -clipValue, clipValue));
  if (clipNorm !== undefined) return each((g) => mul(g, factor(squares(g), clipNorm)));
  if (globalClipNorm === undefined) return [...gradients];
  const present = gradients.flatMap((gradient) => gradient ?? []);
  if (present.length === 0) return [...gradients];
  const scale = factor(
    present.map(squares).reduce((a, b) => add(a, b)),
    globalClipNorm,
  );
  return each((g) => mul(g, scale));
}

const squares = (x: Value): Value => sum(mul(x, x));
const factor = (sumOfSquares: Value, limit: number): Value => div(limit, maximum(sqrt(sumOfSquares), limit));
