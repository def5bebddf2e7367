// From one type to another.
import type { Value } from "../../../graph/value.js";
import { add, sub } from "../../../ops/arithmetic.js";
import { cast } from "../../../ops/cast.js";
import { constant } from "../../../ops/leaf.js";
import { dequantizeLinear, quantizeLinear } from "../../../ops/quantized/convert.js";
import { sizeOf } from "../../../shape.js";
import { heldAs, isShifted, type Operator } from "../importer.js";
import { INT8, moved, type Rules, rule, UINT8 } from "./rule.js";

/** uint8 as int8: the same numbers, 128 less. */
export const asInt8 = (x: Value): Value => cast(sub(cast(x, "float32"), 128), "int8");
export const asUint8 = (x: Value): Value => cast(add(cast(x, "float32"), 128), "uint8");

const NUMBERS = ["float32", "float16", "int8", "uint8", "int32", "int64", "bool"] as const;

/** The integers themselves in another type, whatever they stand for. */
function casted(o: Operator): Value {
  const [from, to] = [o.tensor(0), o.output()];
  const x = isShifted(from) ? asUint8(o.input(0)) : o.input(0);
  if (isShifted(to)) return asInt8(cast(x, "uint8"));
  return cast(x, heldAs(to) as "int32");
}

/** What integers stand for; of a constant whose channels have scales of their own, worked out at once. */
function dequantized(o: Operator): Value {
  const { type, shape, scales, zeroPoints, axis } = o.tensor(0);
  if (type === "float16") return o.input(0);
  if (scales.length <= 1) return dequantizeLinear(o.input(0), o.of(0));
  const numbers = o.importer.numbers(o.at(0));
  const inner = sizeOf(shape.slice(axis + 1));
  const data = Float32Array.from(numbers, (v, i) => {
    const k = Math.floor(i / inner) % scales.length;
    return (v - zeroPoints[k]) * scales[k];
  });
  return constant({ data, shape, dtype: "float32" });
}

export const conversionRules: Rules = {
  CAST: rule(casted, ...NUMBERS.flatMap((from) => NUMBERS.map((to) => [from, to] as const))),
  DEQUANTIZE: rule(dequantized, ["int8", "float32"], ["uint8", "float32"], ["float16", "float32"]),
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
