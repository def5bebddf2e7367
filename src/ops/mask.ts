// Masks: which steps of a sequence count. A mask goes with a value through the graph as the second input of `masked`, which is nothing
// when it runs: layers look there, and what nobody reads is never computed.
import { ShapeError } from "../errors.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sameShape, show } from "../shape.js";
import { wantDType } from "./check.js";

export const maskOps = {
  /** The first input; the second, bool [batch, steps], is its mask. */
  masked: /* @__PURE__ */ defineOp("masked", {
    infer([{ shape, dtype }, mask]) {
      wantDType("mask", "bool", mask);
      const rank = mask.shape.length;
      const [batch] = shape[0] === 1 ? mask.shape : shape; // what is one for all samples takes the masks of all
      if (rank < 1 || rank > shape.length || !sameShape(mask.shape, [batch, ...shape.slice(1, rank)])) {
        const expected = `the first axes of its value, ${show(shape)}`;
        throw new ShapeError({ op: "mask", expected, actual: show(mask.shape) });
      }
      return { shape, dtype };
    },
    grad: (_node, [dy]): Gradients => [dy, undefined],
    expand: ([x]) => x,
    view: true,
  }),
};

/**
 * The same numbers with a mask: recurrent and attention layers pass over steps where it is false, and `fit` gives them no weight. Layers
 * that work step by step hand it on; ops do not, but for `add`, `maximum` and `minimum` of values that share one: `withMask(y, maskOf(x))`
 * puts it back.
 * @param mask bool [batch, steps]; it takes the place of one that `x` has
 * @throws {ShapeError} unless the mask has the first axes of `x`; {TypeError} unless it is bool
 * @example
 * const x = input([20, 3]);
 * const lengths = input([20], { dtype: "bool" });
 * withMask(x, lengths).shape; // [1, 20, 3]
 */
export const withMask = (x: Value, mask: Value): Value => apply(maskOps.masked, [withoutMask(x), mask]);

/**
 * The mask of a value, bool [batch, steps]; `undefined` where all steps count.
 * @example
 * const tokens = embedding(1000, 16, { maskZero: true })(input([20], { dtype: "int32" }));
 * maskOf(tokens)?.shape; // [1, 20]
 */
export const maskOf = (x: Value): Value | undefined => (x.node.op === maskOps.masked ? x.node.inputs[1] : undefined);

/** The value by itself. */
export const withoutMask = (x: Value): Value => (x.node.op === maskOps.masked ? x.node.inputs[0] : x);
