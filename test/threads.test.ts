// Calls divided among threads: every op of the table, its calls cut by split.ts and the parts run in turn, gives the bits of the
// whole calls. What threads themselves do is in test/runtimes (all runtimes) and test/workers.test.ts (their lives).
import { describe, expect, test } from "vitest";
import type { Value } from "../src/graph/value.js";
import { convolution2d, matmul, maxPooling2d, mul, sum } from "../src/index.js";
import { depthwiseConv2d } from "../src/ops/depthwise.js";
import { input, withBatch } from "../src/ops/leaf.js";
import { gradients } from "../src/passes/grad.js";
import { Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { core } from "../src/runtime/families/core.js";
import { train } from "../src/runtime/families/train.js";
import { instantiate } from "../src/runtime/raw.js";
import type { Crew, Threads } from "../src/runtime/threads/index.js";
import { type Part, rules } from "../src/runtime/threads/rules/index.js";
import { withSharedMemory } from "../src/runtime/threads/shared.js";
import { divide } from "../src/runtime/threads/split.js";
import type { Case } from "./cases/case.js";
import { cases } from "./cases.js";
import { numbers } from "./oracle/array.js";

/** Kernels that were divided, over all tests. */
const divided = new Map<string, number>();

/** Stands for threads: runs all parts of what is divided, however small, the last one first, each with scratch memory of its own. */
function oneByOne(count: number): Threads {
  return {
    count,
    familyOf: (family) => family,
    newMemory: () => new WebAssembly.Memory({ initial: 1 }),
    newCrew: (_, arena): Crew => ({
      ready: Promise.resolve(),
      count,
      add() {},
      share(kernel, args, bind) {
        const parts = divide(kernel, args, count, 0);
        if (parts === undefined) return undefined;
        divided.set(kernel, Math.max(parts.length, divided.get(kernel) ?? 0));
        const steps = [...parts].reverse().map(({ kernel, args, scratch }) => {
          const own = [...args];
          if (scratch) own[scratch.argument] = arena.allocate(scratch.bytes, "scratch").address;
          return bind(kernel, own);
        });
        return () => {
          for (const step of steps) step();
        };
      },
    }),
  };
}

/** What a case and its gradients come to, as bits. */
function run({ inputs, op }: Pick<Case, "inputs" | "op">, threads?: Threads): Uint32Array[] {
  const leaves = inputs.map(({ shape, labels }) =>
    withBatch(input(shape.slice(1), { dtype: labels ? "int32" : "float32" }), shape.length === 0 ? 1 : shape[0]),
  );
  const y = op(...leaves);
  const floats = leaves.filter((_, i) => !inputs[i].labels);
  const outputs = [y, ...gradients(sum(mul(y, y)), floats).filter((value) => value !== undefined)];
  const store = new Store(core.module(), threads);
  store.use(train);
  const program = new Program(store, { inputs: leaves, outputs, effects: [] });
  program.bind();
  leaves.forEach((value, i) => {
    program.view(value).set(inputs[i].data);
  });
  program.run();
  return program.layout.graph.outputs.map((value) => {
    const { buffer, byteOffset, length } = program.view(value).slice();
    return new Uint32Array(buffer, byteOffset, length);
  });
}

const conv = (c: number, n: number, size: number, options?: object): Pick<Case, "name" | "inputs" | "op"> => ({
  name: `convolution [3, ${size}, ${size}, ${c}] 3x3 ${n} ${JSON.stringify(options ?? {})}`,
  inputs: [numbers([3, size, size, c], 1), numbers([3, 3, c, n], 2)],
  op: (x, f) => convolution2d(x, f, options),
});

/** Larger than the table's: Winograd's blocks, products in parts, rows of one image. */
const more = [
  conv(16, 40, 20, { padding: "same" }),
  conv(3, 9, 12, { strides: [2, 2] }),
  {
    ...conv(8, 8, 9, { groups: 2 }),
    inputs: [numbers([3, 9, 9, 8], 1), numbers([3, 3, 4, 8], 2)],
  },
  {
    name: "one image: depthwise convolution and pooling by rows",
    inputs: [numbers([1, 13, 11, 5], 6), numbers([3, 3, 5, 1], 7)],
    op: (x: Value, f: Value) =>
      maxPooling2d(3, { strides: 2, padding: "same" })(depthwiseConv2d(x, f, { padding: "same" })),
  },
  {
    name: "a product of one row with many columns",
    inputs: [numbers([1, 300], 3), numbers([300, 100], 4)],
    op: (a: Value, b: Value) => matmul(a, b),
  },
];

describe.each([2, 3])("divided among %i threads", (count) => {
  test.each([...cases, ...more].map((each) => [each.name, each] as const))("%s has the same bits", (_, each) => {
    expect(run(each, oneByOne(count))).toEqual(run(each));
  });
});

/** Rules that no case of an op uses: optimizers, and casts that have no gradient. Addresses are `at(0)`, `at(1)` ..., 64 KiB apart. */
const at = (i: number) => (i + 1) << 16;
const raw: Record<string, number[]> = {
  f32_sgd: [1000, at(0), at(1), at(2)],
  f32_sgd_momentum: [1000, at(0), at(1), at(2), at(3), 0.9, 1],
  f32_adam: [1000, at(0), at(1), at(2), at(3), at(4), 0.9, 0.999, 1e-7],
  f32_adamw: [1000, at(0), at(1), at(2), at(3), at(4), at(5), 0.01, 0.9, 0.999, 1e-7],
  f32_rmsprop: [1000, at(0), at(1), at(2), at(3), at(4), at(5), 0.9, 0.5, 1e-7],
  f32_dropout: [1000, at(0), at(1), at(2), 0.3, 7, 0],
  f32_copy: [1000, at(0), at(1)],
  f32_to_bool: [1000, at(0), at(1)],
  f32_to_u8: [1000, at(0), at(1)],
  i32_to_bool: [1000, at(0), at(1)],
  i32_to_x8: [1000, at(0), at(1)],
  i8_to_f32: [1000, at(0), at(1)],
  i8_to_i32: [1000, at(0), at(1)],
  u8_to_i32: [1000, at(0), at(1)],
  u8_not: [1000, at(0), at(1)],
  i32_equal: [1000, at(0), at(1), at(2)],
  f32_argmax: [37, 5, 7, at(0), at(1)],
  f32_argmin: [37, 5, 7, at(0), at(1)],
};

test.each(Object.entries(raw))("%s in parts leaves the same memory as whole", async (kernel, args) => {
  const after = async (calls: readonly Part[]) => {
    const memory = new WebAssembly.Memory({ initial: 8 });
    const kernels = (await instantiate({ memory })).kernels as unknown as Record<string, (...args: number[]) => void>;
    const numbers = new Float32Array(memory.buffer);
    numbers.forEach((_, i) => {
      numbers[i] = 0.5 + (Math.imul(i, 0x9e3779b1) >>> 9) / 2 ** 23;
    });
    for (const { kernel, args } of calls) kernels[kernel](...args);
    return new Uint32Array(memory.buffer);
  };
  const parts = divide(kernel, args, 3, 0) as readonly Part[];
  expect(parts.length).toBeGreaterThan(2);
  divided.set(kernel, parts.length);
  expect(await after(parts)).toEqual(await after([{ kernel, args }]));
});

test("every rule was used", () => {
  expect(Object.keys(rules).filter((kernel) => !divided.has(kernel))).toEqual([]);
});

test("a single row of int8 is divided by its panels, 16 columns of them", () => {
  const [batch, h, w, c, n, block] = [1, 1, 1, 40, 58, 16];
  const args = [batch, h, w, c, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, n, 1, block, 0, 0, -128, 127, at(0), at(1), at(2), at(3)];
  const parts = divide("i8_conv2d", args, 2, 0) as readonly Part[];
  const panel = 64 + 32 * (c / 2);
  expect(parts.map(({ args }) => [args[14], args[22] - at(1), args[24] - at(3)])).toEqual(
    [16, 16, 16, 10].map((columns, i) => [columns, 2 * i * panel, 16 * i]),
  );
});

test("calls that are too small for two parts stay whole", () => {
  expect(divide("f32_relu", [1000, 0, 0], 2)).toBeUndefined();
  expect(divide("f32_relu", [10_000_000, 0, 0], 2)).toHaveLength(8);
  expect(divide("f32_relu", [10_000_000, 0, 0], 64)).toHaveLength(64);
  expect(divide("f32_random_uniform", [10_000_000, 0, 0, 0, 1, 1], 2)).toBeUndefined(); // no rule
});

test("a module with its memory import made shared takes shared memories only, and is otherwise the same", () => {
  const shared = withSharedMemory(core.bytes());
  expect(WebAssembly.validate(shared)).toBe(true);
  const build = new WebAssembly.Module(shared);
  expect(WebAssembly.Module.exports(build)).toEqual(WebAssembly.Module.exports(core.module()));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  const { f32_neg, heapBase } = new WebAssembly.Instance(build, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => number
  >;
  const numbers = new Float32Array(memory.buffer, (heapBase() + 63) & ~63, 5).fill(3);
  f32_neg(5, numbers.byteOffset, numbers.byteOffset);
  expect([...numbers]).toEqual([-3, -3, -3, -3, -3]);
  expect(() => new WebAssembly.Instance(build, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } })).toThrow();
});
