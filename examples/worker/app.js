// The whole service, whatever it runs on: a page to draw on, and the model behind the Open Inference Protocol.
import { handler } from "lanewise/serve";

const headers = { "content-type": "text/html; charset=utf-8" };

/** @param {import("lanewise/serve").HandlerOptions["models"]} models @param {BodyInit} page */
export function app(models, page) {
  const serve = handler({ models });
  /** @param {Request} request @param {unknown} [env] @param {unknown} [ctx] */
  return async (request, env, ctx) =>
    new URL(request.url).pathname === "/" ? new Response(page, { headers }) : serve(request, env, ctx);
}
