// The loss of sequences whose labels have no times: what is written, but not where.
import { rangeError, ShapeError } from "../../errors.js";
import { logSoftmax, softmaxLogits } from "../../ops/activation.js";
import { cast } from "../../ops/cast.js";
import { ctc as ctcOf } from "../../ops/ctc.js";
import { maskOf, withoutMask } from "../../ops/mask.js";
import { sum } from "../../ops/reduce.js";
import { show } from "../../shape.js";
import { checkRange, type Loss } from "./loss.js";

/**
 * Connectionist temporal classification (Graves and others 2006), as Keras' `CTC`: -log of the probability that the steps of a prediction
 * spell the labels, with blanks and repetitions in between. Predictions are scores [batch, steps, classes], of which class 0 is the blank (what a
 * softmax of the model was applied to, where they are its result); targets are labels [batch, most], padded with 0. Of predictions with
 * a mask so many steps count, from the first on, as it lets pass.
 * @throws when it is used: {RangeError} for labels that are no class, blanks before the last label, or labels that do not fit into the steps;
 *   {ShapeError} for other shapes
 * @example
 * const loss = ctc();
 */
export function ctc(): Loss {
  const name = "ctc";
  return {
    name,
    target: "int32",
    distribution: "softmax",
    fromLogits: true,
    check(targets, prediction) {
      const { data, shape } = targets;
      const [steps, classes] = prediction;
      if (shape.length !== 2 || prediction.length !== 2) {
        const expected = "labels [batch, most] and predictions [batch, steps, classes]";
        const actual = `${show(shape)} and ${show([shape[0], ...prediction])}`;
        throw new ShapeError({ op: name, expected, actual });
      }
      checkRange(name, targets, {
        what: `integer labels in [0, ${classes - 1}]`,
        holds: (label) => Number.isInteger(label) && label >= 0 && label < classes,
      });
      const [count, most] = shape;
      for (let sample = 0; sample < count; sample++) {
        const row = Array.from(data.subarray(sample * most, (sample + 1) * most));
        const labels = row.slice(0, row.findLastIndex((label) => label !== 0) + 1);
        if (labels.includes(0))
          throw rangeError({ op: name, expected: "0 only after the last label", actual: `${row} (sample ${sample})` });
        // Between two equal labels there must be a blank.
        const needed = labels.length + labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;
        if (needed > steps) {
          const actual = `${labels.length}, which need ${needed} (sample ${sample})`;
          throw rangeError({ op: name, expected: `labels that fit into ${steps} steps`, actual });
        }
      }
    },
    masks: true,
    of(yTrue, yPred) {
      const [bare, mask] = [withoutMask(yPred), maskOf(yPred)];
      const lengths = mask && cast(sum(cast(mask, "float32"), 1), "int32");
      return ctcOf(logSoftmax(softmaxLogits(bare) ?? bare), yTrue, lengths);
    },
  };
}
