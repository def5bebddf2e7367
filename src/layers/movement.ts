// Layers that move numbers: other axes, copies, borders, other sizes.
import { rangeError, ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { wantElements, wantRank } from "../ops/check.js";
import { pad } from "../ops/pad.js";
import { resize as resizeImage } from "../ops/resize.js";
import { expandDims } from "../ops/shape.js";
import { stridedSlice } from "../ops/slice.js";
import { tile } from "../ops/tile.js";
import { transpose } from "../ops/transpose.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive, positivePair } from "./options.js";

type Pair = readonly [number, number];

/** Rows and columns at [[top, bottom], [left, right]]; a number counts for both of an axis, one alone for all four. */
export type Border2d = number | readonly [number | Pair, number | Pair];

const image = "an image [height, width, channels]";

/** @throws {RangeError} unless all four are whole numbers of at least 0 */
function border(op: string, what: string, given: Border2d): readonly [Pair, Pair] {
  const axes: readonly unknown[] = Array.isArray(given) ? given : [given, given];
  const pairs = axes.map((both) => (Array.isArray(both) ? both : [both, both]) as unknown[]);
  const fits = pairs.length === 2 && pairs.every((p) => p.length === 2 && p.every(isCount));
  if (fits) return pairs as unknown as readonly [Pair, Pair];
  throw rangeError({
    op,
    expected: `${what} as n, [n, n] or [[n, n], [n, n]], n at least 0`,
    actual: JSON.stringify(given),
  });
}

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;

/**
 * The axes in another order, as Keras' `Permute`.
 * @param dims the axes, the batch not counted: 1 is the first. Each must be there once.
 * @throws {RangeError} when one is missing or there twice
 * @example
 * permute([2, 1])(input([10, 64])).shape; // [1, 64, 10]
 */
export function permute(dims: readonly number[], options: LayerOptions = {}): Layer {
  const sorted = [...dims].sort((a, b) => a - b);
  if (!sorted.every((axis, i) => axis === i + 1))
    throw rangeError({ op: "permute", expected: `each axis of 1 to ${dims.length} once`, actual: show(dims) });
  return layer("permute", options, [], (x) => {
    if (x.shape.length !== dims.length + 1) {
      const expected = `an input of rank ${dims.length}`;
      throw new ShapeError({ op: "permute", expected, actual: show(x.shape.slice(1)) });
    }
    return transpose(x, [0, ...dims]);
  });
}

/**
 * The input several times in a row, as Keras' `RepeatVector`.
 * @param n how often
 * @returns a layer from [batch, features] to [batch, n, features]
 * @throws {RangeError} unless `n` is a positive integer
 * @example
 * repeatVector(3)(input([32])).shape; // [1, 3, 32]
 */
export function repeatVector(n: number, options: LayerOptions = {}): Layer {
  positive("repeatVector", "n", n);
  return layer("repeatVector", options, [], (x) => {
    wantRank("repeatVector", 2, "a vector [features]", x);
    return tile(expandDims(x, 1), [1, n, 1]);
  });
}

/**
 * Zeros around images, as Keras' `ZeroPadding2D`.
 * @param padding rows and columns; default 1
 * @returns a layer from [batch, height, width, channels] to the same with more rows and columns
 * @throws {RangeError} for what is no whole number of at least 0
 * @example
 * zeroPadding2d([[1, 0], 2])(input([28, 28, 1])).shape; // [1, 29, 32, 1]
 */
export function zeroPadding2d(padding: Border2d = 1, options: LayerOptions = {}): Layer {
  const [rows, cols] = border("zeroPadding2d", "padding", padding);
  return layer("zeroPadding2d", options, [], (x) => {
    wantRank("zeroPadding2d", 4, image, x);
    return pad(x, [0, rows, cols, 0]);
  });
}

/**
 * Images without their borders, as Keras' `Cropping2D`.
 * @param cropping rows and columns; default 0
 * @returns a layer from [batch, height, width, channels] to the same with fewer rows and columns
 * @throws {RangeError} for what is no whole number of at least 0; the layer throws {ShapeError} when nothing would be left
 * @example
 * cropping2d([[2, 2], [4, 4]])(input([28, 28, 3])).shape; // [1, 24, 20, 3]
 */
export function cropping2d(cropping: Border2d = 0, options: LayerOptions = {}): Layer {
  const both = border("cropping2d", "cropping", cropping);
  return layer("cropping2d", options, [], (x) => {
    wantRank("cropping2d", 4, image, x);
    both.forEach(([before, after], i) => {
      if (before + after < x.shape[i + 1]) return;
      const expected = `an image of more than ${before + after} ${i === 0 ? "rows" : "columns"}`;
      throw new ShapeError({ op: "cropping2d", expected, actual: show(x.shape.slice(1)) });
    });
    const [[top, bottom], [left, right]] = both;
    const behind = (n: number) => (n === 0 ? null : -n);
    return stridedSlice(x, [null, top, left], [null, behind(bottom), behind(right)]);
  });
}

export interface UpSampling2dOptions extends LayerOptions {
  /** Default `nearest`: every pixel several times. */
  interpolation?: "nearest" | "bilinear";
}

/**
 * Larger images, as Keras' `UpSampling2D`.
 * @param size factors of height and width, or one for both; default 2
 * @returns a layer from float32 [batch, height, width, channels] to [batch, height * size[0], width * size[1], channels]
 * @throws {RangeError} unless the factors are positive integers
 * @example
 * upSampling2d(2, { interpolation: "bilinear" })(input([7, 7, 64])).shape; // [1, 14, 14, 64]
 */
export function upSampling2d(size: number | Pair = 2, options: UpSampling2dOptions = {}): Layer {
  const [rows, cols] = positivePair("upSampling2d", "size", size);
  const { interpolation = "nearest" } = options;
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    const expected = 'interpolation "nearest" or "bilinear"';
    throw rangeError({ op: "upSampling2d", expected, actual: JSON.stringify(interpolation) });
  }
  return layer("upSampling2d", options, ["interpolation"], (x: Value) => {
    wantRank("upSampling2d", 4, image, x);
    wantElements("upSampling2d", x, 1, 2);
    return resizeImage(x, [x.shape[1] * rows, x.shape[2] * cols], { interpolation });
  });
}
