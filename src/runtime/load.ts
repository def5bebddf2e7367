// Where modules come from when the caller brings none: their bytes are part of the bundle. Edge runtimes, which may not compile bytes, get
// load.workerd.ts in the place of this file and a .wasm file in the place of each text (scripts/build/bundle.mjs).
import { exactDot } from "./dot.js";
import { familyOf, type KernelFamily } from "./family.js";
import { readSource } from "./read.js";

/** A family of this package from its bytes as hexadecimal text, and those of kernels with a dot product of bytes. */
export const kernelFamily = (name: string, code: string, dot?: string): KernelFamily => ({
  ...familyOf(name, () => fromHex(code)),
  ...(dot !== undefined && { faster: exactDot(`${name} dot`, () => fromHex(dot)) }),
});

// What is not the default stays in files of its own beside this one's bundle; where they are not, these reject. Bundlers that know the form
// `new URL("./file", import.meta.url)` take such files along.
export const relaxedBytes = (): Promise<Uint8Array> => readSource(new URL("./kernels.relaxed.wasm", import.meta.url));
export const threadsEntry = (): Promise<typeof import("./threads/index.js")> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ new URL("./threads.js", import.meta.url).href);

interface Decoders {
  Uint8Array: { fromHex?(text: string): Uint8Array<ArrayBuffer> };
  Buffer?: { from(text: string, encoding: "hex"): Uint8Array<ArrayBuffer> };
}

// Hexadecimal and not base64: a byte stays a pair of characters, so that gzip finds what repeats (22 KB for all kernels, not 30).
function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const { Uint8Array: bytes, Buffer: buffer } = globalThis as unknown as Decoders;
  if (bytes.fromHex) return bytes.fromHex(text);
  if (buffer) return buffer.from(text, "hex"); // Node 20 to 24: a tenth of the loop's time in a fresh process
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
