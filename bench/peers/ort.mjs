// ONNX Runtime Web on WebAssembly (MLAS): SIMD, one thread, all graph optimizations, shapes fixed, input tensors made once. It does not
// train.
import * as ort from "onnxruntime-web";
import { nhwc } from "./layout.mjs";
import { onnxCnn, onnxOp, signed } from "./onnx.mjs";

export const name = "ONNX Runtime Web";

export function load() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.simd = true;
}

async function start(bytes, arrays) {
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(bytes, options);
  delete globalThis.Worker; // which it puts there in Node, and which makes jax-js share memory between threads that cannot be
  const feeds = Object.fromEntries(
    Object.entries(arrays).map(([name, { data, shape }]) => [
      name,
      new ort.Tensor(data instanceof Uint8Array ? "uint8" : "float32", data, shape),
    ]),
  );
  const run = () => session.run(feeds);
  return { run, read: async () => (await run()).y.data, end: () => session.release() };
}

export async function op(row, operands) {
  const { bytes, feeds } = onnxOp(row, operands);
  const { read: given, ...rest } = await start(bytes, feeds);
  const read = row.int8 ? async () => signed(await given()) : given;
  if (row.output.length < 4) return { read, ...rest };
  return { read: async () => nhwc(await read(), row.output), ...rest };
}

export const int8 = op;

export const predict = ({ weights, images, batch }) =>
  start(onnxCnn(weights, batch), { x: { data: images, shape: [batch, 1, 28, 28] } }); // one channel: NCHW is NHWC
