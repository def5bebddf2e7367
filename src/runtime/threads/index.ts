// What `threads` loads: dist/threads.js, a file of its own that only variant.ts knows and no bundle contains. A model's programs run as
// ever, call after call on the calling thread, but a call that is large enough is divided by split.ts, and workers take parts of it.
import type { Arena } from "../arena.js";
import { familyOf, type KernelFamily } from "../family.js";
import { MAX_THREADS, MODEL, PART, PARTS, TEAM } from "./control.js";
import { canShare, parallelism } from "./platform.js";
import type { Part } from "./rules/index.js";
import { withSharedMemory } from "./shared.js";
import { divide } from "./split.js";
import { Workers } from "./workers.js";

type Step = () => void;
type Bind = (kernel: string, args: readonly number[]) => Step;

/** The most that "auto" takes: more gain little on networks of the size that this library is for. */
const AUTO = 8;

/** The threads of one model. */
export interface Crew {
  /** Resolves when the workers know the model, or never will; calls run on one thread until then. */
  readonly ready: Promise<void>;
  /** Threads that calls run on now. */
  readonly count: number;
  /** Tells the workers of one more module on the model's memory. @param kernels names of its exports, in order */
  add(module: WebAssembly.Module, kernels: readonly string[]): void;
  /** A call as parts for several threads; undefined where it does not pay. Its kernel and those that `bind` has seen have been added. */
  share(kernel: string, args: readonly number[], bind: Bind): Step | undefined;
}

/** What a model needs to run on several threads. */
export interface Threads {
  readonly count: number;
  /** The same kernels for shared memories. */
  familyOf(family: KernelFamily): KernelFamily;
  newMemory(): WebAssembly.Memory;
  /** @param module the first one on the memory; `kernels` as for {@link Crew.add} */
  newCrew(memory: WebAssembly.Memory, arena: Arena, module: WebAssembly.Module, kernels: readonly string[]): Crew;
}

interface Member {
  readonly model: number;
  readonly memory: WebAssembly.Memory;
  readonly modules: WebAssembly.Module[];
  readonly count: number;
  /** The workers that were last told of it, and when they know it. */
  workers?: Workers;
  mail: number;
  known: boolean;
}

// What a process has one of: starting a worker takes tens of milliseconds, so all models share them.
const members = new Map<number, Member>();
const families = new WeakMap<KernelFamily, KernelFamily>();
let workers: Workers | undefined;
let lastModel = 0;
let dropped = 0;
const crews = new FinalizationRegistry(leave);

/** @returns undefined where there is only one thread to be had */
export function findThreads(wanted: number | "auto"): Threads | undefined {
  const count = Math.min(wanted === "auto" ? Math.min(AUTO, parallelism()) : wanted, MAX_THREADS);
  if (count < 2 || !canShare()) return undefined;
  return { count, familyOf: sharedFamily, newMemory, newCrew: (...args) => newCrew(count, ...args) };
}

function sharedFamily(family: KernelFamily): KernelFamily {
  const shared = families.get(family) ?? familyOf(family.name, () => withSharedMemory(family.bytes()));
  families.set(family, shared);
  return shared;
}

/** As large as 32-bit memory gets, unless the platform has no room for that; 1 GiB, then 256 MiB are tried in its place. */
function newMemory(): WebAssembly.Memory {
  for (const maximum of [65535, 16384]) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
    } catch {
      // address space is short
    }
  }
  return new WebAssembly.Memory({ initial: 1, maximum: 4096, shared: true });
}

function newCrew(
  count: number,
  memory: WebAssembly.Memory,
  arena: Arena,
  module: WebAssembly.Module,
  names: readonly string[],
): Crew {
  const member: Member = { model: ++lastModel, memory, modules: [module], count, mail: 0, known: false };
  const kernels = [...names];
  let scratch = { address: 0, bytes: 0 };
  const crew: Crew = {
    ready: join(member),
    get count() {
      return isKnown(member) ? count : 1;
    },
    add(module, names) {
      member.modules.push(module);
      kernels.push(...names);
      if (member.workers) tell(member.workers, member);
    },
    share(kernel, args, bind) {
      const parts = divide(kernel, args, count);
      if (parts === undefined) return undefined;
      const bytes = Math.max(...parts.map((part) => part.scratch?.bytes ?? 0)) * (count - 1);
      // What was there before stays: other calls have its address.
      if (bytes > scratch.bytes) scratch = arena.allocate(bytes, "scratch of threads");
      const own = parts.map((part) => bind(part.kernel, part.args));
      const job = encode(parts, member.model, kernels, scratch.address);
      const whole = bind(kernel, args);
      const word = count * TEAM + parts.length;
      return () => {
        if (isKnown(member)) (member.workers as Workers).run(job, word, own, whole);
        else whole();
      };
    },
  };
  crews.register(crew, member.model);
  return crew;
}

/** The parts as control.ts lays them out. */
function encode(parts: readonly Part[], model: number, kernels: readonly string[], scratch: number): Float64Array {
  const job = new Float64Array(PARTS + parts.length * PART);
  job[MODEL] = model;
  parts.forEach((part, i) => {
    const head = [kernels.indexOf(part.kernel), part.scratch?.argument ?? -1, scratch, part.scratch?.bytes ?? 0];
    job.set([...head, ...part.args], PARTS + i * PART);
  });
  return job;
}

function isKnown(member: Member): boolean {
  member.known ||= member.workers?.knows(member.mail) ?? false;
  return member.known;
}

async function join(member: Member): Promise<void> {
  members.set(member.model, member);
  try {
    if (workers && workers.size >= member.count) tell(workers, member);
    else restart();
    for (let told: Workers | undefined, mail = 0; told !== member.workers || mail !== member.mail; ) {
      told = member.workers; // others take their place when a model is dropped meanwhile
      mail = member.mail; // and there is more to know when a family is added
      await told?.whenKnown(mail);
    }
  } catch {
    // the platform refuses workers, or to send them what they need: one thread, then
  }
}

function tell(all: Workers, member: Member): void {
  member.workers = all;
  member.known = false;
  member.mail = all.send({ model: member.model, modules: member.modules, memory: member.memory });
}

/** A model is gone. Its memory is where workers hold it until they end, so they end when most of what they hold is gone. */
function leave(model: number): void {
  members.delete(model);
  if (++dropped > members.size) restart();
}

/** New workers in the place of the old ones, as many as the models at hand ask for; models run on one thread until they know them. */
function restart(): void {
  workers?.end();
  workers = undefined;
  dropped = 0;
  const size = Math.max(1, ...[...members.values()].map(({ count }) => count));
  if (size === 1) return;
  const next = new Workers(size);
  workers = next;
  for (const member of members.values()) tell(next, member);
}
