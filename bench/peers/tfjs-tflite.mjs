// TFLite as TF.js had it (XNNPACK of 2022) on WebAssembly: SIMD, one thread. Its client wants a page; the Emscripten module below it runs in
// Node as it is, and is what is timed, with inputs written once.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";

export const name = "tfjs-tflite";

const require = createRequire(import.meta.url);

let runtime;

/** Its script is no module, and asks for what scripts have in Node. */
export async function load() {
  // Not before it is called: the package may have been installed only then.
  const wasm = require.resolve("@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd.wasm");
  const folder = wasm.replace(/[^/]*$/, "");
  const script = `${folder}tflite_web_api_cc_simd.js`;
  const make = runInThisContext(`(require, __filename, __dirname) => {
    ${readFileSync(script, "utf8")}
    return tflite_web_api_ModuleFactory;
  }`)(require, script, folder);
  const quiet = () => {};
  runtime = await make({
    wasmBinary: readFileSync(`${folder}tflite_web_api_cc_simd.wasm`),
    print: quiet,
    printErr: quiet,
  });
}

/** Any file with inputs for it: `{ run, read, end }`. */
export function start(bytes, arrays) {
  const address = runtime._malloc(bytes.length);
  runtime.HEAPU8.set(bytes, address);
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1024 };
  const made = runtime.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, bytes.length, options);
  if (!made.ok()) throw new Error(made.errorMessage());
  const runner = made.value();
  const [inputs, outputs] = [runner.GetInputs(), runner.GetOutputs()];
  arrays.forEach(({ data }, i) => {
    inputs.get(i).data().set(data);
  });
  const run = () => {
    if (!runner.Infer()) throw new Error("tfjs-tflite: inference failed");
  };
  return {
    run,
    read() {
      run();
      return outputs.get(0).data().slice();
    },
    end() {
      runner.delete();
      runtime._free(address);
    },
  };
}
