// On Cloudflare Workers: model and page are files of the bundle.
import { load } from "lanewise";
import { app } from "./app.js";
import model from "./digits.safetensors";
import page from "./page.html";

// With a KV namespace or an R2 bucket instead of the file: app((env) => kvStore(env.MODELS), page)
export default { fetch: app({ digits: () => load(model) }, page) };
