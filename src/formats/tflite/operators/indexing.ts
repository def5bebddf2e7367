// Elements by their index, and indices of elements.
import type { Value } from "../../../graph/value.js";
import { broadcastTo } from "../../../ops/broadcast.js";
import { cast } from "../../../ops/cast.js";
import { argMin } from "../../../ops/extremum.js";
import { gather, scatterAdd } from "../../../ops/gather.js";
import { integerAdd, integerMaximum, integerMinimum, integerMul, integerSub, select } from "../../../ops/integer.js";
import { constant } from "../../../ops/leaf.js";
import { reverseSequence, topK } from "../../../ops/order.js";
import { argMax } from "../../../ops/reduce.js";
import { cumsum } from "../../../ops/scan.js";
import { reshape } from "../../../ops/shape.js";
import { flip, stridedSlice } from "../../../ops/slice.js";
import { transpose } from "../../../ops/transpose.js";
import { normalizeAxes, sizeOf } from "../../../shape.js";
import type { Operator } from "../importer.js";
import { axisOf, FLOAT, fail, moved, type Rule, type Rules, rule, SAME } from "./rule.js";

/** 0 to n - 1. */
const upTo = (n: number): Value =>
  constant({ data: Int32Array.from({ length: n }, (_, i) => i), shape: [n], dtype: "int32" });
const scalar = (v: number): Value => constant({ data: Int32Array.of(v), shape: [], dtype: "int32" });

/** Along an axis (field 0); with the first `batch` axes (field 1) gone through together. */
function gathered(o: Operator): Value {
  const [x, indices] = [moved(o, 0), o.input(1)];
  const axis = axisOf(o, o.int(0), x.shape.length);
  const batch = o.int(1) < 0 ? o.int(1) + indices.shape.length : o.int(1);
  if (batch === 0) return gather(x, indices, axis);
  if (batch < 0 || batch > axis || batch > indices.shape.length)
    fail(o, `at most ${axis} axes of a batch`, String(batch));
  // Rows of all images one after the other: an index goes behind the rows of the images before its own.
  const [outer, n] = [sizeOf(x.shape.slice(0, batch)), x.shape[axis]];
  const between = x.shape.slice(batch, axis);
  const last = [...x.shape.keys()].filter((i) => i < batch || i > axis);
  const first = transpose(x, [
    ...last.slice(0, batch),
    axis,
    ...x.shape.map((_, i) => i).slice(batch, axis),
    ...last.slice(batch),
  ]);
  const rest = first.shape.slice(batch + 1);
  o.importer.afford(outer);
  const starts = constant({
    data: Int32Array.from({ length: outer }, (_, i) => i * n),
    shape: [outer, 1],
    dtype: "int32",
  });
  const each = sizeOf(indices.shape.slice(batch));
  const inside = integerMinimum(integerMaximum(reshape(indices, [outer, each]), scalar(0)), scalar(n - 1));
  const rows = gather(reshape(first, [outer * n, ...rest]), integerAdd(inside, starts));
  const shape = [...x.shape.slice(0, batch), ...indices.shape.slice(batch), ...rest];
  const picked = reshape(rows, shape);
  if (between.length === 0) return picked;
  // The axes between the batch and the indices go before those of the indices.
  const many = indices.shape.length - batch;
  const order = [...shape.keys()];
  return transpose(picked, [
    ...order.slice(0, batch),
    ...order.slice(batch + many, batch + many + between.length),
    ...order.slice(batch, batch + many),
    ...order.slice(batch + many + between.length),
  ]);
}

/** Places in the rows that the first axes of a shape make, from indices [..., axes]. */
function flat(o: Operator, indices: Value, shape: readonly number[]): { places: Value; count: number } {
  const axes = indices.shape.at(-1) ?? 0;
  if (indices.shape.length === 0 || axes > shape.length)
    fail(o, `indices of at most ${shape.length} axes`, `[${indices.shape}]`);
  const steps = shape.slice(0, axes).map((_, i) => sizeOf(shape.slice(i + 1, axes)));
  const place = steps
    .map((step, i) => {
      const open = indices.shape.map(() => null);
      const one = stridedSlice(indices, [...open.slice(1), i], [...open.slice(1), i + 1]);
      return integerMul(reshape(one, indices.shape.slice(0, -1)), scalar(step));
    })
    .reduce(integerAdd, scalar(0));
  return { places: broadcastTo(place, indices.shape.slice(0, -1)), count: sizeOf(shape.slice(0, axes)) };
}

function gatheredNd(o: Operator): Value {
  const [x, indices] = [moved(o, 0), o.input(1)];
  const { places, count } = flat(o, indices, x.shape);
  return gather(reshape(x, [count, ...x.shape.slice(indices.shape.at(-1))]), places);
}

function scatteredNd(o: Operator): Value {
  const [indices, updates] = [o.input(0), o.input(1)];
  const shape = o.importer.integers(o.at(2));
  const { places, count } = flat(o, indices, shape);
  const rest = shape.slice(indices.shape.at(-1));
  const rows = reshape(updates, [sizeOf(places.shape), ...rest]);
  return reshape(scatterAdd(rows, reshape(places, [sizeOf(places.shape)]), count), shape);
}

/** 1 at an index along an axis and 0 elsewhere, or the two numbers that the file gives. */
function oneHot(o: Operator): Value {
  const indices = o.input(0);
  const [depth] = o.importer.integers(o.at(1));
  const rank = indices.shape.length + 1;
  const axis = o.int(0, -1) === -1 ? rank - 1 : axisOf(o, o.int(0, -1), rank);
  if (!(depth >= 0)) fail(o, "a depth of at least 0", String(depth));
  o.importer.afford(depth);
  const places = reshape(upTo(depth), [depth, ...Array(rank - 1 - axis).fill(1)]);
  const spread = reshape(indices, indices.shape.toSpliced(axis, 0, 1));
  const other = cast(integerSub(spread, places), "bool");
  return select(other, o.input(3), o.input(2));
}

function largest(o: Operator): readonly Value[] {
  const [x, [k]] = [o.input(0), o.importer.integers(o.at(1))];
  const [values, indices] = topK(cast(x, "float32"), k);
  return [cast(values, x.dtype), indices];
}

const argument = (of: (x: Value, axis: number) => Value): Rule =>
  rule(
    (o) => {
      const x = o.input(0);
      const [axis] = o.importer.integers(o.at(1));
      return of(cast(x, "float32"), axisOf(o, axis, x.shape.length));
    },
    ...(["float32", "int8", "uint8"] as const).flatMap((type) => [[type, "int32"] as const, [type, "int64"] as const]),
  );

/** A part of x replaced, from a place on that is known only when it runs, and moved so far that it lies within x. */
function updated(o: Operator): Value {
  const [x, update, starts] = [moved(o, 0), moved(o, 1), o.input(2)];
  if (
    update.shape.length !== x.shape.length ||
    update.shape.some((d, i) => d > x.shape[i]) ||
    starts.shape[0] !== x.shape.length
  )
    fail(o, `an update within [${x.shape}]`, `[${update.shape}]`);
  o.importer.afford(sizeOf(update.shape) + x.shape.reduce((sum, n) => sum + n, 0));
  const ones = constant({ data: new Uint8Array(sizeOf(update.shape)).fill(1), shape: update.shape, dtype: "bool" });
  // Each axis of the update is gathered to the places that it has in x: outside it lies nothing.
  const [placed, inside] = x.shape.reduce(
    ([values, mask], n, axis) => {
      if (n === update.shape[axis]) return [values, mask];
      const start = reshape(stridedSlice(starts, [axis], [axis + 1]), []);
      const at = integerMinimum(integerMaximum(start, scalar(0)), scalar(n - update.shape[axis]));
      const places = integerSub(upTo(n), at);
      return [gather(values, places, axis), gather(mask, places, axis)];
    },
    [update, ones] as const,
  );
  return select(inside, placed, x);
}

function summed(o: Operator): Value {
  const x = o.input(0);
  const [axis] = o.importer.integers(o.at(1));
  return cumsum(x, axisOf(o, axis, x.shape.length), { exclusive: o.byte(0) !== 0, reverse: o.byte(1) !== 0 });
}

export const indexingRules: Rules = {
  ARG_MAX: argument(argMax),
  ARG_MIN: argument(argMin),
  CUMSUM: rule(summed, FLOAT),
  DYNAMIC_UPDATE_SLICE: rule(updated, ...SAME),
  EMBEDDING_LOOKUP: { ...rule((o) => gather(moved(o, 1), o.input(0)), ...SAME), typed: 1 },
  GATHER: rule(gathered, ...SAME),
  GATHER_ND: rule(gatheredNd, ...SAME),
  ONE_HOT: { ...rule(oneHot, ...SAME), typed: 2 },
  REVERSE_SEQUENCE: rule((o) => reverseSequence(moved(o, 0), o.input(1), o.int(0), o.int(1)), ...SAME),
  REVERSE_V2: rule(
    (o) => flip(moved(o, 0), normalizeAxes(o.importer.integers(o.at(1)), o.input(0).shape.length, o.name)),
    ...SAME,
  ),
  SCATTER_ND: { ...rule(scatteredNd, FLOAT), typed: 1 },
  TOPK_V2: rule(largest, ...SAME.filter(([type]) => type === "float32" || type === "int8" || type === "uint8")),
};
