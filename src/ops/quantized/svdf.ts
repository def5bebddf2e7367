// The SVDF of TensorFlow Lite's operator in integers. In floats it is made of other ops, see formats/tflite/operators/svdf.ts.
import { ShapeError } from "../../errors.js";
import { integer, number } from "../../graph/attrs.js";
import { defineOp } from "../../graph/op.js";
import { make, type Node, type Spec, type Value } from "../../graph/value.js";
import { stateful } from "../../runtime/families/stateful.js";
import { sameShape, show, sizeOf } from "../../shape.js";
import { padRows, rowSums } from "../rows.js";
import { multiplierOf } from "./multiplier.js";
import { type Quantization, quantized, scaleRatio } from "./quantization.js";

export interface QuantizedSvdfHow {
  /** Filters whose sums are one unit. */
  readonly rank: number;
  readonly input: Quantization;
  /** Of what is remembered. */
  readonly state: Quantization;
  readonly quantization: Quantization;
  /** Scales of weights. */
  readonly w: number;
  readonly t: number;
}

const scale = /* @__PURE__ */ number(2 ** -60, 2 ** 30);
const attrs = {
  rank: /* @__PURE__ */ integer(1),
  input: quantized,
  state: quantized,
  quantization: quantized,
  w: scale,
  t: scale,
};

const OP = "quantizedSvdf";

/** What sums of features, and then sums over time, go times. @throws {RangeError} for scales too far apart */
const factorsOf = ({ input, w, state, t, quantization }: QuantizedSvdfHow) => ({
  feature: multiplierOf(scaleRatio(input.scale, w, state.scale), OP),
  out: multiplierOf(scaleRatio(state.scale, t, quantization.scale), OP),
});

function infer([x, state, w, t, bias]: readonly Spec[], attrs: QuantizedSvdfHow): Spec[] {
  const { rank } = attrs;
  const wrong = (expected: string, { dtype, shape }: Spec): never => {
    throw new ShapeError({ op: OP, expected, actual: `${dtype} ${show(shape)}` });
  };
  const [filters, steps] = t.shape;
  if (
    t.shape.length !== 2 ||
    sizeOf(t.shape) === 0 ||
    (t.dtype !== "int16" && t.dtype !== "int8") ||
    filters % rank !== 0
  )
    wrong(`weights of int16 or int8 [filters, steps], a multiple of ${rank} filters`, t);
  if (x.dtype !== "int8" || x.shape.length !== 2 || x.shape[1] === 0) wrong("int8 [batch, features]", x);
  if (w.dtype !== "int8" || !sameShape(w.shape, [filters, x.shape[1]])) wrong(`int8 [${filters}, ${x.shape[1]}]`, w);
  if (state.dtype !== t.dtype || state.shape.length !== 2 || state.shape[1] !== filters * steps)
    wrong(`a state ${t.dtype} [batch, ${filters * steps}]`, state);
  if (state.shape[0] < x.shape[0])
    wrong(`at most ${state.shape[0]} sequences at once, as many as there are states of`, x);
  factorsOf(attrs);
  const units = filters / rank;
  if (bias && (bias.dtype !== "int32" || !sameShape(bias.shape, [units]))) wrong(`a bias int32 [${units}]`, bias);
  return [
    { shape: [x.shape[0], units], dtype: "int8" },
    { shape: [x.shape[0], filters * steps], dtype: t.dtype },
  ];
}

const flops = ({ inputs: [x, , w, t] }: Node): number => 2 * x.shape[0] * (sizeOf(w.shape) + sizeOf(t.shape));

export const quantizedSvdfOps = {
  /** Inputs x [batch, k], the state [batch, filters * steps], w [filters, k], t [filters, steps] and, where there is one, bias [units]. */
  quantizedSvdf: defineOp<QuantizedSvdfHow>(OP, {
    attrs,
    infer,
    expand([x, state, w, t, ...rest], attrs): readonly Value[] {
      const rows = padRows(w);
      const sums = rowSums(rows, w.shape[1], -attrs.input.zeroPoint);
      return make(quantizedSvdfOps.quantizedSvdfRows, [x, state, rows, t, sums, ...rest], { ...attrs }).outputs;
    },
    flops,
  }),

  /** The same on padded rows and their sums. */
  quantizedSvdfRows: defineOp<QuantizedSvdfHow>("quantizedSvdfRows", {
    internal: true,
    family: stateful,
    attrs,
    infer: ([x, , w, t], { rank }) => [
      { shape: [x.shape[0], w.shape[0] / rank], dtype: "int8" },
      { shape: [x.shape[0], sizeOf(t.shape)], dtype: t.dtype },
    ],
    lower(emit, { inputs: [x, state, w, t, sums, bias], outputs: [y, next] }, of) {
      const [batch, k] = x.shape;
      const { feature, out } = factorsOf(of);
      emit.call(
        "i8_svdf",
        ...([batch, k, t.shape[0], t.shape[1], of.rank, x, w, sums, t, bias ?? 0, state, next, y] as const),
        ...([...feature, of.state.zeroPoint, ...out, of.quantization.zeroPoint] as const),
        Number(t.dtype === "int8"),
      );
    },
    flops,
  }),
};

/** Units of a step, int8 [batch, filters / rank], and what is remembered after it. */
export function quantizedSvdf(
  { x, state, w, t, bias }: { x: Value; state: Value; w: Value; t: Value; bias?: Value | undefined },
  how: QuantizedSvdfHow,
): { y: Value; next: Value } {
  const { input, state: of, quantization } = how;
  const attrs = { ...how, input: { ...input }, state: { ...of }, quantization: { ...quantization } };
  const [y, next] = make(quantizedSvdfOps.quantizedSvdf, [x, state, w, t, ...(bias ? [bias] : [])], attrs).outputs;
  return { y, next };
}
