// The entry "lanewise/kernels": the kernels themselves, for those who bring their own graphs. No planning, no checks: addresses
// are the caller's, and a wrong one reads or writes elsewhere in the same memory. Their list, with types, is `Kernels`.
import { families } from "./families/index.js";
import { compile, instantiateKernels, type KernelSource, type Kernels } from "./kernels.js";

export type { KernelSource, Kernels };

/**
 * The compiled kernels that inference of common layers calls, the same module for all of a process.
 * @throws {UnsupportedError} where there is no WebAssembly
 * @example
 * const model = await build(input([4]), dense(2), { kernels: await kernelModule() });
 */
export const kernelModule = (): Promise<WebAssembly.Module> => compile();

/** Kernels and the memory that their addresses point into. */
export interface KernelInstance {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
}

/**
 * Instantiates all kernels on a memory.
 *
 * Addresses are bytes and multiples of 16, from `kernels.heapBase()` on; sizes are elements. A kernel may read up to 64 bytes
 * past an input and writes nothing past an output. `memory.grow()` detaches earlier views of `memory.buffer`.
 *
 * @param options.kernels another build of the kernels, a module or bytes; default: the one in this package
 * @param options.memory default: a new one of one page (64 KiB) that may grow to 4 GiB
 * @throws {UnsupportedError} where there is no WebAssembly
 * @example
 * const { kernels, memory } = await instantiate();
 * const x = (kernels.heapBase() + 63) & ~63;
 * const y = x + 64;
 * new Float32Array(memory.buffer, x, 3).set([-1, 0, 2]);
 * kernels.f32_relu(3, x, y);
 * [...new Float32Array(memory.buffer, y, 3)]; // [0, 0, 2]
 */
export async function instantiate(
  options: { kernels?: KernelSource; memory?: WebAssembly.Memory } = {},
): Promise<KernelInstance> {
  const memory = options.memory ?? new WebAssembly.Memory({ initial: 1 });
  const first = await compile(options.kernels);
  const modules = options.kernels === undefined ? await Promise.all(families.map((each) => each.compile())) : [first];
  return { kernels: Object.assign({}, ...modules.map((module) => instantiateKernels(module, memory))), memory };
}
