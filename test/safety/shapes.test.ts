// Properties of the shape rules: what they say is what enumerating says, element by element and window by window.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  concat,
  convolution2d,
  input,
  matmul,
  pad,
  reshape,
  ShapeError,
  stridedSlice,
  sum,
  tensor,
  tile,
  transpose,
} from "../../src/index.js";
import { constant, withBatch } from "../../src/ops/leaf.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { broadcast, sizeOf } from "../../src/shape.js";

const value = (shape: readonly number[]) => withBatch(input(shape.slice(1)), shape[0]);
const zeros = (shape: readonly number[]) => constant(tensor(new Float32Array(sizeOf(shape)), [...shape]));

const dim = fc.integer({ min: 0, max: 4 });
const shapes = fc.array(dim, { minLength: 1, maxLength: 5 });
const rangeOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** What a call gives, or that it refuses with an error of ours about shapes. */
function attempt<T>(call: () => T): T | "refused" {
  try {
    return call();
  } catch (error) {
    expect(error).toBeInstanceOf(ShapeError);
    return "refused";
  }
}

/** NumPy's rule from the end of both shapes on. */
function broadcastByHand(a: readonly number[], b: readonly number[]): number[] | "refused" {
  const [p, q, result] = [[...a], [...b], [] as number[]];
  while (p.length > 0 || q.length > 0) {
    const [d, e] = [p.pop() ?? 1, q.pop() ?? 1];
    if (d !== e && d !== 1 && e !== 1) return "refused";
    result.unshift(d === 1 ? e : d);
  }
  return result;
}

test("broadcasting is NumPy's rule, zeros among the sizes", () => {
  fc.assert(
    fc.property(shapes, shapes, (a, b) => {
      const expected = broadcastByHand(a, b);
      expect(attempt(() => broadcast(a, b, "test"))).toEqual(expected);
      expect(attempt(() => [...add(value(a), value(b)).shape])).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("a reshape keeps the count of elements or is refused, and the open size is the one that keeps it", () => {
  fc.assert(
    fc.property(shapes, shapes, fc.option(fc.nat(4)), (from, to, open) => {
      const asked = to.map((d, i) => (i === open ? -1 : d));
      const free = asked.indexOf(-1);
      // what the open size may be: of no elements, any would do where another size is 0, and 0 is taken
      const fits = rangeOf(sizeOf(from) + 1).filter((d) => sizeOf(to.with(Math.max(free, 0), d)) === sizeOf(from));
      const found = attempt(() => [...reshape(value(from), asked).shape]);
      if (free < 0) expect(found).toEqual(sizeOf(to) === sizeOf(from) ? to : "refused");
      else expect(found).toEqual(fits.length > 0 ? to.with(free, fits[0]) : "refused");
    }),
    { numRuns: 1000 },
  );
});

/** The indices that Python's `begin:end:step` takes of n elements, one after the other. */
function taken(n: number, begin: number | null, end: number | null, step: number): number[] {
  const from = begin === null ? (step > 0 ? 0 : n - 1) : begin < 0 ? begin + n : begin;
  const to = end === null ? (step > 0 ? n : -1) : Math.max(end < 0 ? end + n : end, -1);
  const list: number[] = [];
  // bounds outside are moved to the nearest end before the first step
  let i = step > 0 ? Math.max(from, 0) : Math.min(from, n - 1);
  for (; step > 0 ? i < Math.min(to, n) : i > to && i >= 0; i += step) list.push(i);
  return list;
}

test("a slice has as many elements as are met on the way from its begin to its end", () => {
  const bound = fc.option(fc.integer({ min: -7, max: 7 }));
  const step = fc.integer({ min: -3, max: 3 }).filter((n) => n !== 0);
  fc.assert(
    fc.property(fc.array(fc.tuple(dim, bound, bound, step), { minLength: 1, maxLength: 4 }), (axes) => {
      const x = value(axes.map(([n]) => n));
      const [begin, end, steps] = [axes.map(([, b]) => b), axes.map(([, , e]) => e), axes.map(([, , , s]) => s)];
      const expected = axes.map(([n, b, e, s]) => taken(n, b, e, s).length);
      expect(stridedSlice(x, begin, end, steps).shape).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test("reductions, transposes, tiles, pads, concatenations and products have the sizes of their axes", () => {
  fc.assert(
    fc.property(shapes, fc.infiniteStream(fc.nat(4)), (shape, numbers) => {
      const next = (): number => numbers.next().value as number;
      const x = value(shape);
      const axes = shape.map((_, axis) => axis);
      const dropped = axes.filter(() => next() % 2 === 0);
      const kept = axes.filter((axis) => !dropped.includes(axis));
      if (dropped.length > 0) expect(sum(x, dropped).shape).toEqual(kept.map((axis) => shape[axis]));
      const order = [...kept, ...dropped];
      expect(transpose(x, order).shape).toEqual(order.map((axis) => shape[axis]));
      const times = axes.map(next);
      expect(tile(x, times).shape).toEqual(shape.map((d, i) => rangeOf(d).flatMap(() => rangeOf(times[i])).length));
      const around = axes.map((): [number, number] => [next(), next()]);
      expect(pad(x, around).shape).toEqual(shape.map((d, i) => around[i][0] + d + around[i][1]));
      const [axis, size, n] = [next() % shape.length, next(), next()];
      expect(concat([x, value(shape.with(axis, size))], axis).shape).toEqual(shape.with(axis, shape[axis] + size));
      const k = shape[shape.length - 1];
      if (shape.length > 1) expect(matmul(x, value([k, n])).shape).toEqual([...shape.slice(0, -1), n]);
    }),
    { numRuns: 300 },
  );
});

type Padding = "valid" | "same" | readonly [number, number];
interface Axis {
  n: number;
  size: number;
  stride: number;
  dilation: number;
  around: readonly [number, number];
}

/** How many windows fit, found by putting one after the other; "same" puts one at every stride of the image. */
function windows({ n, size, stride, dilation, around }: Axis, padding: Padding): number {
  if (padding === "same") return rangeOf(n).filter((i) => i % stride === 0).length;
  const [before, after] = padding === "valid" ? [0, 0] : around;
  const last = (start: number): number => Math.max(...rangeOf(size).map((k) => start + k * dilation));
  let count = 0;
  for (let start = -before; last(start) < n + after; start += stride) count++;
  return count;
}

const axis = fc.record({
  n: fc.integer({ min: 1, max: 9 }),
  size: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  around: fc.tuple(fc.nat(3), fc.nat(3)),
});

test("convolutions and pools have a result for each window that fits", () => {
  fc.assert(
    fc.property(axis, axis, fc.constantFrom("valid", "same", "explicit"), (rows, cols, how) => {
      const padding = how === "explicit" ? ([rows.around, cols.around] as const) : (how as "valid" | "same");
      const count = (each: Axis) => windows(each, how === "explicit" ? each.around : (how as "valid" | "same"));
      const image = value([2, rows.n, cols.n, 3]);
      const strides = [rows.stride, cols.stride] as const;
      const size = [rows.size, cols.size] as const;
      const expected = [count(rows), count(cols)];
      const conv = attempt(() => {
        const dilations = [rows.dilation, cols.dilation] as const;
        return convolution2d(image, zeros([...size, 3, 5]), { strides, padding, dilations }).shape;
      });
      expect(conv).toEqual(expected.includes(0) ? "refused" : [2, ...expected, 5]);
      const near = [rows, cols].map((each) => count({ ...each, dilation: 1 }));
      // a window of a pool must meet the image
      const beside = how === "explicit" && [rows, cols].some((each) => Math.max(...each.around) >= each.size);
      for (const pool of [maxPool2d, avgPool2d]) {
        const found = attempt(() => pool(image, size, strides, padding).shape);
        expect(found).toEqual(near.includes(0) || beside ? "refused" : [2, ...near, 3]);
      }
    }),
    { numRuns: 1000 },
  );
});
