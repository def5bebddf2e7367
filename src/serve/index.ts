// The entry "lanewise/serve": models behind HTTP, on every platform that has fetch handlers.
export type { BatchingOptions } from "./batcher.js";
export type { Answer, Call } from "./call.js";
export { type Handler, handler } from "./handler.js";
export type { ModelSource } from "./host.js";
export { everyLayer } from "./layers.js";
export { listener } from "./listener.js";
export type { Manifest } from "./manifest.js";
export type { AuthOptions, CorsOptions, HandlerOptions, Hooks, Limits, LoadEvent, RequestEvent } from "./options.js";
export { type OpenOptions, openModel, type PublishOptions, publish, rollback } from "./publish.js";
export { type Blobs, leanStore, type ModelStore, modelStore } from "./store.js";
export { cacheStore } from "./stores/cache.js";
export { folderStore } from "./stores/folder.js";
export { type HttpStoreOptions, httpStore } from "./stores/http.js";
export { type KvNamespace, kvBlobs, kvStore } from "./stores/kv.js";
export { memoryStore } from "./stores/memory.js";
export { type R2Bucket, r2Blobs, r2Store } from "./stores/r2.js";
