// Decides, before anything runs, in which order the nodes of a graph run and where every value lives: lifetimes to offsets.
import { ShapeError } from "../errors.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { argumentOp, constantOp, inputOp, stateOp } from "../ops/leaf.js";
import { runOf } from "../ops/strided.js";
import { onlyWeights } from "../passes/weights.js";
import { alignUp } from "../runtime/arena.js";
import { sizeOf } from "../shape.js";
import { bytesOf } from "../tensor.js";

/**
 * Memory of one or more values that share it.
 * `state` belongs to the model; `kept` to the program, computed once for given weights; `workspace` is reused within a run.
 */
export interface Slot {
  readonly kind: "state" | "kept" | "workspace";
  readonly bytes: number;
  /** The value it was made for; a state's slot is found by its node. */
  readonly value: Value;
  /** The slot that it is part of, `at` so many bytes from its start: parts of a split array, and those that one is joined of. */
  whole?: Slot;
  at?: number;
  /** Position within the program's kept memory or the workspace. */
  offset: number;
  /** Steps between which it must not be overwritten. */
  from: number;
  to: number;
}

/** Where and when everything happens. */
export interface Layout {
  readonly graph: Graph;
  /** All nodes in order, leaves among them. */
  readonly order: readonly Node[];
  /** The first so many depend on nothing but weights that this graph leaves alone: they run once for given weights. */
  readonly once: number;
  readonly slots: ReadonlyMap<Value, Slot>;
  /** Bytes of the program's own memory: constants, and results of the nodes that run once. */
  readonly kept: number;
  /** Bytes of what is overwritten from run to run; the largest sum of values alive together, plus what fitting them costs. */
  readonly workspace: number;
}

export const bytesOfValue = (value: Value): number => sizeOf(value.shape) * bytesOf(value.dtype);

/** Kernels take addresses that are multiples of this. */
const ALIGN = 16;

const outermost = (slot: Slot): Slot => (slot.whole ? outermost(slot.whole) : slot);

/** Lengthens the life of a slot, and of those that it is part of. */
function alive(slot: Slot, from: number, to: number): void {
  slot.from = Math.min(slot.from, from);
  slot.to = Math.max(slot.to, to);
  if (slot.whole) alive(slot.whole, from, to);
}

export function layout(graph: Graph): Layout {
  const nodes = schedule(graph);
  const fixed = onlyWeights(nodes);
  const order = [...nodes.filter((node) => fixed.has(node)), ...nodes.filter((node) => !fixed.has(node))];
  const slots = assign(graph, order, fixed);
  const unique = [...new Set(slots.values())];
  const placed = (kind: Slot["kind"]): number => place(unique.filter((slot) => slot.kind === kind && !slot.whole));
  const [kept, workspace] = [placed("kept"), placed("workspace")];
  const settle = (slot: Slot): number => {
    if (slot.whole) slot.offset = settle(slot.whole) + (slot.at as number);
    return slot.offset;
  };
  unique.forEach(settle);
  return { graph, order, once: fixed.size, slots, kept, workspace };
}

/** The states that a node updates. */
const written = (node: Node): Value[] => (node.op.writes ?? []).map((i) => node.inputs[i]);

/** Topological order in which a state is written only after all that read its old value. */
export function schedule(graph: Graph): Node[] {
  const { inputs, outputs, effects, order = [] } = graph;
  const nodes = topological([...inputs, ...roots(graph)]);
  const needed = new Set(nodes); // fusion leaves behind what nobody reads
  const all = [...inputs, ...outputs, ...order.filter(({ node }) => needed.has(node)), ...effects];
  if (graph.effects.length === 0) return nodes;
  const source = (value: Value): Value => (value.node.op.view ? source(value.node.inputs[0]) : value);
  const readers = new Map<Value, Node[]>();
  const writers = new Map<Value, Node>();
  for (const node of nodes) {
    for (const value of written(node)) {
      if (writers.has(value)) {
        throw new ShapeError({
          op: "plan",
          expected: "one update per state",
          actual: `two of "${value.node.attrs.name}"`,
        });
      }
      writers.set(value, node);
    }
    for (const value of node.inputs.map(source)) readers.set(value, [...(readers.get(value) ?? []), node]);
  }
  const before = (node: Node) =>
    written(node).flatMap((value) => (readers.get(value) ?? []).filter((reader) => reader !== node));
  return topological(all, before);
}

/** Gives every value a slot; views, updates and in-place kernels share the slot of what they overwrite, or part of it. */
function assign(graph: Graph, order: readonly Node[], fixed: ReadonlySet<Node>): Map<Value, Slot> {
  const end = order.length;
  const lastUse = new Map<Value, number>();
  const keep = new Set<Value>(); // results of fixed nodes that others read
  order.forEach((node, step) => {
    for (const value of node.inputs) {
      lastUse.set(value, step);
      if (fixed.has(value.node) && !fixed.has(node)) keep.add(value);
    }
  });
  for (const value of roots(graph)) {
    lastUse.set(value, end);
    if (fixed.has(value.node)) keep.add(value);
  }
  for (const node of [...order].reverse()) if (node.op.view && keep.has(node.outputs[0])) keep.add(node.inputs[0]);
  const slots = new Map<Value, Slot>();
  order.forEach((node, step) => {
    node.outputs.forEach((value, k) => {
      const until = Math.max(step, lastUse.get(value) ?? step);
      const alias = node.op.view ? node.inputs[0] : node.op.writes ? node.inputs[node.op.writes[k]] : undefined;
      const over = alias ?? (keep.has(value) ? undefined : inPlace(node, k, step, slots));
      let slot = over && slots.get(over);
      if (slot === undefined) {
        const fed = node.op === inputOp || node.op === argumentOp;
        const kind = node.op === stateOp ? "state" : node.op === constantOp || keep.has(value) ? "kept" : "workspace";
        const always = fed || kind !== "workspace";
        slot = {
          kind,
          value,
          bytes: bytesOfValue(value),
          offset: 0,
          from: always ? -1 : step,
          to: always ? end : until,
        };
      }
      alive(slot, slot.from, until);
      slots.set(value, slot);
    });
    for (const { x, y, from, to, loops } of node.op.copies?.(node, node.attrs) ?? []) {
      const run = runOf(loops);
      if (run === sizeOf(y.shape)) within(y, x, from, slots);
      if (run === sizeOf(x.shape)) within(x, y, to, slots);
    }
  });
  return slots;
}

/**
 * Makes a value's slot part of another's from that element on, where nothing says that it is elsewhere. States stay apart, as their parts
 * must not change when they do, and so do inputs and what is kept, which are there before.
 */
function within(part: Value, value: Value, element: number, slots: ReadonlyMap<Value, Slot>): void {
  const [slot, whole] = [slots.get(part) as Slot, slots.get(value) as Slot];
  const at = element * bytesOf(part.dtype);
  const free = slot.from >= 0 && !slot.whole && outermost(whole) !== slot;
  if (!free || whole.kind !== "workspace" || at % ALIGN !== 0) return;
  Object.assign(slot, { whole, at });
  alive(whole, slot.from, slot.to);
}

/** The input that the kernel may overwrite with result k: nobody reads it later and it has the same size. */
function inPlace(node: Node, k: number, step: number, slots: ReadonlyMap<Value, Slot>): Value | undefined {
  const i = node.op.inPlace;
  if (i === undefined || k !== 0) return undefined;
  const value = node.inputs[i];
  const slot = slots.get(value) as Slot;
  const shared = node.inputs.some((other) => other !== value && outermost(slots.get(other) as Slot) === slot);
  const free =
    slot.kind === "workspace" && !slot.whole && slot.to === step && slot.bytes === bytesOfValue(node.outputs[0]);
  return free && !shared ? value : undefined;
}

/** Lowest offset at which each slot meets none that is alive at the same time, largest first; returns the bytes this takes. */
function place(slots: readonly Slot[]): number {
  const placed: Slot[] = [];
  let total = 0;
  for (const slot of [...slots].sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
    slot.offset = 0;
    for (const other of placed) {
      const together = slot.from <= other.to && other.from <= slot.to;
      const overlap =
        slot.offset < other.offset + alignUp(other.bytes) && other.offset < slot.offset + alignUp(slot.bytes);
      if (together && overlap) slot.offset = other.offset + alignUp(other.bytes);
    }
    placed.push(slot);
    placed.sort((a, b) => a.offset - b.offset);
    total = Math.max(total, slot.offset + alignUp(slot.bytes));
  }
  return total;
}
