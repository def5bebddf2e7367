// Instantiates the kernels on a memory. The exports are called directly: the loader's own wrappers would cost more than many kernels do.
import { instantiateSync } from "@assemblyscript/loader";
import { UnsupportedError } from "../errors.js";
import type { Kernels } from "./kernels.generated.js";
import { kernelModule } from "./load.js";

export type { Kernels };

/** Where kernels come from: compiled already, or as bytes; by default the ones in this package. */
export type KernelSource = WebAssembly.Module | BufferSource;

/** The module to instantiate. @throws {UnsupportedError} where there is no WebAssembly */
export async function compile(source?: KernelSource): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw new UnsupportedError("this runtime has no WebAssembly");
  if (source === undefined) return kernelModule();
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
}

/** The kernels on a memory of their own: a model has one, and so has each user of the raw kernels. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const { instance } = instantiateSync<Record<string, unknown>>(module, { env: { memory } });
  return instance.exports as unknown as Kernels;
}
