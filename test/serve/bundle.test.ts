// A bundle of lanewise/serve alone: it serves every file, whatever a bundler leaves out of a program that names no layers.
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
  type Tensor,
  tensor,
} from "../../src/index.js";
import { quantizeLinear } from "../../src/ops/quantized/index.js";
import { memoryStore, publish } from "../../src/serve/index.js";

let text: string;
let served: { handler: (options: object) => (request: Request) => Promise<Response> };
beforeAll(async () => {
  const made = await bundle({
    stdin: { contents: 'export { handler } from "./src/serve/index.js";', resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  [{ text }] = made.outputFiles;
  served = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
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
  const store = memoryStore();
  await publish(store, name, model);
  const serve = served.handler({ models: store });
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
