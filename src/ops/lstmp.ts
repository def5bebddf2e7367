// The LSTM of TensorFlow Lite's operator: with peepholes, normalized gates, coupled gates, clipping and a projection, each where it is wanted,
// and with weights in float32 or int8. It goes on from the states that it is given. Layers have cells.ts, which also has a gradient.
import { ShapeError } from "../errors.js";
import { boolean, type Check, number, oneOf } from "../graph/attrs.js";
import { defineOp, type Emit } from "../graph/op.js";
import { make, type Node, type Spec, type Value } from "../graph/value.js";
import { stateful } from "../runtime/families/stateful.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { wantDType } from "./check.js";
import { pack } from "./matmul.js";
import { type RecurrentActivation, recurrentActivations } from "./recurrent.js";
import { paddedRow, padRows, rowSums } from "./rows.js";

/** What there may be beside the inputs that there always are, in this order. */
const extras = ["uScale", "peephole", "norm", "bias", "projection", "projectionScale", "projectionBias"] as const;
type Extra = (typeof extras)[number];

export interface LstmParts {
  /** What the gates have from x [batch, steps, gates * n]: i, f, g, o, or where they are coupled f, g, o. */
  readonly z: Value;
  /** Recurrent weights: float32 [m, gates * n], or int8 [gates * n, m] with `uScale` [gates * n]. */
  readonly u: Value;
  readonly uScale?: Value | undefined;
  /** States to begin with [batch, m] and [batch, n], of the first of at least as many sequences. */
  readonly h0: Value;
  readonly c0: Value;
  /** What the cells join the gates times: [3, n] for i, f, o; where the gates are coupled [2, n]. */
  readonly peephole?: Value | undefined;
  /** What normalized gates go times [gates, n], and what is then added. */
  readonly norm?: Value | undefined;
  readonly bias?: Value | undefined;
  /** float32 [n, m], or int8 [m, n] with `projectionScale` [m]; and a bias [m]. */
  readonly projection?: Value | undefined;
  readonly projectionScale?: Value | undefined;
  readonly projectionBias?: Value | undefined;
}

export interface LstmHow {
  readonly activation: RecurrentActivation;
  /** Largest size of a cell, and of a projected state; 0 for any. */
  readonly clip: number;
  readonly projectionClip: number;
  /** The input gate is 1 - f. */
  readonly isCoupled: boolean;
  /** With int8 weights: states become integers that use their whole range. */
  readonly isAsymmetric: boolean;
}

interface LstmAttrs extends LstmHow {
  readonly given: readonly Extra[];
}

const given: Check = (value) =>
  Array.isArray(value) && value.join() === extras.filter((extra) => value.includes(extra)).join()
    ? undefined
    : `some of ${extras.join(", ")}, in this order`;

const attrs = {
  given,
  activation: /* @__PURE__ */ oneOf(...recurrentActivations),
  clip: /* @__PURE__ */ number(0, 3.4e38),
  projectionClip: /* @__PURE__ */ number(0, 3.4e38),
  isCoupled: boolean,
  isAsymmetric: boolean,
};

const OP = "lstmProjected";
const float = (...shape: number[]): Spec => ({ shape, dtype: "float32" });

/** Batch, steps, cells and states of a step; gates. */
function sizesOf(z: Spec, h0: Spec, { isCoupled }: LstmAttrs) {
  const gates = isCoupled ? 3 : 4;
  const [batch, steps, all] = z.shape;
  return { batch, steps, n: all / gates, m: h0.shape[1], gates };
}

/** What is behind the other inputs, by name. */
const named = <T>(inputs: readonly T[], first: number, list: readonly Extra[]): { readonly [E in Extra]?: T } =>
  Object.fromEntries(list.map((extra, i) => [extra, inputs[first + i]]));

function check(inputs: readonly Spec[], attrs: LstmAttrs): void {
  const [z, u, h0, c0] = inputs;
  const of = named(inputs, 4, attrs.given);
  const { batch, steps, n, m, gates } = sizesOf(z, h0, attrs);
  const wrong = (expected: string, actual: Spec): never => {
    throw new ShapeError({ op: OP, expected, actual: `${actual.dtype} ${show(actual.shape)}` });
  };
  const want = (spec: Spec | undefined, what: string, ...shape: number[]): void => {
    if (spec && !(spec.dtype === "float32" && sameShape(spec.shape, shape))) wrong(`${what} ${show(shape)}`, spec);
  };
  wantDType(OP, "float32", z, h0, c0);
  if (z.shape.length !== 3 || !Number.isInteger(n) || n === 0 || steps === 0)
    wrong(`gates [batch, steps, ${gates} * cells], at least one of each`, z);
  if (h0.shape.length !== 2 || !(m > 0)) wrong("states [batch, units]", h0);
  if (h0.shape[0] < batch) wrong(`at most ${h0.shape[0]} sequences at once, as many as there are states of`, z);
  if (c0.shape.length !== 2 || c0.shape[0] < batch || c0.shape[1] !== n) wrong(`cells [${batch}, ${n}]`, c0);
  const isInt8 = of.uScale !== undefined;
  const weights = (spec: Spec | undefined, scale: Spec | undefined, rows: number, columns: number, what: string) => {
    if (!spec) return;
    const shape = scale ? [columns, rows] : [rows, columns];
    if (spec.dtype !== (scale ? "int8" : "float32") || !sameShape(spec.shape, shape))
      wrong(`${what} ${show(shape)}`, spec);
  };
  weights(u, of.uScale, m, gates * n, "recurrent weights");
  weights(of.projection, of.projectionScale, n, m, "a projection");
  want(of.uScale, "a scale", gates * n);
  want(of.peephole, "peepholes", gates - 1, n);
  want(of.norm, "norms", gates, n);
  want(of.bias, "biases", gates, n);
  want(of.projectionScale, "a scale", m);
  want(of.projectionBias, "a bias", m);
  const together =
    (of.norm === undefined) === (of.bias === undefined) &&
    (of.projection !== undefined || (of.projectionScale === undefined && of.projectionBias === undefined)) &&
    (of.projection === undefined ? n === m : (of.projectionScale !== undefined) === isInt8);
  if (!together) wrong("norms with biases, and a projection of the weights' dtype where states are no cells", u);
}

/** Results: states of all steps, the last cells, scratch. */
const results = (z: Spec, h0: Spec, attrs: LstmAttrs): Spec[] => {
  const { batch, steps, n, m, gates } = sizesOf(z, h0, attrs);
  const scratch = batch * (gates + 1) * n + n + 8 + paddedRow(Math.max(m, n)) / 4;
  return [float(batch, steps, m), float(batch, n), float(scratch)];
};

const flops = ({ inputs: [z, u] }: Node): number => 2 * z.shape[0] * z.shape[1] * sizeOf(u.shape);

export const lstmProjectedOps = {
  lstmProjected: defineOp<LstmAttrs>(OP, {
    attrs,
    infer(inputs, attrs) {
      check(inputs, attrs);
      return results(inputs[0], inputs[2], attrs);
    },
    expand(inputs, attrs): readonly Value[] {
      const [z, u, h0, c0] = inputs;
      const { n, m, gates } = sizesOf(z, h0, attrs);
      const { uScale, projection: p, projectionScale, ...rest } = named(inputs, 4, attrs.given);
      const ofU = uScale ? int8Rows(u, uScale) : [pack(u, m, gates * n, false)];
      const ofP = p === undefined ? [] : projectionScale ? int8Rows(p, projectionScale) : [pack(p, n, m, false)];
      const others = extras.flatMap((extra) => (rest as { readonly [E in Extra]?: Value })[extra] ?? []);
      return make(lstmProjectedOps.lstmProjectedPacked, [z, h0, c0, ...others, ...ofU, ...ofP], { ...attrs }).outputs;
    },
    flops,
  }),

  /** Inputs z, h0, c0, those that are no weights and have no scale, weights u and p: packed, or padded rows, their scales and sums. */
  lstmProjectedPacked: defineOp<LstmAttrs>("lstmProjectedPacked", {
    internal: true,
    family: stateful,
    attrs,
    infer: ([z, h0], attrs) => results(z, h0, attrs),
    lower(emit: Emit, { inputs, outputs: [y, c, scratch] }, attrs) {
      const [z, h0, c0, ...others] = inputs;
      const { batch, steps, n, m } = sizesOf(z, h0, attrs);
      const list = attrs.given.filter((extra) => !["uScale", "projection", "projectionScale"].includes(extra));
      const of = named(others, 0, list);
      const isInt8 = attrs.given.includes("uScale");
      const weights = others.slice(list.length);
      const [u, uScale, uSums] = isInt8 ? weights : [weights[0], 0, 0];
      const [p = 0, pScale = 0, pSums = 0] = weights.slice(isInt8 ? 3 : 1);
      emit.call(
        "f32_lstm_projected",
        ...([batch, steps, n, m, z, u, uScale, uSums, of.peephole ?? 0, of.norm ?? 0, of.bias ?? 0] as const),
        ...([p, pScale, pSums, of.projectionBias ?? 0, h0, c0, y, c, scratch] as const),
        ...([recurrentActivations.indexOf(attrs.activation), attrs.clip, attrs.projectionClip] as const),
        ...([Number(attrs.isCoupled), Number(attrs.isAsymmetric)] as const),
      );
    },
    flops,
  }),
};

const int8Rows = (w: Value, scale: Value): Value[] => {
  const rows = padRows(w);
  return [rows, scale, rowSums(rows, w.shape[1], 1)];
};

/** States of all steps [batch, steps, m], and the cells after the last one [batch, n]. */
export function lstmProjected({ z, u, h0, c0, ...of }: LstmParts, how: LstmHow): { y: Value; c: Value } {
  const list = extras.filter((extra) => of[extra] !== undefined);
  const inputs = [z, u, h0, c0, ...list.map((extra) => of[extra] as Value)];
  const [y, c] = make(lstmProjectedOps.lstmProjected, inputs, { ...how, given: list }).outputs;
  return { y, c };
}
