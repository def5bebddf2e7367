// The whole service: a page to draw on, and the model behind the Open Inference Protocol.
import { load } from "lanewise";
import { handler } from "lanewise/serve";
import model from "./digits.safetensors";
import page from "./page.html";

const serve = handler({ models: { digits: () => load(model) } });
// With a KV namespace or an R2 bucket instead of the file: handler({ models: (env) => kvStore(env.MODELS) })

const headers = { "content-type": "text/html; charset=utf-8" };

export default {
  fetch: (request, env, ctx) =>
    new URL(request.url).pathname === "/" ? new Response(page, { headers }) : serve(request, env, ctx),
};
