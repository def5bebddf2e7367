// ONNX files of the rows and of the CNN: just enough of protobuf to write them. Field numbers are those of onnx.proto3.
import { INPUT, OUTPUT, outputScale, WEIGHT_SCALE } from "../rows-int8.mjs";
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

const [INT, INTS, IR_VERSION, OPSET] = [2, 7, 8, 17];
/** What numbers are. */
const [FLOAT32, UINT8, INT8] = [1, 2, 3];
const typeOf = (data) => (data instanceof Int8Array ? INT8 : data instanceof Uint8Array ? UINT8 : FLOAT32);

const initializer = ([name, { shape, data }]) =>
  message(...shape.map((d) => [1, d]), [2, typeOf(data)], [8, name], [9, new Uint8Array(data.buffer)]);

/** Attributes are integers or lists of these. */
const node = ([op, inputs, output, attributes = {}]) => {
  const written = Object.entries(attributes).map(([name, value]) =>
    Array.isArray(value)
      ? message([1, name], ...value.map((each) => [8, each]), [20, INTS])
      : message([1, name], [3, value], [20, INT]),
  );
  return message(...inputs.map((input) => [1, input]), [2, output], [4, op], ...written.map((each) => [5, each]));
};

const valueInfo =
  (type) =>
  ([name, shape]) => {
    const dims = message(...shape.map((d) => [1, message([1, d])]));
    return message([1, name], [2, message([1, message([1, type], [2, dims])])]);
  };

/** A model of nodes `[op, inputs, output, attributes]`; inputs and outputs are shapes by name, all of a type, initializers arrays by name. */
function model({ nodes, inputs, outputs, initializers = {}, type = FLOAT32 }) {
  const graph = message(
    ...nodes.map((each) => [1, node(each)]),
    [2, "graph"],
    ...Object.entries(initializers).map((each) => [5, initializer(each)]),
    ...Object.entries(inputs).map((each) => [11, valueInfo(type)(each)]),
    ...Object.entries(outputs).map((each) => [12, valueInfo(type)(each)]),
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

/** A row of ../rows.mjs or ../rows-int8.mjs with its operands: `{ bytes, feeds }`, in ONNX's own layouts; the output is `y`. */
export function onnxOp(row, operands) {
  const [kind, attributes] = operator(row);
  const images = row.output.length === 4;
  const count = row.inputs.length;
  const given = operands.map((array, i) => {
    const ours = row.int8 && i < count ? unsigned(array) : array;
    if (!images) return ours;
    return i < count ? nchw(ours) : oihw(ours, row.op === "depthwise");
  });
  const named = given.map((array, i) => [`x${i}`, array]);
  const [n, h, w, c] = row.output;
  const constants = row.int8 ? scales(row) : {};
  const [scale, zero, weightScale, weightZero, ...result] = Object.keys(constants);
  const names = named.map(([name]) => name);
  const bytes = model({
    nodes: [
      row.int8
        ? [`QLinear${kind}`, [names[0], scale, zero, names[1], weightScale, weightZero, ...result], "y", attributes]
        : [kind, names, "y", attributes],
    ],
    inputs: Object.fromEntries(named.slice(0, count).map(([name, { shape }]) => [name, shape])),
    initializers: { ...Object.fromEntries(named.slice(count)), ...constants },
    outputs: { y: images ? [n, c, h, w] : row.output },
    type: row.int8 ? UINT8 : FLOAT32,
  });
  return { bytes, feeds: Object.fromEntries(named.slice(0, count)) };
}

/** Activations as uint8, with zero points as much higher: ONNX Runtime has its fast kernels for these, 20 to 100 times as fast as for int8. */
const MORE = 128;
const unsigned = ({ shape, data }) => ({ shape, data: Uint8Array.from(data, (v) => v + MORE) });
export const signed = (data) => Int8Array.from(data, (v) => v - MORE);

/** What QLinear operators ask of operands and result, in their order. */
function scales(row) {
  const float = (x) => ({ shape: [], data: Float32Array.of(x) });
  const uint8 = (x) => ({ shape: [], data: Uint8Array.of(x + MORE) });
  return {
    xScale: float(INPUT.scale),
    xZero: uint8(INPUT.zeroPoint),
    wScale: float(WEIGHT_SCALE),
    wZero: { shape: [], data: Int8Array.of(0) },
    yScale: float(outputScale(row)),
    yZero: uint8(OUTPUT.zeroPoint),
  };
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
