// The parts of TensorFlow Lite's schema that are read: numbers of fields, types and operators, as in schema.fbs of tensorflow/tensorflow.
import { FormatError } from "../../errors.js";
import { sizeOf } from "../../shape.js";
import { Source, type Table } from "./table.js";

/** Types of elements by their number, and their bytes. */
const TYPES = [
  ["float32", 4],
  ["float16", 2],
  ["int32", 4],
  ["uint8", 1],
  ["int64", 8],
  ["string", 0],
  ["bool", 1],
  ["int16", 2],
  ["complex64", 8],
  ["int8", 1],
  ["float64", 8],
  ["complex128", 16],
  ["uint64", 8],
  ["resource", 0],
] as const;

export type TfliteType = (typeof TYPES)[number][0];

/** Operators by their number. */
const OPERATORS =
  `ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED
  HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU
  RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM
  EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
  UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
  BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN
  TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD
  REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD
  RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE
  RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4
  NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE
  BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
  CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL
  GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
  UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT`.split(/\s+/);

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Which axes may have another size when the model runs. */
  readonly open: readonly boolean[];
  readonly type: TfliteType;
  /** The file's own bytes, where the tensor is constant. */
  readonly data?: Uint8Array | undefined;
  /** One scale and zero point, or one for each index of an axis; none where it is not quantized. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
  /** Keeps its numbers from run to run. */
  readonly isVariable: boolean;
}

export interface TfliteOperator {
  readonly name: string;
  /** Positions of tensors, -1 for one that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Positions of tensors that say what an operator's own numbers between stand for. */
  readonly intermediates: readonly number[];
  readonly options: Table | undefined;
}

export interface TfliteGraph {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Elements of one tensor: more are refused before anything is allocated. */
const MAX_ELEMENTS = 2 ** 28;
const MAX_RANK = 8;

/**
 * The graphs of a file: the first is the model's, operators of it may name others.
 * @throws {FormatError} for anything that is not a complete, consistent file
 */
export function readTflite(bytes: Uint8Array): readonly [TfliteGraph, ...TfliteGraph[]] {
  const model = new Source(bytes).root("TFL3");
  const version = model.uint(0);
  if (version !== 3) throw new FormatError(`tflite: expected version 3, got ${version}`);
  const codes = model.tables(1).map(readCode);
  const tables = model.tables(2);
  const buffers = model.tables(4);
  const [main, ...others] = tables.map((table) => readGraph(table, codes, buffers));
  if (main === undefined) throw new FormatError("tflite: expected a graph, got none");
  if (main.inputs.length === 0 || main.outputs.length === 0)
    throw new FormatError("tflite: expected inputs and outputs, got none");
  return [main, ...others];
}

function readGraph(graph: Table, codes: readonly string[], buffers: readonly Table[]): TfliteGraph {
  const tensors = graph.tables(0).map((table, i) => readTensor(table, i, buffers));
  const known = (list: readonly number[], what: string, missing = 0): readonly number[] => {
    const wrong = list.find((i) => i < missing || i >= tensors.length);
    if (wrong === undefined) return list;
    throw new FormatError(`tflite: ${what}: expected one of ${tensors.length} tensors, got ${wrong}`);
  };
  const operators = graph.tables(3).map((table, i): TfliteOperator => {
    const code = codes[table.uint(0)];
    if (code === undefined)
      throw new FormatError(`tflite: operator ${i}: expected one of ${codes.length} codes, got ${table.uint(0)}`);
    const inputs = known(table.ints(1), `operator ${i}`, -1);
    const outputs = known(table.ints(2), `operator ${i}`);
    const intermediates = known(table.ints(8), `operator ${i}`);
    return { name: code, inputs, outputs, intermediates, options: table.table(4) };
  });
  return { tensors, operators, inputs: known(graph.ints(1), "inputs"), outputs: known(graph.ints(2), "outputs") };
}

function readCode(table: Table): string {
  const number = Math.max(table.byte(0), table.int(3));
  const name = OPERATORS[number] ?? `operator ${number}`;
  return name === "CUSTOM" ? `CUSTOM "${table.text(1)}"` : name;
}

function readTensor(table: Table, i: number, buffers: readonly Table[]): TfliteTensor {
  const fail = (expected: string, actual: unknown): never => {
    throw new FormatError(`tflite: tensor ${i}: expected ${expected}, got ${String(actual)}`);
  };
  const shape = table.ints(0);
  const [type, width] = TYPES[table.byte(1)] ?? fail("a known type", table.byte(1));
  if (shape.length > MAX_RANK || shape.some((d) => d < 0) || sizeOf(shape) > MAX_ELEMENTS)
    fail(`at most ${MAX_RANK} axes and ${MAX_ELEMENTS} elements`, `[${shape.slice(0, 16)}]`);
  const number = table.uint(2);
  const buffer = buffers[number] ?? fail(`one of ${buffers.length} buffers`, number);
  const data = buffer.bytes(0);
  const bytes = sizeOf(shape) * width;
  if (number > 0 && data.length > 0 && data.length !== bytes && width > 0)
    fail(`${bytes} bytes for ${type} [${shape}]`, data.length);
  const quantization = table.table(4);
  const scales = quantization?.floats(2) ?? [];
  const zeroPoints = quantization?.longs(3) ?? [];
  // Some converters write the axis of the filter beside the scales of a bias, which has but one.
  const axis = shape.length === 1 ? 0 : (quantization?.int(6) ?? 0);
  if (scales.some((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY)))
    fail("scales above 0", scales.slice(0, 16));
  if (scales.length > 1 && shape[axis] !== scales.length)
    fail(`${shape[axis] ?? "no"} scales along axis ${axis}`, scales.length);
  if (scales.length > 0 && zeroPoints.length > 0 && zeroPoints.length !== scales.length)
    fail(`${scales.length} zero points`, zeroPoints.length);
  const [low, high] = type === "uint8" ? [0, 255] : type === "int8" ? [-128, 127] : [-(2 ** 31), 2 ** 31 - 1];
  if (zeroPoints.some((zero) => zero < low || zero > high))
    fail(`zero points that ${type} holds`, zeroPoints.slice(0, 16));
  const constant = number > 0 && data.length > 0;
  const signature = table.ints(7);
  return {
    name: table.text(3),
    shape,
    open: shape.map((_, k) => signature.length === shape.length && signature[k] === -1),
    type,
    scales,
    zeroPoints: scales.map((_, k) => zeroPoints[k] ?? 0),
    axis,
    isVariable: table.byte(5) !== 0,
    ...(constant && { data }),
  };
}
