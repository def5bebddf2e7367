// A worker that on a request builds the Keras CNN and predicts once: what workerd-cpu.mjs measures.
import { build, conv2d, dense, flatten, input, maxPooling2d, sequential } from "lanewise";

const relu = { activation: "relu" };

export default {
  async fetch() {
    const layers = [conv2d(32, 3, relu), maxPooling2d(2), conv2d(64, 3, relu), maxPooling2d(2), flatten()];
    const network = sequential(...layers, dense(64, relu), dense(10, { activation: "softmax" }));
    const model = await build(input([28, 28, 1]), network);
    return Response.json([...model.predict(new Float32Array(28 * 28)).data]);
  },
};
