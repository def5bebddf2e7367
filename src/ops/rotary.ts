// Rotary position embedding (Su et al., "RoFormer", 2021): pairs of features turned by an angle that grows with the position.
import { ShapeError } from "../errors.js";
import { boolean, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { cosPi, pow } from "../numbers.js";
import { sequence } from "../runtime/families/sequence.js";
import { show, sizeOf } from "../shape.js";
import { wantDType, wantElements } from "./check.js";
import { constant } from "./leaf.js";

interface RotaryAttrs {
  readonly wavelength: number;
  readonly scaling: number;
  /** Turns back: the gradient. */
  readonly inverse: boolean;
}

// biome-ignore lint/suspicious/noApproximativeNumericConstant: numbers here are written out, the same in every engine
const PI = 3.141592653589793;

export const rotaryOps = {
  /** Input x [batch, t, ..., d]: feature i and feature i + d / 2 of position p are turned by p / scaling wavelength^(-2i / d). */
  rotary: defineOp<RotaryAttrs>("rotary", {
    attrs: {
      wavelength: /* @__PURE__ */ number(1e-30, 1e30),
      scaling: /* @__PURE__ */ number(1e-30, 1e30),
      inverse: boolean,
    },
    infer([x]) {
      const { shape } = x;
      wantDType("rotary", "float32", x);
      if (shape.length < 3 || shape[shape.length - 1] % 2 > 0)
        throw new ShapeError({
          op: "rotary",
          expected: "a sequence [steps, ..., features] with an even number of features",
          actual: show(shape.slice(1)),
        });
      wantElements("rotary", x, 1);
      return { shape, dtype: "float32" };
    },
    grad: (_node, [dy], attrs): Gradients => [
      apply(rotaryOps.rotary, [dy as Value], { ...attrs, inverse: !attrs.inverse }),
    ],
    expand: ([x], { wavelength, scaling, inverse }): Value =>
      apply(rotaryOps.rotate, [x, table(x.shape[1], x.shape[x.shape.length - 1] / 2, wavelength, scaling)], {
        inverse,
      }),
  }),
  /** Inputs x and the table of cosines and sines [t, 2, d / 2]. */
  rotate: defineOp<{ inverse: boolean }>("rotate", {
    internal: true,
    attrs: { inverse: boolean },
    infer: ([{ shape }]) => ({ shape, dtype: "float32" }),
    lower(emit, { inputs: [x, turns], outputs: [y] }, { inverse }) {
      const [batch, t, ...rest] = x.shape;
      const half = turns.shape[2];
      emit.call("f32_rotary", batch, t, sizeOf(rest.slice(0, -1)), half, x, turns, y, inverse ? -1 : 1);
    },
    flops: ({ outputs: [y] }) => 3 * sizeOf(y.shape),
    inPlace: 0,
    family: sequence,
  }),
};

/** Cosines and sines of the angles of each position, in float64 and rounded once. */
function table(t: number, half: number, wavelength: number, scaling: number): Value {
  const data = new Float32Array(t * 2 * half);
  for (let i = 0; i < half; i++) {
    const turn = pow(wavelength, -i / half) / scaling / PI; // half turns from one position to the next
    for (let p = 0; p < t; p++) {
      data[2 * p * half + i] = cosPi(p * turn);
      data[(2 * p + 1) * half + i] = cosPi(p * turn - 0.5); // sin a = cos(a - pi / 2)
    }
  }
  return constant({ data, shape: [t, 2, half], dtype: "float32" });
}
