// load.ts for Cloudflare Workers (workerd) and Vercel's edge runtime, where bytes may not be compiled but a .wasm file imports as a module:
// what families/ import are the package's own dist/kernels.*.wasm (scripts/build/bundle.mjs).
import { UnsupportedError } from "../errors.js";
import type { KernelFamily } from "./family.js";

/** A family that the platform compiled when it deployed the code. */
export function kernelFamily(name: string, code: unknown, _dot?: unknown): KernelFamily {
  const module = code as WebAssembly.Module;
  return { name, bytes: () => new Uint8Array(), compile: () => Promise.resolve(module), module: () => module };
}

// There are no bytes to compile and no workers: what load.ts has for relaxed kernels and threads is nothing here, not even an address that a
// bundler would look for.
export const relaxedBytes = (): Promise<Uint8Array> =>
  Promise.reject(new UnsupportedError("edge runtimes compile no bytes"));
export const threadsEntry = (): Promise<never> => Promise.reject(new UnsupportedError("edge runtimes have no threads"));
