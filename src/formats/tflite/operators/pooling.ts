// Pooling of images.
import { avgPool2d, maxPool2d } from "../../../ops/pool.js";
import { quantizedAvgPool2d, quantizedMaxPool2d } from "../../../ops/quantized/pool.js";
import type { Operator } from "../importer.js";
import { activated, limits, padding, type Rules, rule, same } from "./rule.js";

const pool = (kind: "avg" | "max") => (o: Operator) => {
  const x = o.input(0);
  const [size, strides] = [[o.int(4, 1), o.int(3, 1)] as const, [o.int(2, 1), o.int(1, 1)] as const];
  if (!o.isQuantized) {
    const y = kind === "avg" ? avgPool2d(x, size, strides, padding(o)) : maxPool2d(x, size, strides, padding(o));
    return activated(o, y, o.byte(5));
  }
  const { quantization } = o;
  same(o, o.of(0), quantization);
  const options = { quantization, strides, padding: padding(o), ...limits(o, o.byte(5), quantization) };
  if (kind === "max") return quantizedMaxPool2d(x, size, options);
  return quantizedAvgPool2d(x, size, { ...options, tiesUp: o.output().type === "uint8" });
};

export const poolingRules: Rules = {
  AVERAGE_POOL_2D: rule(pool("avg")),
  MAX_POOL_2D: rule(pool("max")),
};
