// 2-D convolution layer.
import { rangeError, ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type ActivationName, activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { wantRank } from "../ops/check.js";
import { convolution2d } from "../ops/conv2d.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { type Regularizer, type RegularizerName, regularized } from "../ops/regularizer.js";
import type { Padding } from "../ops/window.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { padding as checkPadding, positive, positivePair, regularizerOptions, regularizers } from "./options.js";

export interface Conv2dLayerOptions extends LayerOptions {
  /** Default 1. */
  strides?: number | readonly [number, number];
  /** `same` pads as TensorFlow does, the odd pixel after; also pixels as [[top, bottom], [left, right]]; default `valid`. */
  padding?: Padding;
  /** Distance of the filter's elements; default 1. */
  dilationRate?: number | readonly [number, number];
  /** Groups of channels that do not see each other: as many filters for each. Default 1. */
  groups?: number;
  /** Default linear. */
  activation?: ActivationName | ((x: Value) => Value);
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
  /** Default none. */
  kernelRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  biasRegularizer?: RegularizerName | Regularizer;
  /** Of the layer's output, its penalty divided by the batch size as in Keras; default none. */
  activityRegularizer?: RegularizerName | Regularizer;
}

/** The names of the options of both convolutions. */
export const convOptions = [
  "strides",
  "padding",
  "dilationRate",
  "groups",
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  ...regularizerOptions,
] as const satisfies (keyof Conv2dLayerOptions)[];

/**
 * 2-D convolution, as Keras' `Conv2D`. Weights: `kernel` [height, width, in / groups, filters], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize height and width of the filter, or one number for both
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * conv2d(32, 3, { activation: "relu" })(input([28, 28, 1])).shape; // [1, 26, 26, 32]
 */
export function conv2d(
  filters: number,
  kernelSize: number | readonly [number, number],
  options: Conv2dLayerOptions = {},
): Layer {
  positive("conv2d", "filters", filters);
  const [kh, kw] = positivePair("conv2d", "kernelSize", kernelSize);
  const { useBias = true, kernelInitializer = "glorotUniform", biasInitializer = "zeros", padding = "valid" } = options;
  const strides = positivePair("conv2d", "strides", options.strides ?? 1);
  const dilations = positivePair("conv2d", "dilationRate", options.dilationRate ?? 1);
  const { groups = 1 } = options;
  positive("conv2d", "groups", groups);
  if (filters % groups !== 0)
    throw rangeError({ op: "conv2d", expected: `filters in ${groups} equal groups`, actual: String(filters) });
  checkPadding("conv2d", padding);
  const act = activation(options.activation, "conv2d");
  const { ofKernel, ofBias, ofOutput } = regularizers("conv2d", options);
  return layer("conv2d", options, convOptions, (x, weight) => {
    wantRank("conv2d", 4, "an image [height, width, channels]", x);
    const channels = x.shape[3];
    if (channels % groups !== 0)
      throw new ShapeError({ op: "conv2d", expected: `channels in ${groups} equal groups`, actual: String(channels) });
    const kernel = weight("kernel", [kh, kw, channels / groups, filters], kernelInitializer, { regularizer: ofKernel });
    const y = convolution2d(x, kernel, { strides, padding, dilations, groups });
    const bias = () => weight("bias", [filters], biasInitializer, { regularizer: ofBias });
    return regularized(act(useBias ? add(y, bias()) : y), ofOutput);
  });
}
