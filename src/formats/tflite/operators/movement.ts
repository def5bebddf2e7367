// Operators that move numbers and compute nothing.
import type { Value } from "../../../graph/value.js";
import { apply } from "../../../graph/value.js";
import { concat, stack } from "../../../ops/concat.js";
import { constant } from "../../../ops/leaf.js";
import { padOps } from "../../../ops/pad.js";
import { asQuantized } from "../../../ops/quantized/convert.js";
import { reshape } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import { transpose } from "../../../ops/transpose.js";
import { sameShape, sizeOf } from "../../../shape.js";
import { arrayOf } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { activated, FLOAT, fail, INT8, INT16, moved, type Rule, type Rules, rule } from "./rule.js";

/** A new shape; the batch stays open where it is the first axis of both. */
function reshaped(o: Operator): Value {
  const x = o.input(0);
  const [from, to] = [o.tensor(0).shape, o.output().shape];
  const open = from[0] === to[0] || sizeOf(to.slice(1)) === sizeOf(x.shape.slice(1));
  return reshape(moved(o, 0), open && to.length > 0 && sizeOf(to) > 0 ? [-1, ...to.slice(1)] : to);
}

function padded(o: Operator): Value {
  const x = moved(o, 0);
  const pads = o.importer.integers(o.at(1));
  if (pads.length !== 2 * x.shape.length) fail(o, `${2 * x.shape.length} paddings`, String(pads.length));
  const [low, high] = [0, 1].map((side) => x.shape.map((_, i) => pads[2 * i + side]));
  const zero = o.isQuantized ? o.quantization.zeroPoint : 0;
  const value = constant({ data: arrayOf(x.dtype).of(zero), shape: [], dtype: x.dtype });
  return apply(padOps.pad, [x, value], { low, high, interior: x.shape.map(() => 0) });
}

/** The part of x between two places; along the first axis of a whole batch it stays open. */
function sliced(
  o: Operator,
  begin: readonly number[],
  end: readonly (number | null)[],
  strides?: readonly number[],
): Value {
  const { shape } = o.tensor(0);
  const open = begin[0] === 0 && (strides?.[0] ?? 1) === 1 && (end[0] === null || (end[0] as number) >= shape[0]);
  const to = open ? [null, ...end.slice(1)] : end;
  const y = stridedSlice(moved(o, 0), begin, to, strides ?? begin.map(() => 1));
  const out = o.output().shape;
  return sameShape(y.shape, out)
    ? y
    : reshape(y, open && out.length > 0 && out[0] === shape[0] ? [-1, ...out.slice(1)] : out);
}

function stridedSliced(o: Operator): Value {
  const [begin, end, strides] = [1, 2, 3].map((i) => o.importer.integers(o.at(i)));
  if (o.int(2) !== 0 || o.int(3) !== 0) fail(o, "no ellipsis and no new axis", `masks ${o.int(2)} and ${o.int(3)}`);
  if (strides.some((stride) => stride < 1)) fail(o, "strides of at least 1", String(strides));
  const is = (mask: number, axis: number) => ((o.int(mask) >> axis) & 1) === 1;
  const from = begin.map((at, axis) => (is(0, axis) ? 0 : at));
  const to = end.map((at, axis) =>
    is(4, axis) ? (begin[axis] === -1 ? null : begin[axis] + 1) : is(1, axis) ? null : at,
  );
  return sliced(o, from, to, strides);
}

/** Blocks of pixels as channels, and back. */
function blocks(o: Operator, toDepth: boolean): Value {
  const x = moved(o, 0);
  const [, h, w, c] = x.shape;
  const s = o.int(0);
  const depth = toDepth ? c : c / (s * s);
  if (
    !(s > 0) ||
    x.shape.length !== 4 ||
    !Number.isInteger(toDepth ? h / s : depth) ||
    !Number.isInteger(toDepth ? w / s : depth)
  )
    fail(o, "blocks that divide the image", `${s} for [${x.shape}]`);
  const inner = toDepth ? [h / s, s, w / s, s, c] : [h, w, s, s, depth];
  const turned = transpose(reshape(x, [-1, ...inner]), [0, 1, 3, 2, 4, 5]);
  return reshape(turned, toDepth ? [-1, h / s, w / s, s * s * c] : [-1, h * s, w * s, depth]);
}

/** A rule for numbers that only move: integers of 16 bits go as they are. */
const moves = (build: Rule["build"]): Rule => rule(build, FLOAT, INT8, INT16);

export const movementRules: Rules = {
  CONCATENATION: moves((o) => {
    const values = Array.from({ length: o.count }, (_, i) => moved(o, i));
    const y = concat(values, o.int(0));
    if (o.isQuantized) return asQuantized(y, o.quantization);
    return y.dtype === "float32" ? activated(o, y, o.byte(1)) : y;
  }),
  DEPTH_TO_SPACE: moves((o) => blocks(o, false)),
  EXPAND_DIMS: moves(reshaped),
  PACK: moves((o) => {
    const values = Array.from({ length: o.count }, (_, i) => moved(o, i));
    return stack(values, o.int(1));
  }),
  PAD: moves(padded),
  RESHAPE: moves(reshaped),
  SLICE: moves((o) => {
    const [begin, size] = [1, 2].map((i) => o.importer.integers(o.at(i)));
    return sliced(
      o,
      begin,
      begin.map((at, axis) => ((size[axis] ?? -1) < 0 ? null : at + size[axis])),
    );
  }),
  SPACE_TO_DEPTH: moves((o) => blocks(o, true)),
  SQUEEZE: moves(reshaped),
  STRIDED_SLICE: moves(stridedSliced),
  TRANSPOSE: moves((o) => transpose(moved(o, 0), o.importer.integers(o.at(1)))),
};
