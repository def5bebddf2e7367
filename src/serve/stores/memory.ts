// A store in memory.
import { type Blobs, type ModelStore, modelStore } from "../store.js";

/**
 * A store that lives as long as the process.
 * @example
 * await memoryStore().list(); // []
 */
export const memoryStore = (): ModelStore => modelStore(memoryBlobs());

export function memoryBlobs(): Blobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    list: async (prefix) => [...blobs.keys()].filter((key) => key.startsWith(prefix)),
    get: async (key) => streamOf(blobs.get(key)),
    put: async (key, bytes) => {
      blobs.set(key, bytes.slice());
    },
    delete: async (key) => {
      blobs.delete(key);
    },
  };
}

/** Bytes as a stream of one chunk. */
export function streamOf(bytes: Uint8Array | undefined): ReadableStream<Uint8Array> | undefined {
  return (
    bytes &&
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    })
  );
}
