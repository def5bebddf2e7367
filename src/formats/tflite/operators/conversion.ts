// From one type to another.
import type { Value } from "../../../graph/value.js";
import { add, sub } from "../../../ops/arithmetic.js";
import { cast } from "../../../ops/cast.js";
import { dequantizeLinear, quantizeLinear } from "../../../ops/quantized/convert.js";
import { INT8, moved, type Rules, rule, UINT8 } from "./rule.js";

/** uint8 as int8: the same numbers, 128 less. */
export const asInt8 = (x: Value): Value => cast(sub(cast(x, "float32"), 128), "int8");
export const asUint8 = (x: Value): Value => cast(add(cast(x, "float32"), 128), "uint8");

export const conversionRules: Rules = {
  CAST: rule(
    (o) => cast(o.input(0), o.output().type as "int32"),
    ["float32", "int32"],
    ["int32", "float32"],
    ["uint8", "float32"],
    ["bool", "float32"],
  ),
  DEQUANTIZE: rule(
    (o) => (o.tensor(0).type === "float16" ? o.input(0) : dequantizeLinear(o.input(0), o.of(0))),
    ["int8", "float32"],
    ["uint8", "float32"],
    ["float16", "float32"],
  ),
  QUANTIZE: rule(
    (o) => (o.tensor(0).type === "float32" ? quantizeLinear(o.input(0), o.quantization) : moved(o, 0)),
    ["float32", "int8"],
    ["float32", "uint8"],
    INT8,
    UINT8,
    ["int8", "uint8"],
    ["uint8", "int8"],
  ),
};
