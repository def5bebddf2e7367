// LiteRT.js (XNNPACK) on WebAssembly: one thread, input tensors made once. It is made for browsers and loads its script with a tag or
// importScripts; in Node it runs all the same once it finds that, and what Emscripten's own code for Node asks for.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import "./litert-int8.mjs"; // before what follows
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { tfliteCnn, tfliteOp } from "./tflite.mjs";

export const name = "LiteRT.js";

const require = createRequire(import.meta.url);
const FOLDER = `${dirname(dirname(fileURLToPath(import.meta.resolve("@litertjs/core"))))}/wasm/`;

/** Its script writes what it does to the console that it finds when it starts, and warns that there is no GPU. */
export async function load() {
  const importScripts = (path) => runInThisContext(readFileSync(path, "utf8"), { filename: path });
  const globals = { self: globalThis, importScripts, require, __dirname: FOLDER };
  const { log, warn, error } = console;
  Object.assign(console, { log() {}, warn() {}, error() {} });
  const before = Object.keys(globals).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]);
  for (const [key, value] of Object.entries(globals))
    Object.defineProperty(globalThis, key, { value, configurable: true });
  try {
    await loadLiteRt(FOLDER, { threads: false });
  } finally {
    Object.assign(console, { log, warn, error });
    // Others tell Node from a browser by these.
    for (const [key, descriptor] of before) {
      delete globalThis[key];
      if (descriptor) Object.defineProperty(globalThis, key, descriptor);
    }
  }
}

/** Any file with inputs for it: `{ run, read, end }`. */
export async function start(bytes, arrays) {
  const model = await loadAndCompile(bytes, { accelerator: "wasm" });
  const inputs = arrays.map(({ data, shape }) => new Tensor(data, shape));
  const drop = (tensors) => {
    for (const tensor of tensors) tensor.delete();
  };
  return {
    run: async () => drop(await model.run(inputs)),
    async read() {
      const outputs = await model.run(inputs);
      const data = outputs[0].toTypedArray().slice();
      drop(outputs);
      return data;
    },
    end() {
      drop(inputs);
      model.delete();
    },
  };
}

export async function op(row, operands) {
  const { bytes, feeds, ours } = tfliteOp(row, operands);
  const { read, ...rest } = await start(bytes, feeds);
  return { read: async () => ours(await read()), ...rest };
}

export const int8 = op;

export async function predict({ weights, images, batch }) {
  const model = await start(tfliteCnn(weights, batch), [{ data: images, shape: [batch, 28, 28, 1] }]);
  return { ...model, run: model.read };
}
