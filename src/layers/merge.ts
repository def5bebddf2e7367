// Layers of several inputs: functions of a list of Values, as Keras' functional `concatenate` and `average`. Where an op has the same
// name (add, maximum, minimum) one function is both: of two operands the op, of a list the layer.
import { inLayer, rangeError, ShapeError, typeError } from "../errors.js";
import { checkValue, type LayerInfo, type Value } from "../graph/value.js";
import { mul, add as plus, sub } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { equal, maximum as larger, minimum as smaller } from "../ops/comparison.js";
import { concat, stack } from "../ops/concat.js";
import { any } from "../ops/logical.js";
import { maskOf, withMask, withoutMask } from "../ops/mask.js";
import { normalizeAxes, sameShape, show } from "../shape.js";
import { type LayerOptions, own } from "./layer.js";

export interface ConcatenateOptions extends LayerOptions {
  /** Default -1, the last; counted with the batch. */
  axis?: number;
}

/** Masks of values, `undefined` where all steps count, as the mask of what is made of them. */
type Masks = (masks: readonly (Value | undefined)[]) => Value | undefined;

/** A step counts where it does in any of the values; without a mask where one of them has none, as in Keras. */
const anyOf: Masks = (masks) => {
  const given = masks.flatMap((mask) => mask ?? []);
  if (given.length < masks.length) return undefined;
  return given.every((mask) => mask === given[0]) ? given[0] : any(stack(given, -1), -1);
};

/** The values, without their masks, merged by `made`, whose nodes become a layer of that kind. */
export function merge(
  kind: string,
  values: readonly Value[],
  { name, ...options }: LayerOptions,
  known: readonly string[],
  made: (values: readonly Value[]) => Value,
  masks?: Masks,
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
    const info: LayerInfo = { kind, name };
    const [bare, given] = [values.map(withoutMask), values.map(maskOf)];
    const y = made(bare);
    own(y, bare, info);
    const mask = masks?.(given);
    if (mask === undefined) return y;
    const masked = withMask(y, mask);
    own(masked, [y, ...given], info);
    return masked;
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
  merge(
    "concatenate",
    values,
    options,
    ["axis"],
    (bare) => concat(bare, axis),
    (masks) => joined(values, masks, axis),
  );

/** Along the steps one mask after the other; along an axis of each step as `anyOf`; else none. */
function joined(values: readonly Value[], masks: Parameters<Masks>[0], axis: number): Value | undefined {
  const first = masks.find(Boolean);
  if (first === undefined) return undefined;
  const [at] = normalizeAxes(axis, values[0].shape.length, "concatenate");
  if (at >= first.shape.length) return anyOf(masks);
  const all = masks.map((mask, i) => mask ?? everyStep(values[i], first.shape.length));
  return concat(all, at);
}

/** A mask of a value without one: its first axes, all true. */
function everyStep(x: Value, rank: number): Value {
  const some = cast(any(cast(x, "bool"), [...x.shape.keys()].slice(rank)), "float32");
  return equal(some, some);
}

/**
 * Mean of values, element by element, as Keras' `average`.
 * @param values at least two, float32 of one shape
 * @throws {ShapeError} when the shapes differ; {RangeError} for fewer than two values
 * @example
 * average([input([4]), input([4]), input([4])]).shape; // [1, 4]
 */
export const average = (values: readonly Value[], options: LayerOptions = {}): Value =>
  merge(
    "average",
    values,
    options,
    [],
    (bare) => {
      const other = bare.find(({ shape }) => !sameShape(shape, bare[0].shape));
      if (other) {
        const [expected, actual] = [bare[0], other].map(({ shape }) => show(shape.slice(1)));
        throw new ShapeError({ op: "average", expected: `inputs of one shape, ${expected}`, actual });
      }
      return mul(
        bare.reduce((a, b) => plus(a, b)),
        1 / bare.length,
      );
    },
    anyOf,
  );

/** An op of two operands, or a layer of a list of Values. */
export interface Merge {
  (a: Value | number, b: Value | number): Value;
  (values: readonly Value[], options?: LayerOptions): Value;
}

type Binary = (a: Value, b: Value) => Value;

/** The op of two, and as a layer of that kind one value after the other. */
const either =
  (kind: string, of: (a: Value | number, b: Value | number) => Value): Merge =>
  (a: Value | number | readonly Value[], b: Value | number | LayerOptions = {}): Value =>
    Array.isArray(a)
      ? folded(kind, a as readonly Value[], b as LayerOptions, of)
      : kept(of(a as Value | number, b as Value | number), [a as Value | number, b as Value | number]);

/** What an op made of operands that have one and the same mask, with it; a number has none to tell. */
function kept(y: Value, operands: readonly (Value | number)[]): Value {
  const [mask, ...others] = operands.flatMap((x) => (typeof x === "number" ? [] : [maskOf(x)]));
  if (mask === undefined || others.some((other) => other !== mask)) return y;
  return sameShape(mask.shape, y.shape.slice(0, mask.shape.length)) ? withMask(y, mask) : y;
}

const folded = (kind: string, values: readonly Value[], options: LayerOptions, of: Binary): Value =>
  merge(kind, values, options, [], (bare) => bare.reduce((a, b) => of(a, b)), anyOf);

/**
 * a + b with NumPy broadcasting, with the mask of both where they share one; or the sum of a list of Values, a layer as Keras' `add`.
 * @param values in place of a and b: at least two
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} for a list of fewer than two values
 * @example
 * add(input([3]), 1).shape; // [1, 3]
 * add([input([3]), input([3]), input([3])], { name: "sum" }).shape; // [1, 3]
 */
export const add: Merge = /* @__PURE__ */ either("add", plus);

/**
 * The larger of a and b with NumPy broadcasting, NaN where either is; or the largest of a list of Values, a layer as Keras' `maximum`.
 * @param values in place of a and b: at least two
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} for a list of fewer than two values
 * @example
 * maximum(input([3]), 0).shape; // [1, 3]
 * maximum([input([3]), input([3])]).shape; // [1, 3]
 */
export const maximum: Merge = /* @__PURE__ */ either("maximum", larger);

/**
 * The smaller of a and b with NumPy broadcasting, NaN where either is; or the smallest of a list of Values, a layer as Keras' `minimum`.
 * @param values in place of a and b: at least two
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} for a list of fewer than two values
 * @example
 * minimum(input([3]), 0).shape; // [1, 3]
 * minimum([input([3]), input([3])]).shape; // [1, 3]
 */
export const minimum: Merge = /* @__PURE__ */ either("minimum", smaller);

/**
 * Product of values, element by element with NumPy broadcasting, as Keras' `multiply`.
 * @param values at least two
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} for fewer than two values
 * @example
 * multiply([input([8, 8, 16]), input([1, 1, 16])]).shape; // [1, 8, 8, 16]
 */
export const multiply = (values: readonly Value[], options: LayerOptions = {}): Value =>
  folded("multiply", values, options, mul);

/**
 * The first of two values minus the second, with NumPy broadcasting, as Keras' `subtract`.
 * @param values two
 * @throws {ShapeError} when the shapes do not broadcast; {RangeError} for other than two values
 * @example
 * subtract([input([4]), input([4])]).shape; // [1, 4]
 */
export function subtract(values: readonly Value[], options: LayerOptions = {}): Value {
  if (Array.isArray(values) && values.length > 2)
    throw rangeError({ op: "subtract", expected: "a list of 2 Values", actual: String(values.length) });
  return folded("subtract", values, options, sub);
}
