// The relaxed build computes what the exact one does, rounded otherwise: every op of the table near its oracle, and the option's own rules.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { build, dense, input, load, save } from "../src/index.js";
import { Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { leafOf } from "./cases/graph.js";
import { expectNear } from "./cases/near.js";
import { cases } from "./cases.js";

const KNOWN = WebAssembly.validate(
  // (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))
  Uint8Array.from(
    Buffer.from("0061736d010000000108016003" + "7b7b7b017b030201000a0d010b00200020012002fd85020b", "hex"),
  ),
);

let bytes: Uint8Array<ArrayBuffer>;
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "inherit" });
  bytes = Uint8Array.from(readFileSync("build/kernels.relaxed.wasm"));
});

test("relaxed kernels are refused by engines without relaxed SIMD, and taken by the others", () => {
  expect(WebAssembly.validate(bytes)).toBe(KNOWN);
});

describe.skipIf(!KNOWN)("relaxed kernels (engines that know them)", () => {
  test.each(cases.map((each) => [each.name, each] as const))("%s", (_, { inputs, op, oracle, tolerance = 2e-6 }) => {
    const leaves = inputs.map(leafOf);
    const store = new Store(new WebAssembly.Module(bytes));
    const program = new Program(store, { inputs: leaves, outputs: [op(...leaves)], effects: [] });
    program.bind();
    leaves.forEach((value, i) => {
      program.view(value).set(inputs[i].data);
    });
    program.run();
    const actual = program.view(program.layout.graph.outputs[0]);
    expectNear(actual, oracle(...inputs).data, tolerance);
  });

  test("given as kernels, they are what the caller says they are", async () => {
    const model = await build(input([3]), dense(2), { kernels: bytes, math: "relaxed" });
    expect(model.math).toBe("relaxed");
    expect(model.clone().math).toBe("relaxed");
    expect((await load(save(model))).math).toBe("exact");
  });
});

test("where the file of the relaxed kernels is not found, a model is exact", async () => {
  // src/ has none beside it, as a bundle has none
  const model = await build(input([3]), dense(2), { math: "relaxed" });
  expect(model.math).toBe("exact");
  expect(model.predict(new Float32Array(3))).toMatchObject({ shape: [1, 2] });
});

test("math is exact or relaxed", async () => {
  await expect(build(input([3]), dense(2), { math: "fast" as never })).rejects.toThrow(
    'expected math to be "exact" or "relaxed", got fast',
  );
});
