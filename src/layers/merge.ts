// Layers of several inputs: functions of a list of Values, as Keras' functional `concatenate` and `average`. Sums, differences,
// products and extrema of two are ops: add, sub, mul, maximum, minimum.
import { inLayer, rangeError, ShapeError, typeError } from "../errors.js";
import { checkValue, type Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { concat } from "../ops/concat.js";
import { sameShape, show } from "../shape.js";
import type { LayerOptions } from "./layer.js";

export interface ConcatenateOptions extends LayerOptions {
  /** Default -1, the last; counted with the batch. */
  axis?: number;
}

/** The values merged by `made`, whose nodes become a layer of that kind. */
function merge(
  kind: string,
  values: readonly Value[],
  { name, ...options }: LayerOptions,
  known: readonly string[],
  made: () => Value,
): Value {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw typeError({ op: kind, expected: `options ${[...known, "name"].join(", ")}`, actual: `"${unknown}"` });
  if (!Array.isArray(values) || values.length < 2) {
    const actual = Array.isArray(values) ? String(values.length) : typeof values;
    throw rangeError({ op: kind, expected: "a list of at least 2 Values", actual });
  }
  try {
    for (const value of values) checkValue(value, kind);
    const y = made();
    const given = new Set(values.map((value) => value.node));
    const info = { kind, name };
    const own = (value: Value): void => {
      if (given.has(value.node) || value.node.layer !== undefined) return;
      value.node.layer = info;
      value.node.inputs.forEach(own);
    };
    own(y);
    return y;
  } catch (error) {
    throw inLayer(error, kind, name);
  }
}

/**
 * Values one after the other along an axis, as Keras' `concatenate`.
 * @param values at least two, of shapes that differ along that axis only
 * @throws {ShapeError} when other axes differ; {RangeError} for fewer than two values or an axis that there is not
 * @example
 * const x = input([8, 8, 3]);
 * concatenate([x, conv2d(16, 3, { padding: "same" })(x)]).shape; // [1, 8, 8, 19]
 */
export const concatenate = (values: readonly Value[], { axis = -1, ...options }: ConcatenateOptions = {}): Value =>
  merge("concatenate", values, options, ["axis"], () => concat(values, axis));

/**
 * Mean of values, element by element, as Keras' `average`.
 * @param values at least two, float32 of one shape
 * @throws {ShapeError} when the shapes differ; {RangeError} for fewer than two values
 * @example
 * average([input([4]), input([4]), input([4])]).shape; // [1, 4]
 */
export const average = (values: readonly Value[], options: LayerOptions = {}): Value =>
  merge("average", values, options, [], () => {
    const other = values.find(({ shape }) => !sameShape(shape, values[0].shape));
    if (other) {
      const [expected, actual] = [values[0], other].map(({ shape }) => show(shape.slice(1)));
      throw new ShapeError({ op: "average", expected: `inputs of one shape, ${expected}`, actual });
    }
    return mul(
      values.reduce((a, b) => add(a, b)),
      1 / values.length,
    );
  });
