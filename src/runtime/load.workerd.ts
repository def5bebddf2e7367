// load.ts for Cloudflare Workers (workerd) and Vercel's edge runtime, where bytes may not be compiled but a .wasm file imports
// as a module. The bundle keeps this import, pointed at the package's own dist/kernels.wasm (scripts/build/bundle.mjs).
import module from "./kernels.wasm";

/** The compiled kernels: the platform compiled them when it deployed the code. */
export const kernelModule = (): Promise<WebAssembly.Module> => Promise.resolve(module);

/** There are none to be had, and nobody to compile them. */
export const kernelBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array();
