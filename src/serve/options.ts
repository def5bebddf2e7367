// What a service may be told, checked where it is made.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import type { BatchingOptions } from "./batcher.js";
import type { ModelSource } from "./host.js";
import type { OpenOptions } from "./publish.js";

export interface Limits {
  /** Bytes of a request's body; default 16 MiB. */
  bodyBytes?: number;
  /** Milliseconds that a body may take to arrive; default 30,000. */
  bodyTime?: number;
  /** Bytes of all bodies under way, until they are answered; default 128 MiB. More are refused with status 503 and `Retry-After`. */
  totalBytes?: number;
  /** Requests that may wait for one model; default 256. More are refused with status 503 and `Retry-After`. */
  queue?: number;
  /** Milliseconds that a request may wait for its turn; default 10,000. Then it is refused with status 504. */
  deadline?: number;
  /** Requests of one model under way, from their bodies to their answers; default 1024. More are refused with status 503. */
  concurrency?: number;
}

export interface AuthOptions {
  /** Bearer tokens, one of which every request must bring, those for health aside. Compared in constant time. */
  tokens: readonly string[];
}

export interface CorsOptions {
  /** Origins that may ask, or "*". */
  origin: string | string[];
}

/** One request and what came of it. */
export interface RequestEvent {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly error?: unknown;
}

/** A version that took over, or (with `error`) could not. */
export interface LoadEvent {
  readonly model: string;
  readonly version: string;
  readonly milliseconds: number;
  readonly error?: unknown;
}

export interface Hooks {
  /** After every request: where logs come from. Nothing is logged otherwise. */
  request?: (event: RequestEvent) => void;
  load?: (event: LoadEvent) => void;
  /**
   * Asked before an inference; `false` refuses it with status 429, a number besides says after how many seconds to come again.
   * @param key the bearer token, or "" without one
   */
  rateLimit?: (key: string, request: Request) => boolean | number | Promise<boolean | number>;
}

export interface HandlerOptions {
  /** A store, models by name, or a function of a Worker's `env` that gives one of these; asked once. */
  models: ModelSource | ((env: never) => ModelSource);
  batching?: BatchingOptions;
  limits?: Limits;
  auth?: AuthOptions;
  cors?: CorsOptions;
  hooks?: Hooks;
  /** Serves Prometheus' text format at `/metrics`; default false. */
  metrics?: boolean;
  /** Milliseconds after which a store is asked again which version is current; default 30,000. */
  refresh?: number;
  /** How models of a store are opened: keys that verify and decrypt them, and the options of `load`. */
  open?: OpenOptions;
  /** What the server calls itself; default `lanewise`. */
  name?: string;
}

/** @throws {TypeError} or {RangeError} for what cannot be */
export function checkHandlerOptions(options: HandlerOptions): Required<Pick<HandlerOptions, "refresh" | "name">> & {
  limits: Required<Limits>;
} {
  const op = "handler";
  const keys = ["models", "batching", "limits", "auth", "cors", "hooks", "metrics", "refresh", "open", "name"];
  checkKeys(op, options, keys);
  const { batching = {}, limits = {}, auth, refresh = 30_000, name = "lanewise" } = options;
  checkKeys(`${op}: batching`, batching, ["maxBatch", "maxWait"]);
  checkKeys(`${op}: limits`, limits, ["bodyBytes", "bodyTime", "totalBytes", "queue", "deadline", "concurrency"]);
  const numbers = { ...batching, ...limits, refresh };
  for (const [key, value] of Object.entries(numbers)) {
    const least = key === "maxWait" || key === "refresh" ? 0 : 1;
    if (value !== undefined && !(Number.isFinite(value) && value >= least))
      throw rangeError({ op, expected: `${key} of at least ${least}`, actual: told(value) });
  }
  const isToken = (token: unknown) => typeof token === "string" && token.length > 0;
  if (auth && !(Array.isArray(auth.tokens) && auth.tokens.length > 0 && auth.tokens.every(isToken)))
    throw typeError({ op, expected: "auth.tokens to be texts, at least one", actual: told(auth.tokens) });
  const { bodyBytes = 2 ** 24, bodyTime = 30_000, queue = 256, deadline = 10_000, concurrency = 1024 } = limits;
  const { totalBytes = Math.max(2 ** 27, bodyBytes) } = limits;
  if (totalBytes < bodyBytes)
    throw rangeError({ op, expected: `totalBytes of at least bodyBytes, ${bodyBytes}`, actual: told(totalBytes) });
  const { maxWait = 0 } = batching;
  if (maxWait >= deadline)
    throw rangeError({ op, expected: `maxWait below the deadline of ${deadline} ms`, actual: told(maxWait) });
  return { limits: { bodyBytes, bodyTime, totalBytes, queue, deadline, concurrency }, refresh, name };
}
