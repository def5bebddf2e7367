// Turns a layout into the list of kernel calls, by each op's lowering.
import { UnsupportedError } from "../errors.js";
import type { Argument, KernelName } from "../graph/op.js";
import type { Node } from "../graph/value.js";
import type { Layout } from "./plan.js";

/** One kernel call; Values among its arguments stand for addresses. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: readonly Argument[];
  readonly node: Node;
}

/** The calls of a layout, those that run once for given weights apart. */
export function lower({ order, once }: Layout): { once: Call[]; each: Call[] } {
  const calls: { once: Call[]; each: Call[] } = { once: [], each: [] };
  const missing = new Set<string>();
  order.forEach((node, step) => {
    const list = step < once ? calls.once : calls.each;
    if (node.op.lower)
      node.op.lower({ call: (kernel, ...args) => list.push({ kernel, args, node }) }, node, node.attrs);
    else if (!node.op.view && node.inputs.length > 0) missing.add(node.op.name);
  });
  if (missing.size > 0) {
    const names = [...missing].sort();
    throw new UnsupportedError(`no kernel for ${names.join(", ")}`, names);
  }
  return calls;
}
