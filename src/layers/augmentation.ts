// Layers that change images at random while a model is trained, and pass them on else: every sample of a batch its own way, drawn anew
// at each step from the counter-based generator, so that a run is the same everywhere.
import { rangeError, told } from "../errors.js";
import { type FillMode, middle, randomAdjustment, randomTransform } from "../ops/affine.js";
import { wantRank } from "../ops/check.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";
import { cropToAspectRatio } from "./resizing.js";

type Pair = readonly [number, number];

/** What is drawn lies between -factor and factor, or between two numbers. */
export type RandomFactor = number | Pair;

/** How the layers that move images read them. */
export interface RandomTransformOptions extends LayerOptions {
  /** Beyond the border: `reflect`, the image mirrored with its outermost pixels; `nearest`, these again; `wrap`; `constant`. Default reflect. */
  fillMode?: FillMode;
  /** Default bilinear. */
  interpolation?: "nearest" | "bilinear";
  /** The number that `constant` fills with; default 0. */
  fillValue?: number;
}

export interface RandomFlipOptions extends LayerOptions {}

export interface RandomAdjustmentOptions extends LayerOptions {
  /** The least and the largest number of a pixel, which results are clipped to. Default [0, 255], as in Keras: say [0, 1] for such images. */
  valueRange?: Pair;
}

const reading = ["fillMode", "interpolation", "fillValue"] as const;

/** @throws {RangeError} unless the options are ones there are */
function readingOf(
  op: string,
  { fillMode = "reflect", interpolation = "bilinear", fillValue = 0 }: RandomTransformOptions,
) {
  const refuse = (expected: string, actual: unknown) => rangeError({ op, expected, actual: told(actual) });
  if (!["constant", "nearest", "reflect", "wrap"].includes(fillMode))
    throw refuse('fillMode to be "constant", "nearest", "reflect" or "wrap"', fillMode);
  if (interpolation !== "nearest" && interpolation !== "bilinear")
    throw refuse('interpolation to be "nearest" or "bilinear"', interpolation);
  if (!Number.isFinite(fillValue)) throw refuse("fillValue to be a finite number", fillValue);
  return { fillMode, interpolation, fillValue };
}

/** Both ends of a factor. @throws {RangeError} unless they are in order, within the bounds, and a lone number not negative */
function range(op: string, what: string, factor: RandomFactor, low = -1, high = 1): Pair {
  const both: readonly unknown[] = Array.isArray(factor) ? factor : [-(factor as number), factor];
  const [from, to] = both as Pair;
  if (both.length === 2 && Number.isFinite(from) && Number.isFinite(to) && from <= to && from >= low && to <= high)
    return [from, to];
  const expected = `${what} to be a number of at least 0 or two in order, between ${low} and ${high}`;
  throw rangeError({ op, expected, actual: Array.isArray(factor) ? JSON.stringify(factor) : told(factor) });
}

/**
 * While training, mirrors each image or not, as Keras' `RandomFlip`; else passes its input on.
 * @param mode `horizontal`: left and right change places, with probability 1/2; `vertical`: top and bottom; or both, each by itself
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for another mode
 * @example
 * randomFlip("horizontal")(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomFlip(
  mode: "horizontal" | "vertical" | "horizontal_and_vertical" = "horizontal_and_vertical",
  options: RandomFlipOptions = {},
): Layer {
  const op = "randomFlip";
  if (!["horizontal", "vertical", "horizontal_and_vertical"].includes(mode)) {
    const expected = 'mode to be "horizontal", "vertical" or "horizontal_and_vertical"';
    throw rangeError({ op, expected, actual: told(mode) });
  }
  const drawn = (axis: string): Pair => (mode.includes(axis) ? [-1, 1] : [1, 1]);
  const [rows, columns] = [drawn("vertical"), drawn("horizontal")];
  return layer(op, options, [], (x) =>
    randomTransform(x, { kind: "mirror", rows, columns, interpolation: "nearest", fillMode: "constant", fillValue: 0 }),
  );
}

/**
 * While training, turns each image about its center, as Keras' `RandomRotation`; else passes its input on.
 * @param factor in turns: 0.1 for up to 36 degrees either way; two numbers for a range, positive ones counter-clockwise
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for a factor or options that there are not
 * @example
 * randomRotation(0.05, { fillMode: "nearest" })(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomRotation(factor: RandomFactor, options: RandomTransformOptions = {}): Layer {
  const op = "randomRotation";
  const rows = range(op, "factor", factor, -1e3, 1e3);
  const how = readingOf(op, options);
  return layer(op, options, reading, (x) => randomTransform(x, { kind: "turn", rows, columns: [0, 0], ...how }));
}

/**
 * While training, moves each image, as Keras' `RandomTranslation`; else passes its input on.
 * @param heightFactor share of the height, up to which it moves up or down; two numbers for a range, positive ones down
 * @param widthFactor share of the width; positive ones to the right
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for factors beyond [-1, 1] or options that there are not
 * @example
 * randomTranslation(0.125, [-0.1, 0.2], { fillMode: "constant" })(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomTranslation(
  heightFactor: RandomFactor,
  widthFactor: RandomFactor,
  options: RandomTransformOptions = {},
): Layer {
  const op = "randomTranslation";
  const [rows, columns] = [range(op, "heightFactor", heightFactor), range(op, "widthFactor", widthFactor)];
  const how = readingOf(op, options);
  return layer(op, options, reading, (x) => randomTransform(x, { kind: "shift", rows, columns, ...how }));
}

/**
 * While training, takes each image nearer or farther, as Keras' `RandomZoom`; else passes its input on.
 * @param heightFactor how much higher the part is that becomes the image: 0.2 for between 80 and 120 %; two numbers for a range, positive
 *   ones make things smaller
 * @param widthFactor the same for the width; without it, or null, the image keeps its proportions
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for factors below -1, above 1e3, or options that there are not
 * @example
 * randomZoom(0.2)(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomZoom(
  heightFactor: RandomFactor,
  widthFactor?: RandomFactor | null,
  options: RandomTransformOptions = {},
): Layer {
  const op = "randomZoom";
  const zoom = (what: string, factor: RandomFactor) =>
    range(op, what, factor, -1, 1e3).map((f) => 1 + f) as [number, number];
  const rows = zoom("heightFactor", heightFactor);
  const columns = widthFactor === undefined || widthFactor === null ? undefined : zoom("widthFactor", widthFactor);
  const kind = columns ? "zoom" : "zoomEvenly";
  const how = readingOf(op, options);
  return layer(op, options, reading, (x) => randomTransform(x, { kind, rows, columns: columns ?? [1, 1], ...how }));
}

/**
 * A part of each image: while training one that is drawn, else the middle, as Keras' `RandomCrop`. Here every sample of a batch has its
 * own part, where Keras takes the same one for all of a batch. An image smaller than the part is first made larger, in its proportions.
 * @param height of the part @param width of the part
 * @returns a layer from float32 [batch, h, w, channels] to [batch, height, width, channels]
 * @throws {RangeError} unless both are positive integers
 * @example
 * sequential(zeroPadding2d(4), randomCrop(32, 32))(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomCrop(height: number, width: number, options: LayerOptions = {}): Layer {
  const op = "randomCrop";
  positive(op, "height", height);
  positive(op, "width", width);
  return layer(op, options, [], (x) => {
    wantRank(op, 4, "an image [height, width, channels]", x);
    const [, h, w] = x.shape;
    const size = [height, width] as const;
    if (h < height || w < width) return cropToAspectRatio(x, size, "bilinear");
    const [rows, columns]: Pair[] = [
      [0, h - height + 1],
      [0, w - width + 1],
    ];
    if (h === height && w === width) return middle(x, size);
    const how = { interpolation: "nearest", fillMode: "nearest", fillValue: 0 } as const;
    return randomTransform(x, { kind: "crop", rows, columns, size, ...how });
  });
}

/**
 * While training, scales how far the pixels of each image are from the mean of their channel, as Keras' `RandomContrast`; else passes its
 * input on.
 * @param factor 0.3 scales by 0.7 to 1.3; two numbers, both at least 0, for 1 - the first to 1 + the second
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for a negative factor or a first one above 1
 * @example
 * randomContrast(0.3, { valueRange: [0, 1] })(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export function randomContrast(factor: RandomFactor, options: RandomAdjustmentOptions = {}): Layer {
  const op = "randomContrast";
  const [lower, upper] = (Array.isArray(factor) ? factor : [factor, factor]) as unknown as Pair;
  if (!(lower >= 0 && lower <= 1 && upper >= 0 && Number.isFinite(upper))) {
    const expected = "factor to be a number in [0, 1], or two of which the second may be larger";
    throw rangeError({ op, expected, actual: Array.isArray(factor) ? JSON.stringify(factor) : told(factor) });
  }
  return adjustment(op, "contrast", [1 - lower, 1 + upper], options);
}

/**
 * While training, makes each image lighter or darker by a number of its own, as Keras' `RandomBrightness`; else passes its input on.
 * @param factor share of the value range, added or taken away; two numbers for a range
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for a factor beyond [-1, 1]
 * @example
 * randomBrightness(0.2, { valueRange: [0, 1] })(input([32, 32, 3])).shape; // [1, 32, 32, 3]
 */
export const randomBrightness = (factor: RandomFactor, options: RandomAdjustmentOptions = {}): Layer =>
  adjustment("randomBrightness", "brightness", range("randomBrightness", "factor", factor), options);

function adjustment(op: string, kind: "contrast" | "brightness", drawn: Pair, options: RandomAdjustmentOptions): Layer {
  const { valueRange = [0, 255] } = options;
  const [least, most] = valueRange;
  if (!(Number.isFinite(least) && Number.isFinite(most) && least < most)) {
    const expected = "valueRange to be two numbers, the smaller first";
    throw rangeError({ op, expected, actual: JSON.stringify(valueRange) });
  }
  return layer(op, options, ["valueRange"], (x) =>
    randomAdjustment(x, { kind, range: drawn, valueRange: [least, most] }),
  );
}
