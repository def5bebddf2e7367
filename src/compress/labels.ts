// Which channels belong together: every index of the last axis of a value has a label, the channel that it is of. Ops that treat channels one by
// one hand labels on, sums of branches make two labels one, and what needs all of a value's channels locks theirs.
import type { Op } from "../graph/op.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { activationOps } from "../ops/activation.js";
import { arithmeticOps } from "../ops/arithmetic.js";
import { batchNormOps } from "../ops/batchnorm.js";
import { comparisonOps } from "../ops/comparison.js";
import { concatOps } from "../ops/concat.js";
import { convOps } from "../ops/conv2d.js";
import { depthwiseOps } from "../ops/depthwise.js";
import { constantOp, isState } from "../ops/leaf.js";
import { matmulOps } from "../ops/matmul.js";
import { padOps } from "../ops/pad.js";
import { poolOps } from "../ops/pool.js";
import { randomOps } from "../ops/random.js";
import { reduceOps } from "../ops/reduce.js";
import { regularizerOps } from "../ops/regularizer.js";
import { resizeOps } from "../ops/resize.js";
import { sparseOps } from "../ops/sparse.js";
import { slopedOps, unaryOps } from "../ops/unary.js";

/** A label for each index of an axis. */
export type Labels = readonly number[];

/** A dense or convolution layer: its outputs are the channels that may go. */
export interface Producer {
  readonly node: Node;
  /** The weights themselves, before a mask. */
  readonly weights: Value;
  readonly outputs: Labels;
}

export class Channels {
  readonly producers: Producer[] = [];
  /** Labels along the last axis of each value; where there are none, it stays as it is. */
  readonly #last = new Map<Value, Labels>();
  /** Labels along axes of weights. */
  readonly #weights = new Map<Value, Map<number, Labels>>();
  readonly #parent: number[] = [];
  readonly #locked = new Set<number>();

  constructor({ inputs, outputs, effects }: Graph) {
    for (const node of topological([...inputs, ...roots({ inputs, outputs, effects })]))
      if (node.inputs.length > 0) this.#pass(node);
    for (const value of [...outputs, ...effects]) this.#lock(value);
  }

  /** One of the labels of the channels that go or stay together. */
  root(label: number): number {
    let at = label;
    while (this.#parent[at] !== at) at = this.#parent[at];
    this.#parent[label] = at;
    return at;
  }

  isLocked(label: number): boolean {
    return this.#locked.has(this.root(label));
  }

  /** Labels of a value, by axis. */
  of(value: Value): ReadonlyMap<number, Labels> {
    const last = this.#last.get(value);
    return this.#weights.get(value) ?? new Map(last ? [[value.shape.length - 1, last]] : []);
  }

  #fresh(count: number): number[] {
    return Array.from({ length: count }, () => this.#parent.push(this.#parent.length) - 1);
  }

  #join(a: Labels, b: Labels): void {
    a.forEach((label, i) => {
      const [one, other] = [this.root(label), this.root(b[i])];
      this.#parent[other] = one;
      if (this.#locked.has(other)) this.#locked.add(one);
    });
  }

  #lock(value: Value): void {
    for (const labels of this.of(value).values()) for (const label of labels) this.#locked.add(this.root(label));
  }

  /** Labels of weights along an axis: all uses of them agree. */
  #mark(weights: Value, axis: number, labels: Labels): void {
    const leaf = leafOf(weights);
    const axes = this.#weights.get(leaf) ?? new Map<number, Labels>();
    const known = axes.get(axis);
    if (known) this.#join(known, labels);
    axes.set(axis, known ?? labels);
    this.#weights.set(leaf, axes);
    if (weights !== leaf) this.#weights.set(weights.node.inputs[1], axes); // the mask
  }

  #pass(node: Node): void {
    const { op, inputs, outputs, attrs } = node;
    const [x, weights, ...rest] = inputs;
    const [y] = outputs;
    const width = y.shape.at(-1) ?? 1;
    const labels = this.#last.get(x);
    const produces = op === matmulOps.matmul ? isDense(node) : op === convOps.conv2d && (attrs.groups ?? 1) === 1;
    if (op === sparseOps.sparse && isWeights(y)) return;
    if (produces && isWeights(weights)) {
      const made = this.#fresh(width);
      const rank = weights.shape.length;
      if (labels) this.#mark(weights, rank - 2, labels);
      this.#mark(weights, rank - 1, made);
      this.#last.set(y, made);
      this.producers.push({ node, weights: leafOf(weights), outputs: made });
    } else if (op === depthwiseOps.depthwiseConv2d && labels && isWeights(weights)) {
      this.#mark(weights, 2, labels);
      this.#last.set(
        y,
        labels.flatMap((label) => Array<number>(weights.shape[3]).fill(label)),
      );
    } else if (
      op === batchNormOps.batchNorm &&
      labels &&
      [weights, ...rest].every(isWeights) &&
      attrs.axis === undefined
    ) {
      for (const each of [weights, ...rest]) this.#mark(each, 0, labels);
      this.#last.set(y, labels);
    } else if (
      op === concatOps.concat &&
      attrs.axis === y.shape.length - 1 &&
      inputs.every((value) => this.#last.has(value))
    ) {
      this.#last.set(
        y,
        inputs.flatMap((value) => this.#last.get(value) as Labels),
      );
    } else if (labels && keepsChannels(node)) {
      // What is flattened has the channels of one pixel after those of another.
      this.#last.set(
        y,
        Array.from({ length: width }, (_, i) => labels[i % labels.length]),
      );
    } else if (!pairs.has(op) || !this.#pair(inputs, y)) {
      for (const value of inputs) this.#lock(value);
    }
  }

  /** An op on two arrays element by element: of two branches, or of one and weights of its channels. */
  #pair(inputs: readonly Value[], y: Value): boolean {
    const width = y.shape.at(-1);
    const known = inputs.filter((value) => this.#last.has(value));
    const others = inputs.filter((value) => !this.#last.has(value));
    if (known.length === 0 || known.some(({ shape }) => shape.at(-1) !== width)) return false;
    const labels = this.#last.get(known[0]) as Labels;
    const plain = others.every(
      (value) => (value.shape.at(-1) ?? 1) === 1 || (isWeights(value) && leafOf(value) === value),
    );
    if (!plain) return false;
    for (const value of known.slice(1)) this.#join(labels, this.#last.get(value) as Labels);
    for (const value of others)
      if ((value.shape.at(-1) ?? 1) === width && width > 1) this.#mark(value, value.shape.length - 1, labels);
    this.#last.set(y, labels);
    return true;
  }
}

const pairs = new Set<Op>([arithmeticOps.add, arithmeticOps.sub, arithmeticOps.mul, comparisonOps.maximum]);

const { softmax: _softmax, logSoftmax: _logSoftmax, ...elementwise } = activationOps;
/** Ops of one array that treat its elements, or the pixels of each channel, by themselves. */
const single = new Set<Op>([
  ...Object.values(elementwise),
  ...Object.values(unaryOps),
  ...Object.values(slopedOps),
  comparisonOps.clip,
  poolOps.maxPool2d,
  poolOps.avgPool2d,
  randomOps.dropout,
  randomOps.noise,
  regularizerOps.activityRegularizer,
  resizeOps.resize,
]);

function keepsChannels({ op, attrs, inputs: [x], outputs: [y] }: Node): boolean {
  const last = x.shape.length - 1;
  if (op.view) return x.shape[last] > 0 && (y.shape.at(-1) ?? 0) % x.shape[last] === 0; // whole rows of x, one or several
  if (op === reduceOps.mean || op === reduceOps.sum) return !(attrs.axes as readonly number[]).includes(last);
  if (op === padOps.pad) return y.shape.at(-1) === x.shape[last];
  return single.has(op);
}

const isDense = ({ inputs: [, weights], attrs }: Node): boolean =>
  weights.shape.length === 2 && !attrs.transposeA && !attrs.transposeB;

/** The weights that a mask is for. */
const leafOf = (value: Value): Value => (value.node.op === sparseOps.sparse ? value.node.inputs[0] : value);

const isLeaf = (value: Value): boolean => isState(value) || value.node.op === constantOp;
const isWeights = (value: Value): boolean =>
  isLeaf(value) || (value.node.op === sparseOps.sparse && value.node.inputs.every(isLeaf));
