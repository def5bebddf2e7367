// Normalisation layers.
import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { batchNorm } from "../ops/batchnorm.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { layerNorm } from "../ops/layernorm.js";
import { constant } from "../ops/leaf.js";
import { type Regularizer, type RegularizerName, resolveRegularizer } from "../ops/regularizer.js";
import { withAxesLast } from "../ops/transpose.js";
import { normalizeAxes, type Shape, show, sizeOf } from "../shape.js";
import { tensor } from "../tensor.js";
import { type Layer, type LayerOptions, stepwise, type WeightOf } from "./layer.js";

export interface NormalizationOptions extends LayerOptions {
  /** Added to the variance; default 0.001. */
  epsilon?: number;
  /** Whether there is a `beta`; default true. */
  center?: boolean;
  /** Whether there is a `gamma`; default true. */
  scale?: boolean;
  /** Default `zeros`. */
  betaInitializer?: InitializerName | Initializer;
  /** Default `ones`. */
  gammaInitializer?: InitializerName | Initializer;
  /** Default none. */
  betaRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  gammaRegularizer?: RegularizerName | Regularizer;
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** The axis of the channels, the batch being 0; default -1, the last. Any other costs two transpositions while training. */
  axis?: number;
  /** Share of the old moving statistics in the new ones; default 0.99. */
  momentum?: number;
  /** Default `zeros`. */
  movingMeanInitializer?: InitializerName | Initializer;
  /** Default `ones`. */
  movingVarianceInitializer?: InitializerName | Initializer;
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** The axes to normalise over, the batch being 0; default -1. Others than the last ones cost two transpositions. */
  axis?: number | readonly number[];
}

const shared = [
  "axis",
  "epsilon",
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
  "betaRegularizer",
  "gammaRegularizer",
] as const;

/** Axes of a sample, ascending. @throws {RangeError} for others: the batch is none */
export function sampleAxes(op: string, axis: number | readonly number[], { shape }: Value): number[] {
  const axes = normalizeAxes(axis, shape.length, op);
  if (axes.length > 0 && axes[0] > 0) return axes;
  throw rangeError({ op, expected: `axes of ${show(shape)} but 0, the batch`, actual: JSON.stringify(axis) });
}

/** Checks what both layers take, and gives what makes gamma and beta; without one, a constant stands for it. */
export function affine(op: string, options: NormalizationOptions) {
  const { epsilon = 1e-3, center = true, scale = true } = options;
  const { betaInitializer = "zeros", gammaInitializer = "ones" } = options;
  if (!(Number.isFinite(epsilon) && epsilon >= 0))
    throw rangeError({ op, expected: "epsilon to be a number of at least 0", actual: String(epsilon) });
  const ofBeta = resolveRegularizer(options.betaRegularizer, op);
  const ofGamma = resolveRegularizer(options.gammaRegularizer, op);
  const filled = (shape: Shape, x: number): Value =>
    constant(tensor(new Float32Array(sizeOf(shape)).fill(x), [...shape]));
  return {
    epsilon,
    gamma: (weight: WeightOf, shape: Shape): Value =>
      scale ? weight("gamma", shape, gammaInitializer, { regularizer: ofGamma }) : filled(shape, 1),
    beta: (weight: WeightOf, shape: Shape): Value =>
      center ? weight("beta", shape, betaInitializer, { regularizer: ofBeta }) : filled(shape, 0),
  };
}

/**
 * Batch normalization over all axes but that of the channels, as Keras' `BatchNormalization`: while a model is trained with the mean and biased
 * variance of the batch, else with moving ones. At inference it costs nothing after a convolution or a dense layer, whose weights take it
 * in (where the channels are last). Steps that are masked count in its statistics like others. Weights: `gamma`, `beta`, and not trained
 * `moving_mean`, `moving_variance`, all [channels].
 * @returns a layer from float32 [batch, ..., channels] to the same shape
 * @throws {RangeError} for a momentum outside [0, 1] or a negative epsilon; the layer throws it for an axis that the input does not have
 * @example
 * const layers = sequential(conv2d(8, 3, { useBias: false }), batchNormalization(), activation("relu"));
 * const model = await build(input([8, 8, 1]), layers);
 * Object.keys(model.weights()).length; // 5
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const op = "batchNormalization";
  const { axis = -1, momentum = 0.99 } = options;
  const { movingMeanInitializer = "zeros", movingVarianceInitializer = "ones" } = options;
  if (!(typeof momentum === "number" && momentum >= 0 && momentum <= 1))
    throw rangeError({ op, expected: "momentum in [0, 1]", actual: String(momentum) });
  const { epsilon, gamma, beta } = affine(op, options);
  const known = [...shared, "momentum", "movingMeanInitializer", "movingVarianceInitializer"] as const;
  return stepwise(op, options, known, (x, weight) => {
    const [at] = sampleAxes(op, axis, x);
    const shape = [x.shape[at]];
    const weights = {
      gamma: gamma(weight, shape),
      beta: beta(weight, shape),
      movingMean: weight("moving_mean", shape, movingMeanInitializer, { trainable: false }),
      movingVariance: weight("moving_variance", shape, movingVarianceInitializer, { trainable: false }),
    };
    return batchNorm(x, weights, { momentum, epsilon, axis: at });
  });
}

/**
 * Layer normalization, as Keras' `LayerNormalization`: every sample over its last axis, or any others. Weights: `gamma`, `beta` of the
 * shape of these axes, in the order of the input.
 * @returns a layer from float32 [batch, ..., features] to the same shape
 * @throws {RangeError} for a negative epsilon; the layer throws it for an axis that the input does not have
 * @example
 * layerNormalization({ axis: [-2, -1] })(input([6, 4, 5])).shape; // [1, 6, 4, 5]
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  const op = "layerNormalization";
  const { axis = -1 } = options;
  const { epsilon, gamma, beta } = affine(op, options);
  return stepwise(op, options, shared, (x, weight) => {
    const axes = sampleAxes(op, axis, x);
    const shape = axes.map((at) => x.shape[at]);
    return withAxesLast(x, axes, (last) => layerNorm(last, gamma(weight, shape), beta(weight, shape), epsilon));
  });
}
