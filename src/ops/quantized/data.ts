// Host data between real numbers and the integers that stand for them, by the arithmetic of the kernels.
import { rangeError } from "../../errors.js";
import type { Quantization } from "../../graph/attrs.js";
import { arrayOf, type Tensor, type TypedArray } from "../../tensor.js";
import { ratio, toEven } from "./rounding.js";

/** What integers of a dtype reach from and to. */
const LIMITS = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] } as const;
export type QuantizedDType = keyof typeof LIMITS;

function limitsOfDType(dtype: string): readonly [number, number] {
  if (Object.hasOwn(LIMITS, dtype)) return LIMITS[dtype as QuantizedDType];
  throw rangeError({ op: "quantizeData", expected: Object.keys(LIMITS).join(", "), actual: dtype });
}

/**
 * Real numbers as integers: x / scale to the nearest one (ties to even), plus the zero point, clamped; NaN counts as 0. x goes times
 * 1 / scale, divided in float32, as in `quantizeLinear`.
 * @param x numbers of any typed array
 * @param spec one of `model.inputs`: its dtype (int8, uint8 or int16) and quantization
 * @throws {RangeError} for another dtype
 * @example
 * const spec = { dtype: "int8", quantization: { scale: 0.5, zeroPoint: -3 } } as const;
 * [...quantizeData(Float32Array.of(1, -0.75, 1000), spec)]; // [-1, -5, 127]
 */
export function quantizeData(
  x: ArrayLike<number>,
  { dtype, quantization: { scale, zeroPoint } }: { dtype: Tensor["dtype"]; quantization: Quantization },
): TypedArray {
  const [low, high] = limitsOfDType(dtype);
  const factor = ratio(1, scale);
  const y = new (arrayOf(dtype))(x.length);
  for (let i = 0; i < y.length; i++) {
    const v = Math.fround(Math.fround(x[i]) * factor);
    y[i] = Math.min(Math.max(toEven(Number.isNaN(v) ? 0 : v) + zeroPoint, low), high);
  }
  return y;
}

/**
 * What integers stand for: (x - zeroPoint) scale, in float32.
 * @param x integers
 * @example
 * [...dequantizeData(Int8Array.of(-1, 127), { scale: 0.5, zeroPoint: -3 })]; // [1, 65]
 */
export function dequantizeData(x: ArrayLike<number>, { scale, zeroPoint }: Quantization): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < y.length; i++) y[i] = (x[i] - zeroPoint) * scale;
  return y;
}

/** A result as what its integers stand for; others as they are. @param spec one of `model.outputs` */
export const asReal = (result: Tensor, { quantization }: { quantization?: Quantization | undefined }): Tensor =>
  quantization ? { ...result, data: dequantizeData(result.data, quantization), dtype: "float32" } : result;
