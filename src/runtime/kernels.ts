// Instantiates the kernels on a memory.
import { UnsupportedError } from "../errors.js";
import { core } from "./families/core.js";
import type { Kernels } from "./kernels.generated.js";

export type { Kernels };

/** Where kernels come from: compiled already, or as bytes; by default the ones in this package. */
export type KernelSource = WebAssembly.Module | BufferSource;

/** The module to instantiate, by default the family that every model has. @throws {UnsupportedError} where there is no WebAssembly */
export async function compile(source?: KernelSource): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw new UnsupportedError("this runtime has no WebAssembly");
  if (source === undefined) return core.compile();
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
}

/** The kernels of a module on a memory: a model has one, and so has each user of the raw kernels. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}

/** What asserts call, which only the debug build has. */
function abort(_message: number, _file: number, line: number): never {
  throw new Error(`assertion failed in a kernel, line ${line}`);
}
