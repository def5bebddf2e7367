// A program as people read it: its kernel calls and a map of its memory.
import type { Value } from "../graph/value.js";
import { argumentOp, constantOp, inputOp } from "../ops/leaf.js";
import { show } from "../shape.js";
import type { Call } from "./lower.js";
import type { Names } from "./names.js";
import { bytesOfValue, type Slot } from "./plan.js";
import type { Program } from "./program.js";
import type { Store } from "./store.js";

/** Part of the memory map. */
export interface PlanRegion {
  readonly name: string;
  readonly kind: Slot["kind"];
  readonly address: number;
  readonly bytes: number;
}

/** One kernel call. */
export interface PlanCall {
  readonly kernel: string;
  /** Numbers, and values as `name[shape]@address`. */
  readonly args: readonly string[];
  /** The layer it works for, where there is one. */
  readonly layer: string | undefined;
  readonly flops: number;
  /** It runs only when weights have changed. */
  readonly once: boolean;
}

/** What a program does and where; `String(plan)` is a table. */
export class Plan {
  readonly calls: readonly PlanCall[];
  readonly regions: readonly PlanRegion[];
  /** Bytes of weights; of constants and packed weights; of what runs overwrite. */
  readonly bytes: { readonly weights: number; readonly kept: number; readonly workspace: number };

  constructor(
    program: Program,
    store: Store,
    names: Names,
    readonly title: string,
    /** What else is to be said of its memory. */
    readonly note?: string,
  ) {
    const label = labels(program, names);
    const address = (value: Value) => program.address(value);
    program.bind();
    const describe = (call: Call, once: boolean): PlanCall => ({
      kernel: call.kernel,
      args: call.args.map((x) => (typeof x === "number" ? String(x) : `${label.get(x)}${show(x.shape)}@${address(x)}`)),
      layer: call.node.layer && (names.layers.get(call.node.layer) ?? call.node.layer.kind),
      flops: call.node.op.flops?.(call.node, call.node.attrs) ?? 0,
      once,
    });
    this.calls = [
      ...program.calls.once.map((call) => describe(call, true)),
      ...program.calls.each.map((call) => describe(call, false)),
    ];
    const slots = [...new Set(program.layout.slots.values())].filter(({ whole }) => !whole);
    this.regions = slots
      .map(({ value, kind, bytes }) => ({ name: label.get(value) as string, kind, bytes, address: address(value) }))
      .sort((a, b) => a.address - b.address || b.bytes - a.bytes);
    const weights = [...names.states.values()].reduce((sum, value) => sum + bytesOfValue(value), 0);
    this.bytes = { weights, kept: program.layout.kept, workspace: program.layout.workspace };
    this.memory = store.arena.bytes;
  }

  /** Bytes of the whole WebAssembly memory of the model now. */
  readonly memory: number;

  toString(): string {
    const { weights, kept, workspace } = this.bytes;
    const flops = this.calls.reduce((sum, call) => sum + call.flops, 0);
    const calls = this.calls.map(({ kernel, args, layer, once }, i) => {
      return `${String(i).padStart(3)} ${once ? "once " : "     "}${kernel}(${args.join(", ")})${layer ? `  # ${layer}` : ""}`;
    });
    const width = Math.max(...this.regions.map((region) => region.name.length), 4);
    const regions = this.regions.map(({ name, kind, address, bytes }) => {
      return `${String(address).padStart(10)} ${String(bytes).padStart(10)} B  ${name.padEnd(width)}  ${kind}`;
    });
    return [
      `${this.title}: ${this.calls.length} kernel calls, ${(flops / 1e6).toFixed(2)} MFLOP`,
      ...calls,
      `memory: weights ${weights} B, kept ${kept} B, workspace ${workspace} B`,
      ...(this.note ? [this.note] : []),
      ...regions,
    ].join("\n");
  }
}

/** A short name for every value: a weight's or an input's own, else its op with a number. */
function labels({ layout }: Program, names: Names): Map<Value, string> {
  const found = new Map<Value, string>([...names.states].map(([name, value]) => [value, name]));
  layout.graph.inputs.forEach((value, i) => {
    found.set(value, names.inputs[i] ?? `target_${i - names.inputs.length}`);
  });
  let count = 0;
  for (const node of layout.order) {
    for (const value of node.outputs) {
      if (found.has(value)) continue;
      const own = node.op === argumentOp || node.op === inputOp || node.op === constantOp ? node.attrs.name : undefined;
      found.set(value, `${String(own ?? node.op.name)}.${count++}`);
    }
  }
  return found;
}
