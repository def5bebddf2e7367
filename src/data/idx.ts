// IDX, the file format of MNIST and its relatives: two zero bytes, a type byte, the number of dimensions, one uint32 for each
// dimension, then the values row by row, all big-endian. http://yann.lecun.com/exdb/mnist describes it. Files come from
// anywhere, so everything the header promises is checked against the bytes at hand before memory is taken.

import { FormatError, rangeError, typeError } from "../errors.js";
import { show } from "../shape.js";
import { arrayOf, type Tensor, tensor } from "../tensor.js";
import { gunzip } from "./gunzip.js";

// Where two types become one dtype, the first is the one that holds all its values: what `toIdx` writes.
const elementTypes = [
  { code: 0x08, name: "ubyte", bytes: 1, dtype: "uint8", kind: "Uint8" },
  { code: 0x09, name: "byte", bytes: 1, dtype: "int8", kind: "Int8" },
  { code: 0x0c, name: "int", bytes: 4, dtype: "int32", kind: "Int32" },
  { code: 0x0b, name: "short", bytes: 2, dtype: "int32", kind: "Int16" },
  { code: 0x0d, name: "float", bytes: 4, dtype: "float32", kind: "Float32" },
  { code: 0x0e, name: "double", bytes: 8, dtype: "float32", kind: "Float64" },
] as const;

type ElementType = (typeof elementTypes)[number];

const MAX_RANK = 8;
/** A file is shorter than this, compressed or not: gzip itself counts no further. */
const MAX_BYTES = 2 ** 32;

/**
 * Reads an IDX file, gzipped or not.
 *
 * The types ubyte, byte, int and float become uint8, int8, int32 and float32; short becomes int32, and double is rounded to
 * float32.
 *
 * @param bytes the whole file; one that starts with 1f 8b is decompressed first (one gzip member), never to more than its
 *   header promises
 * @returns the values in the shape that the file states: [60000, 28, 28] for MNIST's training images
 * @throws {FormatError} when the file is damaged, cut short or longer than its header says; says what was expected, what came
 *   and at which byte
 * @throws {UnsupportedError} for a gzipped file where the runtime has no `DecompressionStream`
 * @example
 * const file = toIdx(tensor(new Uint8Array([0, 128, 255, 64]), [1, 2, 2]));
 * const pixels = await idx(file);
 * pixels.shape; // [1, 2, 2]
 */
export async function idx(bytes: Uint8Array | ArrayBuffer): Promise<Tensor> {
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array)) {
    throw typeError({ op: "idx", expected: "the file's bytes as Uint8Array or ArrayBuffer", actual: typeof bytes });
  }
  return parse(file[0] === 0x1f && file[1] === 0x8b ? await gunzip(file, promised, "idx") : file);
}

/**
 * Writes a tensor as an IDX file, uncompressed: what `idx` reads.
 *
 * @param value any tensor; bool is written as ubyte, the other dtypes as the type of their name
 * @returns the file's bytes: a header of 4 + 4 * rank bytes, then the values, big-endian
 * @throws {RangeError} when the file would reach 4 GiB
 * @example
 * const file = toIdx(tensor(new Uint8Array([7, 2, 1]), [3]));
 * file.length; // 11
 */
export function toIdx(value: Tensor): Uint8Array<ArrayBuffer> {
  const { data, shape, dtype } = value;
  const type = elementTypes.find((t) => t.dtype === (dtype === "bool" ? "uint8" : dtype)) as ElementType;
  const start = 4 + 4 * shape.length;
  const total = start + type.bytes * data.length;
  if (total >= MAX_BYTES) {
    throw rangeError({ op: "toIdx", expected: "a tensor of less than 4 GiB", actual: `${dtype} ${show(shape)}` });
  }
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  view.setUint8(2, type.code);
  view.setUint8(3, shape.length);
  for (let axis = 0; axis < shape.length; axis++) view.setUint32(4 + 4 * axis, shape[axis]);
  const set = `set${type.kind}` as const;
  for (let i = 0, at = start; i < data.length; i++, at += type.bytes) view[set](at, data[i]);
  return file;
}

interface Header {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The byte at which the values start. */
  readonly start: number;
  /** Bytes of the whole file. */
  readonly total: number;
}

/** The header, or how many bytes it needs when these are too few. */
function readHeader(bytes: Uint8Array): Header | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4) return 4;
  const magic = view.getUint32(0);
  const type = elementTypes.find((t) => t.code === magic >>> 8);
  if (type === undefined) {
    const codes = elementTypes.map((t) => `${hex(t.code, 2)} ${t.name}`).join(", ");
    throw refuse(`0000 and a type byte (${codes}) at byte 0`, hex(magic >>> 8, 6));
  }
  const rank = magic & 255;
  if (rank > MAX_RANK) throw refuse(`at most ${MAX_RANK} dimensions at byte 3`, String(rank));
  const start = 4 + 4 * rank;
  if (bytes.length < start) return start;
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  // An empty dimension hides nothing: the others have to make sense as well. Below 2^53 the product is exact.
  let size = type.bytes;
  for (const dimension of shape) {
    size *= Math.max(1, dimension);
    if (start + size >= MAX_BYTES)
      throw refuse("dimensions of less than 4 GiB at byte 4", `${type.name} ${show(shape)}`);
  }
  return { type, shape, start, total: shape.includes(0) ? start : start + size };
}

/** How long a file will be that starts with these bytes, where they say so already. */
function promised(bytes: Uint8Array): number | undefined {
  const header = readHeader(bytes);
  return typeof header === "number" ? undefined : header.total;
}

function parse(file: Uint8Array): Tensor {
  const header = readHeader(file);
  if (typeof header === "number")
    throw refuse(`a header of ${header} bytes`, `the end of the file at byte ${file.length}`);
  const { type, shape, start, total } = header;
  if (file.length !== total) throw refuse(`${total} bytes for ${type.name} ${show(shape)}`, `${file.length} bytes`);
  if (type.dtype === "uint8") return tensor(file.slice(start), shape);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const data = new (arrayOf(type.dtype))((total - start) / type.bytes);
  const get = `get${type.kind}` as const;
  for (let i = 0, at = start; i < data.length; i++, at += type.bytes) data[i] = view[get](at);
  return tensor(data, shape);
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

const refuse = (expected: string, actual: string) =>
  new FormatError(`idx: expected ${expected}, got ${actual}`, { op: "idx", expected, actual });
