// Normalisation of channels in groups.
import { rangeError, ShapeError, told } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { wantElements } from "../ops/check.js";
import { mean } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import { withAxesLast } from "../ops/transpose.js";
import { rsqrt, square } from "../ops/unary.js";
import { sizeOf } from "../shape.js";
import { type Layer, stepwise } from "./layer.js";
import { affine, type NormalizationOptions, sampleAxes } from "./normalization.js";

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** How many groups, a divisor of the channels; -1 for one for each channel (instance normalization). Default 32. */
  groups?: number;
  /** The axis of the channels, the batch being 0; default -1, the last. Any other costs two transpositions. */
  axis?: number;
}

const known = [
  "groups",
  "axis",
  "epsilon",
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
  "betaRegularizer",
  "gammaRegularizer",
] as const satisfies (keyof GroupNormalizationOptions)[];

/**
 * Group normalization, as Keras' `GroupNormalization`: every sample over each group of channels and all axes but the channels'. Weights:
 * `gamma`, `beta` [channels]. Wu and He, "Group normalization", 2018.
 * @returns a layer from float32 [batch, ..., channels] to the same shape
 * @throws {RangeError} for groups that are no positive integer or -1, or a negative epsilon; the layer throws {ShapeError} unless
 *   `groups` divides the channels, and for samples of no elements
 * @example
 * groupNormalization({ groups: 4 })(input([8, 8, 16])).shape; // [1, 8, 8, 16]
 */
export function groupNormalization(options: GroupNormalizationOptions = {}): Layer {
  const op = "groupNormalization";
  const { groups = 32, axis = -1, scale = true, center = true } = options;
  if (!(Number.isSafeInteger(groups) && (groups >= 1 || groups === -1)))
    throw rangeError({ op, expected: "groups to be a positive integer or -1", actual: told(groups) });
  const { epsilon, gamma, beta } = affine(op, options);
  return stepwise(op, options, known, (x, weight) => {
    const [at] = sampleAxes(op, axis, x);
    wantElements(op, x, ...x.shape.keys());
    const channels = x.shape[at];
    const count = groups === -1 ? channels : groups;
    if (channels % count !== 0)
      throw new ShapeError({ op, expected: `channels in ${count} equal groups`, actual: String(channels) });
    const grouped = [count, channels / count];
    return withAxesLast(x, [at], (last): Value => {
      const apart = reshape(last, [-1, sizeOf(last.shape.slice(1, -1)), ...grouped]);
      const over = { keepDims: true };
      const centered = sub(apart, mean(apart, [1, 3], over));
      const inverse = rsqrt(add(mean(square(centered), [1, 3], over), epsilon));
      const factor = scale ? mul(inverse, reshape(gamma(weight, [channels]), grouped)) : inverse;
      const y = mul(centered, factor);
      const shifted = center ? add(y, reshape(beta(weight, [channels]), grouped)) : y;
      return reshape(shifted, [-1, ...last.shape.slice(1)]);
    });
  });
}
