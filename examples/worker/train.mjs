// What `lanewise train` makes the model of: a small convolutional network on digits that the package draws itself.
import { build, conv2d, dense, flatten, input, maxPooling2d, sequential } from "lanewise";
import { digits } from "lanewise/data";

const layers = sequential(
  conv2d(8, 5, { activation: "relu" }),
  maxPooling2d(2),
  conv2d(16, 5, { activation: "relu" }),
  maxPooling2d(2),
  flatten(),
  dense(10, { activation: "softmax", name: "probabilities" }),
);

export const model = () => build(input([28, 28, 1], { name: "image" }), layers, { name: "digits", seed: 1 });
export const data = digits({ count: 8000, seed: 1 });
export const test = digits({ count: 1000, seed: 2 });
export const fit = {
  optimizer: "adam",
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
  epochs: 3,
  seed: 1,
};
