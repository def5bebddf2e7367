// TF.js on its WebAssembly backend (XNNPACK): SIMD, one thread. The CNN is written with its fused ops, which is what a converted
// graph model runs; weights are tensors made once, so that the backend packs them once. It cannot train
// this model: "Conv2DBackpropFilter not registered".
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

export const name = "TF.js wasm";

export async function load() {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  if (!tf.env().getBool("WASM_HAS_SIMD_SUPPORT")) throw new Error("TF.js found no SIMD");
}

const OPS = {
  matmul: ([a, b], { transposeA, transposeB }) => tf.matMul(a, b, transposeA, transposeB),
  conv2d: ([x, filter], { strides, pad }) => tf.conv2d(x, filter, strides, pad),
  depthwise: ([x, filter], { strides, pad }) => tf.depthwiseConv2d(x, filter, strides, pad),
  maxPool: ([x], { size, strides }) => tf.maxPool(x, size, strides, "valid"),
  softmax: ([x]) => tf.softmax(x),
  transpose: ([x]) => tf.transpose(x),
  relu: ([x]) => tf.relu(x),
  tanh: ([x]) => tf.tanh(x),
  exp: ([x]) => tf.exp(x),
  sigmoid: ([x]) => tf.sigmoid(x),
  add: ([a, b]) => tf.add(a, b),
};

export function op({ op, options }, operands) {
  const tensors = operands.map(({ data, shape }) => tf.tensor(data, shape));
  const compute = () => OPS[op](tensors, options);
  return {
    run: () => tf.dispose(tf.tidy(compute)),
    read: () => tf.tidy(() => compute().dataSync()),
    end: () => tf.dispose(tensors),
  };
}

export function predict({ weights, images, batch }) {
  const tensors = Object.values(weights).map(({ data, shape }) => tf.tensor(data, shape));
  const [w1, b1, w2, b2, w3, b3, w4, b4] = tensors;
  const conv2d = (x, filter, bias) =>
    tf.fused.conv2d({ x, filter, bias, strides: 1, pad: "valid", activation: "relu" });
  const dense = (a, b, bias, activation) => tf.fused.matMul({ a, b, bias, activation });
  const forward = () => {
    const x = tf.tensor4d(images, [batch, 28, 28, 1]);
    const pooled1 = tf.maxPool(conv2d(x, w1, b1), 2, 2, "valid");
    const pooled2 = tf.maxPool(conv2d(pooled1, w2, b2), 2, 2, "valid");
    const hidden = dense(tf.reshape(pooled2, [batch, 1600]), w3, b3, "relu");
    return tf.softmax(dense(hidden, w4, b4, "linear")).dataSync();
  };
  const run = () => tf.tidy(forward);
  return { run, read: run, end: () => tf.dispose(tensors) };
}
