// Arrays of many axes: kernels run four or five loops, and what needs more works all the same.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  build,
  div,
  equal,
  input,
  less,
  maximum,
  mul,
  pad,
  pow,
  reshape,
  stridedSlice,
  sub,
  sum,
  type Tensor,
  tensor,
  tile,
  transpose,
  type Value,
  where,
} from "../../src/index.js";
import { gradients } from "../../src/train/index.js";
import { type Array64, at, fill, numbers } from "../oracle/array.js";

const float = ({ shape, data }: Array64): Tensor => tensor(Float32Array.from(data), [...shape]);
const rounded = (x: Array64): Array64 => ({ shape: x.shape, data: Float64Array.from(float(x).data) });
/** Shapes of the two operands, without the batch of 1 that both have, and of what they make. */
const operands = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom("both", "a", "b")), { minLength: 1, maxLength: 7 })
  .map((axes) => ({
    a: axes.map(([d, who]) => (who === "b" ? 1 : d)),
    b: axes.map(([d, who]) => (who === "a" ? 1 : d)),
    out: axes.map(([d]) => d),
  }));

const binaries: Record<string, [(a: Value, b: Value) => Value, (a: number, b: number) => number]> = {
  add: [add, (a, b) => a + b],
  sub: [sub, (a, b) => a - b],
  mul: [mul, (a, b) => a * b],
  div: [div, (a, b) => a / b],
  maximum: [maximum, Math.max],
  less: [(a, b) => where(less(a, b), 1, 0), (a, b) => Number(a < b)],
  equal: [(a, b) => where(equal(a, b), a, b), (a, b) => (a === b ? a : b)],
};

test("binary ops broadcast shapes of up to eight axes, whatever axes are repeated", async () => {
  await fc.assert(
    fc.asyncProperty(operands, fc.constantFrom(...Object.keys(binaries)), async ({ a, b, out }, name) => {
      const [op, exact] = binaries[name];
      const [x, y] = [rounded(numbers([1, ...a], 1, 0.5, 2)), rounded(numbers([1, ...b], 2, 0.5, 2))];
      const [p, q] = [input(a, { name: "p" }), input(b, { name: "q" })];
      const model = await build([p, q], op(p, q));
      const found = model.predict([float(x), float(y)]) as Tensor;
      const expected = fill([1, ...out], (...i) => Math.fround(exact(at(x, ...i), at(y, ...i))));
      expect(found.shape).toEqual(expected.shape);
      expect(Array.from(found.data)).toEqual(Array.from(expected.data));
    }),
    { numRuns: 150 },
  );
});

test("gradients flow back through seven alternating axes", async () => {
  const [a, b] = [
    [2, 1, 2, 1, 2, 1, 3],
    [1, 3, 1, 2, 1, 2, 1],
  ];
  const [p, q] = [input(a, { name: "p" }), input(b, { name: "q" })];
  const model = await build([p, q], mul(p, pow(q, 2)));
  const [x, y] = [rounded(numbers([1, ...a], 1)), rounded(numbers([1, ...b], 2))];
  const of = ([z]: Value[]) => sum(z);
  const found = gradients(model, { of, wrt: ["p", "q"] })([float(x), float(y)]);
  const squares = y.data.reduce((s, v) => s + v * v, 0);
  const total = x.data.reduce((s, v) => s + v, 0);
  for (const v of found.p.data) expect(v).toBeCloseTo(squares, 4);
  found.q.data.forEach((v, i) => {
    expect(v).toBeCloseTo(2 * y.data[i] * total, 4);
  });
});

test("where repeats a condition, and reductions take every second axis, of eight", async () => {
  const shape = [2, 3, 2, 3, 2, 1, 2];
  const [p, q] = [input(shape, { name: "p" }), input([1, 3, 1, 3, 1, 1, 2], { name: "q" })];
  const model = await build([p, q], [where(less(q, 0), p, 0), sum(p, [1, 3, 5, 7])]);
  const [x, y] = [rounded(numbers([1, ...shape], 3)), rounded(numbers([1, 1, 3, 1, 3, 1, 1, 2], 4))];
  const [chosen, sums] = model.predict([float(x), float(y)]) as Tensor[];
  expect(Array.from(chosen.data)).toEqual(
    Array.from(fill(x.shape, (...i) => (at(y, ...i) < 0 ? at(x, ...i) : 0)).data),
  );
  expect(sums.shape).toEqual([1, 3, 3, 1]);
  const expected = new Float64Array(9);
  fill(x.shape, (...i) => {
    expected[i[2] * 3 + i[4]] += at(x, ...i);
    return 0;
  });
  sums.data.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i], 4);
  });
});

test("copies with steps run along eight axes that do not collapse", async () => {
  const shape = [3, 2, 3, 2, 3, 2, 3];
  const x = rounded(numbers([1, ...shape], 5));
  const p = input(shape);
  const order = [0, 7, 2, 5, 4, 3, 6, 1];
  const model = await build(p, [
    transpose(p, order),
    stridedSlice(p, Array(8).fill(null), Array(8).fill(null), [1, -1, 1, 2, 1, -2, 1, 2]),
    tile(p, [1, 2, 1, 2, 1, 2, 1, 2]),
    pad(p, [[0, 0], ...Array.from({ length: 7 }, (_, i): [number, number] => [i % 2, (i + 1) % 2])]),
    reshape(transpose(p), [1, -1]),
  ]);
  const [turned, part, tiled, padded, reversed] = model.predict(float(x)) as Tensor[];
  const same = (found: Tensor, want: Array64) => {
    expect(found.shape).toEqual(want.shape);
    expect(Array.from(found.data)).toEqual(Array.from(want.data));
  };
  same(
    turned,
    fill(turned.shape, (...i) => at(x, ...order.map((_, axis) => i[order.indexOf(axis)]))),
  );
  same(
    part,
    fill([1, 3, 2, 2, 2, 2, 2, 2], (b, ...i) => at(x, b, 2 - i[0], i[1], 2 * i[2], i[3], 2 - 2 * i[4], i[5], 2 * i[6])),
  );
  same(
    tiled,
    fill(tiled.shape, (b, ...i) => at(x, b, ...i.map((n, axis) => n % shape[axis]))),
  );
  const low = shape.map((_, i) => i % 2);
  same(
    padded,
    fill(padded.shape, (b, ...i) => {
      const from = i.map((n, axis) => n - low[axis]);
      return from.every((n, axis) => n >= 0 && n < shape[axis]) ? at(x, b, ...from) : 0;
    }),
  );
  const back = fill([1, ...shape].reverse(), (...i) => at(x, ...i.reverse()));
  expect(Array.from(reversed.data)).toEqual(Array.from(back.data));
});
