// Bytes from wherever a platform keeps them. One of the few files that know a platform.
import { FormatError, typeError } from "../errors.js";

/** Bytes, a response that will have them, or an address to fetch; in Node and Bun also a `file:` URL. */
export type Source = Uint8Array | ArrayBuffer | Response | URL | string;

interface FileSystem {
  readFileSync(path: URL): Uint8Array;
}

export async function readSource(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Response === "function" && source instanceof Response) return body(source);
  if (source instanceof URL || typeof source === "string") return readFile(source) ?? body(await fetch(source));
  throw typeError({ op: "load", expected: "bytes, a Response or a URL", actual: typeof source });
}

async function body(response: Response): Promise<Uint8Array> {
  if (!response.ok)
    throw new FormatError(`load: expected a successful response from ${response.url}, got status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What a `file:` URL names, where there is a file system; fetch reads none. */
function readFile(source: URL | string): Uint8Array | undefined {
  if (!String(source).startsWith("file:")) return undefined;
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): FileSystem | undefined } };
  return process?.getBuiltinModule?.("node:fs")?.readFileSync(new URL(source));
}
