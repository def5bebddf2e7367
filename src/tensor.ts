// Host data: a typed array with a shape. No arithmetic and nothing to dispose; models take and give these.
import { rangeError, ShapeError, told, typeError } from "./errors.js";
import { checkShape, type Shape, show, sizeOf } from "./shape.js";

export type DType = "float32" | "int8" | "uint8" | "int16" | "int32" | "bool";
export type TypedArray = Float32Array | Int8Array | Uint8Array | Int16Array | Int32Array;
export type NestedArray = number | boolean | readonly NestedArray[];

/** Host data: `data` in row-major order, `shape` with the batch first. */
export interface Tensor {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

const arrays = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

export const dtypes = Object.keys(arrays) as readonly DType[];

/** The typed-array class that holds a dtype. */
export const arrayOf = (dtype: DType): (typeof arrays)[DType] => arrays[dtype];

/** Bytes of one element. */
export const bytesOf = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT;

/** The dtype a typed array holds by itself. @throws {TypeError} for other arrays (float64, uint16, ...) */
export function dtypeOf(data: unknown, op = "tensor"): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Int16Array) return "int16";
  const actual = data === null || typeof data !== "object" ? String(data) : (data.constructor?.name ?? "an object");
  throw typeError({ op, expected: "a Float32Array, Int32Array, Int16Array, Uint8Array or Int8Array", actual });
}

function nestedShape(data: NestedArray): number[] {
  return Array.isArray(data) ? [data.length, ...(data.length > 0 ? nestedShape(data[0]) : [])] : [];
}

function flatten(data: NestedArray, shape: Shape, depth: number, out: number[]): void {
  if (!Array.isArray(data)) {
    if (typeof data !== "number" && typeof data !== "boolean")
      throw typeError({ op: "tensor", expected: "numbers or booleans", actual: told(data) });
    if (depth !== shape.length) throw ragged(shape);
    out.push(Number(data));
  } else {
    if (data.length !== shape[depth]) throw ragged(shape);
    for (const item of data) flatten(item, shape, depth + 1, out);
  }
}

const ragged = (shape: Shape) =>
  new ShapeError({
    op: "tensor",
    expected: `nested arrays of one shape, ${show(shape)} by their first items`,
    actual: "others",
  });

/**
 * Makes host data from a typed array or nested arrays.
 * @param data typed array (kept, not copied) or nested arrays of numbers or booleans
 * @param shape default: the nesting, or `[data.length]` for a typed array
 * @param dtype default: the array's own; `float32` for numbers, `bool` for booleans
 * @throws {ShapeError} when the element count does not fit the shape; {RangeError} for a number in nested arrays that an integer dtype
 *   does not hold; {TypeError} for what is no number
 * @example
 * const t = tensor([[1, 2, 3], [4, 5, 6]]);
 * t.shape; // [2, 3]
 * t.dtype; // "float32"
 */
export function tensor(data: TypedArray | NestedArray, shape?: readonly number[], dtype?: DType): Tensor {
  if (shape !== undefined) checkShape(shape, "tensor");
  if (dtype !== undefined && !dtypes.includes(dtype)) {
    throw typeError({ op: "tensor", expected: `a dtype of ${dtypes.join(", ")}`, actual: String(dtype) });
  }
  if (ArrayBuffer.isView(data)) {
    const own = dtypeOf(data);
    const kind = dtype ?? own;
    const typed = arrays[kind] === arrays[own] ? data : new (arrayOf(kind))(data);
    return checked(typed, shape ?? [data.length], kind);
  }
  if (typeof data !== "object" && typeof data !== "number" && typeof data !== "boolean") dtypeOf(data);
  if (data === null || (typeof data === "object" && !Array.isArray(data))) dtypeOf(data);
  const natural = nestedShape(data);
  const flat: number[] = [];
  flatten(data, natural, 0, flat);
  let first: NestedArray | undefined = data;
  while (Array.isArray(first)) first = first[0] as NestedArray | undefined;
  const kind = dtype ?? (typeof first === "boolean" ? "bool" : "float32");
  const typed = new (arrayOf(kind))(flat);
  const lost = kind === "float32" ? -1 : flat.findIndex((x, i) => x !== typed[i]);
  if (lost >= 0) throw rangeError({ op: "tensor", expected: `numbers that ${kind} holds`, actual: String(flat[lost]) });
  return checked(typed, shape ?? natural, kind);
}

function checked(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError({
      op: "tensor",
      expected: `${sizeOf(shape)} elements for shape ${show(shape)}`,
      actual: String(data.length),
    });
  }
  return { data, shape: [...shape], dtype };
}
