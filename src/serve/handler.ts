// The entry "lanewise/serve": a standard fetch handler that speaks the Open Inference Protocol v2.
import type { Context } from "hono";
import { cors } from "hono/cors";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Model } from "../program/model.js";
import { authorize, tokenOf } from "./auth.js";
import { readBody } from "./body.js";
import { Gate } from "./gate.js";
import { Host, type Served } from "./host.js";
import { readInference, writeInference } from "./infer.js";
import { Metrics } from "./metrics.js";
import { openapi } from "./openapi.js";
import { checkHandlerOptions, type HandlerOptions } from "./options.js";
import { datatypes, JSON_LENGTH } from "./protocol.js";
import { Refusal } from "./refusal.js";

declare const __VERSION__: string;

/** What serves requests: `(request, env?, ctx?) => Promise<Response>`, with what a server's main program needs beside it. */
export interface Handler {
  (request: Request, env?: unknown, ctx?: unknown): Promise<Response>;
  /** Asks the store now which version is current, and waits until it serves. @returns the version */
  reload(model: string): Promise<string>;
  /** Not ready from now on; resolves when no request is under way. */
  close(): Promise<void>;
}

/** What metrics and events are told of a request, where anyone asks. */
type Facts = { model?: string; version?: string };
type Environment = { Variables: { facts?: Facts } };

/**
 * A service for models: health, metadata and inference as in the Open Inference Protocol v2, its binary tensors included.
 * https://github.com/kserve/open-inference-protocol
 * @param options.models a store, or models by name, loaded when first asked for
 * @returns a standard fetch handler: `export default { fetch: handler({ models }) }` is a whole Worker
 * @throws {TypeError} or {RangeError} for options that cannot be
 * @example
 * const serve = handler({ models: { digits: await build(input([4], { name: "x" }), dense(2)) } });
 * const ready = await serve(new Request("http://localhost/v2/models/digits/ready"));
 * ready.status; // 200
 * const body = JSON.stringify({ inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }] });
 * const response = await serve(new Request("http://localhost/v2/models/digits/infer", { method: "POST", body }));
 * (await response.json()).outputs[0].shape; // [1, 2]
 */
export function handler(options: HandlerOptions): Handler {
  const { limits, refresh, name: serverName } = checkHandlerOptions(options);
  const { batching = {}, auth, hooks = {}, open = {} } = options;
  const metrics = options.metrics ? new Metrics() : undefined;
  const gate = new Gate();
  let host: Host | undefined;

  const models = (env: unknown): Host => {
    host ??= new Host(typeof options.models === "function" ? options.models(env as never) : options.models, {
      batching,
      limits,
      refresh,
      open,
      onLoad: (event) => {
        const labels = { model: event.model, result: event.error === undefined ? "loaded" : "failed" };
        metrics?.add("lanewise_loads_total", "Versions of models that were loaded, or could not be.", labels);
        hooks.load?.(event);
      },
      onBatch: (model, samples, milliseconds) => {
        metrics?.add("lanewise_samples_total", "Samples that were predicted.", { model }, samples);
        metrics?.observe("lanewise_batch_seconds", "Time of one batch.", { model }, milliseconds / 1000);
      },
    });
    return host;
  };

  const record = (c: Context<Environment>, facts: Facts, milliseconds: number): void => {
    const { status } = c.res;
    const { model } = facts;
    const labels = { model: model ?? "", status: String(status) };
    metrics?.add("lanewise_requests_total", "Requests by model and status.", labels);
    if (model !== undefined)
      metrics?.observe("lanewise_request_seconds", "Time of a request.", { model }, milliseconds / 1000);
    const { method, path } = c.req;
    hooks.request?.({ method, path, status, milliseconds, ...facts, error: c.error });
  };

  const app = new HonoBase<Environment>({ strict: false, router: new TrieRouter() });
  if (options.cors) {
    const { origin } = options.cors;
    app.use(cors({ origin, allowMethods: ["GET", "POST", "OPTIONS"], exposeHeaders: [JSON_LENGTH] }));
  }
  if (metrics || hooks.request) {
    app.use(async (c, next) => {
      const facts: Facts = {};
      c.set("facts", facts);
      const start = performance.now();
      await next();
      record(c, facts, performance.now() - start);
    });
  }
  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", (c) => {
    gate.checkOpen();
    return c.json({ ready: true });
  });
  if (auth) {
    app.use(async (c, next) => {
      await authorize(tokenOf(c.req.raw), auth);
      return next();
    });
  }
  app.get("/v2", (c) => c.json({ name: serverName, version: VERSION, extensions: ["binary_tensor_data"] }));
  app.get("/openapi.json", (c) => c.json(openapi(serverName, VERSION)));
  if (metrics) {
    app.get("/metrics", (c) => {
      metrics.set("lanewise_waiting", "Requests in queues.", {}, models(c.env).waiting);
      return c.text(String(metrics), 200, { "content-type": "text/plain; version=0.0.4" });
    });
  }
  app.get("/v2/models", async (c) => c.json({ models: await models(c.env).names() }));

  const served = async (c: Context<Environment>): Promise<Served> => {
    const found = await models(c.env).get(c.req.param("model") as string, c.req.param("version"));
    const facts = c.get("facts");
    if (facts) {
      facts.model = found.name; // known names only: metrics must not grow with what strangers ask for
      facts.version = found.version;
    }
    return found;
  };
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get(path, async (c) => {
      const found = await served(c);
      return c.json({ ...describe(found), versions: await models(c.env).versions(found.name) });
    });
    app.get(`${path}/ready`, async (c) => {
      const { name } = await served(c);
      return c.json({ name, ready: true });
    });
    app.post(`${path}/infer`, async (c) => {
      gate.checkOpen();
      const request = c.req.raw;
      if (hooks.rateLimit) limitRate(await hooks.rateLimit(tokenOf(request), request));
      const found = await served(c);
      found.gate.enter();
      try {
        const body = await readBody(request, limits.bodyBytes, limits.bodyTime);
        const inference = readInference(body, request.headers.get(JSON_LENGTH), found.model);
        return writeInference(inference, await found.batcher.infer(inference.feeds, request), found);
      } finally {
        found.gate.leave();
      }
    });
  }
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path.slice(0, 200)}` }, 404));
  app.onError((error, c) => {
    const refusal = error instanceof Refusal ? error : new Refusal(500, "the model failed", { cause: error });
    const status = refusal.status as ContentfulStatusCode; // whose type has no 499
    return c.json({ error: refusal.message }, status, refusal.options.headers);
  });

  const serve = async (request: Request, env?: unknown, ctx?: unknown): Promise<Response> => {
    gate.enter();
    try {
      return await app.fetch(request, env as object, ctx as never);
    } finally {
      gate.leave();
    }
  };
  return Object.assign(serve, {
    reload: (model: string) => models(undefined).reload(model),
    close: () => gate.close(),
  });
}

const VERSION = typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0";

function limitRate(allowed: boolean | number): void {
  if (allowed === true) return;
  const seconds = typeof allowed === "number" ? Math.ceil(allowed) : 1;
  throw new Refusal(429, "too many requests with this key", { headers: { "retry-after": String(seconds) } });
}

/** The metadata of a model; -1 stands for the batch, and parameters say what integers stand for. */
function describe({ name, version, model }: Served): Record<string, unknown> {
  const specs = (list: Model["inputs"]) =>
    list.map(({ name, shape, dtype, quantization, batched = true }) => ({
      name,
      datatype: datatypes[dtype],
      shape: batched ? [-1, ...shape] : shape,
      ...(quantization && { parameters: { scale: quantization.scale, zero_point: quantization.zeroPoint } }),
    }));
  return { name, version, platform: "lanewise", inputs: specs(model.inputs), outputs: specs(model.outputs) };
}
