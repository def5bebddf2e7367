// Conversions between dtypes.
import { typeError } from "../errors.js";
import { oneOf } from "../graph/attrs.js";
import { defineOp, type Gradients, type KernelName } from "../graph/op.js";
import { apply, checkValue, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import type { DType } from "../tensor.js";

type CastKernel = Extract<KernelName, `${string}_to_${string}` | "x8_copy" | "f32_copy">;

/** int16 is for activations of quantized models alone: the ops of those convert it. */
type Castable = Exclude<DType, "int16">;

/** The kernel from each dtype to each; uint8 and bool share bytes. */
const kernels: Record<Castable, Record<Castable, CastKernel>> = {
  float32: { float32: "f32_copy", int32: "f32_to_i32", int8: "f32_to_i8", uint8: "f32_to_u8", bool: "f32_to_bool" },
  int32: { float32: "i32_to_f32", int32: "f32_copy", int8: "i32_to_x8", uint8: "i32_to_x8", bool: "i32_to_bool" },
  int8: { float32: "i8_to_f32", int32: "i8_to_i32", int8: "x8_copy", uint8: "x8_copy", bool: "x8_to_bool" },
  uint8: { float32: "u8_to_f32", int32: "u8_to_i32", int8: "x8_copy", uint8: "x8_copy", bool: "x8_to_bool" },
  bool: { float32: "u8_to_f32", int32: "u8_to_i32", int8: "x8_copy", uint8: "x8_copy", bool: "x8_copy" },
};

export const castOps = {
  cast: defineOp<{ dtype: Castable }>("cast", {
    attrs: { dtype: oneOf("float32", "int32", "int8", "uint8", "bool") },
    infer([x], { dtype }) {
      if (x.dtype === "int16")
        throw typeError({ op: "cast", expected: "float32, int32, int8, uint8 or bool", actual: x.dtype });
      return { shape: x.shape, dtype };
    },
    // From integers no gradient flows, and to them none comes.
    grad: (): Gradients => [undefined],
    lower: (emit, { inputs: [x], outputs: [y] }, { dtype }) =>
      emit.call(kernels[x.dtype as Castable][dtype], sizeOf(x.shape), x, y),
  }),
};

/**
 * The same numbers in another dtype. Floats become integers towards zero, what lies outside becomes the nearest there is and NaN 0;
 * integers become smaller ones modulo 2^8, as in NumPy; anything but 0 becomes true. No gradient flows through a change of dtype.
 * @param dtype float32, int32, int8, uint8 or bool
 * @throws {TypeError} for a dtype there is not
 * @example
 * cast(input([28, 28], { dtype: "uint8" }), "float32").dtype; // "float32"
 */
export function cast(x: Value, dtype: DType): Value {
  checkValue(x, "cast");
  return x.dtype === dtype ? x : apply(castOps.cast, [x], { dtype });
}
