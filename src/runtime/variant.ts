// Which build of the kernels a model runs on. What is asked for and cannot be had is quietly done without: the model says what it
// runs with. Nothing here may weigh on a bundle: what is not the default stays in files of its own, found beside this one.
import { compile, type KernelSource } from "./kernels.js";
import { readSource } from "./read.js";

export interface VariantOptions {
  /**
   * `exact` (default): the same bits everywhere. `relaxed`: relaxed SIMD, which rounds a product and its sum once where the machine can;
   * faster, and the bits depend on the machine. Where there is no relaxed SIMD, or `kernels.relaxed.wasm` is not found: exact.
   */
  math?: "exact" | "relaxed";
  /** The kernels, compiled or as bytes, which then are what `math` says; default the ones in this package. */
  kernels?: KernelSource;
}

/** What a model runs with. */
export interface Variant {
  readonly module: WebAssembly.Module;
  readonly math: "exact" | "relaxed";
}

export async function findVariant({ kernels, math = "exact" }: VariantOptions): Promise<Variant> {
  if (math === "exact" || kernels !== undefined) return { module: await compile(kernels), math };
  const bytes = await relaxedKernels();
  return bytes ? { module: await compile(bytes), math } : { module: await compile(), math: "exact" };
}

/** The file's bytes, where it is found and its instructions are known. */
async function relaxedKernels(): Promise<BufferSource | undefined> {
  try {
    const bytes = (await readSource(new URL("./kernels.relaxed.wasm", import.meta.url))) as Uint8Array<ArrayBuffer>;
    return WebAssembly.validate(bytes) ? bytes : undefined;
  } catch {
    return undefined;
  }
}
