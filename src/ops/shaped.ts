// A value whose shape is also numbers that a user feeds: files ask for it where the shape of a result is an input of the model.
import { rangeError, ShapeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { show } from "../shape.js";
import { wantDType } from "./check.js";

export const shapedOps = {
  /** The first input; the second, int32 [rank], is its shape. */
  shaped: defineOp("shaped", {
    infer([{ shape, dtype }, numbers]) {
      wantDType("shaped", "int32", numbers);
      if (numbers.shape.length !== 1 || numbers.shape[0] !== shape.length)
        throw new ShapeError({ op: "shaped", expected: `a list of ${shape.length}`, actual: show(numbers.shape) });
      return { shape, dtype };
    },
    grad: (_node, [dy]): Gradients => [dy, undefined],
    expand: ([x]) => x,
    fed: {
      input: 1,
      check({ data }, facts, [x]) {
        const given = [...data];
        // The batch is that of the other inputs, whatever the first number says.
        if (given.slice(1).every((n, i) => n === x.shape[i + 1])) return;
        throw rangeError({ ...facts, expected: `the shape ${show(x.shape)}`, actual: show(given) });
      },
    },
    view: true,
  }),
};

/** x, whose shape (but for the batch) must be what a user feeds as `shape`, int32 [rank]. */
export const shaped = (x: Value, shape: Value): Value => apply(shapedOps.shaped, [x, shape]);
