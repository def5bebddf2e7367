// The service that `lanewise serve` runs, in the process itself or in each of its workers.
import { stat } from "node:fs/promises";
import { folderStore, type Handler, handler, type ModelStore, memoryStore, publish } from "../serve/index.js";
import { modelName, openFile, readBytes } from "./files.js";
import { fileError, UsageError } from "./usage.js";

/** What a service is made of: plain data, so that it goes to workers. */
export interface ServiceOptions {
  paths: readonly string[];
  maxBatch?: number | undefined;
  maxWait?: number | undefined;
  cors?: string | undefined;
  metrics?: boolean | undefined;
  /** The file that holds them. */
  tokens?: string | undefined;
}

export async function service(options: ServiceOptions): Promise<{ fetch: Handler; models: ModelStore }> {
  const models = await stores(options.paths);
  const { maxBatch, maxWait, cors, metrics } = options;
  const batching = { ...(maxBatch !== undefined && { maxBatch }), ...(maxWait !== undefined && { maxWait }) };
  const auth = options.tokens === undefined ? undefined : { tokens: await tokensOf(options.tokens) };
  const given = { models, batching, ...(auth && { auth }), ...(cors && { cors: { origin: cors } }) };
  return { fetch: handler({ ...given, metrics: metrics === true }), models };
}

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
    layers: first.layers,
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
