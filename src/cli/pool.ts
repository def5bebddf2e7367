// Several workers behind one server, each with the whole service: parsing, batching and models of its own. What goes between threads is a
// request's bytes and its answer's. The pool is tinypool's, an optional peer.
import { BroadcastChannel } from "node:worker_threads";
import type { Tinypool } from "tinypool";
import { Budget, Share } from "../serve/budget.js";
import { type Answer, type Call, refused } from "../serve/call.js";
import { busy, Gate } from "../serve/gate.js";
import { checkHandlerOptions } from "../serve/options.js";
import { Refusal } from "../serve/refusal.js";
import { added, WorkerMetrics } from "./metrics.js";
import type { ServiceOptions } from "./service.js";
import { UsageError } from "./usage.js";

/** A call as it goes to a worker. */
export interface PoolCall {
  readonly service: ServiceOptions;
  readonly method: string;
  readonly path: string;
  readonly headers: Call["headers"];
  readonly body?: Uint8Array;
}

export interface Pool {
  answer(call: Call): Promise<Answer>;
  /** Has every worker ask its stores for new versions. */
  reload(): void;
  /** Takes no more calls; resolves when none is under way. */
  close(): Promise<void>;
  /** Ends the workers. */
  destroy(): Promise<void>;
}

/** On which workers are told to look for new versions, and tell each other: what one of them serves, all do. */
export const CHANNEL = "lanewise: reload";

export interface Reload {
  readonly service: ServiceOptions;
  /** Default: all that serve. */
  readonly model?: string;
}

/** Requests that one worker takes at a time: as many as its queue and one batch, so that batches fill. */
const TASKS = 256;

/**
 * @param own what the server says by itself: whether it lives, for which workers have other calls before, and numbers of all of them
 * @throws {UsageError} where tinypool is not installed
 */
export async function startPool(
  service: ServiceOptions,
  workers: number,
  own: { answer(call: Call): Promise<Answer> },
): Promise<Pool> {
  const { default: Tinypool } = await import("tinypool").catch(() => {
    throw new UsageError("--workers: expected the package tinypool, which is not here: npm install tinypool");
  });
  const { limits } = checkHandlerOptions({ models: {} });
  const pool = new Tinypool({
    filename: new URL("./cli-worker.js", import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: TASKS,
    maxQueue: limits.queue,
    useAtomics: false,
  });
  const gate = new Gate();
  const budget = new Budget(limits.totalBytes);
  const metrics = new WorkerMetrics(workers);
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  return {
    async answer(call) {
      if (call.path.startsWith("/v2/health/")) return own.answer(call);
      if (service.metrics && /^\/metrics\/?$/.test(call.path)) return together(await own.answer(call), metrics);
      gate.enter();
      const share = new Share(budget);
      try {
        gate.checkOpen();
        return await ask(pool, service, call, () => call.body(limits, share));
      } catch (error) {
        return refused(error);
      } finally {
        share.giveBack();
        gate.leave();
      }
    },
    reload: () => channel.postMessage({ service } satisfies Reload),
    close: () => gate.close(),
    destroy: () => pool.destroy(),
  };
}

async function together(own: Answer, metrics: WorkerMetrics): Promise<Answer> {
  if (own.status !== 200) return own;
  return { ...own, body: added([String(own.body), ...(await metrics.texts())]) };
}

async function ask(
  pool: Tinypool,
  service: ServiceOptions,
  call: Call,
  read: () => Promise<Uint8Array>,
): Promise<Answer> {
  const { method, path, headers } = call;
  const body = method === "POST" && isInference(path) ? await read() : undefined;
  if (call.isGone) throw new Refusal(499, "the client left");
  const task: PoolCall = { service, method, path, headers, ...(body && { body }) };
  return pool
    .run(task, body && isWhole(body) ? { transferList: [body.buffer as ArrayBuffer] } : {})
    .catch((cause: Error) => {
      if (/queue is at limit/.test(cause.message)) throw busy("all workers have all that they may take: try again");
      throw new Refusal(500, "the worker failed", { cause });
    });
}

/** No other path takes a body. */
const isInference = (path: string): boolean => /\/infer\/?$/.test(path);

/** A body in one chunk may lie between other requests in what came from the socket: transferred, it would take them along. */
const isWhole = ({ buffer, length }: Uint8Array): boolean => buffer.byteLength === length;
