// Several workers behind one server, each with the whole service: parsing, batching and models of its own. What goes between threads is a
// request's bytes and its answer's. The pool is tinypool's, an optional peer.
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
  /** Takes no more requests; resolves when none is under way. */
  close(): Promise<void>;
  /** Ends the workers. */
  destroy(): Promise<void>;
}

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
  const body = method === "POST" ? await readBody(request, bodyBytes, bodyTime) : undefined;
  const task: PoolRequest = { service, url, method, headers: [...headers], ...(body && { body }) };
  const answer: PoolAnswer = await pool
    .run(task, body ? { transferList: [body.buffer as ArrayBuffer] } : {})
    .catch((cause: Error) => {
      if (/queue is at limit/.test(cause.message)) throw busy("all workers have all that they may take: try again");
      throw new Refusal(500, "the worker failed", { cause });
    });
  const { status } = answer;
  return new Response(answer.body as Uint8Array<ArrayBuffer>, { status, headers: answer.headers });
}

function refused(error: unknown): Response {
  const refusal = error instanceof Refusal ? error : new Refusal(500, "the server failed", { cause: error });
  const headers = { "content-type": "application/json", ...refusal.options.headers };
  return new Response(JSON.stringify({ error: refusal.message }), { status: refusal.status, headers });
}
