// What a model in quantization-aware training learns about rounding: for each value that is to be int8 a range, for each kernel a scale of
// every channel. Both are kept as the numbers of calibration and the logarithm of what they have become times as large. That is what is
// trained: steps of any optimizer then change them by shares of themselves, and they stay above zero.
import type { Quantization } from "../graph/attrs.js";
import type { LayerInfo, Value } from "../graph/value.js";
import { mul } from "../ops/arithmetic.js";
import { scalar } from "../ops/leaf.js";
import { fakeQuantize, rangeQuantization, scaleGradient, stopGradient } from "../ops/quantized/fake.js";
import { exp } from "../ops/unary.js";
import { sizeOf } from "../shape.js";
import { stateOf } from "./copy.js";
import type { Range } from "./integers.js";

/** What integers stand for, as values of a graph: one scale [] and zero point [], or a scale for each channel. */
export interface Quantizer {
  readonly scale: Value;
  readonly zero?: Value;
}

/** Numbers times the exponential of what is learnt; it begins with the numbers themselves. */
function learnt(layer: LayerInfo, name: string, data: Float32Array): Value {
  const [shape, dtype] = [[data.length], "float32"] as const;
  const numbers = stateOf(layer, name, { data, shape, dtype });
  return mul(numbers, exp(stateOf(layer, `${name}_log`, { data: new Float32Array(data.length), shape, dtype }, true)));
}

/** For a value. A range of nothing but zero, of which nothing could be learnt, becomes [0, 1]. */
export function rangeQuantizer(layer: LayerInfo, name: string, { low, high }: Range, { shape }: Value): Quantizer {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const range = learnt(layer, name, Float32Array.of(from, from === to ? 1 : to));
  const [scale, zero] = rangeQuantization(range);
  const count = sizeOf(shape.slice(1)); // of each sample, whose losses are averaged
  return { scale: scaleGradient(scale, scale, count), zero: scaleGradient(zero, scale, count) };
}

/** For weights, `count` of each channel. */
export function channelQuantizer(layer: LayerInfo, name: string, scales: Float32Array, count: number): Quantizer {
  const scale = learnt(layer, name, scales);
  return { scale: scaleGradient(scale, scale, count) };
}

/** With integers that are known beforehand. */
export const fixedQuantizer = ({ scale, zeroPoint }: Quantization): Quantizer => ({
  scale: scalar(scale),
  zero: scalar(zeroPoint),
});

/** A value as int8 holds it. */
export const rounded = (x: Value, { scale, zero }: Quantizer): Value => fakeQuantize(x, scale, zero);

/** Biases [channels] as integers of 31 bits at the scale of sums, of which that learns nothing. */
export const roundedBias = (bias: Value, input: Quantizer, kernel: Quantizer): Value =>
  fakeQuantize(bias, stopGradient(mul(kernel.scale, input.scale)), undefined, { low: -(2 ** 30), high: 2 ** 30 });
