// Kernels in families, and ops that bundlers leave out: what a bundle carries is what it can call, and every model finds its kernels.
import { readdirSync, readFileSync } from "node:fs";
import { build as bundle } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { FAMILIES } from "../scripts/build/kernels.mjs";
import { UnsupportedError } from "../src/errors.js";
import { defineOp, type Op } from "../src/graph/op.js";
import { apply, type Value } from "../src/graph/value.js";
import { build, dense, input, load, save, sparseSoftmaxCrossEntropy } from "../src/index.js";
import { commonOps } from "../src/ops/index.js";
import { lower } from "../src/program/lower.js";
import { layout } from "../src/program/plan.js";
import { optimize } from "../src/program/program.js";
import { core } from "../src/runtime/families/core.js";
import { families } from "../src/runtime/families/index.js";
import { train } from "../src/runtime/families/train.js";
import { instantiate, kernelModule } from "../src/runtime/raw.js";
import { sizeOf } from "../src/shape.js";
import { type Tensor, tensor } from "../src/tensor.js";
import { fit, gradients } from "../src/train/index.js";
import { leafOf } from "./cases/graph.js";
import { cases } from "./cases.js";
import { moduleOf } from "./kernels/harness.js";

const exportsOf = (module: WebAssembly.Module) => WebAssembly.Module.exports(module).map(({ name }) => name);

test("the families together are all kernels, each in one of them", () => {
  expect(families.map(({ name }) => name)).toEqual(FAMILIES);
  const all = families.flatMap((family) => exportsOf(family.module()));
  expect(all.sort()).toEqual(exportsOf(moduleOf("simd")).sort());
});

test("a family is compiled once, waiting or not", async () => {
  for (const family of families) expect(await family.compile()).toBe(family.module());
});

test("instantiate gives the kernels of all families on one memory", async () => {
  const { kernels } = await instantiate();
  expect(Object.keys(kernels).sort()).toEqual(exportsOf(moduleOf("simd")).sort());
});

/** Ops that a graph has only while it is trained. */
const whileTrained = new Set(["batchNormTrain", "affine", "affineMaps"]);

test.each(cases.map((each) => [each.name, each] as const))("%s calls kernels of its ops' families", (_, each) => {
  const leaves = each.inputs.map(leafOf);
  const plan = layout(optimize({ inputs: leaves, outputs: [each.op(...leaves)], effects: [] }));
  const { once, each: calls } = lower(plan);
  const missing = [...once, ...calls].filter(
    ({ kernel, node: { op } }) =>
      !whileTrained.has(op.name) && !exportsOf((op.family ?? core).module()).includes(kernel),
  );
  expect(missing.map(({ kernel, node }) => `${node.op.name} calls ${kernel}`)).toEqual([]);
});

/** relu's gradient at x for ones, by a kernel that the core family lacks. */
const stepOp = (family?: typeof train) =>
  defineOp("step", {
    family,
    internal: true,
    infer: ([x]) => x,
    lower: (emit, { inputs: [x, dy], outputs: [y] }) => emit.call("f32_relu_grad", sizeOf(x.shape), x, dy, y),
  });
const step = (family?: typeof train) => (x: Value) => apply(stepOp(family), [x, x]);

describe("a kernel that is not of the core family is found", () => {
  const x = Float32Array.of(-1, 2, 3);

  test("where its op names the family", async () => {
    const model = await build(input([3]), step(train));
    expect([...(model.predict(x) as Tensor).data]).toEqual([0, 2, 3]);
  });

  test("and nowhere else", async () => {
    const model = await build(input([3]), step());
    expect(() => model.predict(x)).toThrow(UnsupportedError);
    expect(() => model.predict(x)).toThrow("no kernel f32_relu_grad");
  });

  test("by training, also with kernels of one's own that lack it", async () => {
    for (const kernels of [undefined, await kernelModule(), moduleOf("scalar")]) {
      const model = await build(input([3]), dense(2, { activation: "relu" }), { kernels });
      const data = { x: tensor([[1, 2, 3]]), y: tensor([[1, 2]]) };
      const { history } = await fit(model, data, { optimizer: "adam", loss: "meanSquaredError" });
      expect(history.loss[0]).toBeGreaterThan(0);
      const gradient = gradients(model, { of: model.outputs[0].name, wrt: [model.inputs[0].name] });
      expect(Object.values(gradient(x.slice()))[0].shape).toEqual([1, 3]);
    }
  });
});

const isTable = ([name, value]: [string, object]): boolean => name.endsWith("Ops") && typeof value === "object";

describe("a bundle", () => {
  const CNN = ["build", "load", "input", "sequential", "conv2d", "maxPooling2d", "flatten", "dense"];
  const make = (contents: string, conditions: string[] = []) =>
    bundle({
      stdin: { contents, resolveDir: process.cwd() },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      conditions,
      external: ["*.wasm"],
      metafile: true,
      write: false,
    });
  const run = (text: string) => import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
  const code = (family: string) => readFileSync(`build/kernels.${family}.wasm`).toString("hex");
  let cnn: Awaited<ReturnType<typeof make>>;
  beforeAll(async () => {
    cnn = await make(`export { ${CNN.join(", ")} } from "lanewise";`);
  });

  test("that predicts has the core family and no other", () => {
    const [{ text }] = cnn.outputFiles ?? [];
    expect(FAMILIES.filter((family: string) => text.includes(code(family)))).toEqual(["core"]);
  });

  test("that loads has the ops of common models, and none that only some models have", async () => {
    const files = readdirSync("src/ops").filter((file) => !/^(index|leaf)\.ts$/.test(file));
    const modules = await Promise.all(
      files.map((file) => import(/* @vite-ignore */ `../src/ops/${file.replace(/ts$/, "js")}`)),
    );
    const tables = modules.flatMap((module) => Object.entries<Record<string, Op>>(module)).filter(isTable);
    const namesOf = (list: readonly Readonly<Record<string, Op>>[]) =>
      list.flatMap((table) => Object.values(table)).flatMap(({ name, internal }) => (internal ? [] : [name]));
    const others = namesOf(tables.map(([, table]) => table).filter((table) => !commonOps.includes(table)));
    const text = cnn.outputFiles?.[0].text ?? "";
    const isThere = (name: string) => text.includes(`defineOp("${name}"`);
    expect(others).toContain("sparseSoftmaxCrossEntropy");
    expect(others.filter(isThere)).toEqual([]);
    expect(namesOf(commonOps).length).toBeGreaterThan(60);
    expect(["conv2d", "layerNorm", "dropout"].filter(isThere)).toHaveLength(3);
  });

  test("for edge runtimes imports the modules of the families that it can call", async () => {
    const modules = async (contents: string) => {
      const { metafile } = await make(contents, ["workerd", "worker"]);
      const imports = Object.values(metafile?.outputs ?? {}).flatMap(({ imports }) => imports);
      return imports.map(({ path }) => path.replace(/.*\//, "")).sort();
    };
    expect(await modules(`export { ${CNN.join(", ")} } from "lanewise";`)).toEqual(["kernels.core.wasm"]);
    expect(
      await modules(
        ["", "/compress", "/tflite", "/train"].map((entry) => `export * from "lanewise${entry}";`).join(""),
      ),
    ).toEqual(FAMILIES.map((family: string) => `kernels.${family}.wasm`).sort());
  });

  test("knows the ops of files that it holds, and load says what to do about others", async () => {
    const scores = input([3], { name: "scores" });
    const labels = input([], { dtype: "int32", name: "labels" });
    const file = save(await build([scores, labels], sparseSoftmaxCrossEntropy(scores, labels)));
    const [{ text: without }] = cnn.outputFiles ?? [];
    await expect((await run(without)).load(file)).rejects.toThrow(
      'unknown op "sparseSoftmaxCrossEntropy": if this bundle leaves it out, name its layer: load(file, { layers: [sparseSoftmaxCrossEntropy] })',
    );
    const [{ text }] = (
      await make(`
        import { load, sparseSoftmaxCrossEntropy } from "lanewise";
        export const open = (file) => load(file, { layers: [sparseSoftmaxCrossEntropy] });`)
    ).outputFiles;
    const given = [Float32Array.of(1, 2, 3), Int32Array.of(2)];
    const expected = (await load(file)).predict(given) as Tensor;
    const model = await (await run(text)).open(file);
    expect(model.predict(given).data).toEqual(expected.data);
  });
});
