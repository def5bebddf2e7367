// TensorFlow Lite files for tests, written with the flatbuffers library: numbers of fields, types and operators as in its schema.fbs.
import { Builder } from "flatbuffers";

const TYPES = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  bool: 6,
  int16: 7,
  int8: 9,
  resource: 13,
} as const;

export const CODES = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEPTH_TO_SPACE: 5,
  DEQUANTIZE: 6,
  FLOOR: 8,
  FULLY_CONNECTED: 9,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  SOFTMAX: 25,
  SPACE_TO_DEPTH: 26,
  TANH: 28,
  CUSTOM: 32,
  PAD: 34,
  TRANSPOSE: 39,
  MEAN: 40,
  SUB: 41,
  STRIDED_SLICE: 45,
  CAST: 53,
  PRELU: 54,
  MAXIMUM: 55,
  ARG_MAX: 56,
  MINIMUM: 57,
  SLICE: 65,
  TRANSPOSE_CONV: 67,
  SUM: 74,
  POW: 78,
  REDUCE_PROD: 81,
  REDUCE_MAX: 82,
  PACK: 83,
  REDUCE_MIN: 89,
  LEAKY_RELU: 98,
  SQUARED_DIFFERENCE: 99,
  WHERE: 109,
  HARD_SWISH: 117,
  BATCH_MATMUL: 126,
  QUANTIZE: 114,
  DENSIFY: 124,
  LSTM: 16,
  RNN: 24,
  SVDF: 27,
  UNIDIRECTIONAL_SEQUENCE_RNN: 35,
  UNIDIRECTIONAL_SEQUENCE_LSTM: 44,
  BIDIRECTIONAL_SEQUENCE_LSTM: 52,
  CALL_ONCE: 129,
  VAR_HANDLE: 142,
  READ_VARIABLE: 143,
  ASSIGN_VARIABLE: 144,
  SPLIT: 49,
  SPLIT_V: 102,
  UNPACK: 88,
  GATHER: 36,
  GATHER_ND: 107,
  RESIZE_BILINEAR: 23,
  RESIZE_NEAREST_NEIGHBOR: 97,
  MIRROR_PAD: 100,
  PADV2: 60,
  ARG_MIN: 79,
  LESS: 58,
  GREATER: 61,
  GREATER_EQUAL: 62,
  LESS_EQUAL: 63,
  EQUAL: 71,
  NOT_EQUAL: 72,
  LOGICAL_OR: 84,
  LOGICAL_AND: 86,
  LOGICAL_NOT: 87,
  SELECT: 64,
  SELECT_V2: 123,
  L2_NORMALIZATION: 11,
  LOG_SOFTMAX: 50,
  REDUCE_ANY: 91,
  REDUCE_ALL: 140,
  ABS: 101,
  NEG: 59,
  CUMSUM: 128,
  ONE_HOT: 85,
  TOPK_V2: 48,
  TILE: 69,
  BROADCAST_TO: 130,
  BROADCAST_ARGS: 145,
  REVERSE_V2: 105,
  FILL: 94,
  RANGE: 96,
  SHAPE: 77,
  RANK: 110,
  ZEROS_LIKE: 93,
  SIN: 66,
  COS: 108,
  CEIL: 104,
  ROUND: 116,
  FLOOR_DIV: 90,
  FLOOR_MOD: 95,
  ADD_N: 106,
  L2_POOL_2D: 12,
  LOCAL_RESPONSE_NORMALIZATION: 13,
  SPACE_TO_BATCH_ND: 38,
  BATCH_TO_SPACE_ND: 37,
  EXPAND_DIMS: 70,
  SQUEEZE: 43,
  EMBEDDING_LOOKUP: 7,
  DYNAMIC_UPDATE_SLICE: 151,
  SCATTER_ND: 122,
  REVERSE_SEQUENCE: 112,
  DIV: 42,
  SQRT: 75,
  RSQRT: 76,
  LOG: 73,
  EXP: 47,
  ELU: 111,
  GELU: 150,
  RELU_0_TO_1: 152,
  RELU_N1_TO_1: 20,
  SIGN: 158,
} as const;

export interface TensorFile {
  readonly shape: readonly number[];
  readonly type: keyof typeof TYPES;
  /** Without it another operator makes the tensor, or it is an input. */
  readonly data?: ArrayBufferView;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  readonly name?: string;
  readonly isVariable?: boolean;
  /** The shape with -1 where the size is open. */
  readonly signature?: readonly number[];
}

export interface OperatorFile {
  readonly code: keyof typeof CODES;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Options in the order of the schema. */
  readonly options?: readonly (readonly ["byte" | "int" | "float", number] | readonly ["text", string])[];
  readonly intermediates?: readonly number[];
}

export interface GraphFile {
  readonly tensors: readonly TensorFile[];
  readonly operators: readonly OperatorFile[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface ModelFile extends GraphFile {
  /** Graphs behind the first. */
  readonly others?: readonly GraphFile[];
}

export function writeTflite({ others = [], ...main }: ModelFile): Uint8Array {
  const graphs = [main, ...others];
  const b = new Builder(1024);
  const offsets = (list: readonly number[]) => {
    b.startVector(4, list.length, 4);
    for (const offset of list.toReversed()) b.addOffset(offset);
    return b.endVector();
  };
  const ints = (list: readonly number[]) => {
    b.startVector(4, list.length, 4);
    for (const value of list.toReversed()) b.addInt32(value);
    return b.endVector();
  };
  const floats = (list: readonly number[]) => {
    b.startVector(4, list.length, 4);
    for (const value of list.toReversed()) b.addFloat32(value);
    return b.endVector();
  };
  const longs = (list: readonly number[]) => {
    b.startVector(8, list.length, 8);
    for (const value of list.toReversed()) b.addInt64(BigInt(value));
    return b.endVector();
  };
  const bytes = (list: Uint8Array) => {
    b.startVector(1, list.length, 16);
    for (const value of list.toReversed()) b.addInt8(value);
    return b.endVector();
  };
  const table = (count: number, ...fields: (() => void)[]) => {
    b.startObject(count);
    for (const field of fields) field();
    return b.endObject();
  };
  const to = (field: number, offset: number) => () => b.addFieldOffset(field, offset, 0);
  const int = (field: number, value: number) => () => b.addFieldInt32(field, value, 0);
  const byte = (field: number, value: number) => () => b.addFieldInt8(field, value, 0);
  const buffers = [undefined, ...graphs.flatMap(({ tensors }) => tensors)].map((tensor) => {
    if (!tensor?.data) return table(1);
    const { buffer, byteOffset, byteLength } = tensor.data;
    return table(1, to(0, bytes(new Uint8Array(buffer, byteOffset, byteLength))));
  });
  const custom = b.createString("Frobnicate");
  const codes = graphs
    .flatMap(({ operators }) => operators)
    .map(({ code }) =>
      table(4, byte(0, Math.min(CODES[code], 127)), ...(code === "CUSTOM" ? [to(1, custom)] : []), int(3, CODES[code])),
    );
  const add = { byte: "addFieldInt8", int: "addFieldInt32", float: "addFieldFloat32" } as const;
  let [tensorsBefore, operatorsBefore] = [0, 0];
  const written = graphs.map(({ tensors, operators, inputs, outputs }) => {
    const [firstBuffer, firstCode] = [1 + tensorsBefore, operatorsBefore];
    tensorsBefore += tensors.length;
    operatorsBefore += operators.length;
    const all = tensors.map(({ shape, type, scales, zeroPoints = [0], axis = 0, name, isVariable, signature }, i) => {
      const [dims, text] = [ints(shape), b.createString(name ?? `t${i}`)];
      const parts = scales && [floats(scales), longs(scales.map((_, k) => zeroPoints[k] ?? zeroPoints[0]))];
      const quantization = parts && table(7, to(2, parts[0]), to(3, parts[1]), int(6, axis));
      const rest = [...(quantization ? [to(4, quantization)] : []), ...(isVariable ? [byte(5, 1)] : [])];
      const open = signature ? [to(7, ints(signature))] : [];
      return table(8, to(0, dims), byte(1, TYPES[type]), int(2, firstBuffer + i), to(3, text), ...rest, ...open);
    });
    const calls = operators.map(({ inputs, outputs, options, intermediates }, i) => {
      const [from, into] = [ints(inputs), ints(outputs)];
      const fields = options?.map((option, field) => {
        if (option[0] === "text") return to(field, b.createString(option[1]));
        const [kind, value] = option;
        return () => b[add[kind]](field, value, 0);
      });
      const made = fields && table(fields.length, ...fields);
      const between = intermediates && ints(intermediates);
      return table(
        9,
        int(0, firstCode + i),
        to(1, from),
        to(2, into),
        ...(made ? [byte(3, 1), to(4, made)] : []),
        ...(between ? [to(8, between)] : []),
      );
    });
    const places = [offsets(all), ints(inputs), ints(outputs), offsets(calls)];
    return table(4, ...places.map((place, field) => to(field, place)));
  });
  const parts = [offsets(codes), offsets(written), offsets(buffers)];
  b.finish(table(5, int(0, 3), to(1, parts[0]), to(2, parts[1]), to(4, parts[2])), "TFL3");
  return b.asUint8Array().slice();
}
