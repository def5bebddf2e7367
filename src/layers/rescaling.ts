// Numbers of another size: pixels from bytes.
import { rangeError } from "../errors.js";
import { add, mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { constant } from "../ops/leaf.js";
import { tensor } from "../tensor.js";
import { type Layer, type LayerOptions, stepwise } from "./layer.js";

export interface RescalingOptions extends LayerOptions {
  /** One for all, or one for each channel; default 0. */
  offset?: number | readonly number[];
}

/**
 * x * scale + offset, as Keras' `Rescaling`.
 * @param scale one for all, or one for each channel
 * @returns a layer from [batch, ..., channels] of any dtype to float32 of the same shape
 * @throws {RangeError} for what is no number
 * @example
 * rescaling(1 / 127.5, { offset: -1 })(input([28, 28, 3], { dtype: "uint8" })).dtype; // "float32"
 */
export function rescaling(scale: number | readonly number[], options: RescalingOptions = {}): Layer {
  const op = "rescaling";
  const { offset = 0 } = options;
  const operand = (what: string, given: number | readonly number[]) => {
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (list.length === 0 || !list.every(Number.isFinite)) {
      const expected = `${what} to be a number, or one for each channel`;
      throw rangeError({ op, expected, actual: JSON.stringify(given) ?? "nothing" });
    }
    return typeof given === "number" ? given : constant(tensor(Float32Array.from(given), [given.length]));
  };
  const [factor, shift] = [operand("scale", scale), operand("offset", offset)];
  return stepwise(op, options, ["offset"], (x) => {
    const scaled = mul(x.dtype === "float32" ? x : cast(x, "float32"), factor);
    return shift === 0 ? scaled : add(scaled, shift);
  });
}
