// On Cloudflare Workers: the page is a file of the bundle, the model with its versions lies in a KV namespace.
import { kvBlobs, leanStore } from "lanewise/serve";
import { app } from "./app.js";
import page from "./page.html";

// In an R2 bucket: leanStore(r2Blobs(env.MODELS)). Where models may hold any layer: kvStore(env.MODELS) or r2Store(env.MODELS).
export default { fetch: app((env) => leanStore(kvBlobs(env.MODELS)), page) };
