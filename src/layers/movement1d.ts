// Layers that move the steps of sequences: copies, borders.
import { rangeError, ShapeError } from "../errors.js";
import { wantRank } from "../ops/check.js";
import { pad } from "../ops/pad.js";
import { stridedSlice } from "../ops/slice.js";
import { repeat } from "../ops/tile.js";
import type { Pair } from "../ops/window.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { positive } from "./options.js";

const sequence = "a sequence [steps, channels]";

/** @throws {RangeError} unless both are whole numbers of at least 0 */
function ends(op: string, what: string, given: number | Pair): Pair {
  const both: readonly unknown[] = Array.isArray(given) ? given : [given, given];
  if (both.length === 2 && both.every((n) => Number.isSafeInteger(n) && (n as number) >= 0))
    return both as unknown as Pair;
  throw rangeError({
    op,
    expected: `${what} as n or [before, after], n at least 0`,
    actual: JSON.stringify(given) ?? "nothing",
  });
}

/**
 * Every step several times in a row, as Keras' `UpSampling1D`.
 * @param size how often; default 2
 * @returns a layer from float32 [batch, steps, channels] to [batch, steps * size, channels]
 * @throws {RangeError} unless `size` is a positive integer
 * @example
 * upSampling1d(3)(input([10, 6])).shape; // [1, 30, 6]
 */
export function upSampling1d(size = 2, options: LayerOptions = {}): Layer {
  positive("upSampling1d", "size", size);
  return layer("upSampling1d", options, [], (x) => {
    wantRank("upSampling1d", 3, sequence, x);
    return repeat(x, size, 1);
  });
}

/**
 * Zeros before and after sequences, as Keras' `ZeroPadding1D`.
 * @param padding steps at both ends, or [before, after]; default 1
 * @returns a layer from [batch, steps, channels] to the same with more steps
 * @throws {RangeError} for what is no whole number of at least 0
 * @example
 * zeroPadding1d([2, 0])(input([10, 6])).shape; // [1, 12, 6]
 */
export function zeroPadding1d(padding: number | Pair = 1, options: LayerOptions = {}): Layer {
  const both = ends("zeroPadding1d", "padding", padding);
  return layer("zeroPadding1d", options, [], (x) => {
    wantRank("zeroPadding1d", 3, sequence, x);
    return pad(x, [0, both, 0]);
  });
}

/**
 * Sequences without their ends, as Keras' `Cropping1D`.
 * @param cropping steps at both ends, or [before, after]; default 1
 * @returns a layer from [batch, steps, channels] to the same with fewer steps
 * @throws {RangeError} for what is no whole number of at least 0; the layer throws {ShapeError} when nothing would be left
 * @example
 * cropping1d([2, 1])(input([10, 6])).shape; // [1, 7, 6]
 */
export function cropping1d(cropping: number | Pair = 1, options: LayerOptions = {}): Layer {
  const [before, after] = ends("cropping1d", "cropping", cropping);
  return layer("cropping1d", options, [], (x) => {
    wantRank("cropping1d", 3, sequence, x);
    if (before + after >= x.shape[1]) {
      const expected = `a sequence of more than ${before + after} steps`;
      throw new ShapeError({ op: "cropping1d", expected, actual: show(x.shape.slice(1)) });
    }
    return stridedSlice(x, [null, before], [null, after === 0 ? null : -after]);
  });
}
