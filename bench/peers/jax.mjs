// jax-js on WebAssembly: functions compiled with jit, in its own layouts, weights held. In Node it has one thread.
import { defaultDevice, init, jit, lax, nn, numpy as np } from "@jax-js/jax";
import { nchw, nhwc, oihw } from "./layout.mjs";

export const name = "jax-js";

export async function load() {
  await init("wasm");
  defaultDevice("wasm");
}

const pads = (pad) => [
  [pad, pad],
  [pad, pad],
];
const pair = (x) => [x, x];
const largest = (x, size, strides) => lax.reduceWindow(x, (each) => np.max(each), pair(size), pair(strides));

/** Every function owns its arguments: they are used once. */
const OPS = {
  matmul: (a, b, { options: { transposeA, transposeB } }) =>
    np.matmul(transposeA ? np.matrixTranspose(a) : a, transposeB ? np.matrixTranspose(b) : b),
  conv2d: (x, filter, { options: { strides, pad } }) => lax.convGeneralDilated(x, filter, pair(strides), pads(pad)),
  depthwise: (x, filter, { options: { strides, pad }, inputs }) =>
    lax.convGeneralDilated(x, filter, pair(strides), pads(pad), { featureGroupCount: inputs[0][3] }),
  maxPool: (x, { options: { size, strides } }) => largest(x, size, strides),
  softmax: (x) => nn.softmax(x),
  transpose: (x) => np.transpose(x),
  relu: (x) => nn.relu(x),
  tanh: (x) => np.tanh(x),
  exp: (x) => np.exp(x),
  sigmoid: (x) => nn.sigmoid(x),
  add: (a, b) => np.add(a, b),
};

const array = ({ data, shape }) => np.array(data.slice()).reshape(shape);

async function start(f, arrays) {
  for (const each of arrays) await each.ref.blockUntilReady();
  const compiled = jit(f);
  const compute = () => compiled(...arrays.map((each) => each.ref));
  return {
    run: async () => (await compute().blockUntilReady()).dispose(),
    read: () => compute().data(),
    end: () => {
      for (const each of arrays) each.dispose();
    },
  };
}

export async function op(row, operands) {
  const images = row.output.length === 4;
  const count = row.inputs.length;
  const arrays = operands.map((each, i) => {
    if (!images) return array(each);
    return array(i < count ? nchw(each) : oihw(each, row.op === "depthwise"));
  });
  const { read, ...rest } = await start((...values) => OPS[row.op](...values, row), arrays);
  return { read: images ? async () => nhwc(await read(), row.output) : read, ...rest };
}

export function predict({ weights, images, batch }) {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = Object.values(weights);
  const bias = ({ data, shape: [c] }) => array({ data, shape: [1, c, 1, 1] });
  const params = [array(oihw(w1)), bias(b1), array(oihw(w2)), bias(b2), ...[w3, b3, w4, b4].map(array)];
  const convolve = (x, w, b) => largest(nn.relu(lax.convGeneralDilated(x, w, [1, 1], "VALID").add(b)), 2, 2);
  const forward = (x, w1, b1, w2, b2, w3, b3, w4, b4) => {
    const pooled = convolve(convolve(x, w1, b1), w2, b2);
    const flat = np.transpose(pooled, [0, 2, 3, 1]).reshape([batch, 1600]);
    const hidden = nn.relu(np.matmul(flat, w3).add(b3));
    return nn.softmax(np.matmul(hidden, w4).add(b4));
  };
  const compiled = jit(forward);
  const run = async () => {
    const x = array({ data: images, shape: [batch, 1, 28, 28] });
    return compiled(x, ...params.map((each) => each.ref)).data();
  };
  return { run, read: run };
}
