// Simple recurrent operators: h = activation(x W + h U + bias), its state kept. int8 recurrent weights become floats.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { add } from "../../../ops/arithmetic.js";
import { cellOps } from "../../../ops/cells.js";
import { matmul } from "../../../ops/matmul.js";
import { applyCell } from "../../../ops/recurrent.js";
import { hybridDense } from "../../../ops/rows.js";
import { reshape, squeeze } from "../../../ops/shape.js";
import { transpose } from "../../../ops/transpose.js";
import { show, sizeOf } from "../../../shape.js";
import type { Operator } from "../importer.js";
import { last } from "./gates.js";
import { activationOf } from "./lstm.js";
import { FLOAT, fail, type Rules } from "./rule.js";

interface Sequence {
  readonly activation: number;
  readonly isTimeMajor: boolean;
  readonly isAsymmetric: boolean;
}

function rnn(o: Operator, given: Value, of: Sequence): Value {
  const [[n, k], recurrent] = [o.tensor(1).shape, o.tensor(2).shape];
  if (recurrent.join() !== [n, n].join() || n * k === 0) fail(o, `recurrent weights [${n}, ${n}]`, show(recurrent));
  const layer: LayerInfo = { kind: "simpleRNN" };
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  const x = of.isTimeMajor ? transpose(given, [1, 0, 2]) : given;
  const rows = reshape(x, [-1, k]);
  const bias = o.importer.weight(layer, "bias", o.importer.numbers(o.at(3)), [n]);
  /** Weights [n, columns] as floats [columns, n]. */
  const float = (i: number, name: string, columns: number): Value => {
    const [data, scale] = [o.importer.numbers(o.at(i)), o.tensor(i).type === "int8" ? o.of(i).scale : 1];
    const turned = Float32Array.from(data, (_, j) => data[(j % n) * columns + Math.floor(j / n)] * scale);
    return o.importer.weight(layer, name, turned, [columns, n]);
  };
  const product = (): Value => {
    const w = o.tensor(1).type === "int8" ? o.importer.numbers(o.at(1)) : undefined;
    if (w === undefined) return own(add(own(matmul(rows, float(1, "kernel", k))), bias));
    const scale = o.importer.weight(layer, "scale", new Float32Array(n).fill(o.of(1).scale), [n]);
    const kernel = o.importer.weight(layer, "kernel", w, [n, k]);
    return own(hybridDense(rows, kernel, scale, { bias, isAsymmetric: of.isAsymmetric }));
  };
  // Attributes never hold the model's batch, which of time-major sequences is how many steps there are.
  const z = own(reshape(product(), of.isTimeMajor ? [given.shape[1], -1, n] : [-1, given.shape[1], n]));
  const kept = {
    name: "state_h",
    layer,
    shape: [sizeOf(o.tensor(4).shape) / n, n],
    dtype: "float32",
    zero: 0,
  } as const;
  if (!Number.isInteger(kept.shape[0])) fail(o, `states [batch, ${n}]`, show(o.tensor(4).shape));
  const h0 = o.variable(4).read(kept);
  const how = { activation: activationOf(o, of.activation), recurrentActivation: "sigmoid" } as const;
  const [y] = applyCell(cellOps.simpleRNN, z, float(2, "recurrent_kernel", n), { h0 }, how);
  o.variable(4).assign(last(own(y)), kept);
  return of.isTimeMajor ? transpose(y, [1, 0, 2]) : y;
}

export const rnnRules: Rules = {
  RNN: {
    types: [FLOAT],
    build(o) {
      const { shape } = o.tensor(0);
      if (shape.length !== 2) fail(o, "inputs [batch, features]", show(shape));
      const x = reshape(o.input(0), [-1, 1, shape[1]]);
      return squeeze(rnn(o, x, { activation: o.byte(0), isTimeMajor: false, isAsymmetric: o.byte(1) !== 0 }), 1);
    },
  },
  UNIDIRECTIONAL_SEQUENCE_RNN: {
    types: [FLOAT],
    build(o) {
      const x = o.input(0);
      if (x.shape.length !== 3) fail(o, "sequences [batch, steps, features]", show(x.shape));
      return rnn(o, x, { activation: o.byte(1), isTimeMajor: o.byte(0) !== 0, isAsymmetric: o.byte(2) !== 0 });
    },
  },
};
