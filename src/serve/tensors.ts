// Tensors between the protocol and a model: flat or nested JSON, or little-endian bytes.
import { quantizeData } from "../ops/quantized/data.js";
import type { TensorSpec } from "../program/model.js";
import { type Shape, show, sizeOf } from "../shape.js";
import { arrayOf, type DType, type Tensor, type TypedArray } from "../tensor.js";
import { datatypes, type RequestInput, widths } from "./protocol.js";
import { Refusal } from "./refusal.js";

/**
 * One input as a model takes it.
 * @param bytes its part of a binary request
 * @param most elements that the JSON of this request can hold: nothing larger is allocated
 * @throws {Refusal} that names the input, what was expected and what came
 */
export function decode(given: RequestInput, spec: TensorSpec, bytes: Uint8Array | undefined, most: number): Tensor {
  const { dtype, quantization } = spec;
  const accepted = [datatypes[dtype], ...(dtype === "int32" ? ["INT64"] : []), ...(quantization ? ["FP32"] : [])];
  if (!accepted.includes(given.datatype)) throw refused(given, `datatype ${accepted.join(" or ")}`, given.datatype);
  const wanted = spec.batched === false ? spec.shape : [-1, ...spec.shape];
  const fits = given.shape.length === wanted.length && given.shape.every((d, i) => d === wanted[i] || wanted[i] < 0);
  if (!fits) throw refused(given, `shape ${show(wanted)}`, show(given.shape));
  const real = quantization && given.datatype === "FP32";
  const data = numbersOf(given, real ? "float32" : dtype, bytes, most);
  return { data: real ? quantizeData(data, { dtype, quantization }) : data, shape: given.shape, dtype };
}

function numbersOf(given: RequestInput, dtype: DType, bytes: Uint8Array | undefined, most: number): TypedArray {
  const size = sizeOf(given.shape);
  if (bytes !== undefined) return fromBytes(given, dtype, bytes, size);
  if (given.data === undefined) throw refused(given, "data", "none");
  if (size > most) throw refused(given, `data of shape ${show(given.shape)}`, "fewer numbers");
  return fromJson(given, dtype, given.data, size);
}

/** How many bytes of a binary request belong to an input; undefined when its numbers are in the JSON. */
export function binarySize(given: RequestInput): number | undefined {
  const size = given.parameters.binary_data_size;
  if (size === undefined) return undefined;
  if (given.data !== undefined) throw refused(given, "either data or binary_data_size", "both");
  if (!(Number.isSafeInteger(size) && (size as number) >= 0))
    throw refused(given, "binary_data_size to be a number of bytes", String(size));
  return size as number;
}

function fromBytes(given: RequestInput, dtype: DType, bytes: Uint8Array, size: number): TypedArray {
  const width = widths[given.datatype];
  if (bytes.length !== size * width)
    throw refused(given, `${size * width} bytes for ${show(given.shape)} of ${given.datatype}`, String(bytes.length));
  if (given.datatype === "INT64") return fromInt64(given, bytes, size);
  // Where they happen to be aligned, as when a client pads its JSON with spaces, they stay where they are.
  const isAligned = bytes.byteOffset % width === 0;
  const buffer = isAligned ? bytes.buffer : new Uint8Array(bytes).buffer;
  const data = new (arrayOf(dtype))(buffer as ArrayBuffer, isAligned ? bytes.byteOffset : 0, size);
  if (dtype === "bool") {
    const wrong = data.findIndex((x) => x > 1);
    if (wrong >= 0) throw refused(given, "bytes 0 and 1", `${data[wrong]} at ${wrong}`);
  }
  return data;
}

function fromInt64(given: RequestInput, bytes: Uint8Array, size: number): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    data[i] = view.getInt32(8 * i, true);
    if (view.getInt32(8 * i + 4, true) !== data[i] >> 31)
      throw refused(given, "integers of 32 bits", String(view.getBigInt64(8 * i, true)));
  }
  return data;
}

function fromJson(given: RequestInput, dtype: DType, list: readonly unknown[], size: number): TypedArray {
  const data = new (arrayOf(dtype))(size);
  const isFlat = list.length === size && !list.some(Array.isArray);
  if (isFlat) fill(given, dtype, list, data, 0);
  else nested(given, dtype, list, given.shape, data, 0);
  return data;
}

/** Lists in lists, as deep as the shape and no deeper. */
function nested(
  given: RequestInput,
  dtype: DType,
  list: unknown,
  [count, ...inner]: Shape,
  data: TypedArray,
  at: number,
): void {
  if (!Array.isArray(list) || list.length !== count) {
    const actual = Array.isArray(list) ? `a list of ${list.length}` : describe(list);
    throw refused(given, `data of shape ${show(given.shape)}, flat or nested`, actual);
  }
  if (inner.length === 0) {
    fill(given, dtype, list, data, at);
    return;
  }
  const step = sizeOf(inner);
  for (let i = 0; i < count; i++) nested(given, dtype, list[i], inner, data, at + i * step);
}

const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

function fill(given: RequestInput, dtype: DType, list: readonly unknown[], data: TypedArray, at: number): void {
  if (dtype === "bool") {
    const wrong = list.find((x) => typeof x !== "boolean" && x !== 0 && x !== 1);
    if (wrong !== undefined) throw refused(given, "true or false", describe(wrong));
  } else if (!list.every(Number.isFinite)) {
    // Only now one by one: in a process that has just started, code of ours that runs for each number is compiled twice meanwhile.
    const wrong = list.find((x) => typeof x !== "number");
    if (wrong !== undefined) throw refused(given, "numbers", describe(wrong));
  }
  const [low, high] = ranges[dtype] ?? [];
  if (low !== undefined && high !== undefined) {
    const outside = (list as number[]).find((x) => !(Number.isInteger(x) && x >= low && x <= high));
    if (outside !== undefined) throw refused(given, `integers from ${low} to ${high}`, String(outside));
  }
  data.set(list as number[], at);
  if (dtype !== "float32" || (data as Float32Array).subarray(at, at + list.length).every(Number.isFinite)) return;
  const past = (list as number[]).find((x) => !Number.isFinite(Math.fround(x)));
  throw refused(given, "numbers of FP32", String(past));
}

/** The bytes of a result: little-endian, as every platform with WebAssembly holds them. */
export const encode = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A result as JSON. @throws {Refusal} for numbers that JSON has not */
export function toJson(name: string, { data, dtype }: Tensor): (number | boolean)[] {
  if (dtype === "bool") return Array.from(data, Boolean);
  const list = Array.from<number>(data);
  if (dtype === "float32" && !list.every(Number.isFinite)) {
    const message = `output "${name}" holds a number that JSON has not (infinite or NaN): ask for it with "binary_data": true`;
    throw new Refusal(500, message);
  }
  return list;
}

const refused = ({ name }: RequestInput, expected: string, actual: string) =>
  new Refusal(400, `input "${name.slice(0, 64)}": expected ${expected}, got ${actual}`);

function describe(x: unknown): string {
  if (typeof x === "string") return JSON.stringify(x.length > 40 ? `${x.slice(0, 40)}…` : x);
  if (Array.isArray(x)) return "a list";
  return typeof x === "object" && x !== null ? "an object" : String(x);
}
