// Functions of one number, arithmetic of two, and softmax.
import type { Value } from "../../../graph/value.js";
import { hardSilu, logSoftmax, relu, softmax } from "../../../ops/activation.js";
import { add, div, mul, sub } from "../../../ops/arithmetic.js";
import { maximum, minimum, pow } from "../../../ops/comparison.js";
import { ceil, cos, floorMod, round, sin } from "../../../ops/elementary.js";
import {
  integerAdd,
  integerDiv,
  integerFloorDiv,
  integerFloorMod,
  integerMaximum,
  integerMinimum,
  integerMul,
  integerSub,
} from "../../../ops/integer.js";
import { constant } from "../../../ops/leaf.js";
import { quantizedAdd, quantizedMul, quantizedSub } from "../../../ops/quantized/arithmetic.js";
import {
  type QuantizedFunction,
  quantizedFunction,
  quantizedSoftmax,
  requantize,
} from "../../../ops/quantized/convert.js";
import type { Clamped, Quantization } from "../../../ops/quantized/quantization.js";
import { sum } from "../../../ops/reduce.js";
import {
  abs,
  elu,
  exp,
  floor,
  gelu,
  leakyRelu,
  log,
  neg,
  rsqrt,
  sigmoid,
  sign,
  sqrt,
  square,
  tanh,
} from "../../../ops/unary.js";
import type { Operator } from "../importer.js";
import {
  absTable,
  type FromTo,
  hardSwishTable,
  leakyReluTable,
  lookup,
  negTable,
  rsqrtTable,
  sqrtTable,
} from "../tables.js";
import * as bytes from "./bytes.js";
import { activated, FLOAT, fail, INT8, INT32, limits, moved, type Rule, type Rules, rule, UINT8 } from "./rule.js";

type Pair = (a: Value, b: Value) => Value;
type QuantizedPair = (
  a: Value,
  b: Value,
  options: Clamped & { a: Quantization; b: Quantization; quantization: Quantization },
) => Value;

const isWhole = (o: Operator): boolean => o.tensor(0).type === "int32" || o.tensor(0).type === "int64";
const fromTo = (o: Operator): FromTo => ({ input: o.of(0), quantization: o.quantization });
const zero = (): Value => constant({ data: new Int32Array(1), shape: [], dtype: "int32" });

/** int32 with a fused activation, of which only relu is whole. */
function activatedWhole(o: Operator, x: Value, code: number): Value {
  if (code > 1) fail(o, "no fused activation but relu for int32", String(code));
  return code === 1 ? integerMaximum(x, zero()) : x;
}

const binary = (floats: Pair, whole: Pair, integers: QuantizedPair): Rule =>
  rule(
    (o) => {
      const [a, b, code] = [o.input(0), o.input(1), o.byte(0)];
      if (isWhole(o)) return activatedWhole(o, whole(a, b), code);
      if (!o.isQuantized) return activated(o, floats(a, b), code);
      const { quantization } = o;
      return integers(a, b, { a: o.of(0), b: o.of(1), quantization, ...limits(o, code, quantization) });
    },
    FLOAT,
    INT8,
    UINT8,
    ...INT32,
  );

/** Without an activation, and of floats and int32 alone. */
const numbers = (floats: Pair, whole: Pair): Rule =>
  rule((o) => (isWhole(o) ? whole : floats)(o.input(0), o.input(1)), FLOAT, ...INT32);

/** The larger or smaller: bytes are brought to the result's scale first. */
const extremum = (floats: Pair, whole: Pair): Rule =>
  rule(
    (o) => {
      if (isWhole(o)) return whole(o.input(0), o.input(1));
      const [a, b] = [moved(o, 0), moved(o, 1)];
      return o.isQuantized ? bytes.asFloats(floats, a, b) : floats(a, b);
    },
    FLOAT,
    INT8,
    UINT8,
    ...INT32,
  );

const unary = (f: (x: Value) => Value): Rule => rule((o) => f(o.input(0)), FLOAT);

const byFunction = (f: (x: Value) => Value, name: QuantizedFunction): Rule =>
  rule((o) => (o.isQuantized ? quantizedFunction(o.input(0), name, fromTo(o)) : f(o.input(0))));

const byTable = (f: (x: Value) => Value, table: (given: FromTo) => Int8Array, whole?: (x: Value) => Value): Rule =>
  rule(
    (o) => {
      if (o.isQuantized) return lookup(o.input(0), table(fromTo(o)));
      return whole && isWhole(o) ? whole(o.input(0)) : f(o.input(0));
    },
    FLOAT,
    INT8,
    UINT8,
    ...(whole ? INT32 : []),
  );

const clamped = (code: number): Rule =>
  rule((o) => {
    if (!o.isQuantized) return activated(o, o.input(0), code);
    const { quantization } = o;
    return requantize(o.input(0), { input: o.of(0), quantization, ...limits(o, code, quantization) });
  });

function summed(o: Operator): Value {
  const [first, ...rest] = Array.from({ length: o.count }, (_, i) => o.input(i));
  if (first === undefined) fail(o, "at least one input", "none");
  return rest.reduce(isWhole(o) ? integerAdd : add, first as Value);
}

/** x over the root of the sum of its squares along the last axis, which counts as at least 1e-6. */
function normalized(o: Operator): Value {
  if (o.isQuantized) return bytes.normalized(o);
  const x = o.input(0);
  return activated(o, div(x, maximum(sqrt(sum(square(x), -1, { keepDims: true })), 1e-6)), o.byte(0));
}

function softmaxed(o: Operator): Value {
  const [x, beta] = [o.input(0), o.float(0)];
  if (o.isQuantized) return quantizedSoftmax(x, { ...fromTo(o), beta });
  return softmax(beta === 1 ? x : mul(x, beta));
}

const negative = (x: Value): Value => integerSub(zero(), x);
const squared = (x: Value): Value => mul(x, x);

export const pointwiseRules: Rules = {
  ABS: byTable(abs, absTable, (x) => integerMaximum(x, negative(x))),
  ADD: binary(add, integerAdd, quantizedAdd),
  ADD_N: rule(summed, FLOAT, ...INT32),
  CEIL: unary(ceil),
  COS: unary(cos),
  DIV: rule(
    (o) => {
      const [a, b] = [o.input(0), o.input(1)];
      return isWhole(o) ? activatedWhole(o, integerDiv(a, b), o.byte(0)) : activated(o, div(a, b), o.byte(0));
    },
    FLOAT,
    ...INT32,
  ),
  ELU: byFunction(elu, "elu"),
  EXP: byFunction(exp, "exp"),
  FLOOR: unary(floor),
  FLOOR_DIV: numbers((a, b) => floor(div(a, b)), integerFloorDiv),
  FLOOR_MOD: numbers(floorMod, integerFloorMod),
  GELU: rule((o) => {
    const approximate = o.byte(0) !== 0;
    if (!o.isQuantized) return gelu(o.input(0), { approximate });
    return approximate
      ? bytes.mapped(o, (x) => gelu(x, { approximate }))
      : quantizedFunction(o.input(0), "gelu", fromTo(o));
  }),
  HARD_SWISH: byTable(hardSilu, hardSwishTable),
  L2_NORMALIZATION: rule(normalized),
  LEAKY_RELU: rule((o) => {
    const slope = o.float(0);
    return o.isQuantized
      ? lookup(o.input(0), leakyReluTable(fromTo(o), slope))
      : leakyRelu(o.input(0), { negativeSlope: slope });
  }),
  LOG: rule((o) => (o.isQuantized ? bytes.mapped(o, (x) => log(relu(x))) : log(o.input(0)))),
  LOGISTIC: byFunction(sigmoid, "sigmoid"),
  LOG_SOFTMAX: rule((o) => (o.isQuantized ? bytes.through(o, logSoftmax) : logSoftmax(o.input(0)))),
  MAXIMUM: extremum(maximum, integerMaximum),
  MINIMUM: extremum(minimum, integerMinimum),
  MUL: binary(mul, integerMul, quantizedMul),
  NEG: byTable(neg, negTable, negative),
  POW: rule((o) => pow(o.input(0), o.input(1)), FLOAT),
  PRELU: rule((o) => {
    if (o.isQuantized) return bytes.prelu(o);
    return add(relu(o.input(0)), mul(minimum(o.input(0), 0), o.input(1)));
  }),
  RELU: clamped(1),
  RELU6: clamped(3),
  RELU_0_TO_1: clamped(5),
  RELU_N1_TO_1: clamped(2),
  ROUND: unary(round),
  RSQRT: byTable(rsqrt, rsqrtTable),
  SIGN: unary(sign),
  SIN: unary(sin),
  SOFTMAX: rule(softmaxed),
  SQRT: byTable(sqrt, sqrtTable),
  SQUARE: unary(square),
  SQUARED_DIFFERENCE: rule(
    (o) => {
      if (o.isQuantized) return bytes.squaredDifference(o);
      const [a, b] = [o.input(0), o.input(1)];
      if (!isWhole(o)) return squared(sub(a, b));
      const difference = integerSub(a, b);
      return integerMul(difference, difference);
    },
    FLOAT,
    INT8,
    UINT8,
    ...INT32,
  ),
  SUB: binary(sub, integerSub, quantizedSub),
  TANH: byFunction(tanh, "tanh"),
};
