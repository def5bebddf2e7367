// What every peer is given for the CNN: weights, one batch of images and labels.
import { images, labels, weights } from "../cnn.mjs";

export const job = (batch) => ({ batch, weights: weights(), images: images(batch), labels: labels(batch) });
