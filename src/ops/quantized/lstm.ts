// The LSTM of TensorFlow Lite's operator in integers: int8 inputs, states and weights, cells of 16 bits. lstmp.ts is the same in floats.

import { ShapeError } from "../../errors.js";
import { boolean, type Check, number } from "../../graph/attrs.js";
import { defineOp, type Emit } from "../../graph/op.js";
import { make, type Node, type Spec, type Value } from "../../graph/value.js";
import { powerOfTwo } from "../../numbers.js";
import { stateful } from "../../runtime/families/stateful.js";
import { sameShape, show, sizeOf } from "../../shape.js";
import type { DType } from "../../tensor.js";
import { constant } from "../leaf.js";
import { paddedRow, padRows, rowSums } from "../rows.js";
import { multiplierOf } from "./multiplier.js";
import { type Quantization, quantized, scaleRatio } from "./quantization.js";

/** What there may be beside the inputs that there always are, in this order. */
const extras = ["peephole", "norm", "projection", "projectionBias"] as const;
type Extra = (typeof extras)[number];

export interface QuantizedLstmParts {
  /** int8 [batch, steps, k]. */
  readonly x: Value;
  /** int8 [gates * n, k] and [gates * n, m]; gates are i, f, g, o, or where they are coupled f, g, o. */
  readonly w: Value;
  readonly u: Value;
  /** int32 [gates, n]. */
  readonly bias: Value;
  /** States to begin with, int8 [batch, m] and int16 [batch, n], of the first of at least as many sequences. */
  readonly h0: Value;
  readonly c0: Value;
  /** int16 [3, n] for i, f, o; where the gates are coupled [2, n]. */
  readonly peephole?: Value | undefined;
  /** int16 [gates, n]. */
  readonly norm?: Value | undefined;
  /** int8 [m, n] and int32 [m]. */
  readonly projection?: Value | undefined;
  readonly projectionBias?: Value | undefined;
}

export interface QuantizedLstmHow {
  /** The input gate is 1 - f. */
  readonly isCoupled: boolean;
  readonly input: Quantization;
  /** Of the states, and so of the result. */
  readonly quantization: Quantization;
  /** Of o tanh(c), before the projection where there is one. */
  readonly hidden: Quantization;
  /** Scales for each gate: weights, what the gates are before they are normalized, and norms. */
  readonly w: readonly number[];
  readonly u: readonly number[];
  readonly gates: readonly number[];
  readonly norm: readonly number[];
  /** Of peepholes i, f, o, or f, o. */
  readonly peephole: readonly number[];
  readonly projection: number;
  /** Of the cells, a power of two in [2^-15, 2^-9]. */
  readonly cells: number;
  /** Largest size of a cell, and of a projected state; 0 for any. */
  readonly clip: number;
  readonly projectionClip: number;
}

interface Attrs extends QuantizedLstmHow {
  readonly given: readonly Extra[];
}

const given: Check = (value) =>
  Array.isArray(value) && value.join() === extras.filter((extra) => value.includes(extra)).join()
    ? undefined
    : `some of ${extras.join(", ")}, in this order`;
const scale: Check = (v) =>
  typeof v === "number" && v > 0 && v < 2 ** 30 && v > 2 ** -60 ? undefined : "a scale above 0";
const scales: Check = (v) =>
  Array.isArray(v) && v.length <= 4 && v.every((each) => scale(each) === undefined) ? undefined : "at most 4 scales";

const attrs = {
  given,
  isCoupled: boolean,
  input: quantized,
  quantization: quantized,
  hidden: quantized,
  w: scales,
  u: scales,
  gates: scales,
  norm: scales,
  peephole: scales,
  projection: scale,
  cells: scale,
  clip: /* @__PURE__ */ number(0, 3.4e38),
  projectionClip: /* @__PURE__ */ number(0, 3.4e38),
};

const OP = "quantizedLstm";

/** The exponent of a power of two, which a scale of cells is nearly. */
function exponentOf(cells: number): number {
  for (let exponent = -15; exponent <= -9; exponent++)
    if (Math.abs(cells / powerOfTwo(exponent) - 1) < 7e-4) return exponent;
  throw new ShapeError({ op: OP, expected: "cells with a scale of 2^-15 to 2^-9", actual: String(cells) });
}

const named = <T>(inputs: readonly T[], first: number, list: readonly Extra[]): { readonly [E in Extra]?: T } =>
  Object.fromEntries(list.map((extra, i) => [extra, inputs[first + i]]));

function check(inputs: readonly Spec[], attrs: Attrs): void {
  const [x, w, u, bias, h0, c0] = inputs;
  const of = named(inputs, 6, attrs.given);
  const gates = attrs.isCoupled ? 3 : 4;
  const wrong = (expected: string, actual: Spec): never => {
    throw new ShapeError({ op: OP, expected, actual: `${actual.dtype} ${show(actual.shape)}` });
  };
  const want = (spec: Spec | undefined, dtype: DType, what: string, ...shape: number[]): void => {
    if (spec && !(spec.dtype === dtype && sameShape(spec.shape, shape)))
      wrong(`${what}, ${dtype} ${show(shape)}`, spec);
  };
  const [batch, steps, k] = x.shape;
  if (x.dtype !== "int8" || x.shape.length !== 3 || steps === 0 || k === 0) wrong("int8 [batch, steps, features]", x);
  const [n, m] = [bias.shape[1], h0.shape[1]];
  if (!(n > 0) || !(m > 0)) wrong("cells and states", bias);
  want(bias, "int32", "biases", gates, n);
  want(w, "int8", "weights", gates * n, k);
  want(u, "int8", "recurrent weights", gates * n, m);
  if (h0.shape[0] < batch) wrong(`at most ${h0.shape[0]} sequences at once, as many as there are states of`, x);
  want(h0, "int8", "states", h0.shape[0], m);
  want(c0, "int16", "cells", h0.shape[0], n);
  want(of.peephole, "int16", "peepholes", gates - 1, n);
  want(of.norm, "int16", "norms", gates, n);
  want(of.projection, "int8", "a projection", m, n);
  want(of.projectionBias, "int32", "a bias", m);
  const isCounted = [attrs.w, attrs.u, attrs.gates, of.norm ? attrs.norm : attrs.w].every(
    (list) => list.length === gates,
  );
  if (!isCounted || (of.peephole && attrs.peephole.length !== gates - 1)) wrong(`${gates} scales of each kind`, bias);
  if (of.projection === undefined ? n !== m || of.projectionBias !== undefined : of.peephole !== undefined && n !== m)
    wrong("as many states as cells, but for a projection without peepholes", h0);
  lstmFactors(attrs); // whose scales may be too far apart
}

const results = ([x, , , bias, h0]: readonly Spec[]): Spec[] => {
  const [[batch, steps], n, m] = [x.shape, bias.shape[1], h0.shape[1]];
  return [
    { shape: [batch, steps, m], dtype: "int8" },
    { shape: [batch, n], dtype: "int16" },
    { shape: [5 * paddedRow(2 * n) + paddedRow(n) + 16], dtype: "int8" },
  ];
};

/** The numbers that the kernel calls `factors`; the float arithmetic is that of TensorFlow Lite. */
export function lstmFactors(of: Attrs): Int32Array<ArrayBuffer> {
  const exponent = exponentOf(of.cells);
  const first = of.isCoupled ? 1 : 0;
  const own = (gate: number): number[] => {
    const i = gate - first;
    if (i < 0) return Array<number>(9).fill(0);
    const p = gate === 3 ? 2 - first : gate === 2 ? -1 : i;
    const peep =
      of.given.includes("peephole") && p >= 0 ? Math.fround((powerOfTwo(exponent) * of.peephole[p]) / of.gates[i]) : 0;
    const norm = of.given.includes("norm") ? of.norm[i] : 1;
    return [
      ...multiplierOf(scaleRatio(of.w[i], of.input.scale, of.gates[i]), OP),
      ...multiplierOf(scaleRatio(of.u[i], of.quantization.scale, of.gates[i]), OP),
      ...multiplierOf(peep, OP),
      ...multiplierOf(norm, OP),
      Math.max(1, Math.trunc(Math.fround(10000 * Math.fround(norm)))),
    ];
  };
  const isProjected = of.given.includes("projection");
  const clipped = (clip: number, step: number, most: number) =>
    Math.min(Math.trunc(Math.fround(clip / Math.fround(step))), most);
  return Int32Array.from([
    ...[0, 1, 2, 3].flatMap(own),
    ...multiplierOf(Math.fround((2 ** -15 / of.hidden.scale) * 2 ** -15), OP),
    // What the projection makes of it takes the zero point the other way round.
    isProjected ? -of.hidden.zeroPoint : of.hidden.zeroPoint,
    ...multiplierOf(scaleRatio(of.projection, of.hidden.scale, of.quantization.scale), OP),
    of.quantization.zeroPoint,
    exponent,
    clipped(of.clip, of.cells, 32767),
    clipped(of.projectionClip, of.quantization.scale, 127),
  ]);
}

const flops = ({ inputs: [x, w, u] }: Node): number =>
  2 * x.shape[0] * x.shape[1] * (sizeOf(w.shape) + sizeOf(u.shape));

export const quantizedLstmOps = {
  quantizedLstm: defineOp<Attrs>(OP, {
    attrs,
    infer(inputs, attrs) {
      check(inputs, attrs);
      return results(inputs);
    },
    expand([x, w, u, bias, h0, c0, ...others], attrs): readonly Value[] {
      const { input, quantization, hidden } = attrs;
      const { projection, projectionBias, ...rest } = named(others, 0, attrs.given);
      const [ofW, ofU] = [padRows(w), padRows(u)];
      const wBias = rowSums(ofW, w.shape[1], -input.zeroPoint, rest.norm ? undefined : bias);
      const uBias = rowSums(ofU, u.shape[1], -quantization.zeroPoint);
      const data = lstmFactors(attrs);
      const factors = constant({ data, shape: [data.length], dtype: "int32" });
      const ofP = projection && padRows(projection);
      const projected =
        projection && ofP ? [ofP, rowSums(ofP, projection.shape[1], hidden.zeroPoint, projectionBias)] : [];
      const more = [...(rest.peephole ? [rest.peephole] : []), ...(rest.norm ? [rest.norm] : []), ...projected];
      const inputs = [x, ofW, ofU, bias, h0, c0, wBias, uBias, factors, ...more];
      return make(quantizedLstmOps.quantizedLstmRows, inputs, { ...attrs }).outputs;
    },
    flops,
  }),

  /** Inputs with padded rows: x, w, u, bias, h0, c0, sums of w and u, factors, then peepholes, norms, projection and its sums as given. */
  quantizedLstmRows: defineOp<Attrs>("quantizedLstmRows", {
    internal: true,
    family: stateful,
    attrs,
    infer: (inputs) => results(inputs),
    lower(emit: Emit, { inputs, outputs: [y, c, scratch] }, { given: list, isCoupled }) {
      const [x, w, u, bias, h0, c0, wBias, uBias, factors, ...more] = inputs;
      const [batch, steps, k] = x.shape;
      const peephole = list.includes("peephole") ? more.shift() : undefined;
      const norm = list.includes("norm") ? more.shift() : undefined;
      const [p = 0, pBias = 0] = more;
      emit.call(
        "i8_lstm",
        ...([batch, steps, k, bias.shape[1], h0.shape[1], x, w, wBias, u, uBias] as const),
        ...([peephole ?? 0, norm ?? 0, bias, p, pBias, factors, h0, c0, y, c, scratch, Number(isCoupled)] as const),
      );
    },
    flops,
  }),
};

/** States of all steps, int8 [batch, steps, m], and the cells after the last one, int16 [batch, n]. */
export function quantizedLstm({ x, w, u, bias, h0, c0, ...of }: QuantizedLstmParts, how: QuantizedLstmHow) {
  const list = extras.filter((extra) => of[extra] !== undefined);
  const inputs = [x, w, u, bias, h0, c0, ...list.map((extra) => of[extra] as Value)];
  const { input, quantization, hidden } = how;
  const attrs = { ...how, input: { ...input }, quantization: { ...quantization }, hidden: { ...hidden }, given: list };
  const [y, c] = make(quantizedLstmOps.quantizedLstm, inputs, attrs).outputs;
  return { y, c };
}
