// Every operator that there is against PyTorch's float64 results and gradients in ../shared/reference/ops, within the tolerances
// advised there.
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { leaf, type Value } from "../src/graph/value.js";
import { add, mul, sum, tensor } from "../src/index.js";
import { constant, inputOp } from "../src/ops/leaf.js";
import { gradients } from "../src/passes/grad.js";
import { Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { train } from "../src/runtime/families/train.js";
import { compile } from "../src/runtime/kernels.js";
import { operators } from "./ops-reference.js";

const folder = new URL("../../shared/reference/ops/", import.meta.url);
const present = existsSync(folder) || process.env.CI !== undefined;

interface Stored {
  readonly name: string;
  readonly role: "input" | "output" | "upstream" | "gradient";
  readonly shape: number[];
  readonly dtype: "f32" | "f64" | "i32" | "u8";
  readonly offset: number;
  readonly bytes: number;
  readonly tol_max_abs: number;
  readonly atol?: number;
  readonly rtol?: number;
}

interface Case {
  readonly id: string;
  readonly op: string;
  readonly attrs: Record<string, unknown>;
  readonly tensors: readonly Stored[];
}

const list: readonly Case[] = present ? JSON.parse(readFileSync(new URL("ops.json", folder), "utf8")).cases : [];
const bytes = present ? readFileSync(new URL("ops.bin", folder)) : Buffer.alloc(0);
const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array };
const dtypes = { f32: "float32", f64: "float32", i32: "int32", u8: "bool" } as const;

const read = ({ dtype, offset, bytes: length }: Stored) =>
  new arrays[dtype](bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + length) as ArrayBuffer);

const known = list.filter(({ op }) => Object.hasOwn(operators, op));
const missing = list.filter(({ op }) => !Object.hasOwn(operators, op));

if (!present) console.warn(`SKIPPED all operator references: nothing in ${folder.pathname}`);
else if (missing.length > 0) {
  const families = [...new Set(missing.map(({ op }) => op))].map(
    (family) => `${family} (${missing.filter(({ op }) => op === family).length})`,
  );
  console.warn(
    `SKIPPED ${missing.length} of ${list.length} operator references, their ops are to come: ${families.join(", ")}`,
  );
}

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compile();
});

function expectNear(actual: ArrayLike<number>, stored: Stored): void {
  const expected = read(stored);
  expect(actual.length, stored.name).toBe(expected.length);
  const { atol, rtol, tol_max_abs } = stored;
  for (let i = 0; i < expected.length; i++) {
    const allowed = atol === undefined || rtol === undefined ? tol_max_abs : atol + rtol * Math.abs(expected[i]);
    const off = Math.abs(actual[i] - expected[i]);
    expect(off, `${stored.name}[${i}] is ${actual[i]} for ${expected[i]}`).toBeLessThanOrEqual(allowed);
  }
}

describe.skipIf(!present)("operator references", () => {
  test("there are some, and most are run", () => {
    expect(known.length).toBeGreaterThan(missing.length);
  });

  for (const { id } of missing) test.skip(`${id}: no such op`);

  test.each(known.map((each) => [each.id, each] as const))("%s", (_, { op, attrs, tensors }) => {
    const of = (role: Stored["role"]) => tensors.filter((each) => each.role === role);
    const inputs = of("input");
    const leaves: Value[] = inputs.map(({ name, shape, dtype }) =>
      leaf(inputOp, { shape, dtype: dtypes[dtype], name }, { shape, dtype: dtypes[dtype] }),
    );
    const byName = Object.fromEntries(inputs.map(({ name }, i) => [name, leaves[i]]));
    const results = operators[op](byName, attrs);
    const outputs = of("output").filter(({ name }) => name !== "new_moving_variance_unbiased"); // not what Keras 3 stores
    const upstream = of("upstream").map((each) => {
      const y = results[each.name.slice(2)];
      return sum(mul(y, constant(tensor(read(each) as Float32Array, each.shape))));
    });
    const wanted = of("gradient");
    const total = upstream.reduce((a, b) => add(a, b));
    const grads = gradients(
      total,
      wanted.map(({ name }) => byName[name.slice(2)]),
    );
    grads.forEach((grad, i) => {
      expect(grad, wanted[i].name).toBeDefined();
    });
    const roots = [...outputs.map(({ name }) => results[name]), ...(grads as Value[])];
    const store = new Store(module);
    store.use(train);
    const program = new Program(store, { inputs: leaves, outputs: roots, effects: [] });
    program.bind();
    inputs.forEach((each, i) => {
      program.view(program.layout.graph.inputs[i]).set(read(each));
    });
    program.run();
    [...outputs, ...wanted].forEach((each, i) => {
      expect(roots[i].shape, each.name).toEqual(each.shape);
      expectNear(program.view(program.layout.graph.outputs[i]) as Float32Array, each);
    });
  });
});
