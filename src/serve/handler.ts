// The entry "lanewise/serve": a standard fetch handler that speaks the Open Inference Protocol v2.
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { Model } from "../program/model.js";
import { authorize, tokenOf } from "./auth.js";
import { readBody } from "./body.js";
import { Host, type Served } from "./host.js";
import { readInference, writeInference } from "./infer.js";
import { Metrics } from "./metrics.js";
import { openapi } from "./openapi.js";
import { checkHandlerOptions, type HandlerOptions, type RequestEvent } from "./options.js";
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

type Facts = { model?: string; version?: string };

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
  let host: Host | undefined;
  let underWay = 0;
  let closing = false;
  let idle: (() => void) | undefined;

  const models = (env: unknown): Host => {
    host ??= new Host(typeof options.models === "function" ? options.models(env as never) : options.models, {
      batching,
      queue: limits.queue,
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

  const app = new Hono<{ Variables: { facts: Facts; key: string } }>({ strict: false });
  if (options.cors) {
    const { origin } = options.cors;
    app.use(cors({ origin, allowMethods: ["GET", "POST", "OPTIONS"], exposeHeaders: [JSON_LENGTH] }));
  }
  app.use(async (c, next) => {
    const facts: Facts = {};
    c.set("facts", facts);
    const start = performance.now();
    await next();
    const milliseconds = performance.now() - start;
    const { status } = c.res;
    const { model } = facts;
    metrics?.add("lanewise_requests_total", "Requests by model and status.", {
      model: model ?? "",
      status: String(status),
    });
    if (model !== undefined)
      metrics?.observe("lanewise_request_seconds", "Time of a request.", { model }, milliseconds / 1000);
    if (!hooks.request) return;
    const event: RequestEvent = {
      method: c.req.method,
      path: c.req.path,
      status,
      milliseconds,
      ...facts,
      error: c.error,
    };
    hooks.request(event);
  });
  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", (c) => {
    if (closing) throw shuttingDown();
    return c.json({ ready: true });
  });
  app.use(async (c, next) => {
    const key = tokenOf(c.req.raw);
    if (auth) await authorize(key, auth);
    c.set("key", key);
    return next();
  });
  app.get("/v2", (c) => c.json({ name: serverName, version: VERSION, extensions: ["binary_tensor_data"] }));
  app.get("/openapi.json", (c) => c.json(openapi(serverName, VERSION)));
  if (metrics) {
    app.get("/metrics", (c) => {
      metrics.set("lanewise_waiting", "Requests in queues.", {}, models(c.env).waiting);
      return c.text(String(metrics), 200, { "content-type": "text/plain; version=0.0.4" });
    });
  }
  app.get("/v2/models", async (c) => c.json({ models: await models(c.env).names() }));

  type C = Context<{ Variables: { facts: Facts; key: string } }>;
  const served = async (c: C): Promise<Served> => {
    const facts = c.get("facts");
    const found = await models(c.env).get(c.req.param("model") as string, c.req.param("version"));
    facts.model = found.name; // known names only: metrics must not grow with what strangers ask for
    facts.version = found.version;
    return found;
  };
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get(path, async (c: C) => {
      const found = await served(c);
      return c.json({ ...describe(found), versions: await models(c.env).versions(found.name) });
    });
    app.get(`${path}/ready`, async (c: C) => {
      const { name } = await served(c);
      return c.json({ name, ready: true });
    });
    app.post(`${path}/infer`, async (c: C) => {
      if (closing) throw shuttingDown();
      const request = c.req.raw;
      await limitRate(await hooks.rateLimit?.(c.get("key"), request));
      const body = await readBody(request, limits.bodyBytes, limits.bodyTime);
      const { model, version, name, batcher } = await served(c);
      const inference = readInference(body, request.headers.get(JSON_LENGTH), model);
      const results = await batcher.infer(inference.feeds, limits.deadline, request.signal);
      return writeInference(inference, results, model, name, version);
    });
  }
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path.slice(0, 200)}` }, 404));
  app.onError((error, c) => {
    const refusal = error instanceof Refusal ? error : new Refusal(500, "the model failed", { cause: error });
    return c.json({ error: refusal.message }, refusal.status, refusal.options.headers);
  });

  const serve = async (request: Request, env?: unknown, ctx?: unknown): Promise<Response> => {
    underWay++;
    try {
      return await app.fetch(request, env as object, ctx as never);
    } finally {
      underWay--;
      if (underWay === 0) idle?.();
    }
  };
  return Object.assign(serve, {
    reload: (model: string) => models(undefined).reload(model),
    close: async () => {
      closing = true;
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
    },
  });
}

const VERSION = typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0";

const shuttingDown = () => new Refusal(503, "the server is shutting down", { headers: { "retry-after": "1" } });

function limitRate(allowed: boolean | number | undefined): void {
  if (allowed === undefined || allowed === true) return;
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
