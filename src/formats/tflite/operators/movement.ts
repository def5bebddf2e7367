// Operators that move numbers and compute nothing.
import type { Value } from "../../../graph/value.js";
import { apply } from "../../../graph/value.js";
import { concat, split, stack, unstack } from "../../../ops/concat.js";
import { constant } from "../../../ops/leaf.js";
import { pad, padOps } from "../../../ops/pad.js";
import { asQuantized } from "../../../ops/quantized/convert.js";
import { reshape } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import { tile } from "../../../ops/tile.js";
import { transpose } from "../../../ops/transpose.js";
import { sameShape, sizeOf } from "../../../shape.js";
import { arrayOf } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { activated, axisOf, fail, moved, type Rules, rule, SAME } from "./rule.js";

/** A new shape, by what the file says of the result or by its own input; the batch stays open where it is the first axis of both. */
function reshaped(o: Operator): Value {
  const x = moved(o, 0);
  const to = shapeOf(o, x);
  const open = x.shape[0] === to[0] || sizeOf(to.slice(1)) === sizeOf(x.shape.slice(1));
  return reshape(x, open && to.length > 0 && sizeOf(to) > 0 && x.shape.length > 0 ? [-1, ...to.slice(1)] : to);
}

/** The shape that RESHAPE has as an input, where it fits and is known; else that of the result. */
function shapeOf(o: Operator, x: Value): readonly number[] {
  const { shape } = o.output();
  const given = o.name === "RESHAPE" && sizeOf(shape) !== sizeOf(x.shape) && o.has(1) && o.tensor(1).shape.length === 1;
  if (!given) return shape;
  const wanted = o.importer.integers(o.at(1));
  const known = wanted.reduce((n, d) => (d < 0 ? n : n * d), 1);
  return wanted.map((d) => (d === -1 && known > 0 ? sizeOf(x.shape) / known : d));
}

function padded(o: Operator): Value {
  const x = moved(o, 0);
  const { low, high } = paddings(o, x);
  const zero = constant({
    data: arrayOf(x.dtype).of(o.isQuantized ? o.quantization.zeroPoint : 0),
    shape: [],
    dtype: x.dtype,
  });
  const value = o.has(2) ? reshape(moved(o, 2), []) : zero;
  return apply(padOps.pad, [x, value], { low, high, interior: x.shape.map(() => 0) });
}

function paddings(o: Operator, x: Value): { low: number[]; high: number[] } {
  const pads = o.importer.integers(o.at(1));
  if (pads.length !== 2 * x.shape.length) fail(o, `${2 * x.shape.length} paddings`, String(pads.length));
  return { low: x.shape.map((_, i) => pads[2 * i]), high: x.shape.map((_, i) => pads[2 * i + 1]) };
}

function mirrored(o: Operator): Value {
  const x = moved(o, 0);
  const { low, high } = paddings(o, x);
  const mode = (["reflect", "symmetric"] as const)[o.byte(0)] ?? fail(o, "REFLECT or SYMMETRIC", String(o.byte(0)));
  return pad(
    x,
    low.map((before, i) => [before, high[i]] as const),
    { mode },
  );
}

/** The part of x between two places, every so many; along the first axis of a whole batch it stays open. */
function sliced(
  o: Operator,
  begin: readonly (number | null)[],
  end: readonly (number | null)[],
  strides: readonly number[],
): Value {
  const x = moved(o, 0);
  const open =
    x.shape.length > 0 && (begin[0] ?? 0) === 0 && strides[0] === 1 && (end[0] === null || end[0] >= x.shape[0]);
  return stridedSlice(x, open ? [null, ...begin.slice(1)] : begin, open ? [null, ...end.slice(1)] : end, strides);
}

/** Python's indexing: a range of each axis, a single index (which ends the axis), new axes, and one "..." for all that is left. */
function stridedSliced(o: Operator): Value {
  const [begin, to, strides] = [1, 2, 3].map((i) => o.importer.integers(o.at(i)));
  // The newest files may count the end from the begin.
  const end = o.byte(5) === 0 ? to : to.map((n, i) => n + (begin[i] ?? 0));
  const rank = o.input(0).shape.length;
  const is = (mask: number, i: number) => ((o.int(mask) >> i) & 1) === 1;
  const entries = begin.map((_, i) => (is(2, i) ? "rest" : is(3, i) ? "new" : is(4, i) ? "one" : "range"));
  const taken = entries.filter((kind) => kind === "one" || kind === "range").length;
  const rests = entries.filter((kind) => kind === "rest").length;
  if (taken > rank || rests > 1 || begin.length !== end.length || begin.length !== strides.length)
    fail(o, `ranges of at most ${rank} axes`, `${begin.length}, ${end.length} and ${strides.length}`);
  if (strides.some((stride, i) => stride === 0 || (stride < 0 && entries[i] === "one")))
    fail(o, "strides other than 0", String(strides));
  type Range = readonly [begin: number | null, end: number | null, stride: number];
  const whole: Range = [null, null, 1];
  const ranges = entries.flatMap((kind, i): Range[] => {
    if (kind === "rest") return Array<Range>(rank - taken).fill(whole);
    if (kind === "new") return [];
    if (kind === "one") return [[begin[i], begin[i] === -1 ? null : begin[i] + 1, 1]];
    return [[is(0, i) ? null : begin[i], is(1, i) ? null : end[i], strides[i]]];
  });
  while (ranges.length < rank) ranges.push(whole);
  const y = sliced(
    o,
    ranges.map(([from]) => from),
    ranges.map(([, to]) => to),
    ranges.map(([, , stride]) => stride),
  );
  // The axes that are left, with those that are new.
  const left = [...y.shape];
  const kept = entries.flatMap((kind) => {
    if (kind === "rest") return left.splice(0, rank - taken);
    if (kind === "new") return [1];
    const [d] = left.splice(0, 1);
    return kind === "one" ? [] : [d];
  });
  const shape = [...kept, ...left];
  if (sameShape(shape, y.shape)) return y;
  const open = shape.length > 0 && sizeOf(shape) > 0 && entries[0] === "range" && y.shape[0] === o.input(0).shape[0];
  return reshape(y, open ? [-1, ...shape.slice(1)] : shape);
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

/** Blocks of the image as images of a longer batch (after padding), and back (before cropping). */
function batches(o: Operator, toBatch: boolean): Value {
  const x = moved(o, 0);
  const [blocks, borders] = [o.importer.integers(o.at(1)), o.importer.integers(o.at(2))];
  const n = blocks.length;
  const fits =
    x.shape.length > n && borders.length === 2 * n && !blocks.some((s) => s < 1) && !borders.some((b) => b < 0);
  if (!fits) fail(o, `blocks and borders of at most ${x.shape.length - 1} axes`, `${blocks} and ${borders}`);
  const pairs = blocks.map((_, i) => [borders[2 * i], borders[2 * i + 1]] as const);
  const rest = x.shape.slice(n + 1);
  const zero = o.isQuantized ? o.quantization.zeroPoint : 0;
  if (toBatch) {
    const wide = pad(x, [0, ...pairs, ...rest.map(() => 0)], { value: zero });
    const apart = blocks.flatMap((s, i) => {
      if (wide.shape[i + 1] % s !== 0) fail(o, `multiples of ${s} along axis ${i + 1}`, String(wide.shape[i + 1]));
      return [wide.shape[i + 1] / s, s];
    });
    const split = reshape(wide, [-1, ...apart, ...rest]);
    const inner = blocks.map((_, i) => 2 * i + 2);
    const outer = blocks.map((_, i) => 2 * i + 1);
    const last = rest.map((_, i) => 2 * n + 1 + i);
    const turned = transpose(split, [...inner, 0, ...outer, ...last]);
    return reshape(turned, [-1, ...apart.filter((_, i) => i % 2 === 0), ...rest]);
  }
  const many = sizeOf(blocks);
  if (x.shape[0] % many !== 0) fail(o, `a batch of a multiple of ${many}`, String(x.shape[0]));
  const split = reshape(x, [...blocks, -1, ...x.shape.slice(1)]);
  const order = [n, ...blocks.flatMap((_, i) => [n + 1 + i, i]), ...rest.map((_, i) => 2 * n + 1 + i)];
  const joined = reshape(transpose(split, order), [-1, ...blocks.map((s, i) => s * x.shape[i + 1]), ...rest]);
  return stridedSlice(
    joined,
    [null, ...pairs.map(([before]) => before)],
    [null, ...pairs.map(([, after], i) => Math.max(joined.shape[i + 1] - after, 0))],
  );
}

/** Parts of one array along an axis: as many as the file has results, or of the sizes that it gives. */
function parts(o: Operator, at: number, axisAt: number, sizes?: readonly number[]): readonly Value[] {
  const x = o.importer.value(o.at(at));
  const axis = axisOf(o, o.importer.integers(o.at(axisAt))[0], x.shape.length);
  const known = sizes?.reduce((n, d) => (d < 0 ? n : n + d), 0) ?? 0;
  const whole = sizes?.map((d) => (d === -1 ? x.shape[axis] - known : d)) ?? o.operator.outputs.length;
  return split(x, whole, axis);
}

const all = (o: Operator): Value[] => Array.from({ length: o.count }, (_, i) => moved(o, i));

export const movementRules: Rules = {
  BATCH_TO_SPACE_ND: rule((o) => batches(o, false), ...SAME),
  CONCATENATION: rule(
    (o) => {
      const y = concat(all(o), o.int(0));
      if (o.isQuantized) return asQuantized(y, o.quantization);
      return y.dtype === "float32" ? activated(o, y, o.byte(1)) : y;
    },
    ...SAME,
  ),
  DEPTH_TO_SPACE: rule((o) => blocks(o, false), ...SAME),
  EXPAND_DIMS: rule(reshaped, ...SAME),
  MIRROR_PAD: rule(mirrored, ...SAME),
  PACK: rule((o) => stack(all(o), o.int(1)), ...SAME),
  PAD: rule(padded, ...SAME),
  PADV2: rule(padded, ...SAME),
  RESHAPE: rule(reshaped, ...SAME),
  SLICE: rule(
    (o) => {
      const [begin, size] = [1, 2].map((i) => o.importer.integers(o.at(i)));
      const end = begin.map((at, axis) => ((size[axis] ?? -1) < 0 ? null : at + size[axis]));
      return sliced(
        o,
        begin,
        end,
        begin.map(() => 1),
      );
    },
    ...SAME,
  ),
  SPACE_TO_BATCH_ND: rule((o) => batches(o, true), ...SAME),
  SPACE_TO_DEPTH: rule((o) => blocks(o, true), ...SAME),
  SPLIT: { ...rule((o) => parts(o, 1, 0), ...SAME), typed: 1 },
  SPLIT_V: rule((o) => parts(o, 0, 2, o.importer.integers(o.at(1))), ...SAME),
  SQUEEZE: rule(reshaped, ...SAME),
  STRIDED_SLICE: rule(stridedSliced, ...SAME),
  TILE: rule((o) => tile(moved(o, 0), o.importer.integers(o.at(1))), ...SAME),
  TRANSPOSE: rule((o) => transpose(moved(o, 0), o.importer.integers(o.at(1))), ...SAME),
  UNPACK: rule((o) => unstack(moved(o, 0), o.int(1)), ...SAME),
};
