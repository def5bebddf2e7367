// Depthwise 2-D convolution layer.
import type { Value } from "../graph/value.js";
import { type ActivationName, activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { wantRank } from "../ops/check.js";
import { depthwiseConv2d as convolve } from "../ops/depthwise.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { type Regularizer, type RegularizerName, regularized, resolveRegularizer } from "../ops/regularizer.js";
import type { Padding } from "../ops/window.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";
import { padding as checkPadding, positive, positivePair } from "./options.js";

export interface DepthwiseConv2dOptions extends LayerOptions {
  /** Default 1. */
  strides?: number | readonly [number, number];
  /** `same` pads as TensorFlow does, the odd pixel after; also pixels as [[top, bottom], [left, right]]; default `valid`. */
  padding?: Padding;
  /** Filters for each channel; default 1. */
  depthMultiplier?: number;
  /** Distance of the filter's elements; default 1. */
  dilationRate?: number | readonly [number, number];
  /** Default linear. */
  activation?: ActivationName | ((x: Value) => Value);
  /** Default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  depthwiseInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
  /** Default none. */
  depthwiseRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  biasRegularizer?: RegularizerName | Regularizer;
  /** Of the layer's output, its penalty divided by the batch size as in Keras; default none. */
  activityRegularizer?: RegularizerName | Regularizer;
}

/** The names of the options of both depthwise convolutions. */
export const depthwiseOptions = [
  "strides",
  "padding",
  "depthMultiplier",
  "dilationRate",
  "activation",
  "useBias",
  "depthwiseInitializer",
  "biasInitializer",
  "depthwiseRegularizer",
  "biasRegularizer",
  "activityRegularizer",
] as const satisfies (keyof DepthwiseConv2dOptions)[];

/**
 * 2-D convolution of every channel with filters of its own, as Keras' `DepthwiseConv2D`. Weights: `depthwise_kernel`
 * [height, width, channels, multiplier], `bias` [channels * multiplier]; output channel c * multiplier + m is filter m of channel c.
 * @param kernelSize height and width of the filters, or one number for both
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, channels * multiplier]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * depthwiseConv2d(3, { padding: "same", depthMultiplier: 2 })(input([28, 28, 8])).shape; // [1, 28, 28, 16]
 */
export function depthwiseConv2d(
  kernelSize: number | readonly [number, number],
  options: DepthwiseConv2dOptions = {},
): Layer {
  const op = "depthwiseConv2d";
  const [kh, kw] = positivePair(op, "kernelSize", kernelSize);
  const { depthMultiplier = 1, useBias = true, padding = "valid" } = options;
  const { depthwiseInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  positive(op, "depthMultiplier", depthMultiplier);
  const strides = positivePair(op, "strides", options.strides ?? 1);
  const dilations = positivePair(op, "dilationRate", options.dilationRate ?? 1);
  checkPadding(op, padding);
  const act = activation(options.activation, op);
  const ofKernel = resolveRegularizer(options.depthwiseRegularizer, op);
  const ofBias = resolveRegularizer(options.biasRegularizer, op);
  const ofOutput = resolveRegularizer(options.activityRegularizer, op);
  return layer(op, options, depthwiseOptions, (x, weight) => {
    wantRank(op, 4, "an image [height, width, channels]", x);
    const [channels, regularizer] = [x.shape[3], ofKernel];
    const shape = [kh, kw, channels, depthMultiplier];
    const y = convolve(x, weight("depthwise_kernel", shape, depthwiseInitializer, { regularizer }), {
      strides,
      padding,
      dilations,
    });
    const bias = () => weight("bias", [channels * depthMultiplier], biasInitializer, { regularizer: ofBias });
    return regularized(act(useBias ? add(y, bias()) : y), ofOutput);
  });
}
