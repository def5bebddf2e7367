// The CNN as an ONNX file: just enough of protobuf to write one. Field numbers are those of onnx.proto3.
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

const [FLOAT, INTS, IR_VERSION, OPSET] = [1, 7, 8, 17];

const initializer = (name, dims, data) =>
  message(...dims.map((d) => [1, d]), [2, FLOAT], [8, name], [9, new Uint8Array(data.buffer)]);

const node = (op, inputs, output, ints = {}) => {
  const attributes = Object.entries(ints).map(([name, values]) =>
    message([1, name], ...values.map((value) => [8, value]), [20, INTS]),
  );
  return message(...inputs.map((input) => [1, input]), [2, output], [4, op], ...attributes.map((each) => [5, each]));
};

const valueInfo = (name, shape) => {
  const dims = message(...shape.map((d) => [1, message([1, d])]));
  return message([1, name], [2, message([1, message([1, FLOAT], [2, dims])])]);
};

/** `axes` of a row-major array in a new order. */
function transpose({ data, shape }, axes) {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const result = new Float32Array(data.length);
  const index = shape.map(() => 0); // in the result
  for (let i = 0; i < result.length; i++) {
    result[i] = data[axes.reduce((sum, axis, k) => sum + index[k] * strides[axis], 0)];
    for (let k = axes.length - 1; k >= 0 && ++index[k] === shape[axes[k]]; k--) index[k] = 0;
  }
  return result;
}

/** The CNN for NCHW images `x` of one batch size; its softmax is `y`. */
export function onnxCnn(weights, batch) {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = Object.values(weights);
  const oihw = (w) => transpose(w, [3, 2, 0, 1]);
  // Flatten gives channels first, the dense kernel's rows are for channels last: [5, 5, 64, 64] to [64, 5, 5, 64].
  const w3First = transpose({ data: w3.data, shape: [5, 5, 64, 64] }, [2, 0, 1, 3]);
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const nodes = [
    node("Conv", ["x", "w1", "b1"], "conv1", { kernel_shape: [3, 3] }),
    node("Relu", ["conv1"], "relu1"),
    node("MaxPool", ["relu1"], "pool1", pool),
    node("Conv", ["pool1", "w2", "b2"], "conv2", { kernel_shape: [3, 3] }),
    node("Relu", ["conv2"], "relu2"),
    node("MaxPool", ["relu2"], "pool2", pool),
    node("Flatten", ["pool2"], "flat"),
    node("Gemm", ["flat", "w3", "b3"], "dense1"),
    node("Relu", ["dense1"], "relu3"),
    node("Gemm", ["relu3", "w4", "b4"], "logits"),
    node("Softmax", ["logits"], "y"),
  ];
  const initializers = [
    initializer("w1", [32, 1, 3, 3], oihw(w1)),
    initializer("b1", [32], b1.data),
    initializer("w2", [64, 32, 3, 3], oihw(w2)),
    initializer("b2", [64], b2.data),
    initializer("w3", [1600, 64], w3First),
    initializer("b3", [64], b3.data),
    initializer("w4", [64, 10], w4.data),
    initializer("b4", [10], b4.data),
  ];
  const graph = message(
    ...nodes.map((each) => [1, each]),
    [2, "cnn"],
    ...initializers.map((each) => [5, each]),
    [11, valueInfo("x", [batch, 1, 28, 28])],
    [12, valueInfo("y", [batch, 10])],
  );
  return new Uint8Array(message([1, IR_VERSION], [7, graph], [8, message([2, OPSET])]));
}
