// Images of a size that a model wants.
import { rangeError, told, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { middle } from "../ops/affine.js";
import { wantRank } from "../ops/check.js";
import { pad } from "../ops/pad.js";
import { resize } from "../ops/resize.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";

type Pair = readonly [number, number];
type Interpolation = "nearest" | "bilinear";

const image = "an image [height, width, channels]";

export interface ResizingOptions extends LayerOptions {
  /** Default bilinear. */
  interpolation?: Interpolation;
  /** Takes the largest part of the result's proportions from the middle of the image, so that nothing is distorted; default false. */
  cropToAspectRatio?: boolean;
  /** Puts zeros around the image until it has the result's proportions; default false. */
  padToAspectRatio?: boolean;
}

/**
 * Images of another size, as Keras' `Resizing`.
 * @param height of the result @param width of the result
 * @returns a layer from [batch, h, w, channels], float32 or with `nearest` of any dtype, to [batch, height, width, channels]
 * @throws {RangeError} unless both are positive integers; {TypeError} for both ways to keep proportions at once
 * @example
 * resizing(96, 96, { cropToAspectRatio: true })(input([120, 160, 3])).shape; // [1, 96, 96, 3]
 */
export function resizing(height: number, width: number, options: ResizingOptions = {}): Layer {
  const op = "resizing";
  positive(op, "height", height);
  positive(op, "width", width);
  const { interpolation = "bilinear", cropToAspectRatio: crop = false, padToAspectRatio: fill = false } = options;
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    throw rangeError({ op, expected: 'interpolation to be "nearest" or "bilinear"', actual: told(interpolation) });
  }
  if (crop && fill) throw typeError({ op, expected: "cropToAspectRatio or padToAspectRatio", actual: "both" });
  const size = [height, width] as const;
  return layer(op, options, ["interpolation", "cropToAspectRatio", "padToAspectRatio"], (x) => {
    wantRank(op, 4, image, x);
    if (crop) return cropToAspectRatio(x, size, interpolation);
    return resize(fill ? padToAspectRatio(x, size) : x, size, { interpolation });
  });
}

/**
 * The middle of images, as Keras' `CenterCrop`. An image smaller than that is first made larger, in its proportions.
 * @param height of the result @param width of the result
 * @returns a layer from [batch, h, w, channels] to [batch, height, width, channels]
 * @throws {RangeError} unless both are positive integers
 * @example
 * centerCrop(24, 24)(input([32, 32, 3])).shape; // [1, 24, 24, 3]
 */
export function centerCrop(height: number, width: number, options: LayerOptions = {}): Layer {
  const op = "centerCrop";
  positive(op, "height", height);
  positive(op, "width", width);
  const size = [height, width] as const;
  return layer(op, options, [], (x) => {
    wantRank(op, 4, image, x);
    return x.shape[1] < height || x.shape[2] < width ? cropToAspectRatio(x, size, "bilinear") : middle(x, size);
  });
}

/** The largest part of the size's proportions in the middle of an image, in that size: Keras' `smart_resize`. */
export function cropToAspectRatio(x: Value, size: Pair, interpolation: Interpolation): Value {
  const [, h, w] = x.shape;
  const [height, width] = size;
  const part: Pair = [Math.min(h, Math.floor((w * height) / width)), Math.min(w, Math.floor((h * width) / height))];
  return resize(middle(x, [Math.max(1, part[0]), Math.max(1, part[1])]), size, { interpolation });
}

/** Zeros on both sides of rows or columns, so that the image has the size's proportions. */
function padToAspectRatio(x: Value, [height, width]: Pair): Value {
  const [, h, w] = x.shape;
  const around = (n: number, least: number): Pair => {
    const more = Math.max(n, least) - n;
    return [more >> 1, more - (more >> 1)];
  };
  return pad(x, [0, around(h, Math.floor((w * height) / width)), around(w, Math.floor((h * width) / height)), 0]);
}
