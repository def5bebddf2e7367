// A store in Cloudflare R2.
import { type Blobs, type ModelStore, modelStore } from "../store.js";
import { everyPage } from "./pages.js";

/** What is used of an R2 bucket. */
export interface R2Bucket {
  list(options: { prefix: string; cursor?: string }): Promise<{
    objects: readonly { key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
  get(key: string): Promise<{ body: ReadableStream<Uint8Array> } | null>;
  put(key: string, value: ArrayBuffer | ArrayBufferView): Promise<unknown>;
  delete(key: string): Promise<void>;
}

/**
 * A store in R2.
 * @param bucket the binding: `env.MODELS`
 * @example
 * const r2 = { list: async () => ({ objects: [], truncated: false }), get: async () => null, put: async () => null, delete: async () => {} };
 * await r2Store(r2).list(); // []
 */
export const r2Store = (bucket: R2Bucket): ModelStore => modelStore(r2Blobs(bucket));

/**
 * The bytes of {@link r2Store}, for a `leanStore`.
 * @example
 * const r2 = { list: async () => ({ objects: [], truncated: false }), get: async () => null, put: async () => null, delete: async () => {} };
 * await r2Blobs(r2).list(""); // []
 */
export const r2Blobs = (bucket: R2Bucket): Blobs => ({
  list: (prefix) =>
    everyPage(async (from) => {
      const { objects, truncated, cursor } = await bucket.list({ prefix, ...from });
      return { keys: objects.map(({ key }) => key), cursor: truncated ? cursor : undefined };
    }),
  get: async (key) => (await bucket.get(key))?.body,
  put: async (key, bytes) => {
    await bucket.put(key, bytes);
  },
  delete: (key) => bucket.delete(key),
});
