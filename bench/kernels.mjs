// The rows of rows.mjs in Lanewise, each a model of one op on a session, and the gradients of those that have weights or windows.
// Through the public API, and nothing of a platform: this runs in every runtime.
import {
  add,
  build,
  constant,
  conv2d,
  depthwiseConv2d,
  exp,
  input,
  matmul,
  maxPooling2d,
  mul,
  relu,
  sigmoid,
  softmax,
  tanh,
  tensor,
  transpose,
} from "lanewise";
import { gradients } from "lanewise/train";
import { noise } from "./cnn.mjs";
import { rows } from "./rows.mjs";

const around = (pad) => [
  [pad, pad],
  [pad, pad],
];
const layer = ({ strides, pad }) => ({ strides, padding: around(pad), useBias: false });

/** Per op: from the Values of inputs and a row to the output; weights of layers are set afterwards, in order. */
const OPS = {
  matmul: ([a, b], { weights: [w], options }) => matmul(a, b ?? constant(tensor(noise(size(w), 2), w)), options),
  conv2d: ([x], { weights, options }) => conv2d(weights[0][3], weights[0][0], layer(options))(x),
  depthwise: ([x], { weights, options }) => depthwiseConv2d(weights[0][0], layer(options))(x),
  maxPool: ([x], { options }) => maxPooling2d(options.size, { strides: options.strides })(x),
  softmax: ([x]) => softmax(x),
  transpose: ([x]) => transpose(x, [0, 2, 1]),
  relu: ([x]) => relu(x),
  tanh: ([x]) => tanh(x),
  exp: ([x]) => exp(x),
  sigmoid: ([x]) => sigmoid(x),
  add: ([a, b]) => add(a, b),
};

/** Ops whose first axis is the batch; the others' arrays are one sample each. */
const BATCHED = new Set(["conv2d", "depthwise", "maxPool", "softmax"]);

const size = (shape) => shape.reduce((a, b) => a * b, 1);

/** Numbers for inputs and weights, in this order, the same for everyone who runs the row. */
export const operands = ({ inputs, weights }) =>
  [...inputs, ...weights].map((shape, i) => ({ shape, data: noise(size(shape), i + 1) }));

/** `how` are options of `build`; `finish` makes the model's output of the op's, and may take one more input. */
async function modelOf(row, how, extra = [], finish = (y) => y) {
  const batched = BATCHED.has(row.op);
  const [more, ...inputs] = [extra, ...row.inputs].map((shape) => input(batched ? shape.slice(1) : shape));
  const y = finish(OPS[row.op](inputs, row), more);
  const model = await build(extra.length > 0 ? [...inputs, more] : inputs, y, how);
  const data = operands(row);
  Object.keys(model.weights()).forEach((name, i) => {
    const { shape, data: numbers } = data[row.inputs.length + i];
    model.setWeights({ [name]: tensor(numbers, shape) });
  });
  return { model, data, batch: batched ? row.inputs[0][0] : 1 };
}

/** A row of rows.mjs, ready: `run()` computes, `read()` gives a copy of the output's numbers. */
export async function prepare(row, how = {}) {
  const { model, data, batch } = await modelOf(row, how);
  const session = model.session(batch);
  for (const [i, array] of session.inputs.entries()) array.set(data[i].data);
  return { run: () => session.run(), read: () => session.outputs[0].slice() };
}

/** Gradients with respect to the input and the weight, where the op's output has the gradient dy. Copying them in and out is part of it. */
async function gradientRows(row, how) {
  const { model, data } = await modelOf(row, how, row.output, mul); // the derivative of y * dy by y is dy
  const dy = tensor(noise(size(row.output), 9), row.output);
  const feeds = [tensor(data[0].data, data[0].shape), dy];
  const names = { input: model.inputs[0].name, filter: Object.keys(model.weights())[0] };
  const { flops, reads, writes } = row;
  return Object.entries(names)
    .filter(([, name]) => name !== undefined)
    .map(([what, name]) => {
      const gradient = gradients(model, { of: model.outputs[0].name, wrt: [name] });
      // A gradient reads what the op reads or writes, and writes the other.
      return { name: `${row.name}, ${what} gradient`, flops, reads: writes, writes: reads, run: () => gradient(feeds) };
    });
}

/** The kernels that models get who are built so: what was asked for, or what there is. */
export async function mathOf(how) {
  const x = input([1]);
  return (await build(x, relu(x), how)).math;
}

/** All rows that `wanted` accepts, with `run`. @param how options of `build` */
export async function kernelRows(wanted = () => true, how = {}) {
  const result = [];
  for (const row of rows) {
    const plain = { section: "kernel", ...row };
    if (wanted(plain)) result.push({ ...plain, run: (await prepare(row, how)).run });
    if (!["conv2d", "depthwise", "maxPool"].includes(row.op)) continue;
    if (!wanted({ section: "gradient", name: row.name })) continue;
    result.push(...(await gradientRows(row, how)).map((each) => ({ section: "gradient", ...each })));
  }
  return result;
}
