// A service behind Node's HTTP server, without fetch's Request and Response between them, whose making takes a third of a request's time.
// Nothing here imports Node: what it has is given.
import { type BodyLimits, brokeOff, checkLength, tooLate, tooMuch } from "./body.js";
import type { Share } from "./budget.js";
import { Pieces } from "./bytes.js";
import { type Answer, type Call, headerOf, pathOf, refused } from "./call.js";
import { Refusal } from "./refusal.js";

/** What is used of `IncomingMessage` of node:http. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly complete: boolean;
  readonly readableLength: number;
  readonly readableEnded: boolean;
  readonly socket: { destroy(): unknown };
  read(): Uint8Array | null;
  resume(): unknown;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close", listener: () => void): unknown;
}

/** What is used of `ServerResponse` of node:http. */
export interface Outgoing {
  readonly destroyed: boolean;
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  end(body: Uint8Array): unknown;
}

/** What answers: a handler. */
export interface Answering {
  answer(call: Call): Promise<Answer>;
}

/** Milliseconds that a client has to finish a body that is not wanted, so that it reads why. */
const DRAIN = 500;

const text = new TextEncoder();

/**
 * What `createServer` of node:http (or node:https) takes, to serve what `handler` gives: the fastest way there is on Node.
 * `createServer(listener(serve)).listen(8080)`
 * @param service what answers: a handler
 * @returns a listener for a server's requests
 * @example
 * const serve = handler({ models: { digits: await build(input([4]), dense(2)) } });
 * typeof listener(serve); // "function"
 */
export const listener =
  (service: Answering) =>
  async (incoming: Incoming, outgoing: Outgoing): Promise<void> => {
    let answer: Answer;
    try {
      answer = await service.answer(new NodeCall(incoming, outgoing));
    } catch (error) {
      answer = refused(error);
    }
    if (outgoing.destroyed) return;
    const { status, headers, body } = answer;
    const bytes = typeof body === "string" ? text.encode(body) : body;
    outgoing.writeHead(status, status === 204 ? { ...headers } : { ...headers, "content-length": bytes.length });
    outgoing.end(bytes);
    if (!incoming.complete) drain(incoming);
  };

function drain(incoming: Incoming): void {
  const timer = setTimeout(() => incoming.socket.destroy(), DRAIN);
  incoming.on("close", () => clearTimeout(timer));
  incoming.resume();
}

class NodeCall implements Call {
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly method: string;
  readonly path: string;

  constructor(incoming: Incoming, outgoing: Outgoing) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.method = incoming.method ?? "GET";
    this.path = addressOf(incoming);
  }

  get headers(): Call["headers"] {
    return this.#incoming.headers;
  }

  get isGone(): boolean {
    return this.#outgoing.destroyed;
  }

  get request(): Request {
    const { method, headers } = this;
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((line): [string, string] => [name, line]),
    );
    return new Request(`http://${headers.host ?? "localhost"}${this.path}`, { method, headers: lines });
  }

  header(name: string): string | undefined {
    return headerOf(this.#incoming, name);
  }

  body({ bodyBytes: most, bodyTime: time }: BodyLimits, share: Share): Promise<Uint8Array> {
    const incoming = this.#incoming;
    return new Promise((resolve, reject) => {
      checkLength(this.header("content-length"), most);
      // A small body came with its headers: all of it is here.
      if (incoming.complete && incoming.readableLength <= most) {
        share.take(incoming.readableLength);
        resolve(incoming.read() ?? new Uint8Array());
        return;
      }
      let pieces: Pieces | undefined = new Pieces(most, () => tooMuch(most), share);
      const timer = setTimeout(() => fail(tooLate(time)), time);
      const fail = (error: unknown) => {
        clearTimeout(timer);
        pieces = undefined;
        reject(error);
      };
      incoming.on("data", (chunk) => {
        try {
          pieces?.add(chunk); // unless it is not wanted any more
        } catch (error) {
          fail(error);
        }
      });
      incoming.on("end", () => {
        clearTimeout(timer);
        if (pieces) resolve(pieces.whole());
      });
      incoming.on("error", (cause) => fail(brokeOff(cause)));
      incoming.on("close", () => {
        if (!incoming.readableEnded) fail(brokeOff());
      });
    });
  }
}

/** The path of what is asked for, as URLs have it. @throws {Refusal} 400 for what is no address */
function addressOf({ url = "/", headers: { host } }: Incoming): string {
  if (typeof host !== "string" || host === "") throw noAddress("there is no Host header");
  if (PLAIN_HOST.test(host) && PLAIN.test(url) && !url.includes("/.")) return pathOf(url);
  if (/[\s/?#@\\]/.test(host)) throw noAddress("the Host header is none");
  if (pathOf(url).includes("\\")) throw noAddress("its path has a backslash");
  try {
    const { protocol, pathname } = new URL(url.startsWith("/") ? `http://${host}${url}` : url);
    if (/^https?:$/.test(protocol)) return pathname;
  } catch {} // the same
  throw noAddress(JSON.stringify(url.slice(0, 64)));
}

const PLAIN_HOST = /^[a-z0-9._-]+(?::\d{1,5})?$/i;
const PLAIN = /^\/[\w./~%:@!$&'()*+,;=?-]*$/;

const noAddress = (reason: string): Refusal => new Refusal(400, `expected a valid address: ${reason}`);
