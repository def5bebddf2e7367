// Operators on int8 that XNNPACK does not take, in the integers of TensorFlow Lite's own kernels, made of smaller ops.
import { apply, type Value } from "../../../graph/value.js";
import { cast } from "../../../ops/cast.js";
import { integerMul, integerSub, select } from "../../../ops/integer.js";
import { constant } from "../../../ops/leaf.js";
import { dequantizeLinear, quantizedLookup, quantizeLinear } from "../../../ops/quantized/convert.js";
import { fixed, fixedPoint, fixedPointOps, scaledInteger } from "../../../ops/quantized/fixedpoint.js";
import { transpose } from "../../../ops/transpose.js";
import type { Operator } from "../importer.js";
import { asIntegers } from "./logic.js";
import { fail } from "./rule.js";

/** Bytes through floats, which hold them exactly. */
export const asFloats = (of: (a: Value, b: Value) => Value, a: Value, b: Value): Value =>
  cast(of(cast(a, "float32"), cast(b, "float32")), "int8");

/** A function of floats between what input and result stand for. */
export const through = (o: Operator, f: (x: Value) => Value): Value =>
  quantizeLinear(f(dequantizeLinear(o.input(0), o.of(0))), o.quantization);

/** The same of one number, worked out once for all 256. */
export function mapped(o: Operator, f: (x: Value) => Value): Value {
  const all = constant({ data: Int8Array.from({ length: 256 }, (_, i) => i - 128), shape: [256], dtype: "int8" });
  return quantizedLookup(o.input(0), quantizeLinear(f(dequantizeLinear(all, o.of(0))), o.quantization));
}

/** (a - b)^2: both with 7 bits more, as parts of twice the larger scale. */
export function squaredDifference(o: Operator): Value {
  const twice = 2 * Math.max(o.of(0).scale, o.of(1).scale);
  const part = (i: number): Value => {
    const { scale, zeroPoint } = o.of(i);
    const factor = fixed(scale / twice);
    return asIntegers(o.input(i), (v) => scaledInteger((v - zeroPoint) * 128, factor));
  };
  const difference = integerSub(part(0), part(1));
  const { scale, zeroPoint } = o.quantization;
  return fixedPoint(integerMul(difference, difference), (twice * twice) / (2 ** 14 * scale), zeroPoint);
}

/** x where it is not negative, else x times a slope, each requantized by itself. */
export function prelu(o: Operator): Value {
  const [x, slope, { scale, zeroPoint }] = [o.of(0), o.of(1), o.quantization];
  const whole = asIntegers(o.input(0), (v) => v - x.zeroPoint);
  const slopes = asIntegers(o.input(1), (v) => v - slope.zeroPoint);
  const ratio = Math.fround(x.scale / scale);
  const below = Math.fround(Math.fround(x.scale * slope.scale) / scale);
  const negative = new Uint8Array(256).map((_, i) => Number(i - 128 < x.zeroPoint));
  const isBelow = cast(
    asIntegers(o.input(0), (v) => negative[v + 128]),
    "bool",
  );
  return select(isBelow, fixedPoint(integerMul(whole, slopes), below, zeroPoint), fixedPoint(whole, ratio, zeroPoint));
}

export function normalized(o: Operator): Value {
  const { scale, zeroPoint } = o.quantization;
  if (scale !== 1 / 128 || zeroPoint !== 0)
    fail(o, "a result of scale 1/128 and zero point 0", `${scale} and ${zeroPoint}`);
  return apply(fixedPointOps.quantizedL2Normalize, [o.input(0)], { zero: o.of(0).zeroPoint });
}

/** Products of two arrays of matrices, the second given as [..., n, k] unless `transposeB` says so. */
export function matmul(o: Operator, transposeA: boolean, transposeB: boolean): Value {
  const [a, b, { scale, zeroPoint }] = [o.of(0), o.of(1), o.quantization];
  const exchanged = (x: Value): Value => {
    const axes = [...x.shape.keys()];
    return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
  };
  const [left, right] = [o.input(0), o.input(1)];
  if (left.shape.length < 2 || right.shape.length !== left.shape.length)
    fail(o, "matrices of one rank", `[${left.shape}] and [${right.shape}]`);
  const sums = apply(
    fixedPointOps.integerMatmul,
    [transposeA ? exchanged(left) : left, transposeB ? right : exchanged(right)],
    { aZero: a.zeroPoint, bZero: b.zeroPoint },
  );
  return fixedPoint(sums, (a.scale * b.scale) / scale, zeroPoint);
}
