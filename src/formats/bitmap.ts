// Arrays of mostly zeros as files hold them: a bitmap, least significant bit first, and the elements whose bits are set, in order.
import { FormatError } from "../errors.js";
import { type Shape, show, sizeOf } from "../shape.js";
import { bytesOf, type Tensor, type TypedArray } from "../tensor.js";

/** What a second tensor in a file takes of the header, at most about. */
const ENTRY = 160;

/** The bits of a float32 array, so that -0 is no zero; integers as they are. */
const bitsOf = (data: TypedArray): ArrayLike<number> =>
  data instanceof Float32Array ? new Int32Array(data.buffer, data.byteOffset, data.length) : data;

/** A bit for each element: whether it is not zero. */
export function bitmapOf(data: TypedArray): Uint8Array {
  const bits = bitsOf(data);
  const bitmap = new Uint8Array(Math.ceil(data.length / 8));
  for (let i = 0; i < data.length; i++) if (bits[i] !== 0) bitmap[i >> 3] |= 1 << (i & 7);
  return bitmap;
}

/** How many bits are set. */
export function countBits(bitmap: Uint8Array): number {
  let count = 0;
  for (let byte of bitmap) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

/** Whether a tensor of which so many elements are kept is smaller as bitmap and values. */
export const isSmaller = ({ data, dtype }: Tensor, kept: number): boolean =>
  (data.length - kept) * bytesOf(dtype) > Math.ceil(data.length / 8) + ENTRY;

/** The elements whose bits are set. */
export function valuesOf({ data, dtype }: Tensor, bitmap: Uint8Array): Tensor {
  const values = data.filter((_, i) => isSet(bitmap, i));
  return { data: values, shape: [values.length], dtype };
}

const isSet = (bitmap: Uint8Array, i: number): boolean => ((bitmap[i >> 3] >> (i & 7)) & 1) === 1;

/**
 * The whole tensor.
 * @param values in the order of the bits that are set; without them the bits themselves, as bool
 * @throws {FormatError} unless the bitmap has a bit for each element of `shape`, and as many set as there are values; nothing was allocated then
 */
export function whole(where: string, shape: Shape, bitmap: Tensor, values?: Tensor): Tensor {
  const size = sizeOf(shape);
  const bits = bitmap.data as Uint8Array;
  const fail = (expected: string, actual: string): never => {
    throw new FormatError(`load: ${where}: expected ${expected}, got ${actual}`);
  };
  if (bitmap.dtype !== "uint8" || bitmap.shape.length !== 1 || bits.length !== Math.ceil(size / 8))
    fail(`a bitmap of ${Math.ceil(size / 8)} bytes for ${show(shape)}`, `${bitmap.dtype} ${show(bitmap.shape)}`);
  if (size % 8 !== 0 && bits[bits.length - 1] >> (size & 7) !== 0) fail("no bits behind the last element", "some");
  if (values === undefined)
    return { data: Uint8Array.from({ length: size }, (_, i) => +isSet(bits, i)), shape, dtype: "bool" };
  const count = countBits(bits);
  if (values.shape.length !== 1 || values.data.length !== count)
    fail(`${count} values, as many as bits are set`, show(values.shape));
  const data = new (values.data.constructor as new (length: number) => TypedArray)(size);
  for (let i = 0, next = 0; i < size; i++) if (isSet(bits, i)) data[i] = values.data[next++];
  return { data, shape, dtype: values.dtype };
}
