// Separable convolutions: every channel by itself, then all of them at each pixel.
import type { Value } from "../graph/value.js";
import { activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { wantRank } from "../ops/check.js";
import { convolution2d } from "../ops/conv2d.js";
import { depthwiseConv2d as convolve } from "../ops/depthwise.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { type Regularizer, type RegularizerName, regularized, resolveRegularizer } from "../ops/regularizer.js";
import { expandDims } from "../ops/shape.js";
import type { Padding, Pair } from "../ops/window.js";
import type { DepthwiseConv2dOptions } from "./depthwise.js";
import { type Layer, layer, type WeightOf } from "./layer.js";
import { padding as checkPadding, positive, positivePair } from "./options.js";
import { activatedSteps, asRow, type Padding1d, rowPadding } from "./steps.js";

export interface SeparableConv2dOptions extends DepthwiseConv2dOptions {
  /** Default `glorotUniform`. */
  pointwiseInitializer?: InitializerName | Initializer;
  /** Default none. */
  pointwiseRegularizer?: RegularizerName | Regularizer;
}

export interface SeparableConv1dOptions extends Omit<SeparableConv2dOptions, "strides" | "padding" | "dilationRate"> {
  /** Default 1. */
  strides?: number;
  /**
   * `same` pads as TensorFlow does, the odd step after; `causal` pads before only, so that no output sees a later step; also steps as
   * [before, after]; default `valid`.
   */
  padding?: Padding1d | "causal";
  /** Distance of the filter's steps; default 1. */
  dilationRate?: number;
}

const known = [
  "strides",
  "padding",
  "depthMultiplier",
  "dilationRate",
  "activation",
  "useBias",
  "depthwiseInitializer",
  "pointwiseInitializer",
  "biasInitializer",
  "depthwiseRegularizer",
  "pointwiseRegularizer",
  "biasRegularizer",
  "activityRegularizer",
] as const satisfies (keyof SeparableConv2dOptions)[];

interface Depthwise {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
}

/** Checks what both layers take, and gives their common part: images in, images with bias out; kernels have `size` before their channels. */
function separable(op: string, filters: number, size: readonly number[], options: SeparableConv1dOptions) {
  const { depthMultiplier = 1, useBias = true, biasInitializer = "zeros" } = options;
  const { depthwiseInitializer = "glorotUniform", pointwiseInitializer = "glorotUniform" } = options;
  positive(op, "filters", filters);
  positive(op, "depthMultiplier", depthMultiplier);
  const act = activation(options.activation, op);
  const ofDepthwise = resolveRegularizer(options.depthwiseRegularizer, op);
  const ofPointwise = resolveRegularizer(options.pointwiseRegularizer, op);
  const ofBias = resolveRegularizer(options.biasRegularizer, op);
  const ofOutput = resolveRegularizer(options.activityRegularizer, op);
  const filter = (f: Value): Value => (size.length === 1 ? expandDims(f, 0) : f);
  const product = (x: Value, weight: WeightOf, how: Depthwise): Value => {
    const wide = x.shape[3] * depthMultiplier;
    const apart = weight("depthwise_kernel", [...size, x.shape[3], depthMultiplier], depthwiseInitializer, {
      regularizer: ofDepthwise,
    });
    const across = weight("pointwise_kernel", [...size.map(() => 1), wide, filters], pointwiseInitializer, {
      regularizer: ofPointwise,
    });
    const y = convolution2d(convolve(x, filter(apart), how), filter(across));
    return useBias ? add(y, weight("bias", [filters], biasInitializer, { regularizer: ofBias })) : y;
  };
  return { act, ofOutput, product };
}

/**
 * A depthwise convolution and a 1x1 convolution of its result, as Keras' `SeparableConv2D`. Weights: `depthwise_kernel`
 * [height, width, channels, multiplier], `pointwise_kernel` [1, 1, channels * multiplier, filters], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize height and width of the filters, or one number for both
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * separableConv2d(32, 3, { strides: 2, padding: "same" })(input([28, 28, 8])).shape; // [1, 14, 14, 32]
 */
export function separableConv2d(
  filters: number,
  kernelSize: number | readonly [number, number],
  options: SeparableConv2dOptions = {},
): Layer {
  const op = "separableConv2d";
  const { strides: given = 1, padding = "valid", dilationRate = 1, ...rest } = options;
  const size = positivePair(op, "kernelSize", kernelSize);
  const strides = positivePair(op, "strides", given);
  const dilations = positivePair(op, "dilationRate", dilationRate);
  checkPadding(op, padding);
  const { act, ofOutput, product } = separable(op, filters, size, rest);
  return layer(op, options, known, (x, weight) => {
    wantRank(op, 4, "an image [height, width, channels]", x);
    return regularized(act(product(x, weight, { strides, padding, dilations })), ofOutput);
  });
}

/**
 * A depthwise 1-D convolution and a convolution of one step of its result, as Keras' `SeparableConv1D`. Weights: `depthwise_kernel`
 * [steps, channels, multiplier], `pointwise_kernel` [1, channels * multiplier, filters], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize steps of the filters
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * separableConv1d(32, 9, { padding: "causal" })(input([100, 6])).shape; // [1, 100, 32]
 */
export function separableConv1d(filters: number, kernelSize: number, options: SeparableConv1dOptions = {}): Layer {
  const op = "separableConv1d";
  const { strides = 1, dilationRate = 1 } = options;
  for (const [what, n] of Object.entries({ kernelSize, strides, dilationRate })) positive(op, what, n);
  const padding = rowPadding(op, options.padding ?? "valid", (kernelSize - 1) * dilationRate + 1);
  const { act, ofOutput, product } = separable(op, filters, [kernelSize], options);
  return layer(op, options, known, (x, weight) => {
    const how = { strides: [1, strides], padding, dilations: [1, dilationRate] } as const;
    return regularized(activatedSteps(product(asRow(op, x), weight, how), act, options.activation), ofOutput);
  });
}
