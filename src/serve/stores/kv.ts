// A store in Cloudflare Workers KV.
import { type Blobs, type ModelStore, modelStore } from "../store.js";
import { everyPage } from "./pages.js";

/** What is used of a KV namespace. */
export interface KvNamespace {
  list(options: { prefix: string; cursor?: string }): Promise<{
    keys: readonly { name: string }[];
    list_complete: boolean;
    cursor?: string;
  }>;
  get(key: string, type: "stream"): Promise<ReadableStream<Uint8Array> | null>;
  put(key: string, value: ArrayBuffer | ArrayBufferView): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * A store in Workers KV: 25 MiB a model at most, and a change is seen everywhere within a minute.
 * @param namespace the binding: `env.MODELS`
 * @example
 * const kv = { list: async () => ({ keys: [], list_complete: true }), get: async () => null, put: async () => {}, delete: async () => {} };
 * await kvStore(kv).list(); // []
 */
export const kvStore = (namespace: KvNamespace): ModelStore => modelStore(kvBlobs(namespace));

/**
 * The bytes of {@link kvStore}, for a `leanStore`.
 * @example
 * const kv = { list: async () => ({ keys: [], list_complete: true }), get: async () => null, put: async () => {}, delete: async () => {} };
 * await kvBlobs(kv).list(""); // []
 */
export const kvBlobs = (namespace: KvNamespace): Blobs => ({
  list: (prefix) =>
    everyPage(async (from) => {
      const { keys, list_complete: isLast, cursor } = await namespace.list({ prefix, ...from });
      return { keys: keys.map(({ name }) => name), cursor: isLast ? undefined : cursor };
    }),
  get: async (key) => (await namespace.get(key, "stream")) ?? undefined,
  put: (key, bytes) => namespace.put(key, bytes),
  delete: (key) => namespace.delete(key),
});
