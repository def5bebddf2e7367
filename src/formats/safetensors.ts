// The safetensors container: named tensors and a map of texts. Source: github.com/huggingface/safetensors, "Format".
// Reading checks everything against the size of the file before it copies a byte.
import { FormatError, typeError } from "../errors.js";
import { sizeOf } from "../shape.js";
import { arrayOf, bytesOf, type DType, type Tensor } from "../tensor.js";

export interface Safetensors {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

const codes = {
  float32: "F32",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Record<DType, string>;
const byCode = new Map<string, DType>(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]));

/** Headers longer than this are refused, as the reference implementation does. */
const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";
/** Data begins at a multiple of this, so that readers may map it. */
const ALIGN = 64;

/** The bytes of a safetensors file. */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { [METADATA]: metadata };
  // Larger elements first, as the reference implementation orders them: every tensor is aligned to its elements.
  const entries = Object.entries(tensors).sort(([, a], [, b]) => bytesOf(b.dtype) - bytesOf(a.dtype));
  let size = 0;
  for (const [name, { shape, dtype, data }] of entries) {
    if (name === METADATA)
      throw typeError({ op: "save", expected: `a weight name other than ${METADATA}`, actual: name });
    header[name] = { dtype: codes[dtype], shape, data_offsets: [size, size + data.byteLength] };
    size += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((8 + text.length) / ALIGN) * ALIGN;
  const bytes = new Uint8Array(start + size).fill(0x20, 8, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(text, 8);
  let at = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** @throws {FormatError} for anything that is not a complete, consistent safetensors file */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  if (bytes.length < 8) throw new FormatError(`safetensors: expected at least 8 bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > Math.min(bytes.length - 8, MAX_HEADER)) {
    throw new FormatError(
      `safetensors: expected a header within the ${bytes.length} bytes of the file, got a header length of ${length}`,
    );
  }
  const start = 8 + length;
  const header = parseHeader(bytes.subarray(8, start));
  const metadata = readMetadata(header[METADATA]);
  const { [METADATA]: _, ...rest } = header;
  const entries = Object.entries(rest).map(([name, entry]) => readEntry(name, entry, bytes.length - start));
  checkCover(entries, bytes.length - start);
  const tensors = entries.map(({ name, dtype, shape, from, to }): [string, Tensor] => {
    const copy = new Uint8Array(bytes.subarray(start + from, start + to)); // not slice, which is a view in a Buffer of Node
    return [name, { data: new (arrayOf(dtype))(copy.buffer), shape, dtype }];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError("safetensors: expected a header of JSON in UTF-8", { cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new FormatError("safetensors: expected a JSON object as header");
  }
  return header as Record<string, unknown>;
}

function readMetadata(given: unknown): Record<string, string> {
  if (given === undefined) return {};
  const fits =
    typeof given === "object" && given !== null && Object.values(given).every((text) => typeof text === "string");
  if (!fits) throw new FormatError(`safetensors: expected ${METADATA} to be an object of texts`);
  return given as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: number[];
  readonly from: number;
  readonly to: number;
}

function readEntry(name: string, given: unknown, size: number): Entry {
  const fail = (expected: string, actual: unknown): never => {
    const text = JSON.stringify(actual) ?? "nothing";
    throw new FormatError(`safetensors: tensor "${name}": expected ${expected}, got ${text.slice(0, 200)}`, {
      layer: name,
      expected,
      actual: text,
    });
  };
  if (typeof given !== "object" || given === null) return fail("dtype, shape and data_offsets", given);
  const { dtype: code, shape, data_offsets: offsets } = given as Record<string, unknown>;
  const dtype = typeof code === "string" ? byCode.get(code) : undefined;
  if (dtype === undefined) return fail(`a dtype of ${[...byCode.keys()].join(", ")}`, code);
  const dims = isCounts(shape) && shape.length <= 8 ? shape : fail("a shape of at most 8 non-negative integers", shape);
  const [from, to] = isCounts(offsets) && offsets.length === 2 ? offsets : fail("two data_offsets", offsets);
  if (from > to || to > size) fail(`data_offsets within the ${size} bytes of data`, offsets);
  const bytes = dims.includes(0) ? 0 : sizeOf(dims) * bytesOf(dtype);
  if (bytes !== to - from) fail(`${bytes} bytes for ${code} [${dims}]`, offsets);
  return { name, dtype, shape: dims, from, to };
}

const isCounts = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

/** Tensors must lie one after the other, without holes and without overlap, over all of the data. */
function checkCover(entries: readonly Entry[], size: number): void {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) {
      throw new FormatError(
        `safetensors: tensor "${name}": expected to begin at byte ${end} of the data, where the one before it ends, got ${from}`,
      );
    }
    end = to;
  }
  if (end !== size)
    throw new FormatError(`safetensors: expected ${end} bytes of data, as the header says, got ${size}`);
}
