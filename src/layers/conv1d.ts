// 1-D convolution layer: a 2-D one over an image of one row.
import { rangeError, ShapeError } from "../errors.js";
import { activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { convolution2d } from "../ops/conv2d.js";
import { regularized } from "../ops/regularizer.js";
import { expandDims } from "../ops/shape.js";
import { type Conv2dLayerOptions, convOptions } from "./conv2d.js";
import { type Layer, layer } from "./layer.js";
import { positive, regularizers } from "./options.js";
import { activatedSteps, asRow, type Padding1d, rowPadding } from "./steps.js";

export interface Conv1dOptions extends Omit<Conv2dLayerOptions, "strides" | "padding" | "dilationRate"> {
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

/**
 * 1-D convolution, as Keras' `Conv1D`. Weights: `kernel` [steps, in / groups, filters], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize steps of the filter
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} for an input that does not fit
 * @example
 * conv1d(16, 3, { padding: "causal", dilationRate: 4 })(input([100, 6])).shape; // [1, 100, 16]
 */
export function conv1d(filters: number, kernelSize: number, options: Conv1dOptions = {}): Layer {
  const op = "conv1d";
  const { strides = 1, dilationRate = 1, groups = 1, useBias = true } = options;
  const { kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  for (const [what, n] of Object.entries({ filters, kernelSize, strides, dilationRate, groups })) positive(op, what, n);
  if (filters % groups !== 0)
    throw rangeError({ op, expected: `filters in ${groups} equal groups`, actual: String(filters) });
  const padding = rowPadding(op, options.padding ?? "valid", (kernelSize - 1) * dilationRate + 1);
  const act = activation(options.activation, op);
  const { ofKernel, ofBias, ofOutput } = regularizers(op, options);
  return layer(op, options, convOptions, (x, weight) => {
    const row = asRow(op, x);
    const channels = x.shape[2];
    if (channels % groups !== 0)
      throw new ShapeError({ op, expected: `channels in ${groups} equal groups`, actual: String(channels) });
    const shape = [kernelSize, channels / groups, filters];
    const kernel = weight("kernel", shape, kernelInitializer, { regularizer: ofKernel });
    const how = { strides: [1, strides], padding, dilations: [1, dilationRate], groups } as const;
    const y = convolution2d(row, expandDims(kernel, 0), how);
    const bias = () => weight("bias", [filters], biasInitializer, { regularizer: ofBias });
    return regularized(activatedSteps(useBias ? add(y, bias()) : y, act, options.activation), ofOutput);
  });
}
