// A store in the Cache API: browsers, service workers, Workers, Deno.
import { UnsupportedError } from "../../errors.js";
import { type ModelStore, modelStore } from "../store.js";
import { indexed } from "./indexed.js";

/** Keys become addresses; nobody is asked for them. */
const BASE = "https://lanewise.invalid/";

/**
 * A store in a cache of this name, which works offline. A cache may forget: keep the originals elsewhere.
 * @throws {UnsupportedError} where there is no Cache API
 * @example
 * typeof caches === "undefined" || (await cacheStore("models").list()); // true
 */
export function cacheStore(name: string): ModelStore {
  if (typeof caches === "undefined") throw new UnsupportedError("cacheStore: this runtime has no Cache API");
  const at = (key: string) => `${BASE}${encodeURIComponent(name)}/${key}`;
  const opened = () => caches.open(name);
  return modelStore(
    indexed({
      get: async (key) => (await (await opened()).match(at(key)))?.body ?? undefined,
      async put(key, bytes) {
        const headers = { "cache-control": "public, max-age=31536000", "content-length": String(bytes.length) };
        await (await opened()).put(at(key), new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
      },
      async delete(key) {
        await (await opened()).delete(at(key));
      },
    }),
  );
}
