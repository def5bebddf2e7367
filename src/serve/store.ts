// Where served models lie: names, versions of each, and which version is current. What a platform must bring is four functions on keys and
// bytes (`Blobs`, in stores/); all else is here, once.
import { FormatError, rangeError, typeError } from "../errors.js";
import { drain } from "./bytes.js";
import { everyLayer } from "./layers.js";
import { checkManifest, type Manifest } from "./manifest.js";

/** Bytes by key; keys are names joined by "/". */
export interface Blobs {
  /** All keys that start so. */
  list(prefix: string): Promise<string[]>;
  get(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** All of it or nothing: whoever reads meanwhile gets the old bytes or the new ones. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Models by name and version. */
export interface ModelStore {
  /** What its files may hold beside the common layers, as `layers` of `load`: `everyLayer`, but in a `leanStore`. */
  readonly layers: readonly unknown[];
  /** Names of models, sorted. */
  list(): Promise<string[]>;
  /** Versions of a model that are complete, oldest first. */
  versions(model: string): Promise<string[]>;
  /** The version that is served to those who name none; undefined when there is none. */
  current(model: string): Promise<string | undefined>;
  /** Makes a version the current one: also how to roll back. @throws {RangeError} when there is no such version */
  promote(model: string, version: string): Promise<void>;
  manifest(model: string, version: string): Promise<Manifest | undefined>;
  /** The bytes of a version, as they were put. */
  get(model: string, version: string): Promise<ReadableStream<Uint8Array> | undefined>;
  put(model: string, version: string, bytes: Uint8Array, manifest: Manifest): Promise<void>;
  delete(model: string, version: string): Promise<void>;
}

const MANIFEST = "manifest.json";
const BYTES = "model";
const CURRENT = "current";
/** Manifests and pointers are small; nothing larger is read. */
const SMALL = 1 << 20;

/**
 * A store on anything that keeps bytes by key. Its files may hold every layer, all of which it brings.
 * @example
 * const store = modelStore({
 *   list: async () => [],
 *   get: async () => undefined,
 *   put: async () => {},
 *   delete: async () => {},
 * });
 * await store.list(); // []
 */
export const modelStore = (blobs: Blobs): ModelStore => leanStore(blobs, everyLayer);

/**
 * The same for files of which one knows the layers: a bundle is half as large without the others, and starts in less time.
 * @param blobs where bytes lie: `kvBlobs(env.MODELS)`, `r2Blobs(env.MODELS)`
 * @param layers that files hold beside the common ones, as for `load`; default none
 * @example
 * const kv = { list: async () => ({ keys: [], list_complete: true }), get: async () => null, put: async () => {}, delete: async () => {} };
 * await leanStore(kvBlobs(kv), [lstm]).list(); // []
 */
export function leanStore(blobs: Blobs, layers: readonly unknown[] = []): ModelStore {
  const readText = async (key: string) => {
    const stream = await blobs.get(key);
    return stream && new TextDecoder().decode(await readAll(stream, SMALL, key));
  };
  const put = (key: string, text: string) => blobs.put(key, new TextEncoder().encode(text));
  const keysOf = async (model: string) => {
    checkName(model, "a model's name");
    return (await blobs.list(`${model}/`)).map((key) => key.split("/"));
  };
  const store: ModelStore = {
    layers,
    async list() {
      const names = (await blobs.list(""))
        .filter((key) => key.endsWith(`/${MANIFEST}`))
        .map((key) => key.split("/")[0]);
      return [...new Set(names)].sort();
    },
    async versions(model) {
      const keys = await keysOf(model);
      return keys
        .filter((key) => key.length === 3 && key[2] === MANIFEST)
        .map(([, version]) => version)
        .sort(byVersion);
    },
    async current(model) {
      checkName(model, "a model's name");
      // Trimmed, as whoever writes it by hand ends the line.
      return (await readText(`${model}/${CURRENT}`))?.trim() ?? (await store.versions(model)).at(-1);
    },
    async promote(model, version) {
      if ((await store.manifest(model, version)) === undefined) {
        const expected = `a version of ${(await store.versions(model)).join(", ") || "none"}`;
        throw rangeError({ op: "promote", layer: model, expected, actual: version });
      }
      await put(`${model}/${CURRENT}`, version);
    },
    async manifest(model, version) {
      const key = keyOf(model, version, MANIFEST);
      const text = await readText(key);
      return text === undefined ? undefined : checkManifest(text, key);
    },
    get: async (model, version) => blobs.get(keyOf(model, version, BYTES)),
    async put(model, version, bytes, manifest) {
      await blobs.put(keyOf(model, version, BYTES), bytes);
      try {
        await put(keyOf(model, version, MANIFEST), JSON.stringify(manifest, null, 2)); // last: a version is there when its manifest is
      } catch (error) {
        await blobs.delete(keyOf(model, version, BYTES)).catch(() => {}); // nobody would find them
        throw error;
      }
    },
    async delete(model, version) {
      if ((await readText(`${model}/${CURRENT}`))?.trim() === version) {
        throw rangeError({ op: "delete", layer: model, expected: "a version that is not current", actual: version });
      }
      await blobs.delete(keyOf(model, version, MANIFEST));
      await blobs.delete(keyOf(model, version, BYTES));
    },
  };
  return store;
}

function keyOf(model: string, version: string, file: string): string {
  checkName(model, "a model's name");
  checkName(version, "a version");
  return `${model}/${version}/${file}`;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
export const isName = (name: string): boolean => NAME.test(name) && name !== CURRENT;

/** @throws {TypeError} unless it can be part of a key, a path and an address */
export function checkName(name: unknown, what: string): asserts name is string {
  if (typeof name === "string" && isName(name)) return;
  const expected = `${what} of letters, digits, ".", "_" and "-"`;
  throw typeError({ op: "store", expected, actual: JSON.stringify(String(name).slice(0, 64)) });
}

/** Numbers by size, other texts by their characters. */
export function byVersion(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isInteger(x) && Number.isInteger(y) && x !== y) return x - y;
  return a < b ? -1 : Number(a > b);
}

/** All bytes of a stream. @throws {FormatError} when there are more than `most` */
export async function readAll(stream: ReadableStream<Uint8Array>, most: number, what: string): Promise<Uint8Array> {
  const reader = stream.getReader();
  const tooMany = () => new FormatError(`${what}: expected at most ${most} bytes, got more`);
  try {
    return await drain(reader, most, tooMany);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  }
}
