// A flat list of kernel calls on memory planned beforehand. Nothing is decided and nothing is allocated while it runs.

import type { KernelName } from "../graph/op.js";
import type { Graph, Value } from "../graph/value.js";
import { argumentOp, constantOp } from "../ops/leaf.js";
import { expand } from "../passes/expand.js";
import { fold } from "../passes/fold.js";
import { fuse } from "../passes/fuse.js";
import { simplify } from "../passes/simplify.js";
import type { Region } from "../runtime/arena.js";
import type { Kernels } from "../runtime/kernels.js";
import { sizeOf } from "../shape.js";
import type { TypedArray } from "../tensor.js";
import { type Call, lower } from "./lower.js";
import { type Layout, layout, type Slot } from "./plan.js";
import type { Store } from "./store.js";

type Step = () => void;

/** The passes that every graph goes through on its way to kernels. */
export const optimize = (graph: Graph): Graph => simplify(fuse(expand(fold(graph))));

interface ProgramOptions {
  /** A workspace of its own; default false. */
  readonly exclusive?: boolean;
  /** A pass over the nodes that kernels run. */
  readonly last?: (graph: Graph) => Graph;
}

export class Program {
  readonly layout: Layout;
  readonly calls: { readonly once: readonly Call[]; readonly each: readonly Call[] };
  readonly #store: Store;
  readonly #kept: Region;
  /** Only of a session: its own workspace, so that no other program writes over its inputs and outputs. */
  readonly #own: Region | undefined;
  readonly #arguments = new Map<string, Value[]>();
  /** Position of the first call that writes a state. */
  readonly #firstWrite: number;
  #base = -1;
  #version = -1;
  #once: readonly Step[] = [];
  #each: readonly Step[] = [];

  /** @throws {RangeError} when the planned memory cannot be had; nothing has run then */
  constructor(store: Store, graph: Graph, { exclusive = false, last = (made) => made }: ProgramOptions = {}) {
    this.#store = store;
    this.layout = layout(last(optimize(graph)));
    this.calls = lower(this.layout);
    const write = this.calls.each.findIndex(({ node }) => node.op.writes);
    this.#firstWrite = write < 0 ? this.calls.each.length : write;
    const { kept, workspace } = this.layout;
    this.#kept = store.arena.allocate(kept, "constants and packed weights");
    try {
      if (exclusive) this.#own = store.arena.allocate(workspace, "session");
      else store.reserve(workspace);
    } catch (error) {
      store.arena.free(this.#kept);
      throw error;
    }
    for (const { op, data, attrs, outputs } of this.layout.order) {
      if (op.family) store.use(op.family);
      if (op === argumentOp)
        this.#arguments.set(String(attrs.name), [...(this.#arguments.get(String(attrs.name)) ?? []), outputs[0]]);
      if (op === constantOp && data)
        store.arena.view(data.dtype, this.address(outputs[0]), data.data.length).set(data.data);
    }
  }

  /** Where a value is in the memory of the model. */
  address(value: Value): number {
    const { kind, value: first, offset } = this.layout.slots.get(value) as Slot;
    if (kind === "state") return this.#store.address(first.node);
    return (kind === "kept" ? this.#kept.address : this.#workspace.address) + offset;
  }

  /** A value's numbers: valid until the next run of any program of the model. */
  view(value: Value): TypedArray {
    return this.#store.arena.view(value.dtype, this.address(value), sizeOf(value.shape));
  }

  /**
   * The kernel calls, in order.
   * @param proceed asked before the first call that writes a state: false ends the run there, and no state has changed
   * @returns whether it ran to its end
   */
  run(proceed?: () => boolean): boolean {
    this.bind();
    const steps = this.#each;
    for (let i = 0; i < steps.length; i++) {
      if (i === this.#firstWrite && proceed?.() === false) return false;
      steps[i]();
    }
    // Its own updates change no weight that it has read once, but what other programs read.
    if (this.layout.graph.effects.length > 0) this.#version = ++this.#store.version;
    return true;
  }

  /** Runs the calls that come before any write of a state once more, until `found` says so of the one just run. */
  replay(found: (call: Call) => boolean): Call | undefined {
    this.bind();
    const calls = this.calls.each.slice(0, this.#firstWrite);
    return calls.find((call, i) => {
      this.#each[i]();
      return found(call);
    });
  }

  /** Runs several times and returns the mean milliseconds of each call. The clock is read before and after every call. */
  time(runs: number): number[] {
    this.bind();
    const times = this.#each.map(() => 0);
    for (let run = 0; run < runs; run++) {
      this.#each.forEach((step, i) => {
        const start = performance.now();
        step();
        times[i] += (performance.now() - start) / runs;
      });
    }
    return times;
  }

  /** Writes the arguments of that name; programs that do not use it have none. */
  setArgument(name: string, numbers: readonly number[]): void {
    for (const value of this.#arguments.get(name) ?? []) this.view(value).set(numbers);
  }

  /** Makes the calls' addresses right, and what is computed from weights once; `run` does it. */
  bind(): void {
    if (this.#base !== this.#workspace.address) {
      this.#once = this.calls.once.map((call) => this.#step(call));
      this.#each = this.calls.each.map((call) => this.#step(call));
      this.#base = this.#workspace.address;
    }
    if (this.#version !== this.#store.version) {
      for (const step of this.#once) step();
      this.#version = this.#store.version;
    }
  }

  /** Gives its memory back; the program must not be used afterwards. */
  free(): void {
    this.#store.arena.free(this.#kept);
    if (this.#own) this.#store.arena.free(this.#own);
  }

  get #workspace(): Region {
    return this.#own ?? this.#store.workspace;
  }

  /** A call as a closure over plain numbers, run by all threads of the model together where that pays. */
  #step({ kernel, args }: Call): Step {
    const numbers = args.map((x) => (typeof x === "number" ? x : this.address(x)));
    const bind = (name: string, list: readonly number[]) =>
      step(this.#store.kernel(name as KernelName) as Kernel, list);
    return this.#store.crew?.share(kernel, numbers, bind) ?? bind(kernel, numbers);
  }
}

type Kernel = (...args: number[]) => void;

function step(run: Kernel, args: readonly number[]): Step {
  const [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, ...rest] = args;
  const [u, v, w, x, y] = rest;
  if (args.length <= 6) return () => run(a, b, c, d, e, f);
  if (args.length <= 12) return () => run(a, b, c, d, e, f, g, h, i, j, k, l);
  if (args.length <= 20) return () => run(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  if (args.length <= 25) return () => run(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y);
  return () => run(...args);
}

export type { Kernels };
