// Raw pixels, as cameras, canvases and decoders give them, as what a model takes: float32 NHWC.
import { rangeError, ShapeError, typeError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";

/** How many bytes a pixel has, and what they are. */
const layouts = { grey: 1, rgb: 3, rgba: 4 } as const;
export type PixelLayout = keyof typeof layouts;

export interface PixelOptions {
  /** Channels of the result: 1 is grey, 3 is RGB, 4 is RGBA. Default: as stored, without alpha. Alpha is dropped, not blended. */
  channels?: 1 | 3 | 4;
  /** What a byte is multiplied by; default 1 / 255, which gives 0 to 1. */
  scale?: number;
  /** Subtracted after scaling, one number or one per channel; default 0. */
  mean?: number | readonly number[];
  /** Divided by at the end, one number or one per channel; default 1. */
  std?: number | readonly number[];
}

export interface ImageOptions extends PixelOptions {
  height: number;
  width: number;
  /** Default "rgb". */
  layout?: PixelLayout;
}

/** The part of a canvas' `ImageData` that is needed. */
export interface ImageLike {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/**
 * Turns raw pixels, row by row, into a model's input: (byte * scale - mean) / std.
 * @param bytes one image or several of one size, one after the other
 * @param options.height, options.width in pixels
 * @param options.channels grey of colours is their luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as Pillow); colours of grey are equal
 * @returns float32 [images, height, width, channels]
 * @throws {ShapeError} when the bytes are no whole number of such images
 * @example
 * const red = imageFromBytes(new Uint8Array([255, 0, 0, 255]), { height: 1, width: 1, layout: "rgba" });
 * red.shape; // [1, 1, 1, 3]
 * [...red.data]; // [1, 0, 0]
 * const signed = imageFromBytes(new Uint8Array([0, 255]), { height: 1, width: 2, layout: "grey", mean: 0.5, std: 0.5 });
 * [...signed.data]; // [-1, 1]
 */
export function imageFromBytes(bytes: Uint8Array | Uint8ClampedArray | ArrayBuffer, options: ImageOptions): Tensor {
  const op = "imageFromBytes";
  const { height, width, layout = "rgb", scale } = options;
  const pixels = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray)) {
    throw typeError({ op, expected: "bytes as Uint8Array, Uint8ClampedArray or ArrayBuffer", actual: typeof bytes });
  }
  if (!Object.hasOwn(layouts, layout)) {
    throw typeError({ op, expected: `a layout of ${Object.keys(layouts).join(", ")}`, actual: String(layout) });
  }
  for (const size of [height, width]) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw rangeError({ op, expected: "height and width to be positive integers", actual: `${height} and ${width}` });
  }
  const stored = layouts[layout];
  const size = height * width * stored;
  if (pixels.length % size !== 0) {
    const expected = `${size} bytes an image (${height} x ${width} x ${stored})`;
    throw new ShapeError({ op, expected, actual: String(pixels.length) });
  }
  const channels = options.channels ?? (stored === 4 ? 3 : stored);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw rangeError({ op, expected: "1, 3 or 4 channels", actual: String(channels) });
  }
  const { mean, std } = checkScaling(op, options, channels);
  const count = pixels.length / stored;
  const data = new Float32Array(count * channels);
  const pixel = new Float64Array(4);
  for (let i = 0, out = 0; i < pixels.length; i += stored) {
    readPixel(pixels, i, stored, channels, pixel);
    for (let c = 0; c < channels; c++) {
      const value = scale === undefined ? pixel[c] / 255 : pixel[c] * scale; // the same bits as `images`
      data[out++] = (value - mean[c]) / std[c];
    }
  }
  return tensor(data, [pixels.length / size, height, width, channels]);
}

/**
 * Turns what a canvas gives into a model's input, as `imageFromBytes` does with RGBA.
 * @param image `context.getImageData(0, 0, width, height)` or the like
 * @returns float32 [1, height, width, channels], by default 3 channels
 * @example
 * const image = { data: new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255]), width: 2, height: 1 };
 * imageFromImageData(image, { channels: 1 }).shape; // [1, 1, 2, 1]
 */
export function imageFromImageData(image: ImageLike, options: PixelOptions = {}): Tensor {
  const { data, width, height } = image;
  return imageFromBytes(data, { ...options, width, height, layout: "rgba" });
}

/** One pixel in the channels that are wanted, 0 to 255. */
function readPixel(bytes: ArrayLike<number>, at: number, stored: number, wanted: number, pixel: Float64Array): void {
  const red = bytes[at];
  const green = stored === 1 ? red : bytes[at + 1];
  const blue = stored === 1 ? red : bytes[at + 2];
  const grey = stored === 1 ? red : (299 * red + 587 * green + 114 * blue) / 1000; // whole weights: white is 255 exactly
  pixel[0] = wanted === 1 ? grey : red;
  pixel[1] = green;
  pixel[2] = blue;
  pixel[3] = stored === 4 ? bytes[at + 3] : 255;
}

type Scaling = Pick<PixelOptions, "scale" | "mean" | "std">;

/** @throws {RangeError} for numbers that are not finite, or not one for each channel */
export function checkScaling(op: string, { scale, mean, std }: Scaling, channels: number) {
  const [center, width] = [perChannel(op, mean ?? 0, channels, "mean"), perChannel(op, std ?? 1, channels, "std")];
  if ((scale !== undefined && !Number.isFinite(scale)) || width.includes(0)) {
    throw rangeError({ op, expected: "a finite scale and no std of 0", actual: `${scale} and ${width.join(", ")}` });
  }
  return { mean: center, std: width };
}

function perChannel(op: string, given: number | readonly number[], channels: number, what: string): readonly number[] {
  const list = typeof given === "number" ? Array.from({ length: channels }, () => given) : given;
  if (list.length === channels && list.every(Number.isFinite)) return list;
  throw rangeError({
    op,
    expected: `${what} of 1 or ${channels} finite numbers`,
    actual: String(given),
  });
}
