// Ops of recurrent layers, all steps of a sequence at once: what the kinds of cells in cells.ts have in common. A cell is given x times its
// kernel, plus bias: one product before. Its kernel does the rest of every step, and its gradient goes back through time; what the
// gradients of weights need is again one product over all steps.
import { ShapeError } from "../errors.js";
import { boolean, type Check, integer, number, oneOf, optional } from "../graph/attrs.js";
import { defineOp, type Emit, type Gradients, type Op } from "../graph/op.js";
import { apply, make, type Spec, type Value } from "../graph/value.js";
import { sequence } from "../runtime/families/sequence.js";
import { sameShape, show } from "../shape.js";
import { mul } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType } from "./check.js";
import { concat } from "./concat.js";
import { argument, scalar } from "./leaf.js";
import { matmul } from "./matmul.js";
import { RNG, randomOps } from "./random.js";
import { sum } from "./reduce.js";
import { expandDims, reshape } from "./shape.js";
import { stridedSlice } from "./slice.js";

/** Activations that the kernels have, at the numbers by which they know them. */
export const recurrentActivations = ["linear", "tanh", "sigmoid", "relu"] as const;
export type RecurrentActivation = (typeof recurrentActivations)[number];

/** What a cell may have as inputs after the recurrent weights, in this order. */
const extras = ["bias", "h0", "c0", "mask", "drop", "dy", "dcells"] as const;
type Extra = (typeof extras)[number];
export type Extras = { readonly [E in Extra]?: Value | undefined };

export interface CellAttrs {
  readonly given: readonly Extra[];
  readonly activation: RecurrentActivation;
  readonly recurrentActivation: RecurrentActivation;
  /** Of a GRU: the reset gate acts after the product with the recurrent weights. */
  readonly resetAfter?: boolean;
}

export type Sizes = readonly [batch: number, steps: number, units: number];

/** What the gradient of a cell computes; empty where a cell has no such thing. */
export interface CellGradients {
  /** Of the gates' inputs [batch, steps, width * units]. */
  readonly dz: Value;
  /** Of what a GRU that resets after the product has from it, bias included [batch, steps, units]. */
  readonly drest: Value;
  /** Of the first states [batch, units]. */
  readonly dh: Value;
  readonly dc: Value;
  readonly scratch: Value;
}

/** What differs between the kinds of cells. */
export interface Cell {
  readonly name: string;
  /** What it is given of each step: so many times its units. */
  readonly width: 1 | 3 | 4;
  /** Whether there are cell states besides y, or what a GRU makes of the state. The gates are then the first result, y the second. */
  readonly hasGates: boolean;
  /** The recurrent weights, packed, as they are or transposed. */
  weights(u: Value, transpose: boolean): readonly Value[];
  lower(
    emit: Emit,
    sizes: Sizes,
    z: Value,
    u: readonly Value[],
    of: Extras,
    results: readonly Value[],
    attrs: CellAttrs,
  ): void;
  lowerGrad(
    emit: Emit,
    sizes: Sizes,
    saved: readonly Value[],
    u: readonly Value[],
    of: Extras,
    d: CellGradients,
    attrs: CellAttrs,
  ): void;
  /** The gradient of the recurrent weights. @param before states before each step, as products have them */
  weightGrad(before: Value, saved: readonly Value[], d: CellGradients, attrs: CellAttrs): Value;
}

const given: Check = (value) =>
  Array.isArray(value) && value.join() === extras.filter((extra) => value.includes(extra)).join()
    ? undefined
    : `some of ${extras.join(", ")}, in this order`;
const activation = /* @__PURE__ */ oneOf("linear", "tanh", "sigmoid", "relu");
const attrs = { given, activation, recurrentActivation: activation, resetAfter: /* @__PURE__ */ optional(boolean) };

/** The kernels' numbers of both activations. */
export const numbers = (of: CellAttrs): readonly [number, number] => [
  recurrentActivations.indexOf(of.activation),
  recurrentActivations.indexOf(of.recurrentActivation),
];

const float = (...shape: number[]): Spec => ({ shape, dtype: "float32" });

/** What is behind the other inputs, by name. */
const named = (inputs: readonly Value[], list: readonly Extra[]): Extras =>
  Object.fromEntries(list.map((extra, i) => [extra, inputs[inputs.length - list.length + i]]));

/** @throws {ShapeError} or {TypeError} unless all inputs of a cell fit together */
function check({ name, width }: Cell, [z, u, ...others]: readonly Spec[], list: readonly Extra[]): void {
  wantDType(name, "float32", z, u);
  const [batch, steps, all] = z.shape;
  const units = all / width;
  if (z.shape.length !== 3 || !sameShape(u.shape, [units, all])) {
    const expected = `inputs [steps, ${width} * units] and weights [units, ${width} * units]`;
    throw new ShapeError({ op: name, expected, actual: `${show(z.shape.slice(1))} and ${show(u.shape)}` });
  }
  if (steps === 0) throw new ShapeError({ op: name, expected: "at least one step", actual: "none" });
  list.forEach((extra, i) => {
    const { shape, dtype } = others[i];
    wantDType(name, extra === "mask" ? "bool" : "float32", { shape, dtype });
    const want = extra === "bias" ? [units] : extra === "mask" ? [batch, steps] : [batch, units];
    // A state may be of more sequences than there are: it is of the first ones.
    const isState = extra === "h0" || extra === "c0";
    if (sameShape(shape, want) || (isState && shape[0] > batch && sameShape(shape.slice(1), [units]))) return;
    const what = isState ? "a state" : extra === "drop" ? "dropout" : `a ${extra}`;
    throw new ShapeError({ op: name, expected: `${what} ${show(want)}`, actual: show(shape) });
  });
}

/** The states before each step as products have them, [batch, steps, units]. */
function statesBefore(y: Value, { h0, drop }: Extras): Value {
  const [batch, steps, units] = y.shape;
  const first = h0
    ? stridedSlice(expandDims(h0, 1), [0], [batch])
    : broadcastTo(reshape(scalar(0), [1, 1, 1]), [batch, 1, units]);
  const before = steps === 1 ? first : concat([first, stridedSlice(y, [0, 0], [null, steps - 1])], 1);
  return drop ? mul(before, expandDims(drop, 1)) : before;
}

/** A matrix of all steps of all sequences. */
export const rows = (x: Value): Value => reshape(x, [-1, x.shape[2]]);

/** a' b over all steps. */
export const overSteps = (a: Value, b: Value): Value => matmul(rows(a), rows(b), { transposeA: true });

/** The op of a cell as graphs say it, which becomes one on packed weights; and its gradient in both forms. */
export function recurrent(cell: Cell): Op {
  const { name, width, hasGates } = cell;
  const saves = hasGates ? 3 : 1;
  const at = hasGates ? 1 : 0; // of y among the results
  const sizes = ({ shape: [batch, steps, all] }: Spec): Sizes => [batch, steps, all / width];
  const flops = (z: Spec): number => {
    const [batch, steps, units] = sizes(z);
    return batch * steps * units * width * (2 * units + 8);
  };
  const results = (z: Spec, list: readonly Extra[]): Spec[] => {
    const [batch, steps, units] = sizes(z);
    const [states, scratch] = [float(batch, steps, units), list.includes("drop") ? float(batch, units) : float(0)];
    return hasGates ? [float(...z.shape), states, states, scratch] : [states, scratch];
  };
  const gradResults = (inputs: readonly Spec[], { resetAfter }: CellAttrs): Spec[] => {
    const [batch, steps, units] = inputs[at].shape;
    const one = float(batch, units);
    return [
      float(batch, steps, width * units),
      resetAfter ? inputs[at] : float(0),
      one,
      width === 4 ? one : float(0),
      one,
    ];
  };
  const gradients = ([dz, drest, dh, dc, scratch]: readonly Value[]): CellGradients => ({ dz, drest, dh, dc, scratch });

  const packed = defineOp<CellAttrs>(`${name}Packed`, {
    internal: true,
    family: sequence,
    attrs,
    infer: ([z], { given: list }) => results(z, list),
    lower(emit, { inputs: [z, ...others], outputs }, of) {
      const u = others.slice(0, others.length - of.given.length);
      cell.lower(emit, sizes(z), z, u, named(others, of.given), outputs, of);
    },
    flops: ({ inputs: [z] }) => flops(z),
    inPlace: 0,
  });

  const packedGrad = defineOp<CellAttrs>(`${name}GradPacked`, {
    internal: true,
    attrs,
    infer: gradResults,
    lower(emit, { inputs, outputs }, of) {
      const u = inputs.slice(saves, inputs.length - of.given.length);
      const [saved, d] = [inputs.slice(0, saves), gradients(outputs)];
      cell.lowerGrad(emit, sizes(d.dz), saved, u, named(inputs, of.given), d, of);
    },
    flops: ({ outputs: [dz] }) => flops(dz),
    inPlace: 0,
  });

  const grad = defineOp<CellAttrs>(`${name}Grad`, {
    internal: true,
    attrs,
    infer: gradResults,
    expand(inputs, of) {
      const u = cell.weights(inputs[saves], true);
      return make(packedGrad, [...inputs.slice(0, saves), ...u, ...inputs.slice(saves + 1)], { ...of }).outputs;
    },
  });

  const op: Op = defineOp<CellAttrs>(name, {
    attrs,
    infer(inputs, { given: list }) {
      check(cell, inputs, list);
      return results(inputs[0], list);
    },
    grad({ inputs: [, u, ...others], outputs }, upstream, of): Gradients {
      const [dy, dcells] = [upstream[at], hasGates ? upstream[2] : undefined];
      const saved = outputs.slice(0, saves);
      const more = [...(dy ? ["dy" as const] : []), ...(dcells ? ["dcells" as const] : [])];
      const inputs = [...saved, u, ...others, ...[dy, dcells].flatMap((value) => value ?? [])];
      const d = gradients(make(grad, inputs, { ...of, given: [...of.given, ...more] }).outputs);
      const du = cell.weightGrad(statesBefore(saved[at], named(others, of.given)), saved, d, of);
      const all: Extras = { h0: d.dh, c0: d.dc, bias: of.resetAfter ? sum(rows(d.drest), 0) : undefined };
      return [d.dz, du, ...of.given.map((extra) => all[extra])];
    },
    // Nothing is dropped from states when nothing is trained.
    inference([z, u, ...others], of) {
      const kept = of.given.filter((extra) => extra !== "drop");
      return make(op, [z, u, ...others.slice(0, kept.length)], { ...of, given: kept }).outputs;
    },
    expand: ([z, u, ...others], of) => make(packed, [z, ...cell.weights(u, false), ...others], { ...of }).outputs,
    flops: ({ inputs: [z] }) => flops(z),
  });
  return op;
}

/** Applies a cell; results as the cell has them. */
export function applyCell(
  op: Op,
  z: Value,
  u: Value,
  of: Extras,
  how: Pick<CellAttrs, "activation" | "recurrentActivation" | "resetAfter">,
): readonly Value[] {
  const list = extras.filter((extra) => of[extra] !== undefined);
  return make(op, [z, u, ...list.map((extra) => of[extra] as Value)], { ...how, given: list }).outputs;
}

/** While training, [batch, units] of 0 for a share of numbers and 1 / (1 - rate) for the others: what states are multiplied by. */
export const recurrentDropoutOps = {
  recurrentDropout: defineOp<{ units: number; rate: number; stream: number }>("recurrentDropout", {
    attrs: {
      units: /* @__PURE__ */ integer(1),
      rate: /* @__PURE__ */ number(0, 1),
      stream: /* @__PURE__ */ integer(0),
    },
    infer: ([x], { units }) => float(x.shape[0], units),
    grad: (): Gradients => [],
    expand([x, rng], { units, rate, stream }) {
      const ones = broadcastTo(reshape(scalar(1), [1, 1]), [x.shape[0], units]);
      return apply(randomOps.dropout, [ones, rng], { rate, stream });
    },
    random: true,
  }),
};

/** Dropout for states of the sequences of x. */
export const recurrentDropout = (x: Value, units: number, rate: number): Value =>
  apply(recurrentDropoutOps.recurrentDropout, [x, argument(RNG, [3], "int32")], { units, rate, stream: 0 });
