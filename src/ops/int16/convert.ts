// Int16 from floats and from integers of other scales and types, and back. Factors between integers are TensorFlow Lite's fixed point.
import { typeError } from "../../errors.js";
import { oneOf, quantizationCheck } from "../../graph/attrs.js";
import { defineOp, type Gradients } from "../../graph/op.js";
import { apply, type Value } from "../../graph/value.js";
import { sizeOf } from "../../shape.js";
import { wantDType } from "../check.js";
import {
  type Clamped,
  family,
  fixed,
  type Limits,
  limits16,
  limitsOf16,
  type Quantization,
  quantized16,
  wantInt16,
} from "./fixed.js";

interface Result extends Limits {
  readonly quantization: Quantization;
}

/** Types that int16 comes from and goes to. */
const INTEGERS = ["int8", "int16", "int32"] as const;
type Integers = (typeof INTEGERS)[number];

interface FromTo extends Limits {
  readonly input: Quantization;
  readonly quantization: Quantization;
  readonly dtype: Integers;
}

export const int16ConvertOps = {
  int16Quantize: defineOp<Result>("int16Quantize", {
    family,
    attrs: { ...limits16, quantization: quantized16 },
    infer([x]) {
      wantDType("int16Quantize", "float32", x);
      return { shape: x.shape, dtype: "int16" };
    },
    lower: (emit, { inputs: [x], outputs: [y] }, { quantization: { scale }, low, high }) =>
      emit.call("f32_to_i16_quantized", sizeOf(x.shape), x, y, scale, low, high),
  }),

  int16Dequantize: defineOp<{ input: Quantization }>("int16Dequantize", {
    family,
    attrs: { input: quantized16 },
    infer([x]) {
      wantInt16("int16Dequantize", x);
      return { shape: x.shape, dtype: "float32" };
    },
    // To integers no gradient flows.
    grad: (): Gradients => [undefined],
    lower: (emit, { inputs: [x], outputs: [y] }, { input: { scale } }) =>
      emit.call("i16_to_f32_dequantized", sizeOf(x.shape), x, y, scale),
  }),

  int16Requantize: defineOp<FromTo>("int16Requantize", {
    family,
    attrs: { ...limits16, input: quantizationCheck, quantization: quantizationCheck, dtype: oneOf(...INTEGERS) },
    infer([x], { input, quantization, dtype }) {
      const op = "int16Requantize";
      if (!(INTEGERS as readonly string[]).includes(x.dtype) || (x.dtype !== "int16" && dtype !== "int16"))
        throw typeError({ op, expected: "int16 from or to int8, int16 or int32", actual: `${x.dtype} to ${dtype}` });
      for (const [type, { zeroPoint }] of [
        [x.dtype, input],
        [dtype, quantization],
      ] as const)
        if (type !== "int8" && zeroPoint !== 0)
          throw typeError({ op, expected: `a zeroPoint of 0 for ${type}`, actual: String(zeroPoint) });
      fixed(input.scale / quantization.scale, op);
      return { shape: x.shape, dtype };
    },
    lower(emit, { inputs: [x], outputs: [y] }, { input, quantization, dtype, low, high }) {
      const { multiplier, left, right } = fixed(input.scale / quantization.scale, "int16Requantize");
      const n = sizeOf(x.shape);
      const factor = [multiplier, left, right] as const;
      if (dtype === "int8")
        emit.call(
          "i16_to_i8_requantized",
          n,
          x,
          y,
          ...factor,
          quantization.zeroPoint,
          Math.max(low, -128),
          Math.min(high, 127),
        );
      else if (dtype === "int32") emit.call("i16_to_i32_requantized", n, x, y, ...factor);
      else if (x.dtype === "int8") emit.call("i8_to_i16_requantized", n, x, y, input.zeroPoint, ...factor, low, high);
      else if (x.dtype === "int32") emit.call("i32_to_i16_requantized", n, x, y, ...factor, low, high);
      else emit.call("i16_requantize", n, x, y, ...factor, low, high);
    },
  }),
};

/**
 * Floats as int16: x / scale to the nearest integer (ties away from zero), clamped; NaN counts as 0.
 * @param x float32 of any shape
 * @example
 * int16Quantize(input([8]), { scale: 0.5, zeroPoint: 0 }).dtype; // "int16"
 */
export const int16Quantize = (x: Value, quantization: Quantization, options: Clamped = {}): Value =>
  apply(int16ConvertOps.int16Quantize, [x], { quantization: { ...quantization }, ...limitsOf16(options) });

/**
 * What int16 stands for: x scale.
 * @param x int16 of any shape
 * @example
 * int16Dequantize(input([8], { dtype: "int16" }), { scale: 0.5, zeroPoint: 0 }).dtype; // "float32"
 */
export const int16Dequantize = (x: Value, input: Quantization): Value =>
  apply(int16ConvertOps.int16Dequantize, [x], { input: { ...input } });

/**
 * int16 of one scale as int16 of another, or from or to int8 or int32: without its zero point times input.scale / quantization.scale in fixed
 * point of 31 bits, plus the zero point, clamped.
 * @param options.dtype of the result: `int8`, `int16` (default) or `int32`
 * @throws {TypeError} unless x or the result is int16, and for a zero point of int16 or int32 that is not 0
 * @example
 * const x = input([8], { dtype: "int16" });
 * const options = { input: { scale: 0.5, zeroPoint: 0 }, quantization: { scale: 1, zeroPoint: -8 } };
 * int16Requantize(x, { ...options, dtype: "int8" }).dtype; // "int8"
 */
export const int16Requantize = (
  x: Value,
  options: Clamped & { input: Quantization; quantization: Quantization; dtype?: "int8" | "int16" | "int32" },
): Value =>
  apply(int16ConvertOps.int16Requantize, [x], {
    input: { ...options.input },
    quantization: { ...options.quantization },
    dtype: options.dtype ?? "int16",
    ...limitsOf16(options),
  });
