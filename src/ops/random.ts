// Ops that draw random numbers: Philox words keyed by the seed, counted by element, stream and step. No state: the same arguments give
// the same numbers, so a gradient draws its mask again instead of keeping it.
import { boolean, integer, number, oneOf } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { add, mul } from "./arithmetic.js";
import { cast } from "./cast.js";
import { likeInput, wantDType } from "./check.js";
import { greaterEqual } from "./comparison.js";
import { argument } from "./leaf.js";

interface DropoutAttrs {
  readonly rate: number;
  readonly stream: number;
}

interface NoiseAttrs {
  readonly kind: "gaussianNoise" | "gaussianDropout" | "spatialDropout";
  /** Standard deviation of the noise, or share of zeros. */
  readonly amount: number;
  readonly stream: number;
}

interface DrawAttrs {
  /** A standard normal, else uniform in [0, 1). */
  readonly normal: boolean;
  /** One number for each sample and channel, which the axes between share. */
  readonly shared: boolean;
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
  /** While training, x with noise that is drawn anew at every step: layers/noise.ts. */
  noise: defineOp<NoiseAttrs>("noise", {
    attrs: {
      kind: oneOf("gaussianNoise", "gaussianDropout", "spatialDropout"),
      amount: number(0, 3e38),
      stream: integer(0),
    },
    infer: likeInput("noise"),
    inference: ([x]) => x,
    training([x, rng], { kind, amount, stream }) {
      const shared = kind === "spatialDropout";
      const z = apply(randomOps.draw, [x, rng], { normal: !shared, shared, stream });
      if (shared) return { value: mul(x, mul(cast(greaterEqual(z, amount), "float32"), 1 / (1 - amount))) };
      if (kind === "gaussianNoise") return { value: add(x, mul(z, amount)) };
      return { value: mul(x, add(mul(z, Math.sqrt(amount / (1 - amount))), 1)) };
    },
    random: true,
  }),
  /** Numbers for each element of x. */
  draw: defineOp<DrawAttrs>("draw", {
    internal: true,
    attrs: { normal: boolean, shared: boolean, stream: integer(0) },
    infer([{ shape }], { shared }) {
      const inner = (i: number) => i > 0 && i < shape.length - 1;
      return { shape: shape.map((d, i) => (shared && inner(i) ? 1 : d)), dtype: "float32" };
    },
    grad: (): Gradients => [],
    lower: (emit, { inputs: [, rng], outputs: [y] }, { normal, stream }) =>
      emit.call(normal ? "f32_random_normal" : "f32_random_uniform", sizeOf(y.shape), rng, y, 0, 1, stream),
    random: true,
  }),
};

/** `x` with noise while training, the input itself otherwise. */
export const noise = (x: Value, kind: NoiseAttrs["kind"], amount: number): Value =>
  apply(randomOps.noise, [x, argument(RNG, [3], "int32")], { kind, amount, stream: 0 });

/** Zeroes a share of elements while training and scales the rest by 1 / (1 - rate); the input itself otherwise. */
export const dropout = (x: Value, rate: number): Value =>
  apply(randomOps.dropout, [x, argument(RNG, [3], "int32")], { rate, stream: 0 });
