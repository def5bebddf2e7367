// ONNX Runtime Web on WebAssembly (MLAS): SIMD, one thread, all graph optimizations, shapes fixed, the input tensor made once. It does
// not train.
import * as ort from "onnxruntime-web";

export const name = "ONNX Runtime Web";

export async function predict({ onnx, images, batch }) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.simd = true;
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(onnx, options);
  const feeds = { x: new ort.Tensor("float32", images, [batch, 1, 28, 28]) }; // one channel: NCHW is NHWC
  return async () => (await session.run(feeds)).y;
}
