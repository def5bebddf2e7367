// Metrics of classes against classes: which were taken for which.
import { rangeError, ShapeError, told } from "../../errors.js";
import { mul } from "../../ops/arithmetic.js";
import { oneHot } from "../../ops/gather.js";
import { argMax } from "../../ops/reduce.js";
import { reshape } from "../../ops/shape.js";
import { show, sizeOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import type { Metric } from "./metric.js";

/**
 * Mean over the classes of what is both labelled and predicted as one, over what is either, as Keras' `MeanIoU`; classes that are neither do
 * not count. The largest of predictions [..., classes] is the prediction; labels are class numbers [...] or one-hot [..., classes].
 * @throws when it is used: {ShapeError} for other labels
 * @example
 * const metrics = [meanIoU()];
 */
export const meanIoU = (): Metric => ({
  name: "meanIoU",
  sums(prediction) {
    const classes = prediction[prediction.length - 1] ?? 1;
    return classes * classes;
  },
  of(yTrue, yPred) {
    const classes = yPred.shape[yPred.shape.length - 1];
    const samples = sizeOf(yPred.shape.slice(0, -1));
    const given = sizeOf(yTrue.shape);
    if (given !== samples && given !== samples * classes) {
      const expected = `labels ${show(yPred.shape.slice(0, -1))} or ${show(yPred.shape)}`;
      throw new ShapeError({ op: "meanIoU", expected, actual: show(yTrue.shape) });
    }
    const label = given === samples ? reshape(yTrue, [samples]) : argMax(reshape(yTrue, [samples, classes]));
    const [t, p] = [label, argMax(reshape(yPred, [samples, classes]))].map((x) => oneHot(x, classes));
    const both = mul(reshape(t, [samples, classes, 1]), reshape(p, [samples, 1, classes]));
    return reshape(both, [samples, classes * classes]);
  },
  result(...counts) {
    const classes = Math.round(Math.sqrt(counts.length));
    const at = (label: number, predicted: number): number => counts[label * classes + predicted];
    let [total, present] = [0, 0];
    for (let c = 0; c < classes; c++) {
      let either = -at(c, c);
      for (let k = 0; k < classes; k++) either += at(c, k) + at(k, c);
      if (either === 0) continue;
      total += at(c, c) / either;
      present++;
    }
    return present === 0 ? 0 : total / present;
  },
});

/** Of a matrix that people still read, and that still fits in memory. */
const MOST_CLASSES = 4096;

/**
 * How often each class was taken for each, as TensorFlow's `confusion_matrix`: rows are labels, columns predictions.
 * @param labels class numbers [n]
 * @param predictions class numbers [n], or scores [n, classes] of which the first largest counts
 * @param options.numClasses at most 4096; default the number of scores, or one more than the largest class number
 * @returns [numClasses][numClasses]
 * @throws {ShapeError} for other numbers of predictions; {RangeError} for what is no class
 * @example
 * confusionMatrix(tensor([0, 1, 1], [3], "int32"), tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])); // [[1, 0], [1, 1]]
 */
export function confusionMatrix(
  labels: Tensor,
  predictions: Tensor,
  { numClasses }: { numClasses?: number } = {},
): number[][] {
  const [count, width] = [labels.data.length, predictions.shape.length > 1 ? (predictions.shape.at(-1) as number) : 1];
  if (predictions.data.length !== count * width) {
    const expected = `${count} predictions for labels ${show(labels.shape)}`;
    throw new ShapeError({ op: "confusionMatrix", expected, actual: show(predictions.shape) });
  }
  const truth = Array.from(labels.data, Number);
  const guess = Array.from({ length: count }, (_, i) => {
    const row = Array.from(predictions.data.subarray(i * width, (i + 1) * width), Number);
    return width === 1 ? row[0] : row.reduce((best, x, k) => (x > row[best] ? k : best), 0);
  });
  const most = [...truth, ...guess].reduce((a, b) => Math.max(a, b), -1);
  const classes = numClasses ?? (width > 1 ? width : most + 1);
  if (classes > MOST_CLASSES) {
    const expected = `at most ${MOST_CLASSES} classes`;
    throw rangeError({ op: "confusionMatrix", expected, actual: told(classes) });
  }
  const wrong = [...truth, ...guess].find((c) => !(Number.isInteger(c) && c >= 0 && c < classes));
  if (wrong !== undefined || !Number.isSafeInteger(classes))
    throw rangeError({ op: "confusionMatrix", expected: `classes in [0, ${classes - 1}]`, actual: told(wrong) });
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  truth.forEach((label, i) => {
    matrix[label][guess[i]]++;
  });
  return matrix;
}
