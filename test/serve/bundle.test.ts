// Bundles of lanewise/serve alone: one with a store serves every file that the store may hold, one without holds no more than a model needs that
// its caller loads.
import { readdirSync } from "node:fs";
import { build as bundle } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import type { Op } from "../../src/graph/op.js";
import {
  build,
  dense,
  globalAveragePooling1d,
  gru,
  input,
  lstm,
  type Model,
  multiHeadAttention,
  save,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { quantizeLinear } from "../../src/ops/quantized/index.js";
import { modelStore, publish } from "../../src/serve/index.js";
import { memoryBlobs } from "../../src/serve/stores/memory.js";

let text: string;
let served: typeof import("../../src/serve/index.js");
beforeAll(async () => {
  [{ text }] = (await bundled('export { handler, modelStore } from "./src/serve/index.js";')).outputFiles;
  served = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
});

const bundled = (contents: string, conditions: string[] = []) =>
  bundle({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    conditions,
    external: ["*.wasm"],
    metafile: true,
    write: false,
    logLevel: "error",
  });

const x = input([5, 4], { name: "x" });
const models: Record<string, () => Promise<Model>> = {
  lstm: () => build(x, dense(2)(lstm(8)(x))),
  gru: () => build(x, dense(2)(gru(8)(x))),
  attention: () => build(x, dense(2)(globalAveragePooling1d()(multiHeadAttention(2, 4)(x, x)))),
  int8: () => build(x, quantizeLinear(dense(2)(x), { scale: 0.125, zeroPoint: 3 })),
};

test.each(Object.keys(models))("serves a saved model with %s", async (name) => {
  const model = await models[name]();
  const blobs = memoryBlobs();
  await publish(modelStore(blobs), name, model);
  const serve = served.handler({ models: served.modelStore(blobs) });
  const data = Array.from({ length: 40 }, (_, i) => (i % 7) / 4 - 0.5);
  const body = JSON.stringify({ inputs: [{ name: "x", shape: [2, 5, 4], datatype: "FP32", data }] });
  const response = await serve(new Request(`http://localhost/v2/models/${name}/infer`, { method: "POST", body }));
  const expected = model.predict(tensor(data, [2, 5, 4])) as Tensor;
  const { outputs, error } = JSON.parse(await response.text());
  expect(error).toBeUndefined();
  expect(outputs[0].data).toEqual([...expected.data]);
});

test("holds every op that a file may name, but for ctc and the steps of optimizers", async () => {
  const files = readdirSync("src/ops", { recursive: true, encoding: "utf8" });
  const paths = files.filter((f) => /^(?!update).*\.ts$/.test(f)).map((f) => `src/ops/${f}`);
  const modules = await Promise.all(
    paths.map((path) => import(/* @vite-ignore */ `../../${path.replace(/ts$/, "js")}`)),
  );
  const tables = modules
    .flatMap((module) => Object.entries<Record<string, Op>>(module))
    .filter(([name]) => /Ops$/.test(name));
  const ops = tables
    .flatMap(([, table]) => Object.values(table).flat())
    .filter((op) => typeof op?.infer === "function");
  const names = [...new Set(ops.filter(({ internal }) => !internal).map(({ name }) => name))];
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => !text.includes(`"${name}"`))).toEqual(["ctc"]);
});

const WORKER = `import { load } from "lanewise";
  import { handler } from "lanewise/serve";
  export const fetch = (bytes) => handler({ models: { model: () => load(bytes) } });`;

const LEAN = (layers: string) => `import { gru } from "lanewise";
  import { handler, kvBlobs, leanStore } from "lanewise/serve";
  export default { fetch: handler({ models: (env) => leanStore(kvBlobs(env.MODELS)${layers}) }) };`;

test.each([
  ["models that are loaded by name", WORKER, ["core"]],
  ["a lean store", LEAN(""), ["core"]],
  ["a lean store for a layer", LEAN(", [gru]"), ["core", "sequence"]],
])("%s brings no layers but the common ones and those that are named", async (_, worker, families) => {
  const { metafile } = await bundled(worker, ["workerd", "worker"]);
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  const files = families.map((family) => `kernels.${family}.wasm`);
  expect(imports.map((path) => path.replace(/.*\//, "")).sort()).toEqual(files);
});

test("an error names the layer that such a bundle leaves out", async () => {
  const [{ text }] = (await bundled(WORKER)).outputFiles;
  const worker = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
  const response = await worker.fetch(save(await models.gru()))(new Request("http://localhost/v2/models/model/ready"));
  expect(response.status).toBe(503);
  expect((await response.json()).error).toContain("name its layer: load(file, { layers: [gru] })");
});
