// Where the kernel module comes from when the caller brings none: its bytes are part of this file's bundle. Edge runtimes,
// which may not compile bytes, get load.workerd.ts in its place (scripts/build/bundle.mjs); kernels.ts instantiates the module.
import { KERNELS } from "./wasm.generated.js";

/**
 * The compiled kernels. Compiling takes milliseconds and its result is immutable, so a process does it once: the promise kept
 * here is the only thing this package remembers between calls, and nothing depends on whether it was there before.
 * @example
 * const model = await build(input([4]), dense(2), { kernels: await kernelModule() });
 */
export const kernelModule: () => Promise<WebAssembly.Module> = /* @__PURE__ */ once(() =>
  WebAssembly.compile(fromBase64(KERNELS)),
);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

interface Decoders {
  Uint8Array: { fromBase64?(text: string): Uint8Array<ArrayBuffer> };
  Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const { Uint8Array: bytes, Buffer: buffer } = globalThis as unknown as Decoders;
  if (bytes.fromBase64) return bytes.fromBase64(text);
  if (buffer) return buffer.from(text, "base64"); // Node 20 to 24: 0.1 ms instead of 1.2 in a fresh process
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
