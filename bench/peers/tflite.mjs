// TFLite files of the rows and of the CNN, written with flatbuffers. Field and code numbers are those of TensorFlow Lite's schema.fbs.
import { Builder } from "flatbuffers";
import { INPUT, OUTPUT, outputScale, WEIGHT_SCALE } from "../rows-int8.mjs";
import { flip, transpose } from "./layout.mjs";

const [FLOAT32, INT32, INT8] = [0, 2, 9];
const [SAME, VALID] = [0, 1];
const RELU = 1;

/** Operators with the number of their options, if these are needed. */
const ADD = { code: 0, options: 11 };
const BATCH_MATMUL = { code: 126, options: 101 };
const CONV_2D = { code: 3, options: 1 };
const DEPTHWISE_CONV_2D = { code: 4, options: 2 };
const EXP = { code: 47 };
const FULLY_CONNECTED = { code: 9, options: 8 };
const LOGISTIC = { code: 14 };
const MAX_POOL_2D = { code: 17, options: 5 };
const RELU_OP = { code: 19 };
const RESHAPE = { code: 22 };
const SOFTMAX = { code: 25, options: 9 };
const TANH = { code: 28 };
const TRANSPOSE = { code: 39 };

/**
 * A model of one graph.
 * @param tensors `{ shape, data, quantization }` each, without data where it is computed; of int8 `{ scale, zeroPoint }`, or where there
 *   are as many as a weight's axis is long `{ scale, count, axis }`
 * @param operators `{ kind, inputs, output, fields }` each: indices of tensors, and the options as `[type, value]` in the schema's order
 */
function model(tensors, inputs, outputs, operators) {
  const b = new Builder(1 << 16);
  const vector = (offsets) => {
    b.startVector(4, offsets.length, 4);
    for (const offset of offsets.toReversed()) b.addOffset(offset);
    return b.endVector();
  };
  const ints = (values) => {
    b.startVector(4, values.length, 4);
    for (const value of values.toReversed()) b.addInt32(value);
    return b.endVector();
  };
  const table = (count, ...add) => {
    b.startObject(count);
    for (const each of add) each();
    return b.endObject();
  };
  const offset = (field, value) => () => b.addFieldOffset(field, value, 0);
  const bytes = (data) => {
    b.startVector(1, data.byteLength, 16);
    b.space -= data.byteLength; // createByteVector, but aligned as the schema wants
    b.bb.setPosition(b.space);
    b.bb.bytes().set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), b.space);
    return b.endVector();
  };
  const buffers = [undefined, ...tensors.map(({ data }) => data)].map((data) => {
    if (data === undefined) return table(1);
    const written = bytes(data);
    return table(1, offset(0, written));
  });
  const quantized = ({ scale, zeroPoint = 0, count = 1, axis = 0 }) => {
    b.startVector(4, count, 4);
    for (let i = 0; i < count; i++) b.addFloat32(scale);
    const scales = b.endVector();
    b.startVector(8, count, 8);
    for (let i = 0; i < count; i++) b.addInt64(BigInt(zeroPoint));
    const zeros = b.endVector();
    return table(7, offset(2, scales), offset(3, zeros), () => b.addFieldInt32(6, axis, 0));
  };
  const written = tensors.map(({ shape, data, quantization }, i) => {
    const [dims, name] = [ints(shape), b.createString(`t${i}`)];
    const meaning = quantization && quantized(quantization);
    const type = data instanceof Int32Array ? INT32 : quantization ? INT8 : FLOAT32;
    const buffer = () => b.addFieldInt32(2, i + 1, 0);
    const more = meaning ? [offset(4, meaning)] : [];
    return table(5, offset(0, dims), () => b.addFieldInt8(1, type, 0), buffer, offset(3, name), ...more);
  });
  const codes = operators.map(({ kind: { code } }) =>
    table(
      4,
      () => b.addFieldInt8(0, Math.min(code, 127), 0),
      () => b.addFieldInt32(3, code, 0),
    ),
  );
  const calls = operators.map(({ kind, inputs, output, fields = [] }, i) => {
    const [from, to] = [ints(inputs), ints([output])];
    const add = { byte: "addFieldInt8", int: "addFieldInt32", float: "addFieldFloat32" };
    const options = table(
      fields.length,
      ...fields.map(
        ([type, value], field) =>
          () =>
            b[add[type]](field, value, 0),
      ),
    );
    const hasOptions = kind.options ? [() => b.addFieldInt8(3, kind.options, 0), offset(4, options)] : [];
    return table(5, () => b.addFieldInt32(0, i, 0), offset(1, from), offset(2, to), ...hasOptions);
  });
  const parts = [vector(written), ints(inputs), ints(outputs), vector(calls)];
  const graph = table(4, ...parts.map((part, field) => offset(field, part)));
  const [operatorCodes, graphs, allBuffers] = [vector(codes), vector([graph]), vector(buffers)];
  const description = b.createString("");
  const root = table(
    5,
    () => b.addFieldInt32(0, 3, 0),
    offset(1, operatorCodes),
    offset(2, graphs),
    offset(3, description),
    offset(4, allBuffers),
  );
  b.finish(root, "TFL3");
  return b.asUint8Array();
}

const conv = (padding, strides, activation = 0) => [
  ["byte", padding],
  ["int", strides],
  ["int", strides],
  ["byte", activation],
  ["int", 1],
  ["int", 1],
];
const depthwise = (padding, strides) => [...conv(padding, strides).slice(0, 3), ["int", 1], ...conv(0, 1).slice(3)];
const pool = (size, strides) => [...conv(VALID, strides).slice(0, 3), ["int", size], ["int", size]];

const zeros = (n) => ({ shape: [n], data: new Float32Array(n) });
const integers = (...values) => ({ shape: [values.length], data: Int32Array.from(values) });
const ohwi = (filter) => transpose(filter, [3, 0, 1, 2]);
const transposed = (matrix) => transpose(matrix, [1, 0]);

/** TFLite's SAME pads after, where a stride skips pixels; with the image and the filter turned round that is padding before. */
const turned = ({ op, options }) => (op === "conv2d" || op === "depthwise") && options.strides > 1;

/** Per op: its kind, constants after the inputs, options. */
const OPS = {
  conv2d: ({ options }, filter) => [CONV_2D, [ohwi(filter), zeros(filter.shape[3])], conv(SAME, options.strides)],
  depthwise: ({ options }, filter) => {
    const [h, w, c] = filter.shape;
    const constants = [{ shape: [1, h, w, c], data: filter.data }, zeros(c)];
    return [DEPTHWISE_CONV_2D, constants, depthwise(SAME, options.strides)];
  },
  maxPool: ({ options: { size, strides } }) => [MAX_POOL_2D, [], pool(size, strides)],
  matmul({ options: { transposeA, transposeB } }, weight) {
    if (weight) return [FULLY_CONNECTED, [transposed(weight)], [["byte", 0]]];
    const flags = [transposeA, transposeB].map((flag) => ["byte", Number(flag)]);
    return [BATCH_MATMUL, [], flags];
  },
  softmax: () => [SOFTMAX, [], [["float", 1]]],
  transpose: () => [TRANSPOSE, [integers(1, 0)]],
  relu: () => [RELU_OP, []],
  tanh: () => [TANH, []],
  exp: () => [EXP, []],
  sigmoid: () => [LOGISTIC, []],
  add: () => [ADD, [], [["byte", 0]]],
};

/** Weights and biases of int8: scales of their own for each output, along the axis of these. */
function quantizedConstants([weights, bias], { op, output }) {
  const count = output.at(-1);
  const own = { count: op === "matmul" ? 1 : count, axis: op === "depthwise" ? 3 : 0 };
  const dense = { ...weights, quantization: { scale: WEIGHT_SCALE, ...own } };
  if (!bias) return [dense];
  const quantization = { scale: INPUT.scale * WEIGHT_SCALE, count };
  return [dense, { shape: bias.shape, data: new Int32Array(count), quantization }];
}

/** A row of ../rows.mjs or ../rows-int8.mjs with its operands: `{ bytes, feeds }` and `ours`, which makes our result of theirs. */
export function tfliteOp(row, operands) {
  const back = turned(row);
  const count = row.inputs.length;
  const given = operands.map((array, i) => (back ? flip(array, i < count ? [1, 2] : [0, 1]) : array));
  const [kind, floats, fields] = OPS[row.op](row, given[count]);
  const feeds = given.slice(0, count);
  const constants = row.int8 ? quantizedConstants(floats, row) : floats;
  const [from, to] = row.int8 ? [INPUT, { ...OUTPUT, scale: outputScale(row) }] : [];
  const tensors = [
    ...feeds.map(({ shape }) => ({ shape, quantization: from })),
    ...constants,
    { shape: row.output, quantization: to },
  ];
  const output = tensors.length - 1;
  const operator = { kind, inputs: Array.from({ length: output }, (_, i) => i), output, fields };
  const bytes = model(
    tensors,
    feeds.map((_, i) => i),
    [output],
    [operator],
  );
  return { bytes, feeds, ours: (data) => (back ? flip({ data, shape: row.output }, [1, 2]).data : data) };
}

/** The CNN for one batch size. */
export function tfliteCnn(weights, batch) {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = Object.values(weights);
  const constants = [ohwi(w1), b1, ohwi(w2), b2, transposed(w3), b3, transposed(w4), b4, integers(batch, 1600)];
  const shapes = [[26, 26, 32], [13, 13, 32], [11, 11, 64], [5, 5, 64], [1600], [64], [10], [10]];
  const tensors = [
    { shape: [batch, 28, 28, 1] },
    ...constants,
    ...shapes.map((shape) => ({ shape: [batch, ...shape] })),
  ];
  const relu = [["byte", RELU]];
  const operators = [
    [CONV_2D, [0, 1, 2], conv(VALID, 1, RELU)],
    [MAX_POOL_2D, [10], pool(2, 2)],
    [CONV_2D, [11, 3, 4], conv(VALID, 1, RELU)],
    [MAX_POOL_2D, [12], pool(2, 2)],
    [RESHAPE, [13, 9]],
    [FULLY_CONNECTED, [14, 5, 6], relu],
    [FULLY_CONNECTED, [15, 7, 8], [["byte", 0]]],
    [SOFTMAX, [16], [["float", 1]]],
  ].map(([kind, inputs, fields], i) => ({ kind, inputs, fields, output: 10 + i }));
  return model(tensors, [0], [17], operators);
}
