import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { instantiate, kernelModule } from "../src/runtime/raw.js";

const relu = async (options?: Parameters<typeof instantiate>[0]) => {
  const { kernels, memory } = await instantiate(options);
  const x = (kernels.heapBase() + 63) & ~63;
  new Float32Array(memory.buffer, x, 5).set([-1, 0, 2, Number.NaN, -0]);
  kernels.f32_relu(5, x, x + 64);
  return Array.from(new Float32Array(memory.buffer, x + 64, 5));
};

test("raw kernels run on a memory of their own or the caller's, from this package's bytes or the caller's", async () => {
  const expected = await relu();
  expect(expected.slice(0, 3)).toEqual([0, 0, 2]);
  const memory = new WebAssembly.Memory({ initial: 4 });
  expect(await relu({ memory })).toEqual(expected);
  expect(await relu({ kernels: readFileSync("build/kernels.scalar.wasm") })).toEqual(expected);
  expect(await relu({ kernels: await kernelModule() })).toEqual(expected);
  await expect(relu({ kernels: new Uint8Array([1, 2, 3]) })).rejects.toThrow(WebAssembly.CompileError);
});

test("the kernels are compiled once in a process", async () => {
  expect(await kernelModule()).toBe(await kernelModule());
});

test("every build of the kernels has the same exports", async () => {
  const exports = (target: string) =>
    WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`build/kernels.${target}.wasm`)));
  expect(exports("simd").length).toBeGreaterThan(1);
  expect(exports("scalar")).toEqual(exports("simd"));
  expect(exports("debug")).toEqual(exports("simd"));
});

test("the kernels import the memory and nothing else", async () => {
  const imports = WebAssembly.Module.imports(await kernelModule());
  expect(imports).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
});
