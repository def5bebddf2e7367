// The Keras CNN as a Lanewise model.
import { build, conv2d, dense, flatten, input, maxPooling2d, sequential } from "lanewise";
import { weights } from "./cnn.mjs";

/** @param how options of `build` */
export async function cnn(how = {}) {
  const relu = { activation: "relu" };
  const model = await build(
    input([28, 28, 1]),
    sequential(
      conv2d(32, 3, relu),
      maxPooling2d(2),
      conv2d(64, 3, relu),
      maxPooling2d(2),
      flatten(),
      dense(64, relu),
      dense(10, { activation: "softmax" }),
    ),
    how,
  );
  model.setWeights(weights());
  return model;
}
