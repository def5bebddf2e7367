// Transposed convolution layers.

import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import { wantRank } from "../ops/check.js";
import { regularized } from "../ops/regularizer.js";
import { expandDims } from "../ops/shape.js";
import { convolution2dTranspose } from "../ops/transposed.js";
import type { Padding, Pair } from "../ops/window.js";
import type { Conv2dLayerOptions } from "./conv2d.js";
import { type Layer, layer, type WeightOf } from "./layer.js";
import { padding as checkPadding, positive, positivePair, regularizerOptions, regularizers } from "./options.js";
import { activatedSteps, asRow, type Padding1d, rowPadding } from "./steps.js";

type SharedOptions = Omit<Conv2dLayerOptions, "strides" | "padding" | "dilationRate" | "groups">;

export interface Conv2dTransposeOptions extends SharedOptions {
  /** Default 1. */
  strides?: number | Pair;
  /** `same` gives strides times the size; also the pixels cut off as [[top, bottom], [left, right]]; default `valid`. */
  padding?: Padding;
  /** Pixels more at bottom and right, less than the strides; default as many as `padding` needs. */
  outputPadding?: number | Pair;
  /** Distance of the filter's elements; default 1. */
  dilationRate?: number | Pair;
}

export interface Conv1dTransposeOptions extends SharedOptions {
  /** Default 1. */
  strides?: number;
  /** `same` gives strides times the steps; also the steps cut off as [before, after]; default `valid`. */
  padding?: Padding1d;
  /** Steps more at the end, less than the strides; default as many as `padding` needs. */
  outputPadding?: number;
  /** Distance of the filter's steps; default 1. */
  dilationRate?: number;
}

const known = [
  "strides",
  "padding",
  "outputPadding",
  "dilationRate",
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  ...regularizerOptions,
] as const satisfies (keyof Conv2dTransposeOptions)[];

interface How {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly outputPadding: Pair | undefined;
  readonly dilations: Pair;
}

/** Checks what both layers take, and gives their common part: images in, images with bias out. */
function transposed(op: string, filters: number, size: readonly number[], options: SharedOptions, how: How) {
  const { useBias = true, kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  positive(op, "filters", filters);
  how.outputPadding?.forEach((n, i) => {
    if (Number.isSafeInteger(n) && n >= 0 && n < how.strides[i]) return;
    const expected = `outputPadding in [0, ${how.strides[i]}), less than the stride`;
    throw rangeError({ op, expected, actual: String(n) });
  });
  const act = activation(options.activation, op);
  const { ofKernel, ofBias, ofOutput } = regularizers(op, options);
  const product = (x: Value, weight: WeightOf): Value => {
    const shape = [...size, filters, x.shape[3]];
    const kernel = weight("kernel", shape, kernelInitializer, { regularizer: ofKernel });
    const y = convolution2dTranspose(x, size.length === 1 ? expandDims(kernel, 0) : kernel, how);
    return useBias ? add(y, weight("bias", [filters], biasInitializer, { regularizer: ofBias })) : y;
  };
  return { act, ofOutput, product };
}

/**
 * Transposed 2-D convolution, as Keras' `Conv2DTranspose`. Weights: `kernel` [height, width, filters, in], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize height and width of the filter, or one number for both
 * @returns a layer from float32 [batch, height, width, channels] to [batch, outHeight, outWidth, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} where padding leaves nothing
 * @example
 * conv2dTranspose(16, 3, { strides: 2, padding: "same", activation: "relu" })(input([7, 7, 32])).shape; // [1, 14, 14, 16]
 */
export function conv2dTranspose(
  filters: number,
  kernelSize: number | Pair,
  options: Conv2dTransposeOptions = {},
): Layer {
  const op = "conv2dTranspose";
  const { padding = "valid", outputPadding: more } = options;
  const size = positivePair(op, "kernelSize", kernelSize);
  const strides = positivePair(op, "strides", options.strides ?? 1);
  const dilations = positivePair(op, "dilationRate", options.dilationRate ?? 1);
  checkPadding(op, padding);
  const outputPadding = typeof more === "number" ? ([more, more] as const) : more;
  const how = { strides, padding, outputPadding, dilations };
  const { act, ofOutput, product } = transposed(op, filters, size, options, how);
  return layer(op, options, known, (x, weight) => {
    wantRank(op, 4, "an image [height, width, channels]", x);
    return regularized(act(product(x, weight)), ofOutput);
  });
}

/**
 * Transposed 1-D convolution, as Keras' `Conv1DTranspose`. Weights: `kernel` [steps, filters, in], `bias` [filters].
 * @param filters number of output channels
 * @param kernelSize steps of the filter
 * @returns a layer from float32 [batch, steps, channels] to [batch, outSteps, filters]
 * @throws {RangeError} for sizes that are no positive integers; the layer throws {ShapeError} where padding leaves nothing
 * @example
 * conv1dTranspose(16, 5, { strides: 3 })(input([10, 32])).shape; // [1, 32, 16]
 */
export function conv1dTranspose(filters: number, kernelSize: number, options: Conv1dTransposeOptions = {}): Layer {
  const op = "conv1dTranspose";
  const { strides = 1, dilationRate = 1, outputPadding: more } = options;
  for (const [what, n] of Object.entries({ kernelSize, strides, dilationRate })) positive(op, what, n);
  const padding = rowPadding(op, options.padding ?? "valid");
  const { act, ofOutput, product } = transposed(op, filters, [kernelSize], options, {
    strides: [1, strides],
    padding,
    outputPadding: more === undefined ? undefined : [0, more],
    dilations: [1, dilationRate],
  });
  return layer(op, options, known, (x, weight) =>
    regularized(activatedSteps(product(asRow(op, x), weight), act, options.activation), ofOutput),
  );
}
