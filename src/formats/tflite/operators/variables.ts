// Resource variables: handles, reading, writing. What CALL_ONCE names has run before (initialize.ts).
import { dtypeOfType, type Operator } from "../importer.js";
import type { Kept } from "../variables.js";
import { type Rule, type Rules, rule } from "./rule.js";

const NUMBERS = ["float32", "int8", "uint8", "int16", "int32", "bool"] as const;

/** A rule that makes no numbers. */
const silent = (build: (o: Operator) => void, typed: number, types: Rule["types"]): Rule => ({
  types,
  typed,
  isSilent: true,
  build(o) {
    build(o);
    return [];
  },
});

/** uint8 that is quantized is int8 here, 128 less. */
function kept(o: Operator, index: number): Kept {
  const { type, shape, scales } = o.importer.tensor(index);
  const dtype = type === "uint8" && scales.length === 1 ? "int8" : dtypeOfType(type);
  const zero = scales.length === 1 ? o.importer.quantization(index).zeroPoint : 0;
  return { name: "variable", shape, dtype, zero };
}

export const variableRules: Rules = {
  ASSIGN_VARIABLE: silent(
    (o) => {
      const [variable, value] = [o.variable(0), o.input(1)];
      if (o.importer.isInitial) variable.initialize(value);
      else variable.assign(value, kept(o, o.at(1)));
    },
    1,
    NUMBERS.map((type) => [type, undefined] as const),
  ),
  CALL_ONCE: silent(() => undefined, 0, [[undefined, undefined]]),
  READ_VARIABLE: rule(
    (o) => (o.importer.isInitial ? o.variable(0).initial : o.variable(0).read(kept(o, o.operator.outputs[0]))),
    ...NUMBERS.map((type) => ["resource", type] as const),
  ),
  VAR_HANDLE: silent(
    (o) => {
      const [container, name] = [o.text(0), o.text(1)];
      const id = JSON.stringify([container, name]);
      o.importer.setHandle(o.operator.outputs[0], o.importer.variables.named(id, `variable "${name}"`));
    },
    0,
    [[undefined, "resource"]],
  ),
};
