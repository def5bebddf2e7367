// The layer that masks steps by their numbers.
import { rangeError, ShapeError, told } from "../errors.js";
import { mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { notEqual } from "../ops/comparison.js";
import { any } from "../ops/logical.js";
import { withMask } from "../ops/mask.js";
import { expandDims } from "../ops/shape.js";
import { show } from "../shape.js";
import { type Layer, type LayerOptions, layer } from "./layer.js";

/**
 * Masks steps of which all numbers are the mask value, and makes them 0, as Keras' `Masking`.
 * @param maskValue default 0
 * @returns a layer from float32 [batch, ..., features] to the same shape, its mask [batch, ...]
 * @throws {RangeError} for a mask value that is no number
 * @example
 * masking(-1)(input([20, 3])).shape; // [1, 20, 3]
 */
export function masking(maskValue = 0, options: LayerOptions = {}): Layer {
  const op = "masking";
  if (!Number.isFinite(maskValue))
    throw rangeError({ op, expected: "a number as mask value", actual: told(maskValue) });
  return layer(op, options, [], (x) => {
    if (x.shape.length < 3)
      throw new ShapeError({ op, expected: "an input [steps, ..., features]", actual: show(x.shape.slice(1)) });
    const mask = any(notEqual(x, maskValue), -1);
    return withMask(mul(x, expandDims(cast(mask, "float32"), -1)), mask);
  });
}
