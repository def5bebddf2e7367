// Which layers stay int8 all through: the programs of quantized models hold no float kernel between their first and last conversion.
import { describe, expect, test } from "vitest";
import { quantize } from "../../src/compress/index.js";
import * as l from "../../src/index.js";
import { build, input, load, type Model, save, type Tensor, tensor, type Value } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/index.js";

/** Numbers of a fixed pattern in [-1, 1). */
const numbers = (n: number, seed = 0): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => (((i + 31 * seed) * 7919) % 1009) / 504.5 - 1);

/** Kernels that are called in every run, but for copies. */
const kernels = (model: Model): string[] =>
  String(model.plan())
    .split("\n")
    .flatMap((line) => /^ +\d+ {6}(\w+)\(/.exec(line)?.[1] ?? [])
    .filter((name) => !name.startsWith("x8_"));

const error = (expected: Tensor, actual: Tensor): number => {
  let [off, all] = [0, 0];
  expected.data.forEach((v, i) => {
    off += (v - actual.data[i]) ** 2;
    all += v ** 2;
  });
  return off / all;
};

const image = [8, 8, 4];
const sequence = [16, 4];
const conv = (x: Value): Value => l.conv2d(8, 3, { padding: "same" })(x);
const residual = (x: Value): Value => l.add([conv(x), conv(x)]);
const activated = (name: l.ActivationName) => (x: Value) => conv(l.activation(name)(conv(x)));

const models: Record<string, [number[], (x: Value) => Value]> = {
  "conv2d and relu": [image, (x) => l.activation("relu")(conv(x))],
  "conv2d with groups, strides and dilations": [
    image,
    (x) =>
      l.conv2d(8, 3, { groups: 2, dilationRate: 2, padding: "same" })(
        l.conv2d(8, 3, { strides: 2, padding: "same" })(x),
      ),
  ],
  conv1d: [sequence, (x) => l.conv1d(6, 3, { activation: "relu", padding: "causal" })(l.conv1d(6, 3)(x))],
  "separable layers": [
    image,
    (x) => l.separableConv2d(6, 3, { activation: "relu" })(l.separableConv2d(8, 3, { padding: "same" })(x)),
  ],
  separableConv1d: [sequence, (x) => l.separableConv1d(6, 3, { activation: "relu" })(x)],
  depthwiseConv1d: [sequence, (x) => l.dense(5)(l.depthwiseConv1d(3, { activation: "relu6" })(x))],
  "depthwiseConv2d with a multiplier": [image, (x) => l.depthwiseConv2d(3, { depthMultiplier: 2 })(x)],
  "dense on a sequence": [sequence, (x) => l.dense(5)(l.dense(7, { activation: "relu" })(x))],
  "batchNormalization folded": [image, (x) => l.activation("relu")(l.batchNormalization()(conv(x)))],
  "add and relu": [image, (x) => l.activation("relu")(residual(x))],
  subtract: [image, (x) => l.subtract([conv(x), conv(x)])],
  "multiply: squeeze and excitation": [
    image,
    (x) => {
      const y = conv(x);
      const squeezed = l.globalAveragePooling2d({ keepdims: true })(y);
      const s = l.conv2d(8, 1, { activation: "sigmoid" })(l.conv2d(4, 1, { activation: "relu" })(squeezed));
      return conv(l.multiply([y, s]));
    },
  ],
  concatenate: [image, (x) => conv(l.concatenate([conv(x), l.conv2d(4, 1)(x)]))],
  "zero padding and cropping": [
    image,
    (x) => l.conv2d(4, 3)(l.cropping2d(2)(l.zeroPadding2d(3)(l.activation("relu")(conv(x))))),
  ],
  "upSampling2d, nearest": [image, (x) => conv(l.upSampling2d(2)(conv(x)))],
  "permute, reshape and flatten": [
    image,
    (x) => l.dense(3)(l.flatten()(l.reshape([64, 8])(l.permute([2, 1, 3])(conv(x))))),
  ],
  "strided slice and split": [
    image,
    (x) => {
      const [a, b] = l.split(l.stridedSlice(conv(x), [0, 1, 1], [null, 7, 7]), 2);
      return conv(l.add([a, b]));
    },
  ],
  "pooling of all kinds": [
    image,
    (x) => l.dense(3)(l.globalMaxPooling2d()(l.averagePooling2d(2)(l.maxPooling2d(2)(conv(x))))),
  ],
  globalAveragePooling1d: [sequence, (x) => l.globalAveragePooling1d()(l.conv1d(6, 3)(x))],
  ...Object.fromEntries(
    (
      [
        "elu",
        "exponential",
        "gelu",
        "hardSigmoid",
        "hardSwish",
        "leakyRelu",
        "mish",
        "relu6",
        "selu",
        "sigmoid",
      ] as const
    ).map((name) => [name, [image, activated(name)] as [number[], (x: Value) => Value]]),
  ),
  ...Object.fromEntries(
    (["silu", "softplus", "softsign", "tanh"] as const).map((name) => [
      name,
      [image, activated(name)] as [number[], (x: Value) => Value],
    ]),
  ),
  "a relu that two branches read": [
    image,
    (x) => {
      const y = l.activation("relu")(residual(x));
      return l.add([y, conv(y)]);
    },
  ],
  "softmax between products": [image, (x) => conv(l.softmax(conv(x)))],
  "MobileNetV2's inverted residual": [
    image,
    (x) => {
      const norm = (y: Value, activation: l.ActivationName) => l.activation(activation)(l.batchNormalization()(y));
      const wide = norm(l.conv2d(16, 1, { useBias: false })(x), "relu6");
      const deep = norm(l.depthwiseConv2d(3, { padding: "same", useBias: false })(wide), "relu6");
      return l.dense(3)(l.globalAveragePooling2d()(l.add([x, norm(l.conv2d(4, 1)(deep), "linear")])));
    },
  ],
  "MobileNetV3's block, with hard swish and squeeze and excitation": [
    image,
    (x) => {
      const wide = l.activation("hardSwish")(l.batchNormalization()(l.conv2d(16, 1)(x)));
      const s = l.conv2d(4, 1, { activation: "relu" })(l.globalAveragePooling2d({ keepdims: true })(wide));
      const scaled = l.multiply([wide, l.conv2d(16, 1, { activation: "hardSigmoid" })(s)]);
      return conv(l.add([x, l.conv2d(4, 1)(scaled)]));
    },
  ],
  "a layer used twice": [
    image,
    (x) => {
      const twice = l.conv2d(4, 3, { padding: "same", activation: "relu" });
      return twice(twice(x));
    },
  ],
};

describe("int8 all through", () => {
  for (const [name, [shape, make]] of Object.entries(models)) {
    test(name, async () => {
      const x = input(shape);
      const model = await build(x, make(x), { seed: 3 });
      const data = tensor(numbers(12 * shape.reduce((p, d) => p * d, 1)), [12, ...shape]);
      const small = await quantize(model, { calibration: data });
      const [first, ...rest] = kernels(small);
      expect(first).toBe("f32_to_i8_quantized");
      expect(rest.pop()).toBe("i8_to_f32_dequantized");
      expect(rest.filter((kernel) => !kernel.startsWith("i8_"))).toEqual([]);
      const [expected, actual] = [model.predict(data) as Tensor, small.predict(data) as Tensor];
      expect(error(expected, actual)).toBeLessThan(4e-3);
      expect(error(expected, actual)).toBeGreaterThan(0);
      const again = await load(save(small), { layers: int8Ops });
      expect((again.predict(data) as Tensor).data).toEqual(actual.data);
    });
  }
});
