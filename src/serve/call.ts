// A request and its answer as the service has them, whatever platform they come from and go to.
import { type BodyLimits, readBody } from "./body.js";
import type { Share } from "./budget.js";
import { isRefusal, Refusal } from "./refusal.js";

/** What is asked of a service. */
export interface Call {
  readonly method: string;
  /** Of its URL, percent-encoded as it came. */
  readonly path: string;
  /** All of its headers, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** @param name in any case */
  header(name: string): string | undefined;
  /** All of its body, of which `share` takes the bytes. @throws {Refusal} 413, 408, 400 when it breaks off, 503 when `share` has no more */
  body(limits: BodyLimits, share: Share): Promise<Uint8Array>;
  /** Whoever asked has left: nobody wants the answer. */
  readonly isGone: boolean;
  /** As fetch has it, for hooks. */
  readonly request: Request;
}

/** What it answers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value),
});

/** What is answered when answering failed. */
export function refused(error: unknown): Answer {
  const refusal = isRefusal(error) ? error : new Refusal(500, "the model failed", { cause: error });
  return json({ error: refusal.message }, refusal.status, refusal.options.headers);
}

/** A header by its name in any case, several of it as one. */
export function headerOf({ headers }: Pick<Call, "headers">, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** What a URL, or what a client asks an HTTP server for, has between its host and its query. */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}

/** A fetch handler's request. */
export class FetchCall implements Call {
  readonly #request: Request;
  readonly path: string;

  constructor(request: Request) {
    this.#request = request;
    this.path = pathOf(request.url);
  }

  get method(): string {
    return this.#request.method;
  }

  get request(): Request {
    return this.#request;
  }

  get headers(): Call["headers"] {
    return Object.fromEntries(this.#request.headers);
  }

  get isGone(): boolean {
    return this.#request.signal.aborted;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  body(limits: BodyLimits, share: Share): Promise<Uint8Array> {
    return readBody(this.#request, limits, share);
  }
}

/** The answer as fetch has it. */
export const response = ({ status, headers, body }: Answer, { method }: Call): Response =>
  new Response(method === "HEAD" || status === 204 ? null : (body as BodyInit), { status, headers });
