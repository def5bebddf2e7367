// One image file as a model's input.
import { checkKeys, FormatError, isOwnError, rangeError, told, typeError } from "../errors.js";
import { local, readLocal } from "../runtime/folder.js";
import { readSource, type Source } from "../runtime/read.js";
import type { Tensor } from "../tensor.js";
import { checkDecoded, type Decode, decodeImage } from "./decode.js";
import { type ColorMode, colored, colorModes, type Pixels, resized, scaling } from "./stored.js";

/** A file before anything is read. */
export interface ImageFile {
  readonly path: string;
  read(): Uint8Array | Promise<Uint8Array>;
}

export interface ImageFileOptions {
  /** Default rgb. Grey of colours is their luma (ITU-R BT.601). */
  colorMode?: ColorMode;
  /** Height and width that every image is brought to; default as stored. */
  imageSize?: readonly [height: number, width: number];
  /** Default bilinear, pixel centers at halves as in `resize`. */
  interpolation?: "nearest" | "bilinear";
  /** Takes the largest part of `imageSize`'s proportions from the middle, so that nothing is distorted; default false. */
  cropToAspectRatio?: boolean;
  /** What pixels of 0 to 255 are multiplied by; default 1 / 255, as in `images` and `imageFromBytes`. Keras has 1. */
  scale?: number;
  /** Subtracted after scaling, one number or one per channel; default 0. */
  mean?: number | readonly number[];
  /** Divided by at the end, one number or one per channel; default 1. */
  std?: number | readonly number[];
  /** In place of the packages `jpeg-js` and `fast-png`, also for other formats. */
  decode?: Decode;
}

export const imageFileOptions = [
  "colorMode",
  "imageSize",
  "interpolation",
  "cropToAspectRatio",
  "scale",
  "mean",
  "std",
  "decode",
] as const satisfies (keyof ImageFileOptions)[];

/**
 * A JPEG or PNG file as a model's input, as Keras' `load_img`. JPEG files need the package `jpeg-js`, PNG files `fast-png`, or
 * `options.decode` a function of one's own.
 * @param source the file's path (Node, Deno, Bun), a URL to fetch, a response or its bytes
 * @returns float32 [1, height, width, channels] of 0 to 1
 * @throws {FormatError} for a file that cannot be decoded; {UnsupportedError} where the decoder is not installed; {RangeError} for options
 *   that do not fit, or no such file
 * @example
 * const decode = () => ({ data: new Uint8Array([255, 0, 0]), width: 1, height: 1 }); // in place of an installed package
 * const image = await loadImage(new Uint8Array(100), { decode, imageSize: [2, 2] });
 * image.shape; // [1, 2, 2, 3]
 * [...image.data.slice(0, 3)]; // [1, 0, 0]
 */
export async function loadImage(source: Source, options: ImageFileOptions = {}): Promise<Tensor> {
  const op = "loadImage";
  checkKeys(op, options, imageFileOptions);
  const image = scaling(op, options.colorMode ?? "rgb", options);
  const pixelsOf = reader(options, op);
  const place = typeof source === "string" || source instanceof URL ? local(source) : undefined;
  if (place && place.kind !== "file")
    throw rangeError({ op, expected: "an image file", actual: `${place.kind} at ${place.path}` });
  const read = () => (place ? readLocal(place.path) : readSource(source));
  const { data, shape, dtype } = image(await pixelsOf({ path: place?.path ?? "the image", read }));
  return { data, shape: [1, ...shape], dtype };
}

/** How a file becomes pixels. @throws {RangeError} or {TypeError} for options that there are not */
export function reader(options: ImageFileOptions, op: string): (file: ImageFile) => Promise<Pixels> {
  const { colorMode = "rgb", imageSize, interpolation = "bilinear", cropToAspectRatio = false, decode } = options;
  const refuse = (expected: string, actual: string) => rangeError({ op, expected, actual });
  if (!colorModes.includes(colorMode)) throw refuse('colorMode to be "grayscale", "rgb" or "rgba"', told(colorMode));
  if (interpolation !== "nearest" && interpolation !== "bilinear")
    throw refuse('interpolation to be "nearest" or "bilinear"', told(interpolation));
  const fits = (n: unknown) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= 2 ** 14;
  if (imageSize !== undefined && !(Array.isArray(imageSize) && imageSize.length === 2 && imageSize.every(fits)))
    throw refuse("imageSize to be two whole numbers of 1 to 16384", JSON.stringify(imageSize));
  if (cropToAspectRatio && imageSize === undefined) throw refuse("imageSize to crop to", "none");
  if (decode !== undefined && typeof decode !== "function")
    throw typeError({ op, expected: "decode to be a function", actual: told(decode) });
  return async (file) => {
    const decoded = checkDecoded(await decodedBy(decode ?? decodeImage, await file.read(), file.path), file.path);
    const pixels = colored(decoded, colorMode);
    return imageSize === undefined ? pixels : resized(pixels, imageSize, { interpolation, cropToAspectRatio });
  };
}

/** What a decoder gives; what it throws names the file. */
async function decodedBy(decode: Decode, bytes: Uint8Array, path: string) {
  try {
    return await decode(bytes, path);
  } catch (cause) {
    if (isOwnError(cause)) throw cause;
    const actual = cause instanceof Error ? cause.message : String(cause);
    const facts = { op: "image", layer: path, expected: "an image that can be decoded", actual, cause };
    throw new FormatError(`image "${path}": expected ${facts.expected}, got ${actual}`, facts);
  }
}
