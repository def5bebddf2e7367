// Kernels come in families, each a module of its own, so that a bundle carries those that it can call and no others. All families of a
// model work on its one memory. Which kernels are whose: assembly/core.ts and its neighbours.

export interface KernelFamily {
  readonly name: string;
  /** What the module is compiled from, for builds made from it; none on edge runtimes. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** The compiled kernels. Compiling takes milliseconds and its result is immutable, so a process does it once. */
  compile(): Promise<WebAssembly.Module>;
  /** The same at once, for calls that cannot wait. */
  module(): WebAssembly.Module;
  /** Some of its kernels by instructions that this engine has, with the same results; undefined where it has not. */
  faster?(): KernelFamily | undefined;
}

/** A family from its bytes. */
export function familyOf(name: string, bytes: () => Uint8Array<ArrayBuffer>): KernelFamily {
  let module: WebAssembly.Module | undefined;
  let compiling: Promise<WebAssembly.Module> | undefined;
  const keep = (made: WebAssembly.Module) => {
    module ??= made;
    return module;
  };
  return {
    name,
    bytes,
    compile() {
      compiling ??= module ? Promise.resolve(module) : WebAssembly.compile(bytes()).then(keep);
      return compiling;
    },
    module: () => module ?? keep(new WebAssembly.Module(bytes())),
  };
}

/** A family, with what is faster before it. */
export function withFaster(family: KernelFamily): KernelFamily[] {
  const faster = family.faster?.();
  return faster ? [faster, family] : [family];
}
