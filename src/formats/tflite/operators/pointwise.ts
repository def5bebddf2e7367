// Functions of one number, arithmetic of two, and softmax.
import type { Value } from "../../../graph/value.js";
import { hardSilu, logSoftmax, relu, softmax } from "../../../ops/activation.js";
import { add, div, mul, sub } from "../../../ops/arithmetic.js";
import { maximum, minimum, pow } from "../../../ops/comparison.js";
import { quantizedAdd, quantizedMul, quantizedSub } from "../../../ops/quantized/arithmetic.js";
import {
  type QuantizedFunction,
  quantizedFunction,
  quantizedSoftmax,
  requantize,
} from "../../../ops/quantized/convert.js";
import type { Clamped, Quantization } from "../../../ops/quantized/quantization.js";
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
  sqrt,
  square,
  tanh,
} from "../../../ops/unary.js";
import type { Operator } from "../importer.js";
import { activated, FLOAT, limits, type Rule, type Rules, rule } from "./rule.js";

function binary(
  floats: (a: Value, b: Value) => Value,
  integers: (
    a: Value,
    b: Value,
    options: Clamped & { a: Quantization; b: Quantization; quantization: Quantization },
  ) => Value,
) {
  return (o: Operator): Value => {
    const [a, b, code] = [o.input(0), o.input(1), o.byte(0)];
    if (!o.isQuantized) return activated(o, floats(a, b), code);
    const { quantization } = o;
    return integers(a, b, { a: o.of(0), b: o.of(1), quantization, ...limits(o, code, quantization) });
  };
}

const unary = (f: (x: Value) => Value, integers?: QuantizedFunction): Rule =>
  integers
    ? rule((o) =>
        o.isQuantized
          ? quantizedFunction(o.input(0), integers, { input: o.of(0), quantization: o.quantization })
          : f(o.input(0)),
      )
    : rule((o) => f(o.input(0)), FLOAT);

const clamped = (code: number): Rule =>
  rule((o) => {
    if (!o.isQuantized) return activated(o, o.input(0), code);
    const { quantization } = o;
    return requantize(o.input(0), { input: o.of(0), quantization, ...limits(o, code, quantization) });
  });

export const pointwiseRules: Rules = {
  ABS: unary(abs),
  ADD: rule(binary(add, quantizedAdd)),
  DIV: rule((o) => activated(o, div(o.input(0), o.input(1)), o.byte(0)), FLOAT),
  ELU: unary(elu, "elu"),
  EXP: unary(exp, "exp"),
  FLOOR: unary(floor),
  GELU: unary((x) => gelu(x)),
  HARD_SWISH: unary(hardSilu, "hardSilu"),
  LEAKY_RELU: rule((o) => leakyRelu(o.input(0), { negativeSlope: o.float(0) }), FLOAT),
  LOG: unary(log),
  LOGISTIC: unary(sigmoid, "sigmoid"),
  LOG_SOFTMAX: unary(logSoftmax),
  MAXIMUM: rule((o) => maximum(o.input(0), o.input(1)), FLOAT),
  MINIMUM: rule((o) => minimum(o.input(0), o.input(1)), FLOAT),
  MUL: rule(binary(mul, quantizedMul)),
  NEG: unary(neg),
  POW: rule((o) => pow(o.input(0), o.input(1)), FLOAT),
  PRELU: rule((o) => add(relu(o.input(0)), mul(minimum(o.input(0), 0), o.input(1))), FLOAT),
  RELU: clamped(1),
  RELU6: clamped(3),
  RELU_N1_TO_1: clamped(2),
  RSQRT: unary(rsqrt),
  SOFTMAX: rule((o) => {
    const [x, beta] = [o.input(0), o.float(0)];
    if (o.isQuantized) return quantizedSoftmax(x, { input: o.of(0), quantization: o.quantization, beta });
    return softmax(beta === 1 ? x : mul(x, beta));
  }),
  SQRT: unary(sqrt),
  SQUARE: unary(square),
  SQUARED_DIFFERENCE: rule((o) => square(sub(o.input(0), o.input(1))), FLOAT),
  SUB: rule(binary(sub, quantizedSub)),
  TANH: unary(tanh, "tanh"),
};
