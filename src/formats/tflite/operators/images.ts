// Images of another size, and sums of squares over windows.
import { apply, type Value } from "../../../graph/value.js";
import { add, div, mul } from "../../../ops/arithmetic.js";
import { pow } from "../../../ops/comparison.js";
import { bilinear, nearest, neighbours, type Sampling } from "../../../ops/interpolate.js";
import { constant } from "../../../ops/leaf.js";
import { pad } from "../../../ops/pad.js";
import { avgPool2d } from "../../../ops/pool.js";
import { fixedPointOps } from "../../../ops/quantized/fixedpoint.js";
import { toEven } from "../../../ops/quantized/rounding.js";
import { reshape } from "../../../ops/shape.js";
import { sqrt, square } from "../../../ops/unary.js";
import type { Operator } from "../importer.js";
import { activated, FLOAT, fail, moved, padding, type Rules, rule, SAME } from "./rule.js";

function sized(o: Operator): { x: Value; size: readonly [number, number] } {
  const [x, [h, w]] = [moved(o, 0), o.importer.integers(o.at(1))];
  const fits = x.shape.length === 4 && h > 0 && w > 0 && x.shape[1] > 0 && x.shape[2] > 0;
  if (!fits) fail(o, "an image and a size with pixels", `[${x.shape}] to ${h} x ${w}`);
  o.importer.afford(3 * (h + w));
  return { x, size: [h, w] };
}

const sampling = (o: Operator, field: number): Sampling => ({
  alignCorners: o.byte(field) !== 0,
  halfPixelCenters: o.byte(field + 1) !== 0,
});

/** int8 between pixels as XNNPACK has it: parts of 11 bits, rounded once. */
function quantizedBilinear(x: Value, size: readonly [number, number], given: Sampling): Value {
  const tables = [1, 2].flatMap((axis) => {
    const m = size[axis - 1];
    const { places, parts } = neighbours(x.shape[axis], m, given);
    const whole = Int32Array.from(parts, (part) => toEven(Math.fround(part * 2048)));
    return [
      constant({ data: places, shape: [2, m], dtype: "int32" }),
      constant({ data: whole, shape: [m], dtype: "int32" }),
    ];
  });
  return apply(fixedPointOps.quantizedInterpolate, [x, ...tables]);
}

/** x over (bias + alpha times the sum of squares of its neighbours along the last axis)^beta. */
function localResponse(o: Operator): Value {
  const [x, radius] = [o.input(0), o.int(0)];
  const c = x.shape.at(-1) ?? 0;
  if (x.shape.length === 0 || radius < 0 || radius > 2 ** 16) fail(o, "a radius of 0 to 2^16", String(radius));
  const reach = Math.min(radius, c);
  const line = pad(reshape(square(x), [-1, 1, c, 1]), [0, 0, reach, 0]);
  const sums = mul(avgPool2d(line, [1, 2 * reach + 1], [1, 1], "valid"), 2 * reach + 1);
  const under = add(mul(reshape(sums, [-1, ...x.shape.slice(1)]), o.float(2)), o.float(1));
  return div(x, pow(under, o.float(3)));
}

function rootMeanSquare(o: Operator): Value {
  const [size, strides] = [[o.int(4, 1), o.int(3, 1)] as const, [o.int(2, 1), o.int(1, 1)] as const];
  return activated(o, sqrt(avgPool2d(square(o.input(0)), size, strides, padding(o))), o.byte(5));
}

export const imageRules: Rules = {
  L2_POOL_2D: rule(rootMeanSquare, FLOAT),
  LOCAL_RESPONSE_NORMALIZATION: rule(localResponse, FLOAT),
  RESIZE_BILINEAR: rule((o) => {
    const { x, size } = sized(o);
    return (o.isQuantized ? quantizedBilinear : bilinear)(x, size, sampling(o, 2));
  }),
  RESIZE_NEAREST_NEIGHBOR: rule(
    (o) => {
      const { x, size } = sized(o);
      return nearest(x, size, sampling(o, 0));
    },
    ...SAME,
  ),
};
