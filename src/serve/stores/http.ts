// A store behind HTTP: any static server, a bucket's public address, another handler.
import { FormatError } from "../../errors.js";
import { type Blobs, type ModelStore, modelStore } from "../store.js";
import { indexed } from "./indexed.js";

export interface HttpStoreOptions {
  /** Sent with every request: authorization. */
  headers?: Record<string, string>;
  /** Default: the platform's. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Answers that are kept for their ETag: manifests, indexes and pointers. */
const SMALL = 1 << 16;
/** How often a download that breaks off is gone on with. */
const TRIES = 5;

/**
 * A store below an address. What has not changed is not sent again (`If-None-Match`), and a download that breaks off goes on where it was
 * (`Range`, `If-Range`). Servers that take PUT and DELETE can also be written; what there is stands in `index.json`.
 * @param url of the folder
 * @example
 * const store = httpStore("https://models.example/", { fetch: async () => new Response(null, { status: 404 }) });
 * await store.list(); // []
 */
export function httpStore(
  url: string | URL,
  { headers = {}, fetch: send = (it) => fetch(it) }: HttpStoreOptions = {},
): ModelStore {
  const base = new URL(url);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const known = new Map<string, { tag: string; bytes: Uint8Array<ArrayBuffer> }>();
  const request = (key: string, init: RequestInit) => send(new Request(new URL(key, base), init));

  const blobs: Omit<Blobs, "list"> = {
    async get(key) {
      const cached = known.get(key);
      const response = await request(key, { headers: { ...headers, ...(cached && { "if-none-match": cached.tag }) } });
      if (response.status === 304 && cached) return new Response(cached.bytes).body ?? undefined;
      if (response.status === 404 || response.status === 410) return undefined;
      if (!response.ok || response.body === null) throw failed("GET", key, response);
      const tag = response.headers.get("etag");
      const body = resumed(response, (from) =>
        request(key, { headers: { ...headers, range: `bytes=${from}-`, ...(tag && { "if-range": tag }) } }),
      );
      if (tag === null || !(Number(response.headers.get("content-length") ?? Number.NaN) <= SMALL)) return body;
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      known.set(key, { tag, bytes });
      return new Response(bytes).body ?? undefined;
    },
    async put(key, bytes) {
      const response = await request(key, { method: "PUT", headers, body: bytes as Uint8Array<ArrayBuffer> });
      if (!response.ok) throw failed("PUT", key, response);
    },
    async delete(key) {
      const response = await request(key, { method: "DELETE", headers });
      if (!response.ok && response.status !== 404) throw failed("DELETE", key, response);
    },
  };
  return modelStore(indexed(blobs));
}

const failed = (method: string, key: string, { status }: Response): FormatError =>
  new FormatError(`httpStore: expected ${method} ${key} to succeed, got status ${status}`);

/** The body of a response, fetched on from where it breaks off, as long as the server says that it is the same thing. */
function resumed(first: Response, from: (at: number) => Promise<Response>): ReadableStream<Uint8Array> {
  let reader = (first.body as ReadableStream<Uint8Array>).getReader();
  const ranges = first.headers.get("accept-ranges") === "bytes" && first.headers.get("etag") !== null;
  const length = Number(first.headers.get("content-length") ?? Number.NaN);
  let at = 0;
  let tries = 0;
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        try {
          const { done, value } = await reader.read();
          if (done && at < length) throw new FormatError(`httpStore: expected ${length} bytes, got ${at}`);
          if (done) return controller.close();
          at += value.length;
          return controller.enqueue(value);
        } catch (error) {
          if (!ranges || ++tries > TRIES) throw error;
          const response = await from(at);
          if (response.status !== 206 || response.body === null) throw error;
          reader = response.body.getReader();
        }
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
