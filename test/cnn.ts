// The CNN that everything is tried on, and small data for it.
import { build, conv2d, dense, dropout, flatten, input, maxPooling2d, sequential } from "../src/index.js";

/** The Keras digits CNN; `logits` leaves the softmax out, `rate` puts a dropout before the last layer. */
export function cnn({ seed = 0, logits = false, rate = 0 }: { seed?: number; logits?: boolean; rate?: number } = {}) {
  return build(
    input([28, 28, 1]),
    sequential(
      conv2d(32, 3, { activation: "relu", name: "conv1" }),
      maxPooling2d(2, { name: "pool1" }),
      conv2d(64, 3, { activation: "relu", name: "conv2" }),
      maxPooling2d(2, { name: "pool2" }),
      flatten(),
      dense(64, { activation: "relu", name: "dense1" }),
      dropout(rate),
      dense(10, { activation: logits ? "linear" : "softmax", name: "logits" }),
    ),
    { seed },
  );
}
