// Where the kernel module comes from when the caller brings none: its bytes are part of this file's bundle. Edge runtimes,
// which may not compile bytes, get load.workerd.ts in its place (scripts/build/bundle.mjs); kernels.ts instantiates the module.
import { once } from "./once.js";
import { readSource } from "./read.js";
import { KERNELS } from "./wasm.generated.js";

/**
 * The compiled kernels. Compiling takes milliseconds and its result is immutable, so a process does it once: promises of modules
 * and the workers of threads/ are all that this package remembers between calls, and nothing depends on whether they were there before.
 * @example
 * const model = await build(input([4]), dense(2), { kernels: await kernelModule() });
 */
export const kernelModule: () => Promise<WebAssembly.Module> = /* @__PURE__ */ once(() =>
  WebAssembly.compile(kernelBytes()),
);

/** The same before it is compiled, for builds made from it. */
export const kernelBytes = (): Uint8Array<ArrayBuffer> => fromHex(KERNELS);

// What is not the default stays in files of its own beside this one's bundle; where they are not, these reject. Bundlers that know the form
// `new URL("./file", import.meta.url)` take such files along.
export const relaxedBytes = (): Promise<Uint8Array> => readSource(new URL("./kernels.relaxed.wasm", import.meta.url));
export const threadsEntry = (): Promise<typeof import("./threads/index.js")> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ new URL("./threads.js", import.meta.url).href);

interface Decoders {
  Uint8Array: { fromHex?(text: string): Uint8Array<ArrayBuffer> };
  Buffer?: { from(text: string, encoding: "hex"): Uint8Array<ArrayBuffer> };
}

// Hexadecimal and not base64: a byte stays a pair of characters, so that gzip finds what repeats (22 KB of a bundle, not 30).
function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const { Uint8Array: bytes, Buffer: buffer } = globalThis as unknown as Decoders;
  if (bytes.fromHex) return bytes.fromHex(text);
  if (buffer) return buffer.from(text, "hex"); // Node 20 to 24: a tenth of the loop's time in a fresh process
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
