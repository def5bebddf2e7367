// A store in a folder, where there is a file system: Node, Deno and Bun.
import { UnsupportedError } from "../../errors.js";
import { type ModelStore, modelStore } from "../store.js";
import { streamOf } from "./memory.js";

interface Files {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string, options: { recursive: true; withFileTypes: true }): Promise<Entry[]>;
  stat(path: string): Promise<{ mtimeMs: number }>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
  writeFile(path: string, bytes: Uint8Array, options: { flush: true }): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly parentPath: string;
  isFile(): boolean;
}

interface Paths {
  join(...parts: string[]): string;
  dirname(path: string): string;
  relative(from: string, to: string): string;
  readonly sep: string;
}

/**
 * A store in a folder: `<model>/<version>/model`, `manifest.json` beside it, and `<model>/current`.
 * @param path of the folder; it is made when something is put into it
 * @throws {UnsupportedError} where there is no file system
 * @example
 * const store = folderStore("/tmp/lanewise-no-such-folder");
 * await store.list(); // []
 */
export function folderStore(path: string): ModelStore {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const files = process?.getBuiltinModule?.("node:fs/promises") as Files | undefined;
  const paths = process?.getBuiltinModule?.("node:path") as Paths | undefined;
  if (!files || !paths) throw new UnsupportedError("folderStore: this runtime has no file system");
  const at = (key: string) => paths.join(path, ...key.split("/"));
  const under = async (folder: string) =>
    (await absent(files.readdir(at(folder), { recursive: true, withFileTypes: true }))) ?? [];
  /** Removes drafts of processes that were killed while they wrote. */
  const sweep = async (model: string) => {
    for (const { name, parentPath } of (await under(model)).filter((entry) => entry.name.endsWith(DRAFT))) {
      const draft = paths.join(parentPath, name);
      const written = (await absent(files.stat(draft)))?.mtimeMs ?? Number.POSITIVE_INFINITY;
      if (Date.now() - written > ABANDONED) await files.rm(draft, { force: true });
    }
  };
  return modelStore({
    async list(prefix) {
      const keys = (await under(prefix.slice(0, prefix.lastIndexOf("/") + 1)))
        .filter((entry) => entry.isFile() && !entry.name.endsWith(DRAFT))
        .map((entry) => paths.relative(path, paths.join(entry.parentPath, entry.name)).split(paths.sep).join("/"));
      return keys.filter((key) => key.startsWith(prefix));
    },
    get: async (key) => streamOf(await absent(files.readFile(at(key)))),
    async put(key, bytes) {
      await sweep(key.split("/")[0]).catch(() => {}); // first, as the disk may be full of them
      const target = at(key);
      const draft = `${target}.${crypto.randomUUID()}${DRAFT}`;
      await files.mkdir(paths.dirname(target), { recursive: true });
      try {
        await files.writeFile(draft, bytes, { flush: true });
        await files.rename(draft, target);
      } catch (error) {
        await files.rm(draft, { force: true }).catch(() => {}); // a full disk: what was there stays
        throw error;
      }
    },
    delete: (key) => files.rm(at(key), { force: true }),
  });
}

const DRAFT = ".draft";
/** Milliseconds since anything was written to a draft, after which nobody will. */
const ABANDONED = 600_000;

/** What a promise of something in the file system gives; undefined where it is not there. */
async function absent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}
