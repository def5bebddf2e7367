// Reductions that are made of others: variance, norms, log-sum-exp.
import { rangeError } from "../errors.js";
import { boolean, integers } from "../graph/attrs.js";
import { defineOp, type Gradients, type Op } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { normalizeAxes, sizeOf } from "../shape.js";
import { add, mul, sub } from "./arithmetic.js";
import { wantDType } from "./check.js";
import { less, where } from "./comparison.js";
import { max } from "./extremum.js";
import { mean, type ReduceAttrs, type ReduceOptions, reducedShape, sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { abs, exp, log, sqrt, square } from "./unary.js";

type Axes = readonly number[];

/** A reduction of its own name and gradient; `made` gives it with the axes kept, of other ops. */
const composed = (
  name: string,
  made: (x: Value, axes: Axes) => Value,
  grad: (x: Value, y: Value, dy: Value, axes: Axes) => Value,
): Op =>
  defineOp<ReduceAttrs>(name, {
    attrs: { axes: integers(0, undefined, 7), keepDims: boolean },
    infer([x], attrs) {
      wantDType(name, "float32", x);
      normalizeAxes(attrs.axes, x.shape.length, name);
      return { shape: reducedShape(x.shape, attrs), dtype: "float32" };
    },
    grad({ inputs: [x], outputs: [y] }, [dy], { axes }): Gradients {
      const kept = reducedShape(x.shape, { axes, keepDims: true });
      return [grad(x, reshape(y, kept), reshape(dy as Value, kept), axes)];
    },
    expand: ([x], attrs) => reshape(made(x, attrs.axes), reducedShape(x.shape, attrs)),
    flops: ({ inputs: [x] }) => 3 * sizeOf(x.shape),
  });

const centered = (x: Value, axes: Axes): Value => sub(x, mean(x, axes, { keepDims: true }));

export const statisticsOps = {
  variance: composed(
    "variance",
    (x, axes) => mean(square(centered(x, axes)), axes, { keepDims: true }),
    // d var = 2 (x - mean) / n; what flows through the mean cancels
    (x, _y, dy, axes) => mul(centered(x, axes), mul(dy, 2 / sizeOf(axes.map((axis) => x.shape[axis])))),
  ),
  logSumExp: composed(
    "logSumExp",
    (x, axes) => {
      const largest = max(x, axes, { keepDims: true });
      const shift = where(less(abs(largest), Number.POSITIVE_INFINITY), largest, 0);
      return add(log(sum(exp(sub(x, shift)), axes, { keepDims: true })), shift);
    },
    (x, y, dy) => mul(exp(sub(x, y)), dy),
  ),
};

/**
 * Mean squared distance from the mean over axes, of the whole population (divided by the count), in two passes.
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * variance(input([3, 4]), [1, 2]).shape; // [1]
 */
export function variance(x: Value, axes?: number | Axes, { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "variance");
  return apply(statisticsOps.variance, [x], { axes: normalizeAxes(axes, x.shape.length, "variance"), keepDims });
}

/**
 * Square root of the {@link variance}; its gradient is not finite where the variance is 0.
 * @example
 * std(input([3, 4]), -1).shape; // [1, 3]
 */
export const std = (x: Value, axes?: number | Axes, options: ReduceOptions = {}): Value =>
  sqrt(variance(x, axes, options));

/**
 * log(sum(exp(x))) over axes, the maximum taken off first, so that nothing overflows.
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have
 * @example
 * logSumExp(input([10])).shape; // []
 * logSumExp(input([10]), -1).shape; // [1]
 */
export function logSumExp(x: Value, axes?: number | Axes, { keepDims = false }: ReduceOptions = {}): Value {
  checkValue(x, "logSumExp");
  return apply(statisticsOps.logSumExp, [x], { axes: normalizeAxes(axes, x.shape.length, "logSumExp"), keepDims });
}

interface NormOptions extends ReduceOptions {
  /** 1: sum of magnitudes; 2: square root of the sum of squares; Infinity: largest magnitude. Default 2. */
  ord?: 1 | 2 | typeof Number.POSITIVE_INFINITY;
}

/**
 * Vector norm over axes. The gradient of the 2-norm is not finite where all elements are 0.
 * @param x float32
 * @param axes default all; negative axes count from the end
 * @throws {RangeError} for an axis that `x` does not have, or an `ord` there is not
 * @example
 * norm(input([3, 4]), -1).shape; // [1, 3]
 * norm(input([3, 4]), -1, { ord: 1, keepDims: true }).shape; // [1, 3, 1]
 */
export function norm(x: Value, axes?: number | Axes, { ord = 2, keepDims = false }: NormOptions = {}): Value {
  if (ord === 1) return sum(abs(x), axes, { keepDims });
  if (ord === 2) return sqrt(sum(square(x), axes, { keepDims }));
  if (ord === Number.POSITIVE_INFINITY) return max(abs(x), axes, { keepDims });
  throw rangeError({ op: "norm", expected: "ord 1, 2 or Infinity", actual: String(ord) });
}
