// NumPy's files of one array: a header that is a Python dictionary, then the numbers.
import { FormatError } from "../index.js";

/** Numbers in row-major order. */
export interface Numbers {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

const readers: Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]> = {
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "|b1": [1, (view, at) => view.getUint8(at)],
  "|i1": [1, (view, at) => view.getInt8(at)],
  "|u1": [1, (view, at) => view.getUint8(at)],
  "<i2": [2, (view, at) => view.getInt16(at, true)],
  "<u2": [2, (view, at) => view.getUint16(at, true)],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<u4": [4, (view, at) => view.getUint32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
};

const MAGIC = "\u0093NUMPY";

export const isNpy = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(0, 6)) === MAGIC;

/** @throws {FormatError} for what is cut off, in Fortran's order, or of a type that is not read */
export function readNpy(bytes: Uint8Array, what: string): Numbers {
  const refuse = (expected: string, actual: string) => new FormatError(`${what}: expected ${expected}, got ${actual}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 12) throw refuse("an .npy file", `${bytes.length} bytes`);
  const wide = view.getUint8(6) >= 2; // version 1 has 16 bits for the header's length
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw refuse("a whole .npy file", "one that ends in its header");
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "none";
  const list = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (!Object.hasOwn(readers, descr)) throw refuse(`numbers of ${Object.keys(readers).join(", ")}`, descr);
  if (!/'fortran_order':\s*False/.test(header)) throw refuse("an array in C order", "Fortran order");
  const sizes = (list ?? "?").split(",").map((text) => text.trim());
  const shape = sizes.filter((text) => text !== "").map(Number);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) throw refuse("a shape", `(${list})`);
  const [width, read] = readers[descr];
  const count = shape.reduce((n, size) => n * size, 1);
  if (bytes.length - end !== count * width)
    throw refuse(`${count * width} bytes for (${shape.join(", ")}) of ${descr}`, String(bytes.length - end));
  return { data: Float64Array.from({ length: count }, (_, i) => read(view, end + i * width)), shape };
}
