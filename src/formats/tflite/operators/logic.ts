// Comparisons, truth values, and choosing by them.
import type { Value } from "../../../graph/value.js";
import { cast } from "../../../ops/cast.js";
import { equal, less, logicalNot } from "../../../ops/comparison.js";
import { gather } from "../../../ops/gather.js";
import { integerAdd, integerEqual, integerLess, logicalAnd, logicalOr, select } from "../../../ops/integer.js";
import { constant } from "../../../ops/leaf.js";
import { fixed, scaledInteger } from "../../../ops/quantized/fixedpoint.js";
import { reshape } from "../../../ops/shape.js";
import { broadcast } from "../../../shape.js";
import type { Operator } from "../importer.js";
import { moved, type Rule, type Rules, rule, SAME } from "./rule.js";

const COMPARED = (["float32", "int32", "int64", "int8", "uint8", "bool"] as const).map(
  (type) => [type, "bool"] as const,
);

/** int8 as the int32 that a table of 256 has for it. */
export const asIntegers = (x: Value, table: (v: number) => number): Value => {
  const data = Int32Array.from({ length: 256 }, (_, i) => table(i - 128));
  const offset = constant({ data: Int32Array.of(128), shape: [], dtype: "int32" });
  return gather(constant({ data, shape: [256], dtype: "int32" }), integerAdd(cast(x, "int32"), offset));
};

/** What int8 of any scale are compared by: their numbers with 8 bits more, times the scale, in fixed point. */
function comparable(o: Operator, i: number): Value {
  const x = o.input(i);
  if (!o.isQuantizedInput(i)) return cast(x, "int32");
  const { scale, zeroPoint } = o.of(i);
  const factor = fixed(scale);
  return asIntegers(x, (v) => scaledInteger((v - zeroPoint) * 256, factor));
}

const compared = (floats: (a: Value, b: Value) => Value, integers: (a: Value, b: Value) => Value): Rule =>
  rule(
    (o) =>
      o.tensor(0).type === "float32" ? floats(o.input(0), o.input(1)) : integers(comparable(o, 0), comparable(o, 1)),
    ...COMPARED,
  );

const not =
  (of: (a: Value, b: Value) => Value) =>
  (a: Value, b: Value): Value =>
    logicalNot(of(a, b));
const turned =
  (of: (a: Value, b: Value) => Value) =>
  (a: Value, b: Value): Value =>
    of(b, a);
const orEqual = (a: Value, b: Value): Value => logicalOr(less(a, b), equal(a, b));

const BOOLS = ["bool", "bool"] as const;

/** SELECT's condition may choose whole rows; SELECT_V2 broadcasts. */
function selected(o: Operator): Value {
  const [c, a, b] = [o.input(0), moved(o, 1), moved(o, 2)];
  const rows = o.name === "SELECT" && c.shape.length === 1 && a.shape.length > 1;
  const rank = broadcast(a.shape, b.shape, o.name).length;
  return select(rows ? reshape(c, [c.shape[0], ...Array(rank - 1).fill(1)]) : c, a, b);
}

export const logicRules: Rules = {
  EQUAL: compared(equal, integerEqual),
  GREATER: compared(turned(less), turned(integerLess)),
  GREATER_EQUAL: compared(turned(orEqual), not(integerLess)),
  LESS: compared(less, integerLess),
  LESS_EQUAL: compared(orEqual, not(turned(integerLess))),
  LOGICAL_AND: rule((o) => logicalAnd(o.input(0), o.input(1)), BOOLS),
  LOGICAL_NOT: rule((o) => logicalNot(o.input(0)), BOOLS),
  LOGICAL_OR: rule((o) => logicalOr(o.input(0), o.input(1)), BOOLS),
  NOT_EQUAL: compared(not(equal), not(integerEqual)),
  SELECT: { ...rule(selected, ...SAME), typed: 1 },
  SELECT_V2: { ...rule(selected, ...SAME), typed: 1 },
};
