// Transposed convolution: its inputs are the shape of the result, weights, the image, and a bias. The shape may be an input of the model.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { apply } from "../../../graph/value.js";
import { add } from "../../../ops/arithmetic.js";
import { convOps } from "../../../ops/conv2d.js";
import { quantizedConv2dTranspose } from "../../../ops/quantized/transposed.js";
import { shaped } from "../../../ops/shaped.js";
import { sameShape } from "../../../shape.js";
import type { TypedArray } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { filterShape, weights } from "./products.js";
import { activated, FLOAT, fail, INT8, limits, padding, type Rule, type Rules, UINT8 } from "./rule.js";

/** A rule whose types are those of the image; where the shape is an input of the model, what is fed there must be what the file says. */
export function transposing(build: (o: Operator) => Value): Omit<Rule, "types"> {
  return {
    typed: 2,
    unbatched: [0],
    build(o) {
      const y = build(o);
      if (o.importer.isConstant(o.at(0))) return y;
      const checked = shaped(y, o.input(0));
      checked.node.layer = y.node.layer;
      return checked;
    },
  };
}

/** Height and width of the result, as the file has them. */
export function resultSize(o: Operator): readonly [number, number] {
  const { shape } = o.output();
  if (shape.length !== 4) return fail(o, "a result of rank 4", `[${shape}]`);
  if (o.importer.isConstant(o.at(0)) && !sameShape(o.importer.integers(o.at(0)), shape))
    return fail(o, `a result of [${o.importer.integers(o.at(0))}]`, `[${shape}]`);
  return [shape[1], shape[2]];
}

function transposeConv(o: Operator): Value {
  const [n, kh, kw, c] = filterShape(o);
  const [x, size, sides] = [o.input(2), resultSize(o), padding(o)];
  const strides = [o.int(2, 1), o.int(1, 1)] as const;
  const layer: LayerInfo = { kind: "conv2dTranspose" };
  const own = (value: Value): Value => {
    value.node.layer ??= layer;
    return value;
  };
  const code = o.byte(3);
  if (o.isQuantized) {
    const { kernel, scale, bias, kernelZero = 0 } = weights(o, layer, n, [kh, kw, c, n], 0, 3);
    const integers = { input: o.of(2), quantization: o.quantization, ...limits(o, code, o.quantization) };
    const options = { ...integers, bias, kernelZero };
    return own(quantizedConv2dTranspose(x, kernel, scale as Value, { ...options, size, strides, padding: sides }));
  }
  const { type } = o.tensor(1);
  if (type !== "float32" && type !== "float16") return fail(o, "float32 weights", type);
  const filter = o.importer.weight(layer, "kernel", outputsThird(o.importer.numbers(o.at(1)), n, c), [kh, kw, n, c]);
  const attrs = { strides, padding: sides, dilations: [1, 1], size };
  const y = own(apply(convOps.conv2dTranspose, [x, filter], attrs));
  const sum = o.has(3) ? own(add(y, o.importer.weight(layer, "bias", o.importer.numbers(o.at(3)), [n]))) : y;
  const result = activated(o, sum, code);
  return result === sum ? sum : own(result);
}

/** y [.., n, c] of x [n, .., c]. */
function outputsThird(x: TypedArray, n: number, c: number): TypedArray {
  const y = x.slice() as TypedArray;
  const taps = n * c === 0 ? 0 : x.length / (n * c);
  for (let j = 0; j < n; j++)
    for (let t = 0; t < taps; t++) y.set(x.subarray((j * taps + t) * c, (j * taps + t + 1) * c), (t * n + j) * c);
  return y;
}

export const transposedRules: Rules = {
  TRANSPOSE_CONV: { ...transposing(transposeConv), types: [FLOAT, INT8, UINT8] },
};
