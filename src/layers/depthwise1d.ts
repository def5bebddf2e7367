// Depthwise 1-D convolution layer: the 2-D one over an image of one row.
import { activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { depthwiseConv2d as convolve } from "../ops/depthwise.js";
import { regularized, resolveRegularizer } from "../ops/regularizer.js";
import { expandDims } from "../ops/shape.js";
import { type DepthwiseConv2dOptions, depthwiseOptions } from "./depthwise.js";
import { type Layer, layer } from "./layer.js";
import { positive } from "./options.js";
import { activatedSteps, asRow, type Padding1d, rowPadding } from "./steps.js";

export interface DepthwiseConv1dOptions extends Omit<DepthwiseConv2dOptions, "strides" | "padding" | "dilationRate"> {
  /** Default 1. */
  strides?: number;
  /** `same` pads as TensorFlow does, the odd step after; also steps as [before, after]; default `valid`. */
  padding?: Padding1d;
  /** Distance of the filter's steps; default 1. */
  dilationRate?: number;
}

/**
 * 1-D convolution of every channel with filters of its own, as Keras' `DepthwiseConv1D`. Weights: `depthwise_kernel`
 * [steps, channels, multiplier], `bias` [channels * multiplier]; output channel c * multiplier + m is filter m of channel c.
 * @param kernelSize steps of the filters
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, channels * multiplier]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * depthwiseConv1d(5, { padding: "same", depthMultiplier: 2 })(input([100, 6])).shape; // [1, 100, 12]
 */
export function depthwiseConv1d(kernelSize: number, options: DepthwiseConv1dOptions = {}): Layer {
  const op = "depthwiseConv1d";
  const { strides = 1, dilationRate = 1, depthMultiplier = 1, useBias = true } = options;
  const { depthwiseInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  for (const [what, n] of Object.entries({ kernelSize, strides, dilationRate, depthMultiplier })) positive(op, what, n);
  const padding = rowPadding(op, options.padding ?? "valid");
  const act = activation(options.activation, op);
  const ofKernel = resolveRegularizer(options.depthwiseRegularizer, op);
  const ofBias = resolveRegularizer(options.biasRegularizer, op);
  const ofOutput = resolveRegularizer(options.activityRegularizer, op);
  return layer(op, options, depthwiseOptions, (x, weight) => {
    const row = asRow(op, x);
    const channels = x.shape[2];
    const shape = [kernelSize, channels, depthMultiplier];
    const kernel = weight("depthwise_kernel", shape, depthwiseInitializer, { regularizer: ofKernel });
    const how = { strides: [1, strides], padding, dilations: [1, dilationRate] } as const;
    const y = convolve(row, expandDims(kernel, 0), how);
    const bias = () => weight("bias", [channels * depthMultiplier], biasInitializer, { regularizer: ofBias });
    return regularized(activatedSteps(useBias ? add(y, bias()) : y, act, options.activation), ofOutput);
  });
}
