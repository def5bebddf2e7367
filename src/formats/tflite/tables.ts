// Functions of one int8 as tables of all 256, in the integers that TensorFlow Lite's own kernels compute (XNNPACK's where it takes the
// operator), each from the input's integers less their zero point.
import type { Value } from "../../graph/value.js";
import { power } from "../../numbers.js";
import { constant } from "../../ops/leaf.js";
import { quantizedLookup } from "../../ops/quantized/convert.js";
import { fixed, roundedShift, scaledInteger } from "../../ops/quantized/fixedpoint.js";
import type { Quantization } from "../../ops/quantized/quantization.js";
import { toEven } from "../../ops/quantized/rounding.js";

const fround = Math.fround;

export interface FromTo {
  readonly input: Quantization;
  readonly quantization: Quantization;
}

/** A function of v = x - zero point, for each x from -128 on, plus the result's zero point, as int8. */
const tableOf = ({ input, quantization }: FromTo, f: (v: number) => number): Int8Array =>
  Int8Array.from({ length: 256 }, (_, i) =>
    Math.min(Math.max(f(i - 128 - input.zeroPoint) + quantization.zeroPoint, -128), 127),
  );

const ratioOf = ({ input, quantization }: FromTo): number => fround(input.scale / quantization.scale);

/** XNNPACK: factors of 8 bits behind the point, ties up. */
export function leakyReluTable(given: FromTo, slope: number): Int8Array {
  const ratio = ratioOf(given);
  const [positive, negative] = [toEven(256 * ratio), toEven(fround(256 * fround(ratio * fround(slope))))];
  return tableOf(given, (v) => Math.floor((v * (v >= 0 ? positive : negative) + 128) / 256));
}

export function absTable(given: FromTo): Int8Array {
  const factor = fixed(ratioOf(given));
  const same = given.input.scale === given.quantization.scale;
  return tableOf(given, (v) => (same ? Math.abs(v) : scaledInteger(Math.abs(v), factor)));
}

export function negTable(given: FromTo): Int8Array {
  const factor = fixed(ratioOf(given));
  const same = given.input.scale === given.quantization.scale;
  return tableOf(given, (v) => (same ? -v : -scaledInteger(v, factor)));
}

/** Rounded towards zero; 0 where there is no root. */
export function sqrtTable(given: FromTo): Int8Array {
  const { input, quantization } = given;
  return tableOf(given, (v) =>
    v < 0 ? 0 : Math.trunc(fround(fround(Math.sqrt(fround(input.scale * v))) / quantization.scale)),
  );
}

/** By the inverse root that TensorFlow Lite's normalization takes; the largest there is where there is none. */
export function rsqrtTable(given: FromTo): Int8Array {
  const { input, quantization } = given;
  const { multiplier, shift } = fixed(1 / (fround(Math.sqrt(input.scale)) * quantization.scale));
  return tableOf(given, (v) => {
    if (v <= 0) return 255;
    const root = inverseRoot(v);
    const value = scaledInteger(1, { multiplier: root.multiplier, shift: root.shift + 20 });
    return scaledInteger(value, { multiplier, shift: shift - 20 });
  });
}

/** 1 / sqrt(v) as multiplier 2^(shift - 31), by five steps of Newton in fixed point, as assembly/fixedpoint.ts has it. */
function inverseRoot(v: number): { multiplier: number; shift: number } {
  if (v <= 1) return { multiplier: 2 ** 31 - 1, shift: 0 };
  const high = (a: number, b: number) => scaledInteger(a, { multiplier: b, shift: 0 });
  const doubled = ((Math.clz32(v) - 1) >> 1) - 1;
  const a = (v << (2 * doubled)) >> 1;
  const half = roundedShift(a, 1);
  let x = 2 ** 28;
  for (let i = 0; i < 5; i++) {
    const cube = high(high(x, x), x) * 64;
    x = (high(2 ** 28 + 2 ** 27, x) - high(half, cube)) * 8;
  }
  const shift = 11 - doubled;
  const multiplier = high(x, 1518500250);
  return shift < 0 ? { multiplier: multiplier << -shift, shift: 0 } : { multiplier, shift: -shift };
}

const int16 = (v: number): number => Math.min(Math.max(v, -32768), 32767);
/** The upper 16 bits of 2 a b, of 16 bits each, to the nearest integer, ties up. */
const doubledHigh16 = (a: number, b: number): number => {
  const product = a * b;
  return int16(Math.trunc((product + (product >= 0 ? 2 ** 14 : 1 - 2 ** 14)) / 2 ** 15));
};

/** x min(max(x + 3, 0), 6) / 6 in 16 bits, as MobileNet V3 was quantized for. */
export function hardSwishTable(given: FromTo): Int8Array {
  const { input, quantization } = given;
  const fine = fround(input.scale / 128);
  const short = ({ multiplier, shift }: { multiplier: number; shift: number }) => ({
    multiplier: multiplier >= 0x7fff8000 ? 32767 : (multiplier + 2 ** 15) >> 16,
    shift,
  });
  const out = short(fixed(fround(fine / quantization.scale)));
  const relu = short(fixed(fround(fine / fround(3 / 32768))));
  return tableOf(given, (v) => {
    const wide = v * 128;
    const unshifted = doubledHigh16(wide, out.multiplier);
    let part = wide;
    if (relu.shift > 0) part = int16(part * power(2, relu.shift - 1));
    part = doubledHigh16(part, relu.multiplier);
    if (relu.shift > 0) part = int16(part * 2);
    if (relu.shift < 0) part = roundedShift(part, -relu.shift);
    part = (part + 32768) >> 1;
    const product = Math.trunc((part * unshifted) / 2 ** 15);
    return roundedShift(product, Math.max(-out.shift, 0)) * power(2, Math.max(out.shift, 0));
  });
}

/** x by a table. */
export const lookup = (x: Value, table: Int8Array): Value =>
  quantizedLookup(x, constant({ data: table, shape: [256], dtype: "int8" }));
