// Which build of the kernels a model runs on, and on how many threads. What is asked for and cannot be had is quietly done without: the
// model says what it runs with. Nothing here may weigh on a bundle.
import { compile, type KernelSource } from "./kernels.js";
import { kernelBytes, relaxedBytes, threadsEntry } from "./load.js";
import { once } from "./once.js";
import type { Threads } from "./threads/index.js";

export interface VariantOptions {
  /**
   * `exact` (default): the same bits everywhere. `relaxed`: relaxed SIMD, which rounds a product and its sum once where the machine can;
   * faster, and the bits depend on the machine. Where there is no relaxed SIMD, or `kernels.relaxed.wasm` is not found: exact.
   */
  math?: "exact" | "relaxed";
  /**
   * Threads to run on, the calling one among them; default 1. `auto`: as many as the machine has, 8 at most. The same bits with any number.
   * One where there are no workers that share memory (edge runtimes, pages that are not isolated), or `threads.js` is not found.
   */
  threads?: number | "auto";
  /** The kernels, compiled or as bytes, which then are what `math` says and run on one thread; default the ones in this package. */
  kernels?: KernelSource;
}

/** What a model runs with. */
export interface Variant {
  readonly module: WebAssembly.Module;
  readonly math: "exact" | "relaxed";
  /** Where there is more than one. */
  readonly threads?: Threads;
}

export async function findVariant({ kernels, math = "exact", threads = 1 }: VariantOptions): Promise<Variant> {
  if (kernels !== undefined) return { module: await compile(kernels), math };
  const relaxed = math === "relaxed" ? await relaxedKernels() : undefined;
  const found = { math: relaxed ? math : "exact" } as const;
  const shared = threads === 1 ? undefined : await findThreads(found.math, relaxed?.bytes ?? kernelBytes, threads);
  return { ...found, module: shared?.module ?? relaxed?.module ?? (await compile()), threads: shared };
}

/** The file's bytes and its module, where it is found and its instructions are known. */
const relaxedKernels = /* @__PURE__ */ once(async () => {
  try {
    const bytes = (await relaxedBytes()) as Uint8Array<ArrayBuffer>;
    return WebAssembly.validate(bytes) ? { bytes: () => bytes, module: await compile(bytes) } : undefined;
  } catch {
    return undefined;
  }
});

async function findThreads(...options: Parameters<Awaited<ReturnType<typeof threadsEntry>>["findThreads"]>) {
  try {
    return await (await threadsEntry()).findThreads(...options);
  } catch {
    return undefined;
  }
}
