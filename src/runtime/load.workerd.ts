// load.ts for Cloudflare Workers (workerd) and Vercel's edge runtime, where bytes may not be compiled but a .wasm file imports
// as a module. The bundle keeps this import, pointed at the package's own dist/kernels.wasm (scripts/build/bundle.mjs).
import { UnsupportedError } from "../errors.js";
import module from "./kernels.wasm";

/** The compiled kernels: the platform compiled them when it deployed the code. */
export const kernelModule = (): Promise<WebAssembly.Module> => Promise.resolve(module);

// No bytes may be compiled and there are no workers: what load.ts has for relaxed kernels and threads is nothing here, not even an address
// that a bundler would look for.
export const kernelBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array();
export const relaxedBytes = (): Promise<Uint8Array> =>
  Promise.reject(new UnsupportedError("edge runtimes compile no bytes"));
export const threadsEntry = (): Promise<never> => Promise.reject(new UnsupportedError("edge runtimes have no threads"));
