// A store in Cloudflare R2.
import { type Blobs, type ModelStore, modelStore } from "../store.js";

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
  async list(prefix) {
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
      keys.push(...page.objects.map(({ key }) => key));
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    return keys;
  },
  get: async (key) => (await bucket.get(key))?.body,
  put: async (key, bytes) => {
    await bucket.put(key, bytes);
  },
  delete: (key) => bucket.delete(key),
});
