// From the bytes of a JPEG or PNG file to pixels, by a library that is installed when it is wanted. Files come from anywhere: what their
// headers promise is checked before anything is decoded.
import { FormatError, UnsupportedError } from "../errors.js";

/** What a decoder gives: rows of pixels, 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA) numbers 0 to 255 each. */
export interface DecodedImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** Default: as many as the data has for each pixel. */
  readonly channels?: number;
}

/** Decodes a file. @param name its path, for messages */
export type Decode = (bytes: Uint8Array, name: string) => DecodedImage | Promise<DecodedImage>;

interface JpegJs {
  decode(
    bytes: Uint8Array,
    options: { useTArray: true; formatAsRGBA: false; maxResolutionInMP: number; maxMemoryUsageInMB: number },
  ): DecodedImage;
}

interface Png {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly depth: number;
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
  readonly palette?: readonly (readonly number[])[];
}

interface FastPng {
  decode(bytes: Uint8Array): Png;
  convertIndexedToRgb(image: Png): Uint8Array;
}

/** Pixels of the largest image that is decoded: 64 million. */
export const MAX_PIXELS = 2 ** 26;

/**
 * Decodes JPEG by `jpeg-js` and PNG by `fast-png`, told apart by their first bytes; each is imported when the first such file comes.
 * @throws {FormatError} for other bytes, damaged ones, and images of more than 64 million pixels; {UnsupportedError} where the library
 *   is not installed: it says which one is
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  const png = isPng(bytes);
  const [width, height] = (png ? pngSize(bytes) : jpegSize(bytes)) ?? [];
  if (width === undefined || height === undefined)
    throw refuse(name, "a JPEG or PNG file with its size", "other bytes, or too few");
  if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS))
    throw refuse(name, `an image of 1 to ${MAX_PIXELS} pixels`, `${width} x ${height}`);
  const library = await (png ? libraries.png() : libraries.jpeg());
  try {
    return library(bytes);
  } catch (cause) {
    throw refuse(
      name,
      `a sound ${png ? "PNG" : "JPEG"} file`,
      cause instanceof Error ? cause.message : String(cause),
      cause,
    );
  }
}

const libraries = {
  async jpeg(): Promise<(bytes: Uint8Array) => DecodedImage> {
    const { decode } = resolved<JpegJs>(await import("jpeg-js").catch(missing("jpeg-js", "JPEG")));
    const limits = { maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: 1024 };
    return (bytes) => decode(bytes, { useTArray: true, formatAsRGBA: false, ...limits });
  },
  async png(): Promise<(bytes: Uint8Array) => DecodedImage> {
    const { decode, convertIndexedToRgb } = resolved<FastPng>(
      await import("fast-png").catch(missing("fast-png", "PNG")),
    );
    return (bytes) => {
      const image = decode(bytes);
      const { width, height, channels, depth } = image;
      if (image.palette) return { width, height, data: convertIndexedToRgb(image) };
      return { width, height, channels, data: toBytes(image.data, depth, width * channels, height) };
    };
  },
};

/** CommonJS comes as a default export where its names are not seen. */
const resolved = <T>(module: unknown): T => {
  const { default: whole } = module as { default?: T };
  return typeof (module as { decode?: unknown }).decode === "function" || whole === undefined ? (module as T) : whole;
};

const missing = (library: string, format: string) => (cause: unknown) => {
  const error = new UnsupportedError(
    `image: ${format} files need a decoder: npm install ${library}, or give one as options.decode`,
    [library],
  );
  throw Object.assign(error, { cause });
};

/** Numbers of `depth` bits as bytes; below 8 bits every row begins with a byte of its own. */
function toBytes(
  data: Uint8Array | Uint8ClampedArray | Uint16Array,
  depth: number,
  perRow: number,
  rows: number,
): Uint8Array | Uint8ClampedArray {
  if (data instanceof Uint16Array) return Uint8Array.from(data, (v) => v >> 8);
  if (depth >= 8) return data;
  const bytes = new Uint8Array(perRow * rows);
  const most = (1 << depth) - 1;
  const stride = Math.ceil((perRow * depth) / 8);
  for (let i = 0; i < bytes.length; i++) {
    const bit = (i % perRow) * depth;
    const byte = data[Math.floor(i / perRow) * stride + (bit >> 3)];
    bytes[i] = (((byte >> (8 - depth - (bit & 7))) & most) * 255) / most;
  }
  return bytes;
}

const isPng = (bytes: Uint8Array): boolean => [137, 80, 78, 71, 13, 10, 26, 10].every((byte, i) => bytes[i] === byte);

/** Width and height of a PNG: the first two numbers of its first chunk. */
function pngSize(bytes: Uint8Array): [number, number] | undefined {
  if (bytes.length < 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return [view.getUint32(16), view.getUint32(20)];
}

/** Width and height of a JPEG: in its frame header, a marker between ff c0 and ff cf but for c4, c8 and cc (ITU-T T.81, table B.1). */
function jpegSize(bytes: Uint8Array): [number, number] | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff)
      at++; // a fill byte
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}

/** Checks what a decoder gave, the user's own too. @throws {FormatError} unless the numbers fit together */
export function checkDecoded(image: DecodedImage, name: string): Required<DecodedImage> {
  const { data, width, height } = image ?? {};
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const sized = [width, height].every((n) => Number.isSafeInteger(n) && n > 0);
  const channels = image?.channels ?? (bytes ? data.length / (width * height) : 0);
  if (bytes && sized && [1, 2, 3, 4].includes(channels) && data.length === width * height * channels)
    return { data, width, height, channels };
  const actual = bytes ? `${data.length} bytes for ${width} x ${height} x ${channels}` : `no bytes`;
  throw refuse(name, "a decoder that gives { data, width, height } with 1 to 4 bytes a pixel", actual);
}

function refuse(name: string, expected: string, actual: string, cause?: unknown): FormatError {
  const facts = { op: "image", layer: name, expected, actual, cause };
  return new FormatError(`image "${name}": expected ${expected}, got ${actual}`, facts);
}
