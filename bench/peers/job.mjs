// What every peer is given: weights, one batch of images and labels, and the model as an ONNX file for those who read one.
import { images, labels, weights } from "../cnn.mjs";
import { onnxCnn } from "./onnx.mjs";

export const job = (batch) => ({
  batch,
  weights: weights(),
  images: images(batch),
  labels: labels(batch),
  onnx: onnxCnn(weights(), batch),
});
