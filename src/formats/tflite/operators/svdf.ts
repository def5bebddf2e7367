// SVDF (Nakkiran and others 2015): filters that remember their features of the last steps.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { add, mul } from "../../../ops/arithmetic.js";
import { concat } from "../../../ops/concat.js";
import { matmul } from "../../../ops/matmul.js";
import { quantizedSvdf } from "../../../ops/quantized/svdf.js";
import { sum } from "../../../ops/reduce.js";
import { hybridDense } from "../../../ops/rows.js";
import { expandDims, reshape } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import { show } from "../../../shape.js";
import type { TypedArray } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { activated, FLOAT, fail, INT8, type Rules } from "./rule.js";

function shapes(o: Operator): { filters: number; k: number; steps: number; rank: number } {
  const [[filters, k], [rows, steps]] = [o.tensor(1).shape, o.tensor(2).shape];
  const rank = o.int(0);
  const fits = o.tensor(1).shape.length === 2 && o.tensor(2).shape.length === 2 && rows === filters;
  if (!fits || !(rank > 0) || filters % rank !== 0 || filters * k * steps === 0)
    fail(
      o,
      `filters [n, features] and [n, steps], n a multiple of ${rank}`,
      `${show(o.tensor(1).shape)} and ${show(o.tensor(2).shape)}`,
    );
  return { filters, k, steps, rank };
}

/** One scale, and no zero point. */
function scaleOf(o: Operator, i: number): number {
  const { scale, zeroPoint } = o.of(i);
  return zeroPoint === 0 ? scale : fail(o, "weights with a zero point of 0", String(zeroPoint));
}

function svdf(o: Operator): Value {
  const { filters, k, steps, rank } = shapes(o);
  const layer: LayerInfo = { kind: "svdf" };
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  const weight = (name: string, data: TypedArray, shape: readonly number[]) =>
    o.importer.weight(layer, name, data, shape);
  const [w, t] = [1, 2].map((i) => o.importer.numbers(o.at(i)));
  const bias = o.has(3) ? weight("bias", o.importer.numbers(o.at(3)), [filters / rank]) : undefined;
  const x = reshape(o.input(0), [-1, k]);
  const dtype = o.isQuantized ? (o.tensor(4).type === "int8" ? "int8" : "int16") : "float32";
  const zero = o.isQuantized ? o.of(4).zeroPoint : 0;
  const kept = { name: "state", layer, shape: [1, filters * steps], dtype, zero } as const;
  const state = o.variable(4).read(kept);
  if (o.isQuantized) {
    const of = { input: o.of(0), state: o.of(4), quantization: o.quantization, w: scaleOf(o, 1), t: scaleOf(o, 2) };
    const parts = {
      x,
      state,
      w: weight("kernel", w, [filters, k]),
      t: weight("time_kernel", t, [filters, steps]),
      bias,
    };
    const { y, next } = quantizedSvdf(parts, { rank, ...of });
    o.variable(4).assign(next, kept);
    return own(y);
  }
  const floats = (i: number, data: TypedArray): TypedArray => {
    if (o.tensor(i).type !== "int8") return data;
    const scale = scaleOf(o, i);
    return Float32Array.from(data, (v) => v * scale);
  };
  const time = weight("time_kernel", floats(2, t), [filters, steps]);
  const feature = (): Value => {
    if (w instanceof Int8Array) {
      const scale = weight("scale", new Float32Array(filters).fill(scaleOf(o, 1)), [filters]);
      return own(hybridDense(x, weight("kernel", w, [filters, k]), scale, { isAsymmetric: o.byte(2) !== 0 }));
    }
    const turned = Float32Array.from(w, (_, i) => w[(i % filters) * k + Math.floor(i / filters)]);
    return own(matmul(x, weight("kernel", turned, [k, filters])));
  };
  const before = reshape(state, [-1, filters, steps]);
  const next = own(concat([stridedSlice(before, [null, null, 1], []), expandDims(feature(), 2)], 2));
  o.variable(4).assign(reshape(next, [-1, filters * steps]), kept);
  const each = own(sum(own(mul(next, time)), 2));
  const units = own(sum(reshape(each, [-1, filters / rank, rank]), 2));
  const biased = bias ? own(add(units, bias)) : units;
  return own(activated(o, biased, o.byte(1)));
}

export const svdfRules: Rules = { SVDF: { types: [FLOAT, INT8], build: svdf } };
