// Functions of one number: whatever elementwise ops and single numbers make of one int8 value is a table of its 256 integers, computed
// by the same float ops.
import type { Quantization } from "../graph/attrs.js";
import type { Op } from "../graph/op.js";
import type { Node, Value } from "../graph/value.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { comparisonOps } from "../ops/comparison.js";
import { slopedOps, unaryOps } from "../ops/unary.js";
import { sameShape, sizeOf } from "../shape.js";
import { probabilities } from "./rules.js";

const elementwise = new Set<Op>([
  ...Object.values(unaryOps),
  ...Object.values(slopedOps),
  ...Object.values(arithmeticOps),
  activationOps.relu,
  comparisonOps.clip,
  comparisonOps.maximum,
  comparisonOps.minimum,
  comparisonOps.pow,
]);

/** Results whose range is known: a step of 1/256 or 1/128, as TensorFlow Lite has it. */
const known = new Map<Op, Quantization>([
  [unaryOps.sigmoid, probabilities],
  [unaryOps.tanh, { scale: 1 / 128, zeroPoint: 0 }],
]);

/** What the integers of a function's result stand for, where that is known beforehand. */
export const integersOf = ({ op }: Node): Quantization | undefined => known.get(op);

/** Whether a value is one number for all, made of weights. */
export const isNumber = ({ node, shape }: Value, fixed: ReadonlySet<Node>): boolean =>
  fixed.has(node) && sizeOf(shape) === 1;

/**
 * The value that a node's result is a function of, number by number.
 * @param sources those of results known so far
 */
export function sourceOf(
  { op, inputs, outputs: [y] }: Node,
  fixed: ReadonlySet<Node>,
  sources: ReadonlyMap<Value, Value>,
): Value | undefined {
  if (!elementwise.has(op)) return undefined;
  const [x, ...others] = new Set(
    inputs.filter((value) => !isNumber(value, fixed)).map((value) => sources.get(value) ?? value),
  );
  return x && others.length === 0 && !fixed.has(x.node) && sameShape(x.shape, y.shape) ? x : undefined;
}

/** The nodes that make `last` of a value, each after those it needs. */
export function chainOf(last: Node, of: Value, fixed: ReadonlySet<Node>): Node[] {
  const chain: Node[] = [];
  const done = new Set<Node>([of.node]);
  for (const stack = [last]; stack.length > 0; ) {
    const node = stack[stack.length - 1];
    const missing = done.has(node)
      ? []
      : node.inputs.flatMap((x) => (done.has(x.node) || fixed.has(x.node) ? [] : x.node));
    stack.push(...missing);
    if (missing.length > 0) continue;
    stack.pop();
    if (!done.has(node)) chain.push(node);
    done.add(node);
  }
  return chain;
}
