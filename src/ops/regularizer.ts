// Penalties on weights and activations: plain data that a weight's state, or a node over an activation, carries. They act only where a
// loss is computed: ../train/regularization.ts adds them.
import { typeError } from "../errors.js";
import { number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";

/** l1 sum(|x|) + l2 sum(x^2), as Keras' `L1L2`. */
export interface Regularizer {
  readonly l1: number;
  readonly l2: number;
}

/** Keras' names: both factors are 0.01. */
export type RegularizerName = "l1" | "l2" | "l1l2";

/**
 * A penalty of `factor` times the sum of absolute values, as Keras' `L1`.
 * @param factor default 0.01
 * @throws {TypeError} for a factor that is no number of at least 0
 * @example
 * const layer = dense(8, { kernelRegularizer: l1(0.001) });
 */
export const l1 = (factor = 0.01): Regularizer => checked({ l1: factor, l2: 0 }, "l1");

/**
 * A penalty of `factor` times the sum of squares, as Keras' `L2`.
 * @param factor default 0.01
 * @throws {TypeError} for a factor that is no number of at least 0
 * @example
 * const layer = dense(8, { kernelRegularizer: l2(0.001) });
 */
export const l2 = (factor = 0.01): Regularizer => checked({ l1: 0, l2: factor }, "l2");

/**
 * Both penalties, as Keras' `L1L2`.
 * @param options.l1, options.l2 default 0
 * @throws {TypeError} for a factor that is no number of at least 0
 * @example
 * const layer = dense(8, { kernelRegularizer: l1l2({ l1: 0.001, l2: 0.01 }) });
 */
export const l1l2 = (factors: Partial<Regularizer> = {}): Regularizer => checked({ l1: 0, l2: 0, ...factors }, "l1l2");

/** Attribute check for a regularizer that came from a file. */
export function checkRegularizer(value: unknown): string | undefined {
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const fits =
    Object.keys(given).length === 2 &&
    [given.l1, given.l2].every((factor) => Number.isFinite(factor) && (factor as number) >= 0);
  return fits ? undefined : "a regularizer { l1, l2 } with numbers of at least 0";
}

function checked(given: Regularizer, op: string): Regularizer {
  const problem = checkRegularizer(given);
  if (problem === undefined) return given;
  throw typeError({ op, expected: problem, actual: JSON.stringify(given) });
}

/** The penalty that a name or a description means. @throws {TypeError} for a name that there is not */
export function resolveRegularizer(
  given: RegularizerName | Regularizer | undefined,
  op: string,
): Regularizer | undefined {
  if (given === undefined) return undefined;
  if (given === "l1") return l1();
  if (given === "l2") return l2();
  if (given === "l1l2") return l1l2({ l1: 0.01, l2: 0.01 });
  if (typeof given === "string")
    throw typeError({ op, expected: "a regularizer of l1, l2, l1l2", actual: JSON.stringify(given) });
  return checked(given, op);
}

export const regularizerOps = {
  /** The input itself; says that a loss adds the penalty of it, divided by the batch size. */
  activityRegularizer: defineOp<{ l1: number; l2: number }>("activityRegularizer", {
    attrs: { l1: number(0), l2: number(0) },
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    grad: (_node, [dy]): Gradients => [dy],
    inference: ([x]) => x,
    training: ([x]) => ({ value: x }),
    view: true,
  }),
};

/** `x`, whose penalty a loss adds. */
export const regularized = (x: Value, regularizer: Regularizer | undefined): Value =>
  regularizer === undefined ? x : apply(regularizerOps.activityRegularizer, [x], { ...regularizer });
