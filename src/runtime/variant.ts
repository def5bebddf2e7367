// Which build of the kernels a model runs on, and on how many threads. What is asked for and cannot be had is quietly done without: the
// model says what it runs with. Nothing here may weigh on a bundle.
import { core } from "./families/core.js";
import { familyOf, type KernelFamily, withFaster } from "./family.js";
import { compile, type KernelSource } from "./kernels.js";
import { relaxedBytes, threadsEntry } from "./load.js";
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
  /**
   * The kernels, compiled or as bytes, which then are what `math` says and run on one thread; default the ones in this package, and so is
   * whatever these lack.
   */
  kernels?: KernelSource;
}

/** What a model runs with. */
export interface Variant {
  readonly module: WebAssembly.Module;
  /** Whether the module holds the kernels of all families: those of this package are then for what it lacks. */
  readonly whole: boolean;
  readonly math: "exact" | "relaxed";
  /** Where there is more than one. */
  readonly threads?: Threads;
}

/** @param families what the model needs beside the core family */
export async function findVariant(
  { kernels, math = "exact", threads = 1 }: VariantOptions,
  families: Iterable<KernelFamily>,
): Promise<Variant> {
  if (kernels !== undefined) return { module: await compile(kernels), whole: true, math };
  const relaxed = math === "relaxed" ? await relaxedKernels() : undefined;
  const shared = threads === 1 ? undefined : await findThreads(threads);
  const base = relaxed ?? core;
  const variant = {
    module: await (shared ? shared.familyOf(base).compile() : compile(relaxed?.module())),
    whole: relaxed !== undefined,
    math: relaxed ? math : "exact",
    threads: shared,
  } as const;
  await prepare(variant, families);
  return variant;
}

/** Compiles families ahead of their first call, which else would wait for it. */
export async function prepare({ whole, threads }: Variant, families: Iterable<KernelFamily>): Promise<void> {
  if (whole) return;
  const all = Array.from(families, withFaster).flat();
  await Promise.all(all.map((family) => (threads?.familyOf(family) ?? family).compile()));
}

/** All relaxed kernels in one, where the file is found and its instructions are known. */
const relaxedKernels = /* @__PURE__ */ once(async () => {
  try {
    const bytes = (await relaxedBytes()) as Uint8Array<ArrayBuffer>;
    const family = familyOf("relaxed", () => bytes);
    return WebAssembly.validate(bytes) && (await family.compile()) ? family : undefined;
  } catch {
    return undefined;
  }
});

async function findThreads(count: number | "auto"): Promise<Threads | undefined> {
  try {
    return (await threadsEntry()).findThreads(count);
  } catch {
    return undefined;
  }
}
