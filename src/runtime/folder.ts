// Folders, where a runtime has a file system: Node, Deno and Bun. One of the few files that know a platform.

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
}

interface FileSystem {
  statSync(path: string | URL, options: { throwIfNoEntry: false }): Entry | undefined;
  readdirSync(path: string, options: { withFileTypes: true }): Entry[];
  readonly promises: { readFile(path: string | URL): Promise<Uint8Array> };
}

interface Path {
  fileURLToPath(url: URL | string): string;
}

function builtin<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): T | undefined } };
  return process?.getBuiltinModule?.(name);
}

/** What there is at a path of this machine. */
export interface Local {
  readonly path: string;
  readonly kind: "file" | "folder" | "nothing";
}

/** What a path or a `file:` URL names; undefined for other URLs, and where there is no file system. */
export function local(source: string | URL): Local | undefined {
  const text = String(source);
  const url = /^[a-z][a-z0-9+.-]+:/i.test(text); // one letter is a drive
  if (url && !/^file:/i.test(text)) return undefined;
  const [fs, paths] = [builtin<FileSystem>("node:fs"), builtin<Path>("node:url")];
  if (fs === undefined || paths === undefined) return undefined;
  const path = url ? paths.fileURLToPath(text) : text;
  const found = fs.statSync(path, { throwIfNoEntry: false });
  return { path, kind: found === undefined ? "nothing" : found.isDirectory() ? "folder" : "file" };
}

/** The files under a folder, by their paths from there with "/" between; folders that are links are left out. */
export function filesUnder(folder: string): string[] {
  const fs = builtin<FileSystem>("node:fs") as FileSystem;
  const found: string[] = [];
  const open = [""];
  for (let under = open.pop(); under !== undefined; under = open.pop()) {
    for (const entry of fs.readdirSync(`${folder}/${under}`, { withFileTypes: true })) {
      if (entry.isDirectory()) open.push(`${under}${entry.name}/`);
      else if (entry.isFile() || fs.statSync(`${folder}/${under}${entry.name}`, { throwIfNoEntry: false })?.isFile())
        found.push(under + entry.name);
    }
  }
  return found;
}

export const readLocal = (path: string): Promise<Uint8Array> =>
  (builtin<FileSystem>("node:fs") as FileSystem).promises.readFile(path);
