// What a model carries from one run to the next: states that a run reads first and writes last. `resetState` makes them what they were.
import { ShapeError } from "../errors.js";
import { integer } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sameShape, show } from "../shape.js";
import { assign } from "./assign.js";

const tooMany = (op: string, most: number, actual: string): ShapeError =>
  new ShapeError({ op, expected: `at most ${most} sequences at once, as many as the model carries states of`, actual });

export const carryOps = {
  /** The first input; each run the second, a state, becomes the third. */
  carry: defineOp("carry", {
    infer([y, state, next]) {
      const [most, ...rest] = state.shape;
      if (state.shape.length === 0 ? next.shape.length > 0 : !sameShape(next.shape.slice(1), rest))
        throw new ShapeError({ op: "carry", expected: `a state ${show(state.shape)}`, actual: show(next.shape) });
      if (next.shape[0] > most) throw tooMany("carry", most, show(next.shape));
      return y;
    },
    grad: (_node, [dy]): Gradients => [dy, undefined, undefined],
    inference: ([value, state, next]) => ({ value, effects: [assign(state, next)] }),
    training: ([value, state, next]) => ({ value, effects: [assign(state, next)] }),
    expand: ([y]) => y,
  }),

  /** The input, whose batch may not be larger: what meets states of so many sequences in ops that know nothing of them. */
  sequences: defineOp<{ most: number }>("sequences", {
    attrs: { most: integer(1) },
    infer([x], { most }) {
      if (x.shape[0] > most) throw tooMany("sequences", most, String(x.shape[0]));
      return { shape: x.shape, dtype: x.dtype };
    },
    grad: (_node, [dy]): Gradients => [dy],
    expand: ([x]) => x,
  }),
};

/** `y`, and as an effect of every run `state` becomes `next`. */
export const carry = (y: Value, state: Value, next: Value): Value => apply(carryOps.carry, [y, state, next]);

/** x, of which there may be at most so many samples at once. */
export const sequences = (x: Value, most: number): Value => apply(carryOps.sequences, [x], { most });
