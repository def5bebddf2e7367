// Workers as the platform has them: node:worker_threads in Node, Deno and Bun, Web Workers in browsers.

import { WORKER } from "./worker.generated.js";
import type { Message } from "./worker.js";

export interface Thread {
  post(message: Message): void;
  /** Whether the process is to stay alive for it; at first it is not. */
  hold(on: boolean): void;
  end(): void;
}

interface NodeWorker {
  on(event: "message" | "error" | "exit", listener: () => void): void;
  postMessage(message: Message): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeThreads {
  readonly Worker: new (source: string, options: { eval: boolean; execArgv: string[] }) => NodeWorker;
}

interface System {
  availableParallelism(): number;
}

const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
const builtin = <T>(name: string): T | undefined => process?.getBuiltinModule?.(name) as T | undefined;

/** Whether workers can share memory here: browsers allow it on isolated pages only. */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer === "function" &&
  (builtin("node:worker_threads") !== undefined ||
    (typeof Worker === "function" && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true));

/** How many threads the machine runs at once. */
export const parallelism = (): number =>
  builtin<System>("node:os")?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;

/** A worker from the text that scripts/build/worker.mjs made. */
export function newWorker(onMessage: () => void, onFailure: () => void): Thread {
  const threads = builtin<NodeThreads>("node:worker_threads");
  if (threads) {
    const worker = new threads.Worker(WORKER, { eval: true, execArgv: [] });
    worker.on("message", onMessage);
    worker.on("error", onFailure);
    worker.on("exit", onFailure);
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      hold: (on) => (on ? worker.ref() : worker.unref()),
      end: () => void worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
  const worker = new Worker(url);
  const release = () => URL.revokeObjectURL(url);
  worker.onmessage = () => {
    release();
    onMessage();
  };
  worker.onerror = (event) => {
    release();
    event.preventDefault();
    onFailure();
  };
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    end: () => worker.terminate(),
  };
}
