// Ops that draw random numbers: Philox words keyed by the seed, counted by element, stream and step. No state: the same arguments give
// the same numbers, so a gradient draws its mask again instead of keeping it.
import { integer, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { wantDType } from "./check.js";
import { argument } from "./leaf.js";

interface DropoutAttrs {
  readonly rate: number;
  readonly stream: number;
}

/** Name of the argument that holds [seed low, seed high, step] as int32. */
export const RNG = "rng";

export const randomOps = {
  dropout: defineOp<DropoutAttrs>("dropout", {
    attrs: { rate: number(0, 1), stream: integer(0) },
    infer([x]) {
      wantDType("dropout", "float32", x);
      return { shape: x.shape, dtype: "float32" };
    },
    grad: ({ inputs: [, rng] }, [dy], attrs): Gradients => [
      apply(randomOps.dropout, [dy as Value, rng], { ...attrs }),
      undefined,
    ],
    lower: (emit, { inputs: [x, rng], outputs: [y] }, { rate, stream }) =>
      emit.call("f32_dropout", sizeOf(x.shape), rng, x, y, rate, stream, 0),
    inference: ([x]) => x,
    random: true,
    inPlace: 0,
  }),
};

/** Zeroes a share of elements while training and scales the rest by 1 / (1 - rate); the input itself otherwise. */
export const dropout = (x: Value, rate: number): Value =>
  apply(randomOps.dropout, [x, argument(RNG, [3], "int32")], { rate, stream: 0 });
