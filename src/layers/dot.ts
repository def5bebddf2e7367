// Dot products of two values, sample by sample.
import { rangeError, ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { matmul } from "../ops/matmul.js";
import { reshape } from "../ops/shape.js";
import { transpose } from "../ops/transpose.js";
import { sizeOf } from "../shape.js";
import type { LayerOptions } from "./layer.js";
import { merge } from "./merge.js";
import { sampleAxes } from "./normalization.js";
import { unit } from "./rmsnormalization.js";

export interface DotOptions extends LayerOptions {
  /** The axis that is summed over, or one for each value, the batch being 0; default -1. */
  axes?: number | readonly [number, number];
  /** Whether both are divided by their length along it, so that the result is a cosine; default false. */
  normalize?: boolean;
}

/**
 * Sums of products of two values along an axis, sample by sample, as Keras' `dot`.
 * @param values two, float32
 * @returns [batch, the first's other axes, the second's other axes]; [batch, 1] where there are none
 * @throws {ShapeError} when the sizes along the axis differ; {RangeError} for other than two values or an axis that there is not
 * @example
 * dot([input([10, 64]), input([20, 64])]).shape; // [1, 10, 20]
 * dot([input([64]), input([64])], { normalize: true }).shape; // [1, 1]
 */
export function dot(values: readonly Value[], { axes = -1, normalize = false, ...options }: DotOptions = {}): Value {
  const op = "dot";
  return merge(op, values, options, ["axes", "normalize"], (bare) => {
    if (bare.length > 2) throw rangeError({ op, expected: "a list of 2 Values", actual: String(bare.length) });
    const pair: unknown = typeof axes === "number" ? [axes, axes] : axes;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((axis) => Number.isSafeInteger(axis)))
      throw rangeError({ op, expected: "axes to be an axis or two", actual: JSON.stringify(axes) ?? "nothing" });
    const sides = bare.map((x, i) => {
      const [axis] = sampleAxes(op, pair[i] as number, x);
      const others = x.shape.filter((_, at) => at > 0 && at !== axis);
      const order = [...x.shape.keys()].filter((at) => at !== axis).concat(axis);
      const last = transpose(normalize ? unit(x, [axis]) : x, order);
      return { size: x.shape[axis], others, matrix: reshape(last, [-1, sizeOf(others), x.shape[axis]]) };
    });
    const [a, b] = sides;
    if (a.size !== b.size)
      throw new ShapeError({ op, expected: `one size along the axes, ${a.size}`, actual: String(b.size) });
    const shape = [...a.others, ...b.others];
    return reshape(matmul(a.matrix, b.matrix, { transposeB: true }), [-1, ...(shape.length === 0 ? [1] : shape)]);
  });
}
