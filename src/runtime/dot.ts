// The dot product of bytes of relaxed SIMD is up to the machine where both operands use all of their bits. Kernels of int8 that are made of
// it are taken where it is exact, which their own module says (assembly/dot.ts): their results are then those of all other builds.
import { familyOf, type KernelFamily } from "./family.js";

/** The family of that code, where it gives exact results; asked once. */
export function exactDot(name: string, bytes: () => Uint8Array<ArrayBuffer>): () => KernelFamily | undefined {
  const family = familyOf(name, bytes);
  let exact: boolean | undefined;
  return () => {
    exact ??= WebAssembly.validate(bytes()) && isExact(family.module());
    return exact ? family : undefined;
  };
}

function isExact(module: WebAssembly.Module): boolean {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { i8_dot_is_exact } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return (i8_dot_is_exact as () => number)() === 1;
}
