// What answers calls: routes, who may ask, and what is told of it afterwards.
import { TrieRouter } from "hono/router/trie-router";
import { authorize, tokenOf } from "./auth.js";
import { Budget, Share } from "./budget.js";
import { type Answer, type Call, json, refused } from "./call.js";
import { preflight, readable } from "./cors.js";
import { Gate } from "./gate.js";
import { Host, type Served } from "./host.js";
import { readInference, writeInference } from "./infer.js";
import { describe } from "./metadata.js";
import { Metrics } from "./metrics.js";
import { openapi } from "./openapi.js";
import { checkHandlerOptions, type HandlerOptions } from "./options.js";
import { JSON_LENGTH } from "./protocol.js";
import { Refusal } from "./refusal.js";

declare const __VERSION__: string;

export interface Service {
  /** Never fails: what goes wrong is an answer, too. @param env what a Worker has from its platform */
  answer(call: Call, env?: unknown): Promise<Answer>;
  /** Asks the store now which version is current, and waits until it serves. @returns the version */
  reload(model: string): Promise<string>;
  /** Its numbers in Prometheus' text format; "" unless `metrics` was asked for. */
  metrics(): string;
  /** Not ready from now on; resolves when no call is under way. */
  close(): Promise<void>;
}

/** A call on its way. */
interface Asked {
  readonly call: Call;
  /** What a Worker has from its platform. */
  readonly env: unknown;
  /** What its path names. */
  readonly model: string;
  readonly version?: string | undefined;
  /** What serves it, once that is known. Metrics have names from here alone: they must not grow with what strangers ask for. */
  served?: Served;
}

interface Route {
  readonly run: (asked: Asked) => Answer | Promise<Answer>;
  /** For everyone, whatever tokens there are. */
  readonly isOpen?: boolean;
}

export function service(options: HandlerOptions): Service {
  const { limits, refresh, name: serverName } = checkHandlerOptions(options);
  const { batching = {}, auth, cors, hooks = {}, open = {} } = options;
  const metrics = options.metrics ? new Metrics() : undefined;
  const gate = new Gate();
  const budget = new Budget(limits.totalBytes);
  const router = new TrieRouter<Route>();
  const get = (path: string, run: Route["run"], more = {}) => router.add("GET", path, { run, ...more });
  let host: Host | undefined;

  const hostOf = ({ env }: { readonly env?: unknown }): Host => {
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

  const numbers = (): string => {
    metrics?.set("lanewise_waiting", "Requests in queues.", {}, host?.waiting ?? 0);
    return String(metrics ?? "");
  };

  const find = async (asked: Asked): Promise<Served> => {
    asked.served = await hostOf(asked).get(asked.model, asked.version);
    return asked.served;
  };

  const infer = async (asked: Asked): Promise<Answer> => {
    gate.checkOpen();
    const { call } = asked;
    if (hooks.rateLimit) limitRate(await hooks.rateLimit(tokenOf(call), call.request));
    const found = await find(asked);
    found.gate.enter();
    const share = new Share(budget);
    try {
      const body = await call.body(limits, share);
      const inference = readInference(body, call.header(JSON_LENGTH), found.model);
      return writeInference(inference, await found.batcher.infer(inference.feeds, call), found);
    } finally {
      share.giveBack();
      found.gate.leave();
    }
  };

  get("/v2/health/live", () => json({ live: true }), { isOpen: true });
  const ready = () => {
    gate.checkOpen();
    return json({ ready: true });
  };
  get("/v2/health/ready", ready, { isOpen: true });
  get("/v2", () => json({ name: serverName, version: VERSION, extensions: ["binary_tensor_data"] }));
  get("/openapi.json", () => json(openapi(serverName, VERSION)));
  if (metrics) {
    const headers = { "content-type": "text/plain; version=0.0.4" };
    get("/metrics", () => ({ status: 200, headers, body: numbers() }));
  }
  get("/v2/models", async (asked) => json({ models: await hostOf(asked).names() }));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    get(path, async (asked) => {
      const { name, version, model } = await find(asked);
      return json({ ...describe(name, version, model), versions: await hostOf(asked).versions(name) });
    });
    get(`${path}/ready`, async (asked) => json({ name: (await find(asked)).name, ready: true }));
    router.add("POST", `${path}/infer`, { run: infer });
  }

  const routeOf = ({ method, path }: Call): [Route | undefined, Record<string, string>] => {
    const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const [[found]] = router.match(method === "HEAD" ? "GET" : method, trimmed);
    return found ? [found[0], found[1] as Record<string, string>] : [undefined, {}];
  };

  const told = ({ call, served }: Asked, { status }: Answer, milliseconds: number, error: unknown): void => {
    const { name: model, version } = served ?? {};
    const labels = { model: model ?? "", status: String(status) };
    metrics?.add("lanewise_requests_total", "Requests by model and status.", labels);
    if (model !== undefined)
      metrics?.observe("lanewise_request_seconds", "Time of a request.", { model }, milliseconds / 1000);
    const { method, path } = call;
    hooks.request?.({ method, path, status, milliseconds, model, version, error });
  };

  const answer = async (call: Call, env?: unknown): Promise<Answer> => {
    const early = cors && preflight(call, cors);
    if (early) return early;
    gate.enter();
    const start = performance.now();
    const [route, { model = "", version }] = routeOf(call);
    const asked: Asked = { call, env, model: decoded(model), version: version && decoded(version) };
    let error: unknown;
    let result: Answer;
    try {
      if (auth && !route?.isOpen) await authorize(tokenOf(call), auth);
      if (!route) throw new Refusal(404, `there is no ${call.method.slice(0, 20)} ${call.path.slice(0, 200)}`);
      result = await route.run(asked);
    } catch (cause) {
      error = cause;
      result = refused(cause);
    } finally {
      gate.leave();
    }
    try {
      if (metrics || hooks.request) told(asked, result, performance.now() - start, error);
    } catch (cause) {
      result = refused(cause);
    }
    return cors ? readable(result, call, cors) : result;
  };

  return {
    answer,
    reload: (model) => hostOf({}).reload(model),
    metrics: numbers,
    close: () => gate.close(),
  };
}

const VERSION = typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0";

function limitRate(allowed: boolean | number): void {
  if (allowed === true) return;
  const seconds = typeof allowed === "number" ? Math.ceil(allowed) : 1;
  throw new Refusal(429, "too many requests with this key", { headers: { "retry-after": String(seconds) } });
}

/** What a part of a path stands for; what stands for nothing is no name of a model, and stays as it is. */
function decoded(part: string): string {
  if (!part.includes("%")) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
