// Layers that add noise while a model is trained, and pass their input on else.
import { rangeError, told } from "../errors.js";
import { wantRank } from "../ops/check.js";
import { noise } from "../ops/random.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

/** @throws {RangeError} for a rate outside [0, 1) */
function checkRate(op: string, rate: unknown): void {
  if (typeof rate === "number" && rate >= 0 && rate < 1) return;
  throw rangeError({ op, expected: "a rate in [0, 1)", actual: told(rate) });
}

function spatial(op: string, rank: number, what: string, rate: number, options: LayerOptions): Layer {
  checkRate(op, rate);
  return stepwise(op, options, [], (x) => {
    wantRank(op, rank, what, x);
    return rate === 0 ? x : noise(x, "spatialDropout", rate);
  });
}

/**
 * While training, zeroes a share of whole channels and scales the others by 1 / (1 - rate), as Keras' `SpatialDropout1D`; else passes its
 * input on.
 * @param rate share of zeros, in [0, 1)
 * @returns a layer from float32 [batch, steps, channels] to the same shape
 * @throws {RangeError} for a rate outside [0, 1)
 * @example
 * spatialDropout1d(0.2)(input([100, 6])).shape; // [1, 100, 6]
 */
export const spatialDropout1d = (rate: number, options: LayerOptions = {}): Layer =>
  spatial("spatialDropout1d", 3, "a sequence [steps, channels]", rate, options);

/**
 * While training, zeroes a share of whole channels and scales the others by 1 / (1 - rate), as Keras' `SpatialDropout2D`; else passes its
 * input on.
 * @param rate share of zeros, in [0, 1)
 * @returns a layer from float32 [batch, height, width, channels] to the same shape
 * @throws {RangeError} for a rate outside [0, 1)
 * @example
 * spatialDropout2d(0.2)(input([28, 28, 8])).shape; // [1, 28, 28, 8]
 */
export const spatialDropout2d = (rate: number, options: LayerOptions = {}): Layer =>
  spatial("spatialDropout2d", 4, "an image [height, width, channels]", rate, options);

/**
 * While training, adds normal noise of mean 0, as Keras' `GaussianNoise`; else passes its input on.
 * @param stddev its standard deviation
 * @throws {RangeError} for a negative standard deviation
 * @example
 * gaussianNoise(0.1)(input([64])).shape; // [1, 64]
 */
export function gaussianNoise(stddev: number, options: LayerOptions = {}): Layer {
  const op = "gaussianNoise";
  if (!(Number.isFinite(stddev) && stddev >= 0))
    throw rangeError({ op, expected: "a standard deviation of at least 0", actual: told(stddev) });
  return stepwise(op, options, [], (x) => (stddev === 0 ? x : noise(x, op, stddev)));
}

/**
 * While training, multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)), as Keras' `GaussianDropout`; else
 * passes its input on.
 * @param rate of the dropout whose variance the noise has, in [0, 1)
 * @throws {RangeError} for a rate outside [0, 1)
 * @example
 * gaussianDropout(0.5)(input([64])).shape; // [1, 64]
 */
export function gaussianDropout(rate: number, options: LayerOptions = {}): Layer {
  const op = "gaussianDropout";
  checkRate(op, rate);
  return stepwise(op, options, [], (x) => (rate === 0 ? x : noise(x, op, rate)));
}
