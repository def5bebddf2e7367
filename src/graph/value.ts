// The graph: Values made by Nodes. A Node applies an Op to Values; a Value is one of its results, with a concrete shape and dtype.
// Nothing here computes. Ops are in ../ops, walks over graphs in walk.ts.
import { typeError } from "../errors.js";
import type { Shape } from "../shape.js";
import type { DType, Tensor } from "../tensor.js";
import type { Op } from "./op.js";

/** Shape and dtype of something that holds numbers. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Attributes are plain JSON and never hold the batch size. */
export type AttrValue = number | string | boolean | null | readonly AttrValue[] | { readonly [key: string]: AttrValue };
export type Attrs = Readonly<Record<string, AttrValue>>;

/** A symbolic array: one result of a node. Layers and ops take and give these; the first axis of an input is the batch. */
export interface Value extends Spec {
  readonly node: Node;
  /** Which of the node's results. */
  readonly index: number;
}

/** The layer a node was made by; one object for all uses of a layer, so its identity is the sharing of weights. */
export interface LayerInfo {
  /** Lower camel case of the Keras class: `conv2d`. */
  readonly kind: string;
  /** The user's name; without one, `build` numbers the layers of a kind. */
  readonly name?: string | undefined;
}

export interface Node {
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly outputs: readonly Value[];
  /** The numbers of a constant; those that a state begins with, in place of its initializer. */
  readonly data?: Tensor | undefined;
  /** Set once, by the layer that made the node. */
  layer?: LayerInfo | undefined;
}

/** What a program computes: results, and effects (nodes that write state), in the order they were asked for. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly effects: readonly Value[];
  /** Results that are to be had in this order, before the effects; only memory and what is in the caches depend on it. */
  readonly order?: readonly Value[];
}

/** Applies an op: checks attributes and shapes, and makes the node. */
export function make(op: Op, inputs: readonly Value[], attrs: Attrs = {}): Node {
  for (const input of inputs) checkValue(input, op.name);
  op.check(attrs);
  const specs = op.infer(inputs, attrs);
  const outputs: Value[] = [];
  const node: Node = { op, inputs, attrs, outputs };
  specs.forEach(({ shape, dtype }, index) => {
    outputs.push({ node, index, shape, dtype });
  });
  return node;
}

/** Makes a node without inputs, whose result is what `spec` says. */
export function leaf(op: Op, attrs: Attrs, { shape, dtype }: Spec, data?: Tensor): Value {
  op.check(attrs);
  const outputs: Value[] = [];
  const value: Value = { node: { op, inputs: [], attrs, outputs, data }, index: 0, shape, dtype };
  outputs.push(value);
  return value;
}

/** Applies an op that has one result. */
export const apply = (op: Op, inputs: readonly Value[], attrs: Attrs = {}): Value =>
  make(op, inputs, attrs).outputs[0] as Value;

export const isValue = (x: unknown): x is Value =>
  typeof x === "object" && x !== null && "node" in x && "index" in x && "shape" in x && "dtype" in x;

/** Throws unless `x` is a Value: the usual slip is to pass a host tensor or a layer. */
export function checkValue(x: unknown, op: string): asserts x is Value {
  if (isValue(x)) return;
  const actual = typeof x === "function" ? "a function (a layer that was not applied?)" : describe(x);
  throw typeError({ op, expected: "a Value (from input() or a layer)", actual });
}

function describe(x: unknown): string {
  if (typeof x === "object" && x !== null) return "data" in x ? "a host tensor" : (x.constructor?.name ?? "an object");
  return String(x);
}
