// Runs a graph kernel call by kernel call on a memory where every value lies alone between guard zones (parts of one array within it),
// and holds each call to its promise: it changes its own node's results (for updates: the states that it writes) and not one byte
// beside them.
import type { Node, Value } from "../../src/graph/value.js";
import { roots } from "../../src/graph/walk.js";
import type { Call } from "../../src/program/lower.js";
import { bytesOfValue, type Layout, type Slot } from "../../src/program/plan.js";
import type { Kernels } from "../../src/runtime/kernels.js";
import { sizeOf } from "../../src/shape.js";
import { arrayOf, type TypedArray } from "../../src/tensor.js";

/** A graph planned and lowered, as `Program` has it. */
export interface Plan {
  readonly layout: Layout;
  readonly calls: { readonly once: readonly Call[]; readonly each: readonly Call[] };
}

/**
 * What memory holds before anything is written: NaN, or numbers near 2^125, which no sum or maximum hides. Each address has another
 * one, so that none can be overwritten unnoticed with what was read past an input.
 */
export const POISONS = { NaN: [0x7fc00000, 10], large: [0x7e000000, 9] } as const;
export type Poison = keyof typeof POISONS;

const ZONE = 128; // bytes between values; kernels may read 64 past an input
const PAGE = 65536;

/** The builds' kernels on one memory, used again and again. */
export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
}

/**
 * @param feed the numbers of inputs, arguments and states
 * @returns results, then the states that were written
 * @throws {Error} at the first call that writes elsewhere, saying where
 */
export function runGuarded(
  { memory, kernels }: Machine,
  { layout, calls }: Plan,
  feed: (value: Value) => TypedArray,
  poison: Poison,
): TypedArray[] {
  const { addresses, end } = spread(layout, kernels.heapBase());
  const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
  fill(memory, kernels.heapBase(), poison);
  const addressOf = (value: Value): number => addresses.get(layout.slots.get(value) as Slot) as number;
  const view = (value: Value): TypedArray =>
    new (arrayOf(value.dtype))(memory.buffer, addressOf(value), sizeOf(value.shape));
  for (const { inputs, outputs, data } of layout.order) {
    if (inputs.length === 0 && outputs.length === 1) view(outputs[0]).set(data?.data ?? feed(outputs[0]));
  }
  for (const { kernel, args, node } of [...calls.once, ...calls.each]) {
    const before = Buffer.from(memory.buffer.slice(0));
    const run = kernels[kernel] as (...args: number[]) => void;
    run(...args.map((x) => (typeof x === "number" ? x : addressOf(x))));
    const after = Buffer.from(memory.buffer);
    for (const value of node.outputs) {
      const address = addressOf(value);
      after.copy(before, address, address, address + bytesOfValue(value));
    }
    if (before.equals(after)) continue;
    const at = after.findIndex((byte, i) => byte !== before[i]);
    throw new Error(`${kernel} wrote outside the results of ${node.op.name}: ${where(at, node, addresses)}`);
  }
  return roots(layout.graph).map((value) => view(value).slice());
}

/** An address for each slot: multiples of 16, as kernels ask for, and not all of 64. Parts of others are within them. */
function spread({ slots }: Layout, heap: number): { addresses: Map<Slot, number>; end: number } {
  const addresses = new Map<Slot, number>();
  let next = Math.ceil(heap / 64) * 64 + ZONE;
  const all = [...new Set(slots.values())];
  for (const slot of all.filter(({ whole }) => !whole)) {
    addresses.set(slot, next);
    next = Math.ceil((next + slot.bytes) / 16) * 16 + ZONE + 16;
  }
  const addressOf = (slot: Slot): number =>
    slot.whole ? addressOf(slot.whole) + (slot.at as number) : (addresses.get(slot) as number);
  for (const slot of all) addresses.set(slot, addressOf(slot));
  return { addresses, end: next };
}

function fill(memory: WebAssembly.Memory, heap: number, poison: Poison): void {
  const words = new Uint32Array(memory.buffer, Math.ceil(heap / 4) * 4);
  const [base, shift] = POISONS[poison];
  for (let i = 0; i < words.length; i++) words[i] = base | (Math.imul(i + 1, 0x9e3779b1) >>> shift);
}

function where(at: number, { inputs }: Node, addresses: ReadonlyMap<Slot, number>): string {
  for (const [{ value, bytes }, address] of addresses) {
    const kind = inputs.includes(value) ? "its input" : "the value of";
    if (at >= address && at < address + bytes) return `byte ${at - address} of ${kind} ${value.node.op.name}`;
    if (at >= address + bytes && at < address + bytes + ZONE)
      return `${at - address - bytes} bytes after ${kind} ${value.node.op.name}`;
  }
  return `address ${at}`;
}
