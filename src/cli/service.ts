// The service that `lanewise serve` runs, in the process itself or in each of its workers.
import { stat } from "node:fs/promises";
import { folderStore, type Handler, handler, type ModelStore, memoryStore, publish } from "../serve/index.js";
import type { LoadEvent } from "../serve/options.js";
import { modelName, openFile, readBytes } from "./files.js";
import { publicKey, secretKey } from "./keys.js";
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
  /** Milliseconds. */
  refresh?: number | undefined;
  /** The file that holds the public key. */
  verify?: string | undefined;
  /** The file that holds the secret key. */
  decrypt?: string | undefined;
}

export interface Service {
  readonly serve: Handler;
  readonly models: ModelStore;
  /** Asks the stores now which version of a model is current, or of all models that serve. */
  reload(model?: string): Promise<void>;
}

/** @param loaded told of every model of which a version has loaded */
export async function service(options: ServiceOptions, loaded?: (model: string) => void): Promise<Service> {
  const models = await stores(options);
  const { maxBatch, maxWait, cors, metrics, refresh } = options;
  const batching = { ...(maxBatch !== undefined && { maxBatch }), ...(maxWait !== undefined && { maxWait }) };
  const auth = options.tokens === undefined ? undefined : { tokens: await tokensOf(options.tokens) };
  const open = {
    ...(options.verify !== undefined && { verify: await publicKey(options.verify) }),
    ...(options.decrypt !== undefined && { decrypt: await secretKey(options.decrypt) }),
  };
  const serving = new Set<string>();
  const said = new Map<string, string>();
  /** Failures only, and each once: a store is asked again and again. */
  const load = ({ model, error }: LoadEvent) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (error === undefined) {
      serving.add(model);
      loaded?.(model);
    } else if (said.get(model) !== reason) console.error(`lanewise: "${model}" could not be loaded: ${reason}`);
    said.set(model, error === undefined ? "" : reason);
  };
  const serve = handler({
    models,
    batching,
    open,
    hooks: { load },
    metrics: metrics === true,
    ...(auth && { auth }),
    ...(cors !== undefined && { cors: { origin: cors } }),
    ...(refresh !== undefined && { refresh }),
  });
  return {
    serve,
    models,
    async reload(model) {
      const names = model === undefined ? [...serving] : [model];
      await Promise.all(names.map((name) => serve.reload(name).catch(() => {}))); // which `load` is told of
    },
  };
}

/** Files go into a store in memory, folders are stores; of a name the first one counts. */
async function stores({ paths, verify }: ServiceOptions): Promise<ModelStore> {
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
    if (verify !== undefined) throw new UsageError(`${path}: expected folders with --verify, a file is not signed`);
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
