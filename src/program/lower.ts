// Turns a layout into the list of kernel calls, by each op's lowering.
import { UnsupportedError } from "../errors.js";
import type { Argument, Emit, KernelName } from "../graph/op.js";
import type { Node, Value } from "../graph/value.js";
import { emitCopy } from "../ops/strided.js";
import { bytesOf } from "../tensor.js";
import type { Layout, Slot } from "./plan.js";

/** One kernel call; Values among its arguments stand for addresses. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: readonly Argument[];
  readonly node: Node;
}

/** The calls of a layout, those that run once for given weights apart. */
export function lower({ order, once, slots }: Layout): { once: Call[]; each: Call[] } {
  const calls: { once: Call[]; each: Call[] } = { once: [], each: [] };
  const missing = new Set<string>();
  const place = (value: Value, element: number): string => {
    const { kind, offset } = slots.get(value) as Slot;
    return kind + (offset + element * bytesOf(value.dtype));
  };
  order.forEach((node, step) => {
    const { op, attrs } = node;
    const list = step < once ? calls.once : calls.each;
    const emit: Emit = { call: (kernel, ...args) => list.push({ kernel, args, node }) };
    if (op.lower) op.lower(emit, node, attrs);
    else if (op.copies) {
      for (const { x, y, from, to, loops } of op.copies(node, attrs))
        if (place(x, from) !== place(y, to)) emitCopy(emit, loops, from, to, x, y);
    } else if (!op.view && node.inputs.length > 0) missing.add(node.op.name);
  });
  if (missing.size > 0) {
    const names = [...missing].sort();
    throw new UnsupportedError(`no kernel for ${names.join(", ")}`, names);
  }
  return calls;
}
