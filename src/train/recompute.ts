// Recomputation (Chen and others 2016): results of the forward pass that the way back reads are computed again there instead of being kept.
// It is done to the nodes that kernels run, after all other passes, so that every number is computed by the same calls: no bit changes.
import { typeError } from "../errors.js";
import { type Graph, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { onlyWeights } from "../passes/weights.js";
import type { Model } from "../program/model.js";
import { bytesOfValue, layout, schedule } from "../program/plan.js";
import { sizeOf } from "../shape.js";

/**
 * What is computed again: `true` keeps only what some cuts through the model need, which takes least memory and up to one more forward pass;
 * `"auto"` computes again what costs little (activations, normalization, pooling, copies); names of layers, what these make.
 */
export type Recompute = boolean | "auto" | readonly string[];

/** Which results are not kept. */
type Gone = (value: Value) => boolean;

/** Work for each number of a result from which on it is kept by `"auto"`: products are above, normalization is below. */
const LITTLE = 16;
/** So many nodes are computed again for one result at most by `"auto"`. */
const FEW = 4;

/** @throws {TypeError} for names that the model does not have, or what is none of these */
export function checkRecompute({ names }: Model, given: Recompute | undefined, op: string): void {
  if (given === undefined || typeof given === "boolean" || given === "auto") return;
  const known = [...names.layers.values()];
  if (!Array.isArray(given))
    throw typeError({
      op,
      expected: 'recompute to be true, "auto" or a list of layers',
      actual: JSON.stringify(given),
    });
  const stray = given.find((name) => !known.includes(name));
  if (stray !== undefined)
    throw typeError({ op, expected: `layers to recompute of ${known.join(", ")}`, actual: JSON.stringify(stray) });
}

/**
 * The graph of a training step, of nodes that kernels run, which keeps less; itself where that does not take less memory.
 * @param effects how many of the graph's effects are the forward pass's own
 */
export function recompute(graph: Graph, effects: number, model: Model, how: Exclude<Recompute, false>): Graph {
  const parts = partsOf(graph, effects);
  const gone = how === true ? segments(parts) : how === "auto" ? cheap(parts) : ofLayers(parts, model, how);
  const made = again(graph, parts, gone);
  return layout(made).workspace < layout(graph).workspace ? made : graph;
}

interface Parts {
  /** All nodes, as they are run. */
  readonly order: readonly Node[];
  readonly forward: ReadonlySet<Node>;
  /** The memory that a value is a view of. */
  readonly base: (value: Value) => Value;
  /** Whether it can be computed again. */
  readonly open: (value: Value) => boolean;
  /** Of these the ones that the way back reads, in order. */
  readonly saved: ReadonlySet<Value>;
}

function partsOf(graph: Graph, effects: number): Parts {
  const order = schedule(graph);
  const forward = new Set(topological([...graph.inputs, ...graph.outputs, ...graph.effects.slice(0, effects)]));
  const fixed = onlyWeights(order);
  const results = new Set(roots(graph).map((value) => value.node));
  const base = (value: Value): Value => (value.node.op.view ? base(value.node.inputs[0]) : value);
  const open = (value: Value): boolean => {
    const { node } = base(value);
    return forward.has(node) && node.inputs.length > 0 && !fixed.has(node) && !node.op.writes && !results.has(node);
  };
  const read = new Set(order.flatMap((node) => (forward.has(node) ? [] : node.inputs.map(base))));
  const saved = order.flatMap(({ outputs }) => outputs.filter((value) => read.has(value) && open(value)));
  return { order, forward, base, open, saved: new Set(saved) };
}

/** Nodes of the way back read what they are given again, made right before the first of them that does. */
function again(graph: Graph, { order, forward, base, open }: Parts, gone: Gone): Graph {
  const made = new Map<Node, Node>();
  const sequence: Node[] = [];
  const put = (node: Node, inputs: readonly Value[]): Node => {
    const same = inputs.every((value, i) => value === node.inputs[i]) && !forward.has(node);
    const next = same ? node : make(node.op, inputs, node.attrs);
    next.layer ??= node.layer;
    made.set(node, next);
    sequence.push(next);
    return next;
  };
  // Recursion ends at what is kept, which is never far.
  const now = (value: Value): Value => {
    const { node, index } = value;
    if (!forward.has(node)) return (made.get(node) ?? node).outputs[index];
    if (!(open(value) && gone(base(value)))) return value;
    return (made.get(node) ?? put(node, node.inputs.map(now))).outputs[index];
  };
  for (const node of order) {
    if (forward.has(node)) sequence.push(node);
    else if (node.inputs.length > 0) put(node, node.inputs.map(now));
  }
  return {
    ...graph,
    effects: graph.effects.map(now),
    order: sequence.flatMap(({ outputs }) => outputs.slice(0, 1)),
  };
}

/** Chen's algorithm: cuts through the forward pass where little is alive; what crosses none is computed again, but for what follows the last. */
function segments({ order, forward, base, open, saved }: Parts): Gone {
  const nodes = order.filter((node) => forward.has(node) && node.inputs.length > 0);
  const made = new Map<Value, number>();
  const used = new Map<Value, number>(); // by the forward pass, last
  nodes.forEach((node, at) => {
    for (const value of node.inputs.map(base)) if (open(value)) used.set(value, at);
    for (const value of node.outputs) if (open(value) && base(value) === value) made.set(value, at);
  });
  const values = [...made.keys()];
  const crossing = (at: number) => values.filter((v) => (made.get(v) as number) <= at && (used.get(v) ?? -1) > at);
  const bytes = (list: readonly Value[]): number => list.reduce((sum, value) => sum + bytesOfValue(value), 0);
  const widths = nodes.map((_, at) => bytes(crossing(at)));
  const own = nodes.map(({ outputs }) => bytes(outputs.filter((value) => saved.has(value))));
  const total = own.reduce((a, b) => a + b, 0);
  /** Cuts such that no part keeps much more than that for the way back. */
  const cutsFor = (limit: number): number[] => {
    const cuts: number[] = [];
    let [from, sum] = [0, 0];
    for (let at = 0; at < nodes.length; at++) {
      sum += own[at];
      if (sum <= limit || at === from) continue;
      let best = at - 1;
      for (let i = at - 1; i >= from; i--) if (widths[i] < widths[best]) best = i;
      cuts.push(best);
      from = best + 1;
      sum = own.slice(from, at + 1).reduce((a, b) => a + b, 0);
    }
    return cuts;
  };
  const keptBy = (cuts: readonly number[]): Set<Value> => new Set(cuts.flatMap(crossing));
  let best = { cuts: [] as number[], peak: total };
  for (let limit = total / 2; limit >= total / 256; limit *= 0.84) {
    const cuts = cutsFor(limit);
    const parts = [...cuts, nodes.length - 1].map((end, i) => sumOf(own, i === 0 ? 0 : cuts[i - 1] + 1, end));
    const peak = bytes([...keptBy(cuts)]) + Math.max(...parts);
    if (peak < best.peak) best = { cuts, peak };
  }
  const kept = keptBy(best.cuts);
  const last = best.cuts.at(-1) ?? -1;
  return (value) => !kept.has(value) && (made.get(value) as number) <= last;
}

const sumOf = (list: readonly number[], from: number, to: number): number =>
  list.slice(from, to + 1).reduce((a, b) => a + b, 0);

/** What few cheap nodes make of what is kept anyway. */
function cheap({ order, forward, base, open, saved }: Parts): Gone {
  const costs = new Map<Value, number>(); // of what is not kept: how many nodes make it again
  const light = ({ op, attrs, ...node }: Node): boolean => {
    const [y] = node.outputs;
    const flops = op.flops?.({ op, attrs, ...node }, attrs);
    if (flops === undefined) return op.copies !== undefined || op.inPlace !== undefined || op.random === true;
    return flops <= LITTLE * sizeOf(y.shape);
  };
  for (const node of order) {
    if (!forward.has(node) || node.inputs.length === 0 || node.op.view) continue;
    const needs = node.inputs.map(base).map((value) => costs.get(value) ?? 0);
    const cost = light(node) ? needs.reduce((a, b) => a + b, 1) : Number.POSITIVE_INFINITY;
    for (const value of node.outputs) if (open(value) && (!saved.has(value) || cost <= FEW)) costs.set(value, cost);
  }
  return (value) => (costs.get(value) ?? Number.POSITIVE_INFINITY) <= FEW;
}

function ofLayers(_: Parts, { names }: Model, listed: readonly string[]): Gone {
  return ({ node: { layer } }) => layer !== undefined && listed.includes(names.layers.get(layer) ?? "");
}
