// Arrays that shapes make: known when the file is read, wherever what they are made of is.
import type { Value } from "../../../graph/value.js";
import { broadcastTo } from "../../../ops/broadcast.js";
import { constant } from "../../../ops/leaf.js";
import { broadcast } from "../../../shape.js";
import { arrayOf, type DType } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { heldAs } from "../importer.js";
import { INT32, moved, type Rules, rule, SAME } from "./rule.js";

const ints = (shape: readonly number[], data: readonly number[]): Value =>
  constant({ data: Int32Array.from(data), shape, dtype: "int32" });

const filled = (dtype: DType, value: number): Value => constant({ data: arrayOf(dtype).of(value), shape: [], dtype });

function ranged(o: Operator): Value {
  if (o.output().type === "float32") {
    const [start, limit, step] = [0, 1, 2].map((i) => o.importer.numbers(o.at(i))[0]);
    const count = Math.max(0, Math.ceil((limit - start) / step));
    o.importer.afford(count);
    const data = Float32Array.from({ length: count }, (_, i) => start + i * step);
    return constant({ data, shape: [count], dtype: "float32" });
  }
  const [start, limit, step] = [0, 1, 2].map((i) => o.importer.integers(o.at(i))[0]);
  const count = Math.max(0, Math.ceil((limit - start) / step));
  o.importer.afford(count);
  return ints(
    [count],
    Array.from({ length: count }, (_, i) => start + i * step),
  );
}

const ANY = (["float32", "int8", "uint8", "int16", "int32", "int64", "bool"] as const).flatMap((type) => [
  [type, "int32"] as const,
  [type, "int64"] as const,
]);

export const shapeRules: Rules = {
  BROADCAST_ARGS: rule(
    (o) => {
      const [a, b] = [0, 1].map((i) => o.importer.integers(o.at(i)));
      const shape = broadcast(a, b, o.name);
      return ints([shape.length], shape);
    },
    ...INT32,
  ),
  BROADCAST_TO: rule((o) => broadcastTo(moved(o, 0), o.importer.integers(o.at(1))), ...SAME),
  FILL: { ...rule((o) => broadcastTo(moved(o, 1), o.importer.integers(o.at(0))), ...SAME), typed: 1 },
  RANGE: rule(ranged, ["float32", "float32"], ...INT32),
  RANK: rule((o) => ints([], [o.input(0).shape.length]), ...ANY),
  SHAPE: rule((o) => ints([o.input(0).shape.length], o.input(0).shape), ...ANY),
  ZEROS_LIKE: rule(
    (o) => {
      const { shape } = o.input(0);
      const zero = o.isQuantized ? o.quantization.zeroPoint : 0;
      return broadcastTo(filled(heldAs(o.output()), zero), shape);
    },
    ...SAME,
  ),
};
