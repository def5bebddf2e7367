// @ts-check
// ResNet-8 as MLPerf Tiny has it for image classification: three stacks of one residual block each, 16, 32 and 64 channels. Banbury et
// al., "MLPerf Tiny Benchmark", 2021; the residual network is He et al.'s, "Deep Residual Learning for Image Recognition", 2016.

import {
  add,
  batchNormalization,
  conv2d,
  dense,
  globalAveragePooling2d,
  input,
  l2,
  randomFlip,
  randomTranslation,
  relu,
} from "lanewise";

/** @typedef {import("lanewise").Value} Value */

/** @param {number} filters @param {number} size @param {number} strides */
const convolution = (filters, size, strides = 1) =>
  conv2d(filters, size, {
    strides,
    padding: "same",
    kernelInitializer: "heNormal",
    kernelRegularizer: l2(1e-4),
  });

/**
 * Two convolutions and a way around them, which takes a 1 x 1 convolution where the shape changes.
 * @param {Value} x @param {number} filters @param {number} strides
 */
function block(x, filters, strides) {
  const first = relu(batchNormalization({ momentum: 0.95 })(convolution(filters, 3, strides)(x)));
  const second = batchNormalization({ momentum: 0.95 })(convolution(filters, 3)(first));
  return relu(add(second, strides === 1 ? x : convolution(filters, 1, strides)(x)));
}

/**
 * From images [32, 32, 3] to probabilities, as `build` takes them. While it is trained every image is mirrored or not and moved by up to
 * four pixels; a model that predicts has none of that.
 * @param {number} classes
 * @returns {[input: Value, output: Value]}
 */
export function resnet8(classes) {
  const image = input([32, 32, 3]);
  const augmented = randomTranslation(4 / 32, 4 / 32, { interpolation: "nearest" })(randomFlip("horizontal")(image));
  let x = relu(batchNormalization({ momentum: 0.95 })(convolution(16, 3)(augmented)));
  x = block(x, 16, 1);
  x = block(x, 32, 2);
  x = block(x, 64, 2);
  const scores = dense(classes, { activation: "softmax", kernelInitializer: "heNormal" });
  return [image, scores(globalAveragePooling2d()(x))];
}
