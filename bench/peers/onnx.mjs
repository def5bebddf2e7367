// ONNX files of the rows and of the CNN: just enough of protobuf to write them. Field numbers are those of onnx.proto3.
import { nchw, oihw, transpose } from "./layout.mjs";

const text = new TextEncoder();

function varint(x) {
  const bytes = [];
  for (; x > 127; x = Math.floor(x / 128)) bytes.push((x % 128) + 128);
  return [...bytes, x];
}

/** A message of `[field, value]` pairs: a number is a varint; text, bytes and messages are written with their length. */
function message(...fields) {
  const parts = fields.map(([field, value]) => {
    if (typeof value === "number") return Uint8Array.from([...varint(field * 8), ...varint(value)]);
    const bytes = typeof value === "string" ? text.encode(value) : value;
    return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes]);
  });
  return Buffer.concat(parts);
}

const [FLOAT, INT, INTS, IR_VERSION, OPSET] = [1, 2, 7, 8, 17];

const initializer = ([name, { shape, data }]) =>
  message(...shape.map((d) => [1, d]), [2, FLOAT], [8, name], [9, new Uint8Array(data.buffer)]);

/** Attributes are integers or lists of these. */
const node = ([op, inputs, output, attributes = {}]) => {
  const written = Object.entries(attributes).map(([name, value]) =>
    Array.isArray(value)
      ? message([1, name], ...value.map((each) => [8, each]), [20, INTS])
      : message([1, name], [3, value], [20, INT]),
  );
  return message(...inputs.map((input) => [1, input]), [2, output], [4, op], ...written.map((each) => [5, each]));
};

const valueInfo = ([name, shape]) => {
  const dims = message(...shape.map((d) => [1, message([1, d])]));
  return message([1, name], [2, message([1, message([1, FLOAT], [2, dims])])]);
};

/** A model of nodes `[op, inputs, output, attributes]`; inputs and outputs are shapes by name, initializers arrays by name. */
function model({ nodes, inputs, outputs, initializers = {} }) {
  const graph = message(
    ...nodes.map((each) => [1, node(each)]),
    [2, "graph"],
    ...Object.entries(initializers).map((each) => [5, initializer(each)]),
    ...Object.entries(inputs).map((each) => [11, valueInfo(each)]),
    ...Object.entries(outputs).map((each) => [12, valueInfo(each)]),
  );
  return new Uint8Array(message([1, IR_VERSION], [7, graph], [8, message([2, OPSET])]));
}

const window = (size, strides, pad = 0) => ({
  kernel_shape: [size, size],
  strides: [strides, strides],
  pads: [pad, pad, pad, pad],
});

const TITLES = { softmax: "Softmax", relu: "Relu", tanh: "Tanh", exp: "Exp", sigmoid: "Sigmoid", add: "Add" };

/** The one node of a row of ../rows.mjs: operator and attributes. */
function operator({ op, options, inputs, weights }) {
  if (op === "conv2d" || op === "depthwise") {
    const attributes = window(weights[0][0], options.strides, options.pad);
    return ["Conv", op === "depthwise" ? { ...attributes, group: inputs[0][3] } : attributes];
  }
  if (op === "maxPool") return ["MaxPool", window(options.size, options.strides)];
  if (op === "transpose") return ["Transpose", { perm: [1, 0] }];
  if (op !== "matmul") return [TITLES[op], {}];
  const { transposeA, transposeB } = options;
  if (!transposeA && !transposeB) return ["MatMul", {}];
  return ["Gemm", { transA: Number(transposeA), transB: Number(transposeB) }];
}

/** A row of ../rows.mjs with its operands: `{ bytes, feeds }`, in ONNX's own layouts; the output is `y`. */
export function onnxOp(row, operands) {
  const [type, attributes] = operator(row);
  const images = row.output.length === 4;
  const count = row.inputs.length;
  const given = operands.map((array, i) => {
    if (!images) return array;
    return i < count ? nchw(array) : oihw(array, row.op === "depthwise");
  });
  const named = given.map((array, i) => [`x${i}`, array]);
  const [n, h, w, c] = row.output;
  const bytes = model({
    nodes: [[type, named.map(([name]) => name), "y", attributes]],
    inputs: Object.fromEntries(named.slice(0, count).map(([name, { shape }]) => [name, shape])),
    initializers: Object.fromEntries(named.slice(count)),
    outputs: { y: images ? [n, c, h, w] : row.output },
  });
  return { bytes, feeds: Object.fromEntries(named.slice(0, count)) };
}

/** The CNN for NCHW images `x` of one batch size; its softmax is `y`. */
export function onnxCnn(weights, batch) {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = Object.values(weights);
  // Flatten gives channels first, the dense kernel's rows are for channels last: [5, 5, 64, 64] to [64, 5, 5, 64].
  const { data } = transpose({ data: w3.data, shape: [5, 5, 64, 64] }, [2, 0, 1, 3]);
  return model({
    nodes: [
      ["Conv", ["x", "w1", "b1"], "conv1", window(3, 1)],
      ["Relu", ["conv1"], "relu1"],
      ["MaxPool", ["relu1"], "pool1", window(2, 2)],
      ["Conv", ["pool1", "w2", "b2"], "conv2", window(3, 1)],
      ["Relu", ["conv2"], "relu2"],
      ["MaxPool", ["relu2"], "pool2", window(2, 2)],
      ["Flatten", ["pool2"], "flat"],
      ["Gemm", ["flat", "w3", "b3"], "dense1"],
      ["Relu", ["dense1"], "relu3"],
      ["Gemm", ["relu3", "w4", "b4"], "logits"],
      ["Softmax", ["logits"], "y"],
    ],
    initializers: { w1: oihw(w1), b1, w2: oihw(w2), b2, w3: { shape: w3.shape, data }, b3, w4, b4 },
    inputs: { x: [batch, 1, 28, 28] },
    outputs: { y: [batch, 10] },
  });
}
