// Sums, means and the like over axes.
import type { Value } from "../../../graph/value.js";
import { cast } from "../../../ops/cast.js";
import { concat } from "../../../ops/concat.js";
import { max, min, prod } from "../../../ops/extremum.js";
import { integerAdd, integerMaximum, integerMinimum, integerMul } from "../../../ops/integer.js";
import { all, any } from "../../../ops/logical.js";
import { quantizedMean, quantizedSum } from "../../../ops/quantized/pool.js";
import { mean, reducedShape, sum } from "../../../ops/reduce.js";
import { reshape } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import type { Operator } from "../importer.js";
import { axesOf, fail, INT32, moved, type Rule, type Rules, rule } from "./rule.js";

type Reduction = (x: Value, axes: readonly number[], options: { keepDims: boolean }) => Value;
type Pair = (a: Value, b: Value) => Value;

const BYTES = ["int8", "uint8"] as const;
const NUMBERS = [["float32", "float32"], ...BYTES.map((type) => [type, type] as const), ...INT32] as const;
const keepDims = (o: Operator) => ({ keepDims: o.byte(0) !== 0 });

/** Integers over axes, half of them with the other half until one is left. */
function halved(o: Operator, of: Pair): Value {
  const [x, axes] = [o.input(0), axesOf(o, 1)];
  const one = axes.reduce((sofar, axis) => {
    const part = (y: Value, begin: number, end: number) => {
      const open = Array<null>(axis).fill(null);
      return stridedSlice(y, [...open, begin], [...open, end]);
    };
    let y = sofar;
    if (y.shape[axis] === 0) fail(o, `elements along axis ${axis}`, "none");
    for (let n = y.shape[axis]; n > 1; n = y.shape[axis]) {
      const half = n >> 1;
      const both = of(part(y, 0, half), part(y, half, 2 * half));
      y = n % 2 === 0 ? both : concat([both, part(y, n - 1, n)], axis);
    }
    return y;
  }, x);
  return keepDims(o).keepDims ? one : reshape(one, reducedShape(x.shape, { axes, keepDims: false }));
}

const reduced = (floats: Reduction, integers: Pair, bytes: (o: Operator) => Value): Rule =>
  rule(
    (o) => {
      const { type } = o.tensor(0);
      if (type === "int32" || type === "int64") return halved(o, integers);
      return o.isQuantized ? bytes(o) : floats(o.input(0), axesOf(o, 1), keepDims(o));
    },
    ...NUMBERS,
  );

/** The largest and smallest of bytes are what floats say of them. */
const extremum = (of: Reduction) => (o: Operator) =>
  cast(of(cast(moved(o, 0), "float32"), axesOf(o, 1), keepDims(o)), "int8");

const ofBytes = (of: typeof quantizedMean) => (o: Operator) =>
  of(o.input(0), { axes: axesOf(o, 1), ...keepDims(o), input: o.of(0), quantization: o.quantization });

const truths = (of: Reduction): Rule => rule((o) => of(o.input(0), axesOf(o, 1), keepDims(o)), ["bool", "bool"]);

export const reductionRules: Rules = {
  MEAN: rule((o) => (o.isQuantized ? ofBytes(quantizedMean)(o) : mean(o.input(0), axesOf(o, 1), keepDims(o)))),
  REDUCE_ALL: truths(all),
  REDUCE_ANY: truths(any),
  REDUCE_MAX: reduced(max, integerMaximum, extremum(max)),
  REDUCE_MIN: reduced(min, integerMinimum, extremum(min)),
  REDUCE_PROD: {
    ...reduced(prod, integerMul, (o) => fail(o, "floats or int32", o.output().type)),
    types: [["float32", "float32"], ...INT32],
  },
  SUM: reduced(sum, integerAdd, ofBytes(quantizedSum)),
};
