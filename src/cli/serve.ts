// lanewise serve: files and stores behind HTTP, on Node's server, until a signal ends it.
import { stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Command } from "commander";
import { folderStore, type HandlerOptions, handler, type ModelStore, memoryStore, publish } from "../serve/index.js";
import { modelName, openFile, readBytes } from "./files.js";
import { fileError, integer, UsageError } from "./usage.js";

interface ServeOptions {
  port: number;
  host: string;
  maxBatch?: number;
  maxWait?: number;
  cors?: string;
  metrics?: boolean;
  tokens?: string;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve models by the Open Inference Protocol v2: a file under its base name, a folder as a store")
    .argument("<path...>", "files of models (safetensors, TFLite) and folders that are stores")
    .option("--port <n>", "0 takes a free one", integer("port", 0, 65535), 8080)
    .option("--host <address>", "where it listens", "127.0.0.1")
    .option("--max-batch <n>", "samples that are predicted together at most", integer("max-batch", 1))
    .option("--max-wait <ms>", "milliseconds that a request waits for others", integer("max-wait", 0))
    .option("--cors <origin>", 'who may ask from a page of another origin; "*" is everyone')
    .option("--tokens <file>", "bearer tokens, one a line, of which every request must bring one")
    .option("--metrics", "Prometheus' text format at /metrics")
    .option("--json", "the address as JSON on standard output")
    .action(serve);
}

async function serve(paths: string[], options: ServeOptions): Promise<void> {
  const models = await stores(paths);
  const { maxBatch, maxWait, cors, metrics } = options;
  const batching = { ...(maxBatch !== undefined && { maxBatch }), ...(maxWait !== undefined && { maxWait }) };
  const auth = options.tokens === undefined ? undefined : { tokens: await tokensOf(options.tokens) };
  const given: HandlerOptions = { models, batching, ...(auth && { auth }), ...(cors && { cors: { origin: cors } }) };
  const fetch = handler({ ...given, metrics: metrics === true });
  // Requests and responses are Node's own classes, whoever else is in the process.
  const server = createAdaptorServer({ fetch: (request) => fetch(request), overrideGlobalObjects: false });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => {
      const reason = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
      reject(new UsageError(`${options.host}:${options.port}: ${reason}`));
    });
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  const names = await models.list();
  if (options.json) console.log(JSON.stringify({ url, models: names }));
  console.error(`lanewise: serving ${names.join(", ") || "a store without models"} on ${url}`);
  await ended();
  // No new connections; requests under way are answered; what then is idle is closed.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await fetch.close();
  const idle = setInterval(() => "closeIdleConnections" in server && server.closeIdleConnections(), 20);
  await closed;
  clearInterval(idle);
}

/** The first signal ends gracefully; the second one at once, as ever. */
const ended = () =>
  new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });

/** Files go into a store in memory, folders are stores; of a name the first one counts. */
async function stores(paths: readonly string[]): Promise<ModelStore> {
  const memory = memoryStore();
  const folders: ModelStore[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((error) => {
      throw fileError(path, error);
    });
    if (found.isDirectory()) {
      folders.push(folderStore(path));
      continue;
    }
    const name = modelName(path);
    if ((await memory.versions(name)).length > 0) throw new UsageError(`${path}: there is a "${name}" already`);
    const { model } = await openFile(path);
    await publish(memory, name, model);
  }
  return union(folders.length === paths.length ? folders : [memory, ...folders]);
}

function union(all: readonly ModelStore[]): ModelStore {
  const [first] = all;
  if (all.length === 1) return first;
  const holder = async (model: string) => {
    for (const store of all) if ((await store.versions(model)).length > 0) return store;
    return first;
  };
  return {
    list: async () => [...new Set((await Promise.all(all.map((store) => store.list()))).flat())].sort(),
    versions: async (model) => (await holder(model)).versions(model),
    current: async (model) => (await holder(model)).current(model),
    promote: async (model, version) => (await holder(model)).promote(model, version),
    manifest: async (model, version) => (await holder(model)).manifest(model, version),
    get: async (model, version) => (await holder(model)).get(model, version),
    put: async (model, version, bytes, manifest) => (await holder(model)).put(model, version, bytes, manifest),
    delete: async (model, version) => (await holder(model)).delete(model, version),
  };
}

async function tokensOf(path: string): Promise<string[]> {
  const lines = new TextDecoder().decode(await readBytes(path)).split("\n");
  const tokens = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (tokens.length === 0) throw new UsageError(`${path}: expected tokens, one a line, got none`);
  return tokens;
}
