// What a worker runs: it waits for parts of kernel calls and does them. Bundled into a text (scripts/build/worker.mjs) that pool.ts starts
// workers from, so that a worker needs no file of its own.
import {
  controlOf,
  DONE,
  HANDLED,
  MAIL,
  MAX_ARGS,
  MODEL,
  PART,
  PARTS,
  SIGNAL,
  SLEEPERS,
  spin,
  take,
  WAITING,
} from "./control.js";

/** A model for the worker to know, sent to every worker. */
export interface Message {
  /** The worker's own number, from 1 on; the calling thread is 0. */
  readonly thread: number;
  readonly control: SharedArrayBuffer;
  readonly model: number;
  readonly modules: readonly WebAssembly.Module[];
  readonly memory: WebAssembly.Memory;
}

interface Port {
  postMessage(message: unknown): void;
  on?(event: "message", listener: (message: Message) => void): void;
  onmessage?: ((event: { data: Message }) => void) | null;
}

type Kernel = (...args: number[]) => void;

/**
 * How long to look for more work before sleeping. Where another process has the other core, a worker that wakes may take the calling
 * thread's own, and looks there in vain: with 0.5 ms a product of 5.6 took 6.2 and a prediction of 1.9 3.0 (two cores, one busy).
 */
const SPIN_MS = 0.1;

const { process } = globalThis as { process?: { getBuiltinModule?(name: string): { parentPort?: Port | null } } };
const port = process?.getBuiltinModule?.("node:worker_threads")?.parentPort ?? (globalThis as unknown as Port);
const models = new Map<number, readonly Kernel[]>();
let handled = 0;

const receive = ({ thread, control, model, modules, memory }: Message): void => {
  const { ints, job } = controlOf(control);
  const kernels = modules.map((module) => Object.values(new WebAssembly.Instance(module, { env: { memory } }).exports));
  models.set(model, kernels.flat() as Kernel[]);
  handled++;
  Atomics.store(ints, HANDLED + thread, handled);
  port.postMessage(model);
  // While more messages are on their way, the event loop has to bring them.
  if (Atomics.load(ints, MAIL) === handled) work(ints, job, thread);
};
if (port.on) port.on("message", receive);
else port.onmessage = ({ data }) => receive(data);

/** Does parts of calls until there is mail. */
function work(ints: Int32Array, job: Float64Array, thread: number): void {
  const args: number[] = [];
  let part = -1;
  const found = (): boolean => {
    part = take(ints, thread);
    return part >= 0 || Atomics.load(ints, MAIL) !== handled;
  };
  for (;;) {
    if (!spin(SPIN_MS, found)) {
      // Whoever has something to say looks for sleepers after saying it, and a sleeper looks for it after it is counted: none is missed.
      Atomics.add(ints, SLEEPERS, 1);
      const signal = Atomics.load(ints, SIGNAL);
      if (!found()) Atomics.wait(ints, SIGNAL, signal);
      Atomics.sub(ints, SLEEPERS, 1);
      if (part < 0) continue;
    }
    if (part < 0) return;
    const at = PARTS + part * PART;
    const [kernel, scratch, address, bytes] = [job[at], job[at + 1], job[at + 2], job[at + 3]];
    for (let i = 0; i < MAX_ARGS; i++) args[i] = job[at + 4 + i];
    if (scratch >= 0) args[scratch] = address + (thread - 1) * bytes;
    (models.get(job[MODEL]) as readonly Kernel[])[kernel](...args);
    Atomics.add(ints, DONE, 1);
    if (Atomics.load(ints, WAITING) !== 0) Atomics.notify(ints, DONE);
  }
}
