// Recurrent operators of LSTM cells: what the file has of each gate becomes one array of all gates, in the order i, f, g, o.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { add, mul } from "../../../ops/arithmetic.js";
import { concat, split } from "../../../ops/concat.js";
import { type LstmHow, lstmProjected } from "../../../ops/lstmp.js";
import { matmul } from "../../../ops/matmul.js";
import { quantizedLstm } from "../../../ops/quantized/lstm.js";
import { hybridDense } from "../../../ops/rows.js";
import { reshape, squeeze } from "../../../ops/shape.js";
import { flip } from "../../../ops/slice.js";
import { transpose } from "../../../ops/transpose.js";
import { sigmoid, tanh } from "../../../ops/unary.js";
import { show } from "../../../shape.js";
import type { Operator } from "../importer.js";
import { Gates, last, type Places, range, statesOf } from "./gates.js";
import { FLOAT, fail, INT8, type Rules } from "./rule.js";

const FULL: Places = { x: 0, w: 1, u: 5, peephole: 9, bias: 12, projection: 16, h: 18, c: 19, norm: 20 };

/** Activations that the kernel has, by their number in the file. */
const ACTIVATIONS = { 0: "linear", 1: "relu", 4: "tanh" } as const;

export const activationOf = (o: Operator, code: number): LstmHow["activation"] =>
  ACTIVATIONS[code as keyof typeof ACTIVATIONS] ?? fail(o, "TANH, RELU or no activation", String(code));

/** Float32, with weights in float32 or int8: y [batch, steps, m] of x [batch, steps, k] by what is said of z. */
function float(gates: Gates, x: Value, shape: readonly number[], how: LstmHow): Value {
  const { o, at, n, m, k, count } = gates;
  const [w, u] = [gates.places(at.w), gates.places(at.u)];
  const norm = gates.vectors("gamma", gates.places(at.norm));
  const bias = gates.vectors("bias", gates.places(at.bias));
  const flat = bias && reshape(bias, [count * n]);
  const rows = reshape(x, [-1, k]);
  const own = (value: Value): Value => {
    value.node.layer ??= gates.layer;
    return value;
  };
  const int8 = (name: string, places: readonly number[], of: number, columns: number) => {
    const kernel = gates.weight(name, gates.joined(places, of, columns), [places.length * of, columns]);
    return [kernel, gates.scale(`${name}_scale`, places, of)] as const;
  };
  const peephole = gates.vectors("peephole", gates.isCoupled ? range(at.peephole + 1, 2) : range(at.peephole, 3));
  const { isAsymmetric } = how;
  const added = norm ? undefined : flat;
  const z = () => {
    if (gates.isInt8) {
      const [kernel, scale] = int8("kernel", w, n, k);
      return own(hybridDense(rows, kernel, scale, { bias: added, isAsymmetric }));
    }
    const product = own(matmul(rows, gates.float("kernel", w, n, k)));
    return added ? own(add(product, added)) : product;
  };
  const ofZ = own(reshape(z(), [...shape, count * n]));
  const recurrent = () => {
    if (!gates.isInt8) return { u: gates.float("recurrent_kernel", u, n, m) };
    const [kernel, uScale] = int8("recurrent_kernel", u, n, m);
    return { u: kernel, uScale };
  };
  const projected = () => {
    const p = at.projection;
    if (!o.has(p)) return {};
    const projectionBias = o.has(p + 1) ? gates.weight("projection_bias", gates.joined([p + 1], m), [m]) : undefined;
    if (!gates.isInt8) return { projection: gates.float("projection", [p], m, n), projectionBias };
    const [projection, projectionScale] = int8("projection", [p], m, n);
    return { projection, projectionScale, projectionBias };
  };
  const { h0, c0, next } = statesOf(gates);
  const parts = { z: ofZ, ...recurrent(), h0, c0, peephole, norm, bias: norm && bias, ...projected() };
  const { y, c } = lstmProjected(parts, how);
  own(y);
  next(last(y), c);
  return y;
}

/** Integers: gates in Q3.12, or where they are normalized in what the operator's own tensors say. */
function integers(gates: Gates, x: Value, { clip, projectionClip, isCoupled }: LstmHow): Value {
  const { o, at, n, m, k, count } = gates;
  const { intermediates } = o.operator;
  if (intermediates.length !== 5) fail(o, "5 intermediate tensors", String(intermediates.length));
  const [w, u, bias] = [at.w, at.u, at.bias].map((first) => gates.places(first));
  const norms = gates.places(at.norm);
  const isNormed = norms.some((i) => o.has(i));
  const peepholes = isCoupled ? range(at.peephole + 1, 2) : range(at.peephole, 3);
  const hasPeepholes = peepholes.some((i) => o.has(i));
  const of = (i: number) => o.importer.quantization(intermediates[i]);
  const isProjected = o.has(at.projection);
  const { scale: cells, zeroPoint } = o.of(at.c);
  if (zeroPoint !== 0) fail(o, "cells with a zero point of 0", String(zeroPoint));
  const wide = (name: string, places: readonly number[]) =>
    gates.weight(name, gates.joined(places, n), [places.length, n]);
  const { h0, c0, next } = statesOf(gates);
  const parts = {
    x,
    w: gates.weight("kernel", gates.joined(w, n, k), [count * n, k]),
    u: gates.weight("recurrent_kernel", gates.joined(u, n, m), [count * n, m]),
    bias: wide("bias", bias),
    h0,
    c0,
    peephole: hasPeepholes ? wide("peephole", peepholes) : undefined,
    norm: isNormed ? wide("gamma", norms) : undefined,
    projection: isProjected ? gates.weight("projection", gates.joined([at.projection], m, n), [m, n]) : undefined,
    projectionBias: o.has(at.projection + 1)
      ? gates.weight("projection_bias", gates.joined([at.projection + 1], m), [m])
      : undefined,
  };
  const { y, c } = quantizedLstm(parts, {
    isCoupled,
    input: o.of(at.x),
    quantization: o.of(at.h),
    hidden: of(4),
    w: gates.scales(w),
    u: gates.scales(u),
    gates: isNormed ? range(4 - count, count).map((i) => of(i).scale) : Array<number>(count).fill(2 ** -12),
    norm: isNormed ? norms.map((i) => o.of(i).scale) : [],
    peephole: hasPeepholes ? peepholes.map((i) => o.of(i).scale) : [],
    projection: isProjected ? gates.scales([at.projection])[0] : 1,
    cells,
    clip,
    projectionClip,
  });
  y.node.layer ??= gates.layer;
  next(last(y), c);
  return y;
}

interface Sequence {
  readonly activation: number;
  readonly clip: number;
  readonly projectionClip: number;
  readonly isAsymmetric: boolean;
  /** The axes of input and result are steps, batch, features. */
  readonly isTimeMajor: boolean;
}

function sequence(o: Operator, at: Places, x: Value, of: Sequence, layer: LayerInfo): Value {
  if (x.shape.length !== 3) fail(o, "sequences [batch, steps, features]", show(x.shape));
  const gates = new Gates(o, at, layer);
  if (x.shape[2] !== gates.k) fail(o, `${gates.k} features`, show(x.shape));
  const how = {
    activation: activationOf(o, of.activation),
    clip: Math.max(of.clip, 0),
    projectionClip: Math.max(of.projectionClip, 0),
    isCoupled: gates.isCoupled,
    isAsymmetric: of.isAsymmetric,
  };
  const turned = of.isTimeMajor ? transpose(x, [1, 0, 2]) : x;
  // Attributes never hold the model's batch, which of time-major sequences is how many steps there are.
  const shape = of.isTimeMajor ? [x.shape[1], -1] : [-1, x.shape[1]];
  const y = o.isQuantized ? integers(gates, turned, how) : float(gates, turned, shape, how);
  return of.isTimeMajor ? transpose(y, [1, 0, 2]) : y;
}

/** One step by the operator of whole sequences. */
function single(o: Operator): Value {
  const { shape } = o.tensor(0);
  if (shape.length !== 2) fail(o, "inputs [batch, features]", show(shape));
  const of = { activation: o.byte(0), clip: o.float(1), projectionClip: o.float(2), isAsymmetric: o.byte(4) !== 0 };
  const x = reshape(o.input(0), [-1, 1, shape[1]]);
  return squeeze(sequence(o, FULL, x, { ...of, isTimeMajor: false }, { kind: "lstm" }), 1);
}

/**
 * The older operator: inputs x, h, weights [4 n, k + n] of the gates i, g, f, o, biases and c; results h, c, and x beside h and the gates
 * before their activations. States are inputs and results like others.
 */
function basic(o: Operator): readonly Value[] {
  const [x, h, c] = [o.input(0), o.input(1), o.input(4)];
  const [all, k] = o.tensor(2).shape;
  const n = all / 4;
  const fits = Number.isInteger(n) && n > 0 && o.tensor(2).shape.length === 2 && h.shape.at(-1) === n;
  if (!fits) fail(o, "weights [4 * units, features + units]", show(o.tensor(2).shape));
  const layer: LayerInfo = { kind: "lstm" };
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  const given = o.importer.numbers(o.at(2));
  const turned = Float32Array.from(given, (_, i) => given[(i % all) * k + Math.floor(i / all)]);
  const kernel = o.importer.weight(layer, "kernel", turned, [k, all]);
  const bias = o.importer.weight(layer, "bias", o.importer.numbers(o.at(3)), [all]);
  const both = own(concat([x, h], -1));
  const z = own(add(own(matmul(both, kernel)), bias));
  const [i, g, f, out] = split(z, 4);
  const cells = own(add(own(mul(sigmoid(f), c)), own(mul(sigmoid(i), tanh(g)))));
  return [own(mul(sigmoid(out), tanh(cells))), cells, both, z];
}

/** Positions of what goes forwards and backwards, which have no norms. */
const BOTH: readonly Places[] = [
  { x: 0, w: 1, u: 5, peephole: 9, bias: 12, projection: 16, h: 35, c: 36, norm: 48 },
  { x: 0, w: 18, u: 22, peephole: 26, bias: 29, projection: 33, h: 37, c: 38, norm: 48 },
];

function bidirectional(o: Operator): Value | readonly Value[] {
  const x = o.input(0);
  if (o.has(39)) fail(o, "one input", "an auxiliary one");
  const flags = { isTimeMajor: o.byte(4) !== 0, isAsymmetric: o.byte(5) !== 0 };
  const of = { activation: o.byte(0), clip: o.float(1), projectionClip: o.float(2), ...flags };
  const axis = of.isTimeMajor ? 0 : 1;
  const forward = sequence(o, BOTH[0], x, of, { kind: "lstm" });
  const backward = flip(sequence(o, BOTH[1], flip(x, axis), of, { kind: "lstm" }), axis);
  return o.byte(3) !== 0 ? concat([forward, backward], -1) : [forward, backward];
}

export const lstmRules: Rules = {
  BIDIRECTIONAL_SEQUENCE_LSTM: { types: [FLOAT], build: bidirectional },
  LSTM: {
    types: [FLOAT, INT8],
    build: (o) => (o.byte(3) === 0 ? single(o) : o.isQuantized ? fail(o, "floats", "int8") : basic(o)),
  },
  UNIDIRECTIONAL_SEQUENCE_LSTM: {
    types: [FLOAT, INT8],
    build(o) {
      if (o.byte(5) !== 0) fail(o, "recurrent weights that are matrices", "diagonal ones");
      const flags = { isTimeMajor: o.byte(3) !== 0, isAsymmetric: o.byte(4) !== 0 };
      const of = { activation: o.byte(0), clip: o.float(1), projectionClip: o.float(2), ...flags };
      return sequence(o, FULL, o.input(0), of, { kind: "lstm" });
    },
  },
};
