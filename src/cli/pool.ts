// Several workers behind one server, each with the whole service: parsing, batching and models of its own. What goes between threads is a
// request's bytes and its answer's. The pool is tinypool's, an optional peer.
import { BroadcastChannel } from "node:worker_threads";
import type { Tinypool } from "tinypool";
import { readBody } from "../serve/body.js";
import { busy, Gate } from "../serve/gate.js";
import { checkHandlerOptions } from "../serve/options.js";
import { Refusal } from "../serve/refusal.js";
import type { ServiceOptions } from "./service.js";
import { UsageError } from "./usage.js";

/** A request as it goes to a worker. */
export interface PoolRequest {
  readonly service: ServiceOptions;
  readonly url: string;
  readonly method: string;
  readonly headers: readonly [string, string][];
  readonly body?: Uint8Array;
}

export interface PoolAnswer {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: Uint8Array;
}

export interface Pool {
  fetch(request: Request): Promise<Response>;
  /** Has every worker ask its stores for new versions. */
  reload(): void;
  /** Takes no more requests; resolves when none is under way. */
  close(): Promise<void>;
  /** Ends the workers. */
  destroy(): Promise<void>;
}

/** On which workers are told to reload. */
export const CHANNEL = "lanewise: reload";

/** Requests that one worker takes at a time: as many as its queue and one batch, so that batches fill. */
const TASKS = 256;

/** @throws {UsageError} where tinypool is not installed */
export async function startPool(service: ServiceOptions, workers: number): Promise<Pool> {
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
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  return {
    async fetch(request) {
      gate.enter();
      try {
        gate.checkOpen();
        return await ask(pool, service, request, limits);
      } catch (error) {
        return refused(error);
      } finally {
        gate.leave();
      }
    },
    reload: () => channel.postMessage(undefined),
    close: () => gate.close(),
    destroy: () => pool.destroy(),
  };
}

async function ask(
  pool: Tinypool,
  service: ServiceOptions,
  request: Request,
  { bodyBytes, bodyTime }: { bodyBytes: number; bodyTime: number },
): Promise<Response> {
  const { url, method, headers } = request;
  const body = method === "POST" && isInference(url) ? await readBody(request, bodyBytes, bodyTime) : undefined;
  if (request.signal.aborted) throw new Refusal(499, "the client left");
  const task: PoolRequest = { service, url, method, headers: [...headers], ...(body && { body }) };
  const answer: PoolAnswer = await pool
    .run(task, body && isWhole(body) ? { transferList: [body.buffer as ArrayBuffer] } : {})
    .catch((cause: Error) => {
      if (/queue is at limit/.test(cause.message)) throw busy("all workers have all that they may take: try again");
      throw new Refusal(500, "the worker failed", { cause });
    });
  const { status, headers: given, body: bytes } = answer;
  return new Response(bytes.length > 0 ? (bytes as Uint8Array<ArrayBuffer>) : null, { status, headers: given });
}

/** No other path takes a body. */
const isInference = (url: string): boolean => /\/infer\/?(\?|$)/.test(url);

/** A body in one chunk may lie between other requests in what came from the socket: transferred, it would take them along. */
const isWhole = ({ buffer, length }: Uint8Array): boolean => buffer.byteLength === length;

function refused(error: unknown): Response {
  const refusal = error instanceof Refusal ? error : new Refusal(500, "the server failed", { cause: error });
  const headers = { "content-type": "application/json", ...refusal.options.headers };
  return new Response(JSON.stringify({ error: refusal.message }), { status: refusal.status, headers });
}
